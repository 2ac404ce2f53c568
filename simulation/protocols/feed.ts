import { type Columns, type Micros, minuteUs, valueAt } from "@lineshaft/contract/api";
import type { PlantLine, Signal } from "../plant/index.ts";
import { machineOf } from "../plant/wiring.ts";
import type { PlantRow, ProtocolEnd, Waiting } from "./end.ts";

/** A computer that slept does not play back what nobody could have measured: beyond this the line goes on from now. */
const longestCatchUpUs = 10 * minuteUs;
const tickMs = 100;

export interface FeedOptions {
  /** The line from an instant of model time onwards. */
  lineAt(fromUs: Micros): PlantLine;
  fromUs: Micros;
  /** Source time on the wire for a model time. */
  stampUs(modelUs: Micros): Micros;
  disturb(columns: Columns, signals: readonly Signal[]): Columns;
}

/** Plays one line and hands each machine's rows to the end that speaks for it: the model stays the one source, whatever the protocol. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #ends = new Map<string, ProtocolEnd>();
  #line: PlantLine;
  #atUs: Micros;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#line = options.lineAt(options.fromUs);
    this.#atUs = options.fromUs;
  }

  signalsOf(machine: string): readonly Signal[] {
    return this.#line.signals.filter((signal) => machineOf(signal) === machine);
  }

  attach(machine: string, end: ProtocolEnd): void {
    this.#ends.set(machine, end);
  }

  /** Everything is told at the next scan: somebody listens who heard nothing yet. */
  tellAll(): void {
    this.#line.sendAll();
  }

  /** Plays until `toUs` of model time and hands over what became due. */
  advance(toUs: Micros): void {
    if (toUs - this.#atUs > longestCatchUpUs) this.#line = this.#options.lineAt(toUs);
    this.#atUs = toUs;
    const { stampUs, disturb } = this.#options;
    const played = this.#line.advance(toUs);
    for (let i = 0; i < played.rows; i++) played.time[i] = stampUs(played.time[i]);
    const { signals } = this.#line;
    const columns = disturb(played, signals);
    const shares = new Map<ProtocolEnd, PlantRow[]>();
    for (let i = 0; i < columns.rows; i++) {
      const signal = signals[columns.tag[i]];
      const end = this.#ends.get(machineOf(signal));
      if (end === undefined) continue;
      const share = shares.get(end) ?? [];
      shares.set(end, share);
      share.push({ signal, timeUs: columns.time[i], value: valueAt(columns, i) });
    }
    for (const [end, rows] of shares) end.accept(rows);
  }
}

/** Keeps the feeds at the plant's time until the signal is aborted. */
export async function play(
  feeds: readonly Feed[],
  nowUs: () => Micros,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const now = nowUs();
    for (const feed of feeds) feed.advance(now);
    await waiting.sleep(tickMs, signal);
  }
}
