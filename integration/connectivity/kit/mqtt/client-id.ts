import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConnectorContext } from "@lineshaft/contract/ports";

/**
 * The client identifier of a connection that has none configured: made once and kept in its folder, so that a kept session is found again after a restart and no
 * two connections throw each other out (MQTT 3.1.4).
 */
export function ownClientId(context: Pick<ConnectorContext, "stateDir" | "log">): string {
  const file = join(context.stateDir, "client-id");
  try {
    const kept = readFileSync(file, "utf8").trim();
    if (/^lineshaft-[0-9a-f]{12}$/.test(kept)) return kept;
  } catch {
    // Not made yet.
  }
  const made = `lineshaft-${randomUUID().replaceAll("-", "").slice(0, 12)}`;
  try {
    mkdirSync(context.stateDir, { recursive: true });
    writeFileSync(file, `${made}\n`);
  } catch {
    context.log(
      "warning",
      "The MQTT client identifier could not be kept; a kept session is not found after a restart.",
    );
  }
  return made;
}
