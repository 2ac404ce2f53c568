import type { Uplink } from "../source.ts";
import { type FaultKind, type ProtocolEnd, valueFaults, type Waiting } from "./end.ts";

/**
 * The fifth way: a line's gateway that sends by HTTP ingest. The rows come from `Source`, which can play the line again from where the platform has it;
 * this is what stands between the two and can fail.
 */
export class HttpGateway implements Omit<ProtocolEnd, "accept"> {
  readonly protocol = "http";
  readonly #machines: readonly string[];
  readonly #nowMs: () => number;
  #cutUntilMs = 0;
  #doubleUntilMs = 0;

  constructor(machines: readonly string[], nowMs: () => number) {
    this.#machines = machines;
    this.#nowMs = nowMs;
  }

  /** The uplink with the faults that were ordered. */
  over(uplink: Uplink, waiting: Waiting, signal: AbortSignal): Uplink {
    const connected = async (): Promise<void> => {
      while (this.#cutUntilMs > this.#nowMs() && !signal.aborted) await waiting.sleep(100, signal);
    };
    return {
      connection: uplink.connection,
      cursor: async () => {
        await connected();
        return uplink.cursor();
      },
      write: async (batch, cursor) => {
        await connected();
        const written = await uplink.write(batch, cursor);
        // A batch of its own with the same rows: the platform has to know the repeats by their identity.
        if (this.#doubleUntilMs > this.#nowMs()) await uplink.write(batch, cursor);
        return written;
      },
    };
  }

  faultsOf(): readonly FaultKind[] {
    return ["cut", "duplicate", ...valueFaults];
  }

  fault(_machine: string, kind: FaultKind, ms: number): readonly string[] | null {
    if (kind === "cut") this.#cutUntilMs = this.#nowMs() + ms;
    else if (kind === "duplicate") this.#doubleUntilMs = this.#nowMs() + ms;
    else return null;
    return this.#machines;
  }

  async close(): Promise<void> {}
}
