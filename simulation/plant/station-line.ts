import type { Micros } from "@lineshaft/contract/api";
import { definer, type LineKind, type LineModel } from "./line.ts";
import type { MachineKind } from "./machine-kind.ts";
import { playMachine, scanUs } from "./machine-play.ts";
import { Random } from "./random.ts";
import { shiftStartUs, shiftUs } from "./shift.ts";
import { approach, resolve, type SignalTable } from "./signal.ts";
import { shiftsOf, siteOf } from "./site.ts";
import { stateNumber } from "./state-code.ts";
import type { MachineTruth, PieceKind } from "./truth.ts";

/** A line of machines of these kinds, side by side. What happens in a shift is played at its begin; the controllers then show it scan by scan. */
export function stationLine(connection: string, kinds: readonly MachineKind[]): LineKind {
  return { connection, begin: (random, table, shift) => new StationLine(kinds, random, table, shift) };
}

class StationLine implements LineModel {
  readonly truth: { whole: ReadonlyMap<string, MachineTruth> };
  readonly #stations: Station[];
  #nowUs: Micros;

  constructor(kinds: readonly MachineKind[], random: Random, table: SignalTable, shift: number) {
    const fromUs = shiftStartUs(shift);
    const toUs = fromUs + shiftUs;
    this.#nowUs = fromUs;
    this.#stations = kinds.map((kind) => {
      const breaks = shiftsOf(siteOf(kind.equipment), fromUs, toUs).flatMap((each) => each.breaks);
      const chance = new Random(`${random.next()} ${kind.machine}`);
      const truth = playMachine(kind, chance, { fromUs, toUs, breaks, shift });
      return new Station(kind, truth, table, chance);
    });
    this.truth = { whole: new Map(this.#stations.map(({ machine, truth }) => [machine, truth])) };
  }

  step(dtSeconds: number): void {
    for (const station of this.#stations) station.show(this.#nowUs, dtSeconds);
    this.#nowUs += scanUs;
  }
}

/** A pulse is as long as a cam closes its switch. */
const pulseUs = 2 * scanUs;

/** The controller of one machine: shows where the truth has come to. */
class Station {
  readonly machine: string;
  readonly truth: MachineTruth;
  readonly counts: Record<PieceKind, number> = { good: 0, scrap: 0, rework: 0 };
  readonly #publish: ((nowUs: Micros, dtSeconds: number) => void)[] = [];
  readonly #lastUs: Record<PieceKind, Micros> = { good: 0, scrap: 0, rework: 0 };
  #state = 0;
  #piece = 0;
  #order = 0;

  constructor(kind: MachineKind, truth: MachineTruth, table: SignalTable, chance: Random) {
    this.machine = kind.machine;
    this.truth = truth;
    const define = definer(table, kind.equipment, kind.machine);
    if (kind.telling.states === "pulses") this.#pulses(define, table);
    else {
      this.#states(kind, define, table);
      this.#counters(kind, define, table);
    }
    if (kind.telling.states !== "pulses") this.#texts(define, table);
    for (const { name, address, unit, running, standing, noise } of kind.process) {
      const signal = define.number(name, address, unit, "10s", standing);
      let value = standing;
      this.#publish.push((_, dt) => {
        value = approach(value, this.#now.itemState === "Executing" ? running : standing, dt, 60);
        table.set(signal, resolve(value + noise * chance.noise(), 0.01));
      });
    }
  }

  show(nowUs: Micros, dtSeconds: number): void {
    const { states, pieces, executions } = this.truth;
    while (states[this.#state + 1]?.fromUs <= nowUs) this.#state++;
    while (executions[this.#order]?.toUs <= nowUs) this.#order++;
    for (; this.#piece < pieces.length && pieces[this.#piece].atUs <= nowUs; this.#piece++) {
      const { kind, n, atUs } = pieces[this.#piece];
      this.counts[kind] += n;
      this.#lastUs[kind] = atUs;
    }
    for (const publish of this.#publish) publish(nowUs, dtSeconds);
  }

  get #now() {
    return this.truth.states[this.#state];
  }

  #pulses(define: ReturnType<typeof definer>, table: SignalTable): void {
    for (const [name, kind] of [
      ["Good", "good"],
      ["Reject", "scrap"],
    ] as const) {
      const signal = define.boolean(`${name} pulse`, `${name}Pulse`, false);
      this.#publish.push((nowUs) => table.set(signal, nowUs - this.#lastUs[kind] < pulseUs));
    }
  }

  #states({ telling }: MachineKind, define: ReturnType<typeof definer>, table: SignalTable): void {
    if (telling.states !== "machinery") {
      const own = telling.states === "code";
      const number = () => stateNumber(this.#now, own ? "code" : "packml");
      const signal = define.integer("State code", own ? "StateCode" : "StateCurrent", "change", number());
      this.#publish.push(() => table.set(signal, number()));
      return;
    }
    const item = define.text("Item state", "MachineryItemState", this.#now.itemState);
    const mode = define.text("Operation mode", "MachineryOperationMode", this.#now.operationMode);
    this.#publish.push(() => {
      table.set(item, this.#now.itemState);
      table.set(mode, this.#now.operationMode);
    });
  }

  #counters(
    { telling, continuous, reworkRate }: MachineKind,
    define: ReturnType<typeof definer>,
    table: SignalTable,
  ): void {
    const { counts } = this;
    const total = () => counts.good + counts.scrap + counts.rework;
    const { counters, sampledSeconds } = telling;
    const shown: [name: string, count: () => number][] = [];
    if (counters !== "sum") shown.push(["Total", total]);
    if (counters !== "totalAndScrap") shown.push(["Good", () => counts.good]);
    if (counters !== "totalAndGood") shown.push(["Scrap", () => counts.scrap]);
    if (counters === "sum" || reworkRate > 0) shown.push(["Rework", () => counts.rework]);
    const sampling = sampledSeconds === null ? "change" : sampledSeconds === 5 ? "5sChange" : "10sChange";
    for (const [name, count] of shown) {
      const signal = continuous
        ? define.number(name, `${name}Count`, "kg", sampling, 0)
        : define.integer(name, `${name}Count`, sampling, 0);
      this.#publish.push(() => table.set(signal, count()));
    }
  }

  #texts(define: ReturnType<typeof definer>, table: SignalTable): void {
    const order = define.text("Order", "OrderNumber", "");
    const reason = define.text("Stop reason", "StopReason", this.#now.text);
    const alarm = define.boolean("Fault", "Alarm", false);
    this.#publish.push((nowUs) => {
      const running = this.truth.executions[this.#order];
      table.set(order, running !== undefined && running.fromUs <= nowUs ? running.order : "");
      table.set(reason, this.#now.text);
      table.set(alarm, this.#now.itemState === "OutOfService");
    });
  }
}
