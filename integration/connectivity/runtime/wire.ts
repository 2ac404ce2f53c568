import type { WireRecord } from "@lineshaft/contract/api";
import type { WireView } from "@lineshaft/contract/ports";

/** As a capture keeps it: a JSONL line `{"t":…,"dir":"in","b64":…}`. */
export function captureLine(record: WireRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** The newest traffic of one connection, bounded in bytes, and those who listen to it live. */
export class WireTap {
  readonly #bytesMax: number;
  #records: WireRecord[] = [];
  #bytes = 0;
  #listeners = new Set<(record: WireRecord) => void>();

  constructor(bytesMax = 256 * 1024) {
    this.#bytesMax = bytesMax;
  }

  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  recent(): readonly WireRecord[] {
    return this.#records;
  }

  listen(listener: (record: WireRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#clear();
    };
  }

  add(record: WireRecord): void {
    this.#records.push(record);
    this.#bytes += record.b64.length;
    while (this.#bytes > this.#bytesMax && this.#records.length > 1)
      this.#bytes -= (this.#records.shift() as WireRecord).b64.length;
    for (const listener of this.#listeners) listener(record);
  }

  #clear(): void {
    this.#records = [];
    this.#bytes = 0;
  }
}

/** What a slow reader may leave waiting. */
const viewBytesMax = 4 * 1024 * 1024;

/** Live traffic as a sequence until `signal`; beyond the bound the newest is left out and counted. */
export function openWireView(
  listen: (listener: (record: WireRecord) => void) => () => void,
  signal: AbortSignal,
  bytesMax = viewBytesMax,
): WireView {
  let missed = 0;
  return {
    get missed() {
      return missed;
    },
    async *[Symbol.asyncIterator]() {
      if (signal.aborted) return;
      const waiting: WireRecord[] = [];
      let bytes = 0;
      let wake = (): void => undefined;
      const stop = (): void => wake();
      const end = listen((record) => {
        if (bytes + record.b64.length > bytesMax && waiting.length > 0) {
          missed++;
          return;
        }
        waiting.push(record);
        bytes += record.b64.length;
        wake();
      });
      signal.addEventListener("abort", stop, { once: true });
      try {
        while (!signal.aborted) {
          const next = waiting.shift();
          if (next !== undefined) {
            bytes -= next.b64.length;
            yield next;
            continue;
          }
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        yield* waiting;
      } finally {
        signal.removeEventListener("abort", stop);
        end();
      }
    },
  };
}
