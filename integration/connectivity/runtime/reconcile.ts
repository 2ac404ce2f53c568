import type { ConnectionSpec } from "@lineshaft/contract/api";
import { ConnectionError } from "@lineshaft/contract/ports";
import type { Connectivity } from "./index.ts";

/**
 * Makes what runs what is wanted: starts what is new, updates what has changed, stops what is gone. One that cannot be started does not keep the others
 * from it; the reasons are given back by name.
 */
export async function reconcile(
  connectivity: Pick<Connectivity, "list" | "start" | "stop" | "update">,
  wanted: readonly ConnectionSpec[],
): Promise<Map<string, ConnectionError>> {
  const refused = new Map<string, ConnectionError>();
  const running = new Map(connectivity.list().map(({ spec }) => [spec.name, spec]));
  const names = new Set(wanted.map(({ name }) => name));
  await Promise.all([...running.keys()].filter((name) => !names.has(name)).map((name) => connectivity.stop(name)));
  const settle = async (spec: ConnectionSpec): Promise<void> => {
    const present = running.get(spec.name);
    try {
      if (present === undefined) await connectivity.start(spec);
      else if (JSON.stringify(present) !== JSON.stringify(spec)) await connectivity.update(spec);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      refused.set(spec.name, error);
    }
  };
  await Promise.all(wanted.map(settle));
  return refused;
}
