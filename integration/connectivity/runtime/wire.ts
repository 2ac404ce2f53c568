import type { Micros } from "@lineshaft/contract/api";

/** One piece of traffic as a capture keeps it: a JSONL line `{"t":…,"dir":"in","b64":…}`. */
export interface WireRecord {
  t: Micros;
  dir: "in" | "out";
  b64: string;
  note?: string;
}

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
