import type { ConnectionSpec } from "@lineshaft/contract/api";
import { ConnectionError } from "@lineshaft/contract/ports";
import type { Connectivity } from "./index.ts";

/**
 * Makes what runs what is wanted: starts what is new, updates what has changed, stops what is gone. One that cannot be started does not keep the others
 * from it; the reasons are given back by name. `pause` is waited for after each that was started: hundreds of them must not keep the thread from those who send.
 */
export async function reconcile(
  connectivity: Pick<Connectivity, "list" | "start" | "stop" | "update">,
  wanted: readonly ConnectionSpec[],
  pause: () => Promise<void> = async () => undefined,
): Promise<Map<string, ConnectionError>> {
  const refused = new Map<string, ConnectionError>();
  const running = new Map(connectivity.list().map(({ spec }) => [spec.name, spec]));
  const names = new Set(wanted.map(({ name }) => name));
  await Promise.all([...running.keys()].filter((name) => !names.has(name)).map((name) => connectivity.stop(name)));
  const unexpected: unknown[] = [];
  const settle = async (spec: ConnectionSpec, how: "start" | "update"): Promise<void> => {
    try {
      await connectivity[how](spec);
    } catch (error) {
      if (error instanceof ConnectionError) refused.set(spec.name, error);
      else unexpected.push(error);
    }
  };
  const updates: Promise<void>[] = [];
  for (const spec of wanted) {
    const present = running.get(spec.name);
    // One that is started does not wait for its source; one that is updated may wait until its old self has ended.
    if (present === undefined) await settle(spec, "start");
    else if (JSON.stringify(present) === JSON.stringify(spec)) continue;
    else updates.push(settle(spec, "update"));
    await pause();
  }
  await Promise.all(updates);
  if (unexpected.length > 0) throw unexpected[0];
  return refused;
}
