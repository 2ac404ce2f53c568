/**
 * The plant as pure code: what its controllers would send is a function of the seed and the instant, and of nothing else. A simulation that
 * was restarted therefore sends exactly what an uninterrupted one would have sent.
 */
import { type Columns, ColumnsBuilder, hourUs, type Micros, secondUs } from "@lineshaft/contract/api";
import { BottlingLine, bottlingLine, conveyorBottles } from "./bottling-line.ts";
import type { LineKind, LineModel } from "./line.ts";
import { CyclicMachine, firstSerial, machineryState, PartsLine, partsLine } from "./parts-line.ts";
import { Random } from "./random.ts";
import { type Signal, SignalTable, scansPerSecond } from "./signal.ts";
import { packMl, Unit } from "./unit.ts";

/** Each shift begins anew from the seed: so any instant is reached by playing at most one shift. */
export const shiftUs = 8 * hourUs;
/** Shifts begin at 06:00, 14:00 and 22:00 UTC. */
const firstShiftUs = 6 * hourUs;
const scanUs = secondUs / scansPerSecond;
/** Scans begin up to this much late, as a controller's do. */
const jitterUs = 4_000;

export const lineKinds: readonly LineKind[] = [bottlingLine, partsLine];

export function shiftAt(timeUs: Micros): number {
  return Math.floor((timeUs - firstShiftUs) / shiftUs);
}

/** One line, played from any instant onwards. */
export class PlantLine {
  readonly connection: string;
  readonly #kind: LineKind;
  readonly #seed: number;
  #shift = Number.NaN;
  #table = new SignalTable();
  #model: LineModel | null = null;
  #jitter = new Random("");
  #rows = new ColumnsBuilder();
  /** The next scan to play. */
  #scan: number;

  constructor(kind: LineKind, seed: number, fromUs: Micros) {
    this.#kind = kind;
    this.#seed = seed;
    this.connection = kind.connection;
    // The first scan that `advance(fromUs)` would have left out: who goes on here misses none and repeats none.
    this.#scan = Math.ceil((fromUs - jitterUs) / scanUs);
    this.#begin(shiftAt(fromUs));
    const target = this.#scan;
    this.#scan = Math.ceil((firstShiftUs + this.#shift * shiftUs) / scanUs);
    while (this.#scan < target) this.#step();
    this.#rows = new ColumnsBuilder();
    this.#table.forget();
  }

  get signals(): readonly Signal[] {
    return this.#table.signals;
  }

  /** The line as it stands; for tests that look behind the wire. */
  get model(): LineModel | null {
    return this.#model;
  }

  /** Everything is sent at the next scan, as after a lost connection. */
  sendAll(): void {
    this.#table.forget();
  }

  /** The rows of all scans that began before `toUs`; `columns.tag` indexes `signals`. */
  advance(toUs: Micros): Columns {
    while (this.#scan * scanUs + jitterUs < toUs) this.#step();
    const columns = this.#rows.build();
    this.#rows = new ColumnsBuilder();
    return columns;
  }

  #step(): void {
    const nominalUs = this.#scan * scanUs;
    const shift = shiftAt(nominalUs);
    if (shift !== this.#shift) this.#begin(shift);
    this.#model?.step(1 / scansPerSecond);
    const timeUs = nominalUs + Math.floor(this.#jitter.next() * jitterUs);
    this.#table.scan(timeUs, this.#scan % scansPerSecond === 0, this.#rows);
    this.#scan++;
  }

  #begin(shift: number): void {
    this.#shift = shift;
    this.#table = new SignalTable();
    this.#model = this.#kind.begin(new Random(`${this.#seed}/${this.#kind.connection}/${shift}`), this.#table, shift);
    this.#jitter = new Random(`${this.#seed}/${this.#kind.connection}/${shift}/jitter`);
  }
}

export type { LineKind, LineModel, Signal };
export { BottlingLine, CyclicMachine, conveyorBottles, firstSerial, machineryState, PartsLine, packMl, Random, Unit };
