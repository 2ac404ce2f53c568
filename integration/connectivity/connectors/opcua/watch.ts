import type { Clock } from "@lineshaft/contract/ports";
import type { Opcua } from "./library.ts";
import type { RawSession } from "./link.ts";

const tickMs = 1_000;

export interface WatchOptions {
  opcua: Opcua;
  session: RawSession;
  clock: Clock;
  keepAliveMs: number;
  signal: AbortSignal;
  /** When the peer was last heard, by the monotonic clock. */
  heardMs(): number;
  /** Called about once a second. */
  tick(): Promise<void>;
}

/**
 * Finds half-open connections (F2): a peer that was silent for a keep-alive is asked, and when half a further one brings no answer it is lost. The
 * question also keeps the session alive while a stalled sink lets no Publish request out.
 */
export async function watchPeer(options: WatchOptions): Promise<never> {
  const { opcua, session, clock, keepAliveMs, signal } = options;
  let heardMs = clock.monotonicMs();
  for (;;) {
    heardMs = Math.max(heardMs, options.heardMs());
    const waitMs = heardMs + keepAliveMs - clock.monotonicMs();
    if (waitMs > 0) {
      await clock.sleep(Math.min(waitMs, tickMs), signal);
      await options.tick();
      continue;
    }
    const answered = new AbortController();
    const question = session.read({
      nodeId: opcua.coerceNodeId(opcua.VariableIds.Server_ServerStatus_State),
      attributeId: opcua.AttributeIds.Value,
    });
    const late = clock.sleep(keepAliveMs / 2, AbortSignal.any([signal, answered.signal])).then(() => {
      throw new Error(`no answer for ${1.5 * keepAliveMs} ms`);
    });
    await Promise.race([question, late]).finally(() => answered.abort());
    heardMs = clock.monotonicMs();
  }
}
