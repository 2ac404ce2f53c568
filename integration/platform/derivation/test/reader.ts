import { itemStateOf, type MachineFacts, type Micros } from "@lineshaft/contract/api";
import type { Derivation, DirtyRange } from "../index.ts";
import type { Engine } from "./campaign.ts";
import { equipments } from "./plant.ts";

/** Somebody who computes from facts, keeps what he computed, and computes again only what is dirty: time by state, micro stops, pieces. */
export const microStopUs = 1_200_000_000;

export class Reader {
  readonly #engine: Engine;
  readonly #derivation: Derivation;
  readonly #grid: Micros[];
  readonly #microUs: number;
  readonly cells = new Map<string, string>();

  constructor(engine: Engine, derivation: Derivation, grid: Micros[], microUs = microStopUs) {
    this.#microUs = microUs;
    this.#engine = engine;
    this.#derivation = derivation;
    this.#grid = grid;
  }

  /** Cells that the watermark has passed: new ones, and those that meet a dirty range. */
  update(dirty: readonly DirtyRange[]): void {
    for (const equipment of equipments)
      for (let i = 0; i + 1 < this.#grid.length && this.#grid[i + 1] <= this.#derivation.watermark; i++) {
        const [from, to] = [this.#grid[i], this.#grid[i + 1]];
        const key = `${equipment} ${from}`;
        const meets = (what: DirtyRange["what"]): boolean =>
          dirty.some((d) => d.equipment === equipment && d.what === what && d.from <= to && d.to >= from);
        if (!this.cells.has(key) || meets("production")) this.cells.set(key, this.cell(equipment, from, to));
        for (const what of ["alarms", "identifiers"] as const)
          if (!this.cells.has(`${key} ${what}`) || meets(what))
            this.cells.set(`${key} ${what}`, this.#names(what, equipment, from, to));
      }
  }

  /** Cells that have become final; each is computed once. A count at the very end belongs to a cell, so the watermark is behind it. */
  final(lookAheadUs: (equipment: number) => number): void {
    for (const equipment of equipments) {
      const until = this.#derivation.watermark - lookAheadUs(equipment);
      for (let i = 0; i + 1 < this.#grid.length && this.#grid[i + 1] < until; i++) {
        const key = `${equipment} ${this.#grid[i]}`;
        const [from, to] = [this.#grid[i], this.#grid[i + 1]];
        if (!this.cells.has(key)) this.cells.set(key, this.cell(equipment, from, to));
        for (const what of ["alarms", "identifiers"] as const)
          if (!this.cells.has(`${key} ${what}`))
            this.cells.set(`${key} ${what}`, this.#names(what, equipment, from, to));
      }
    }
  }

  /** The first kept cell that is no longer what one would compute now. */
  wrong(): string | null {
    for (const [key, kept] of this.cells) {
      const [equipment, from] = key.split(" ").map(Number);
      const to = this.#grid[this.#grid.indexOf(from) + 1];
      const what = key.split(" ")[2] as "alarms" | "identifiers" | undefined;
      const now = what === undefined ? this.cell(equipment, from, to) : this.#names(what, equipment, from, to);
      if (now !== kept) return `cell ${key}: kept ${kept}, now ${now}`;
    }
    return null;
  }

  #names(what: "alarms" | "identifiers", equipment: number, from: Micros, to: Micros): string {
    const bindings = this.#derivation.bindingsOf(equipment);
    const { alarmTransitions, identifierTransitions } = this.#engine;
    return JSON.stringify((what === "alarms" ? alarmTransitions : identifierTransitions)(bindings, from, to));
  }

  cell(equipment: number, from: Micros, to: Micros): string {
    const bindings = this.#derivation.bindingsOf(equipment);
    const facts = this.#engine.machineFacts(bindings, from - this.#microUs, to + this.#microUs);
    const time = new Map<number, number>();
    let micro = 0;
    let runFrom = Number.NaN;
    for (const [a, b, code] of intervals(facts)) {
      const inside = Math.min(b, to) - Math.max(a, from);
      if (inside > 0) time.set(code, (time.get(code) ?? 0) + inside);
      const stop = code !== 0 && itemStateOf(code) !== "Executing";
      if (stop && Number.isNaN(runFrom)) runFrom = a;
      const ends = !stop || b === facts.to;
      const end = stop ? b : a;
      if (ends && !Number.isNaN(runFrom)) {
        if (end - runFrom <= this.#microUs) micro += Math.max(0, Math.min(end, to) - Math.max(runFrom, from));
        runFrom = Number.NaN;
      }
    }
    const pieces = new Map<number, number>();
    const { increments } = facts;
    for (let i = 0; i < increments.count; i++) {
      const { source, t, n, kind, flags } = increments;
      const share =
        (flags[i] & 2) !== 0 ? this.#share(equipment, source[i], t[i], from, to) : Number(t[i] > from && t[i] <= to);
      if (share > 0) pieces.set(kind[i], (pieces.get(kind[i]) ?? 0) + n[i] * share);
    }
    return JSON.stringify([[...time].sort(), micro, [...pieces].sort()]);
  }

  /** Which part of the producing or unknown time of (source, t] lies in the cell; of all the time where there is none. */
  #share(equipment: number, source: Micros, t: Micros, from: Micros, to: Micros): number {
    const facts = this.#engine.machineFacts(this.#derivation.bindingsOf(equipment), source, t);
    let whole = 0;
    let part = 0;
    for (const [a, b, code] of intervals(facts)) {
      if (code !== 0 && itemStateOf(code) !== "Executing") continue;
      whole += b - a;
      part += Math.max(0, Math.min(b, to) - Math.max(a, from));
    }
    if (whole > 0) return part / whole;
    return Math.max(0, Math.min(t, to) - Math.max(source, from)) / (t - source);
  }
}

export function* intervals({ states, to }: MachineFacts): Generator<[Micros, Micros, number]> {
  for (let i = 0; i < states.count; i++)
    yield [states.t[i], i + 1 < states.count ? states.t[i + 1] : to, states.code[i]];
}
