import type { Micros } from "@lineshaft/contract/api";
import { lineKinds, type MachineTruth, machineSheets } from "../plant/index.ts";
import { beginShift, type LineKind, type LineModel } from "../plant/line.ts";
import type { MachineSheet } from "../plant/machine-kind.ts";
import { scanUs } from "../plant/machine-play.ts";
import { ScanClock } from "../plant/scan-clock.ts";
import { shiftAt, shiftStartUs, shiftUs } from "../plant/shift.ts";
import { SignalTable } from "../plant/signal.ts";
import { clipped, joined } from "../plant/truth.ts";
import { TruthRecorder } from "../plant/truth-recorder.ts";
import { type Protocol, wiring } from "../plant/wiring.ts";

/** What really happened in a plant of a seed: played again, apart from what its machines tell. In model time, up to the instant that is asked for and never beyond. */
export class TruthBook {
  readonly #seed: number;
  readonly #protocols: ReadonlySet<Protocol>;
  /** By line and shift; the newest last. */
  readonly #chapters = new Map<string, Chapter>();
  readonly #clocks = new Map<string, ScanClock>();

  /** `protocols`: those that are on; a machine whose own is off is read by its line's gateway. */
  constructor(seed: number, protocols: ReadonlySet<Protocol> = new Set(["http"])) {
    this.#seed = seed;
    this.#protocols = protocols;
  }

  /** The time that a machine's controller gives to what it sees in the scan of an instant, as finely as its protocol tells it: by HTTP to the µs, else to the ms. */
  stampOf(name: string): (t: Micros) => Micros {
    const wire = wiring.find(({ machine }) => machine === name);
    const line = wire?.line ?? name;
    const exact = wire === undefined || wire.protocol === "http" || !this.#protocols.has(wire.protocol);
    const clock = this.#clocks.get(line) ?? new ScanClock(this.#seed, line);
    this.#clocks.set(line, clock);
    return exact ? (t) => clock.stampUs(t) : (t) => Math.floor(clock.stampUs(t) / 1000) * 1000;
  }

  /** null: there is no such machine. */
  machine(name: string, fromUs: Micros, toUs: Micros): MachineTruth | null {
    const line = wiring.find(({ machine }) => machine === name)?.line;
    const kind = lineKinds.find(({ connection }) => connection === line);
    if (kind === undefined || sheetOf(name) === null) return null;
    const parts: MachineTruth[] = [];
    for (let shift = shiftAt(fromUs); shiftStartUs(shift) < toUs; shift++) {
      const until = Math.min(toUs, shiftStartUs(shift) + shiftUs);
      const truth = this.#chapter(kind, shift).until(until).get(name);
      if (truth !== undefined) parts.push(clipped(truth, Math.max(fromUs, shiftStartUs(shift)), until));
    }
    const truth = joined(parts);
    const said = asSaid(truth);
    if (sheetOf(name)?.telling.order === undefined) return said;
    // It tells its order itself, at once and not by way of a screen.
    const stampUs = this.stampOf(name);
    const told = (t: Micros): Micros => (t % scanUs === 0 && t < toUs ? stampUs(t) : t);
    const executions = truth.executions.map((each) => ({ ...each, fromUs: told(each.fromUs), toUs: told(each.toUs) }));
    return { ...said, executions };
  }

  #chapter(kind: LineKind, shift: number): Chapter {
    const key = `${kind.connection} ${shift}`;
    const chapter = this.#chapters.get(key) ?? new Chapter(kind, this.#seed, shift);
    this.#chapters.delete(key);
    this.#chapters.set(key, chapter);
    for (const old of this.#chapters.keys()) if (this.#chapters.size > chaptersMax) this.#chapters.delete(old);
    return chapter;
  }
}

/**
 * People go by what they see on the screen, and a controller's scan is up to 4 ms late: so what they say begins and ends a little behind it, and the last piece of an order is in it.
 */
function asSaid(truth: MachineTruth): MachineTruth {
  const said = <T extends { fromUs: Micros; toUs: Micros }>(items: readonly T[]): T[] =>
    items.map((item) => ({ ...item, fromUs: item.fromUs + screenUs, toUs: item.toUs + screenUs }));
  return {
    ...truth,
    executions: said(truth.executions),
    setUps: said(truth.setUps),
    blocked: said(truth.blocked),
  };
}
const screenUs = 5_000;

/** A few shifts of each line stay in memory. */
const chaptersMax = 16;

/** One shift of one line. */
class Chapter {
  readonly #model: LineModel;
  readonly #recorder = new TruthRecorder((machine) => sheetOf(machine)?.telling.sampledSeconds ?? null);
  #atUs: Micros;

  constructor(kind: LineKind, seed: number, shift: number) {
    this.#atUs = shiftStartUs(shift);
    this.#model = beginShift(kind, seed, shift, new SignalTable());
  }

  until(t: Micros): ReadonlyMap<string, MachineTruth> {
    const { truth } = this.#model;
    if ("whole" in truth) return truth.whole;
    for (; this.#atUs < t; this.#atUs += scanUs) {
      this.#model.step(scanUs / 1e6);
      this.#recorder.record(this.#atUs, truth.look());
    }
    this.#recorder.until(this.#atUs);
    return this.#recorder.truths;
  }
}

export function sheetOf(machine: string): MachineSheet | null {
  return machineSheets.find((sheet) => sheet.machine === machine) ?? null;
}

/** The machine at a place, by the names from the site down. */
export function machineAt(path: string): string | null {
  return machineSheets.find(({ equipment }) => equipment.join("/") === path)?.machine ?? null;
}
