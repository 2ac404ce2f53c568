/**
 * The plant as pure code: what its controllers would send is a function of the seed and the instant, and of nothing else. A simulation that
 * was restarted therefore sends exactly what an uninterrupted one would have sent.
 */
import { type Columns, ColumnsBuilder, type Micros } from "@lineshaft/contract/api";
import { BottlingLine, bottlingLine, bottlingSheets, conveyorBottles } from "./bottling-line.ts";
import { beginShift, type LineKind, type LineModel } from "./line.ts";
import type { MachineSheet } from "./machine-kind.ts";
import { scanUs } from "./machine-play.ts";
import { machineryState } from "./machinery-state.ts";
import { assemblyMachines, filmMachines } from "./machines.ts";
import { CyclicMachine, firstSerial, PartsLine, partsLine, partsSheets } from "./parts-line.ts";
import { Random } from "./random.ts";
import { jitterUs, ScanClock } from "./scan-clock.ts";
import { shiftAt, shiftStartUs, shiftUs } from "./shift.ts";
import { type Signal, SignalTable, scansPerSecond } from "./signal.ts";
import { stationLine } from "./station-line.ts";
import { packMl, Unit } from "./unit.ts";

/** The lines that the plant has. */
export const lineKinds: readonly LineKind[] = [
  bottlingLine,
  partsLine,
  stationLine("northfield-film-3", filmMachines),
  stationLine("eastgate-assembly-4", assemblyMachines),
];

/** All machines of the plant. */
export const machineSheets: readonly MachineSheet[] = [
  ...bottlingSheets,
  ...partsSheets,
  ...filmMachines,
  ...assemblyMachines,
];

/** One line, played from any instant onwards. */
export class PlantLine {
  readonly connection: string;
  readonly #kind: LineKind;
  readonly #seed: number;
  readonly #clock: ScanClock;
  #shift = Number.NaN;
  #table = new SignalTable();
  #model: LineModel | null = null;
  #rows = new ColumnsBuilder();
  /** The next scan to play. */
  #scan: number;

  constructor(kind: LineKind, seed: number, fromUs: Micros) {
    this.#kind = kind;
    this.#seed = seed;
    this.connection = kind.connection;
    this.#clock = new ScanClock(seed, kind.connection);
    // The first scan that `advance(fromUs)` would have left out: who goes on here misses none and repeats none.
    this.#scan = Math.ceil((fromUs - jitterUs) / scanUs);
    this.#begin(shiftAt(fromUs));
    const target = this.#scan;
    this.#scan = Math.ceil(shiftStartUs(this.#shift) / scanUs);
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
    this.#table.scan(this.#clock.stampUs(nominalUs), this.#scan, this.#rows);
    this.#scan++;
  }

  #begin(shift: number): void {
    this.#shift = shift;
    this.#table = new SignalTable();
    this.#model = beginShift(this.#kind, this.#seed, shift, this.#table);
  }
}

export type { MachineKind, Product, Telling } from "./machine-kind.ts";
export { playMachine } from "./machine-play.ts";
export { type Site, shiftsOf, siteOf, sites } from "./site.ts";
export { stateCodes } from "./state-code.ts";
export type { MachineTruth, TrueExecution, TruePiece, TrueShift } from "./truth.ts";
export type { LineKind, LineModel, Signal };
export {
  assemblyMachines,
  BottlingLine,
  CyclicMachine,
  conveyorBottles,
  filmMachines,
  firstSerial,
  machineryState,
  PartsLine,
  packMl,
  Random,
  shiftAt,
  shiftUs,
  Unit,
};
