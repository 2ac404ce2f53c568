// Hot path: `touch` runs for each point of the plant.
import type { Micros } from "@lineshaft/contract/api";

export interface Window {
  readonly connectionId: number;
  readonly startUs: Micros;
  /** The stream's place before the first event that touched it. */
  readonly cursorBefore: string | null;
  /** Newest LSN that touched it; 0: only history did. */
  lsn: number;
  /** Counts touches by later events, so that a window touched while it is computed is not forgotten. */
  version: number;
  taken: number;
}

const windowsMax = 10_000;

/**
 * The windows of source time that have changed and are not published yet, in the order in which they were touched first. The
 * oldest of them says where a restart has to begin.
 */
export class Windows {
  readonly #widthUs: number;
  readonly #open = new Map<string, Window>();
  readonly #newest = new Map<number, Micros>();
  #cursor: string | null = null;
  /** Touched by the event that is being read; they belong to it when its cursor comes. */
  #touched: Window[] = [];
  #last: Window | null = null;
  #wake: () => void = () => {};

  constructor(widthUs: number) {
    this.#widthUs = widthUs;
  }

  touch(connectionId: number, time: Micros): void {
    const last = this.#last;
    if (
      last !== null &&
      last.connectionId === connectionId &&
      time >= last.startUs &&
      time < last.startUs + this.#widthUs
    )
      return;
    if (time > (this.#newest.get(connectionId) ?? -Infinity)) this.#newest.set(connectionId, time);
    const startUs = Math.floor(time / this.#widthUs) * this.#widthUs;
    const key = `${connectionId}/${startUs}`;
    let window = this.#open.get(key);
    if (window === undefined) {
      window = { connectionId, startUs, cursorBefore: this.#cursor, lsn: 0, version: 0, taken: -1 };
      this.#open.set(key, window);
    }
    this.#touched.push(window);
    this.#last = window;
  }

  /** The stream has passed an event, or tells where it stands. */
  passed(cursor: string, lsn: number | null = null): void {
    for (const window of this.#touched) {
      window.version++;
      window.lsn = Math.max(window.lsn, lsn ?? 0);
    }
    this.#touched = [];
    this.#last = null;
    this.#cursor = cursor;
  }

  /** Resolves when there is room for more windows. */
  async room(): Promise<void> {
    while (this.#open.size >= windowsMax)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  /** Windows whose connection, or the clock, has passed their end by the grace; when memory is full, all. */
  *closed(nowUs: Micros, graceUs: number): Generator<Window> {
    const full = this.#open.size >= windowsMax;
    for (const window of [...this.#open.values()]) {
      const end = window.startUs + this.#widthUs + graceUs;
      if (!full && end > (this.#newest.get(window.connectionId) ?? -Infinity) && end > nowUs) continue;
      window.taken = window.version;
      yield window;
    }
  }

  done(window: Window): void {
    if (window.taken === window.version) this.#open.delete(`${window.connectionId}/${window.startUs}`);
    this.#wake();
  }

  /** Where to begin after a restart once `finished` is published, as text for a sourceCursor. */
  savePoint(finished: Window): string {
    const open = [...this.#open.values()].filter((w) => w !== finished || w.taken !== w.version);
    const first = open[0];
    const cursor = first === undefined ? this.#cursor : first.cursorBefore;
    const from = Math.min(finished.startUs, ...open.map((w) => w.startUs));
    return JSON.stringify(cursor === null ? { from } : { cursor, from });
  }
}
