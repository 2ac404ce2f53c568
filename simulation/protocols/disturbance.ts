import { type Columns, ColumnsBuilder, secondUs, type Value, valueAt, valueTypeAt } from "@lineshaft/contract/api";
import { isCounter, scansPerSecond } from "../plant/signal.ts";
import { machineOf } from "../plant/wiring.ts";
import { CounterFaults } from "./counter-faults.ts";
import type { ValueFault } from "./end.ts";

/** How strong a fault is, where that can be chosen. */
export interface Strength {
  /** How far a skewed clock is ahead. */
  skewSeconds?: number;
  delaySeconds?: number;
  /** Rows for each one, in a burst. */
  factor?: number;
}
export const defaultStrength = { skewSeconds: 60, delaySeconds: 10, factor: 10 } as const satisfies Required<Strength>;

interface Row {
  address: string;
  time: number;
  value: Value;
  type: "int64" | undefined;
}

/** Rows that wait: for their time to come, or for the next scan to overtake them. */
interface Held {
  releaseMs: number;
  rows: Row[];
}

type Signals = readonly { address: string }[];

/**
 * Faults in values, the same for every protocol: a sensor that shows the same for ever, a clock that is wrong, a gateway that mixes up the order. Which are on
 * is a matter of true time.
 */
export class Disturbances {
  readonly #nowMs: () => number;
  /** By fault and machine: until when, and how strong. */
  readonly #orders = new Map<string, { untilMs: number; strength: Required<Strength> }>();
  /** What a frozen signal shows, by address. */
  readonly #frozen = new Map<string, Value>();
  readonly #counters = new CounterFaults();
  /** By machine. */
  readonly #delayed = new Map<string, Held[]>();
  readonly #overtaken = new Map<string, { held: Row[]; nextTime: number | null }>();
  /** The newest values of a controller that is off, by address: it shows them when it is on again. */
  readonly #missed = new Map<string, Row>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  begin(machine: string, kind: ValueFault, ms: number, strength: Strength = {}): void {
    if (kind === "counterReset" || kind === "counterRollover") {
      this.#counters.order(machine, kind);
      return;
    }
    if (kind === "plcDownload") this.#counters.order(machine, "counterReset");
    this.#orders.set(`${kind} ${machine}`, {
      untilMs: this.#nowMs() + ms,
      strength: { ...defaultStrength, ...strength },
    });
    if (kind === "freeze")
      for (const address of this.#frozen.keys()) if (machineOf({ address }) === machine) this.#frozen.delete(address);
  }

  /** The columns as they leave the controllers; the very same object when nothing is wrong. */
  apply(columns: Columns, signals: Signals): Columns {
    const now = this.#nowMs();
    for (const [key, { untilMs }] of this.#orders) if (untilMs <= now) this.#orders.delete(key);
    const waiting = this.#delayed.size + this.#overtaken.size + this.#missed.size;
    if (this.#orders.size === 0 && waiting === 0 && this.#counters.idle) {
      this.#frozen.clear();
      return columns;
    }
    const tags = new Map(signals.map(({ address }, tag) => [address, tag]));
    const rows = new ColumnsBuilder(columns.rows);
    const emit = ({ address, time, value, type }: Row): void => {
      const tag = tags.get(address);
      if (tag !== undefined) rows.add(tag, time, value, 0, 0, type);
    };
    for (const row of this.#released(new Set(signals.map(machineOf)), now)) emit(row);
    for (const row of this.#caughtUp(columns, signals)) emit(row);
    for (let i = 0; i < columns.rows; i++) {
      const { address } = signals[columns.tag[i]];
      const type = valueTypeAt(columns, i) === "int64" ? "int64" : undefined;
      for (const row of this.#pass({ address, time: columns.time[i], value: valueAt(columns, i), type }, now))
        emit(row);
    }
    return rows.build();
  }

  #on(kind: ValueFault, machine: string): Required<Strength> | null {
    return this.#orders.get(`${kind} ${machine}`)?.strength ?? null;
  }

  /** What comes out for one row that goes in: in most cases one. */
  #pass(row: Row, now: number): Row[] {
    const { address } = row;
    const machine = machineOf(row);
    const time = row.time + (this.#on("skew", machine)?.skewSeconds ?? 0) * secondUs;
    let { value } = row;
    if (isCounter(address)) value = this.#counters.shown(address, value);
    if (this.#on("freeze", machine)) {
      if (!this.#frozen.has(address)) this.#frozen.set(address, value);
      value = this.#frozen.get(address) ?? value;
    } else this.#frozen.delete(address);
    const changed = { ...row, time, value };
    if (this.#on("plcDownload", machine)) {
      this.#missed.set(address, changed);
      return [];
    }
    const all = this.#multiplied(changed, this.#on("burst", machine)?.factor ?? 1);
    const delay = this.#on("delay", machine);
    if (delay !== null) {
      const held = this.#delayed.get(machine) ?? [];
      this.#delayed.set(machine, held);
      held.push({ releaseMs: now + delay.delaySeconds * 1000, rows: all });
      return [];
    }
    return this.#on("reorder", machine) === null ? all : this.#mixedUp(machine, all);
  }

  /** Readings between two scans; only what is measured has any. */
  #multiplied(row: Row, factor: number): Row[] {
    const { value, time } = row;
    if (factor <= 1 || typeof value !== "number" || row.type !== undefined) return [row];
    const stepUs = Math.floor(secondUs / scansPerSecond / factor);
    // Never twice the same: whoever reports by exception has to report each.
    return Array.from({ length: Math.floor(factor) }, (_, k) => ({
      ...row,
      time: time + k * stepUs,
      value: k % 2 === 0 ? value : Math.round((value + 0.1) * 100) / 100,
    }));
  }

  /** One scan waits until the next has overtaken it. */
  #mixedUp(machine: string, rows: Row[]): Row[] {
    const [{ time }] = rows;
    const pair = this.#overtaken.get(machine);
    if (pair === undefined || (pair.nextTime !== null && time > pair.nextTime)) {
      this.#overtaken.set(machine, { held: [...rows], nextTime: null });
      return pair?.held ?? [];
    }
    if (time <= pair.held[0].time) pair.held.push(...rows);
    else {
      pair.nextTime = time;
      return rows;
    }
    return [];
  }

  /** Of these machines, what has waited long enough; all of it where the fault is over. */
  *#released(machines: ReadonlySet<string>, now: number): Iterable<Row> {
    for (const machine of machines) {
      const delayed = this.#delayed.get(machine) ?? [];
      const over = this.#on("delay", machine) === null;
      while (delayed.length > 0 && (over || delayed[0].releaseMs <= now)) yield* delayed.shift()?.rows ?? [];
      if (delayed.length === 0) this.#delayed.delete(machine);
      if (this.#on("reorder", machine) !== null) continue;
      yield* this.#overtaken.get(machine)?.held ?? [];
      this.#overtaken.delete(machine);
    }
  }

  /** A controller that is on again shows what changed meanwhile, as of now. */
  *#caughtUp(columns: Columns, signals: Signals): Iterable<Row> {
    if (this.#missed.size === 0 || columns.rows === 0) return;
    const own = new Set(signals.map(({ address }) => address));
    const comes = new Set(Array.from(columns.tag.subarray(0, columns.rows), (tag) => signals[tag].address));
    for (const [address, row] of this.#missed) {
      if (!own.has(address) || this.#on("plcDownload", machineOf(row)) !== null) continue;
      this.#missed.delete(address);
      if (!comes.has(address)) yield { ...row, time: columns.time[0] };
    }
  }
}
