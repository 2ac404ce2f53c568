import { dayUs, hourUs, type Micros } from "@lineshaft/contract/api";
import { goodPart } from "./first-good.ts";
import type { Known, KnownCount, KnownState, Span } from "./known.ts";
import { makes, plannedCauses, runsOf, stopsOf, vectors } from "./meaning.ts";
import type { Plan, TrueLateScrap } from "./plan.ts";
import { cursor, endingAt, firstBehind, holds } from "./spans.ts";

/**
 * The OEE from what is known, written from RULES alone and on purpose without a line of the platform's: it looks at each stretch in which nothing changes, says what its time is, puts every count
 * at its place, and adds up. µs are integers, so sums of time are exact.
 */
export interface TrueOee {
  aptUs: Micros;
  austUs: Micros;
  adetUs: Micros;
  adotUs: Micros;
  unknownUs: Micros;
  /** Planned busy time of known state (PBT'). */
  pbtUs: Micros;
  good: number;
  scrap: number;
  rework: number;
  produced: number;
  availability: number | null;
  effectiveness: number | null;
  qualityRatio: number | null;
  oee: number | null;
}

interface Sums {
  apt: number;
  aust: number;
  adet: number;
  adot: number;
  unknown: number;
  micro: number;
  quantities: [produced: number, good: number, scrap: number, rework: number];
  priPq: number;
  priGq: number;
  /** Made without an ideal cycle: then effectiveness, quality and OEE are not known. */
  withoutIdeal: number;
}

const noSums = (): Sums => ({
  apt: 0,
  aust: 0,
  adet: 0,
  adot: 0,
  unknown: 0,
  micro: 0,
  quantities: [0, 0, 0, 0],
  priPq: 0,
  priGq: 0,
  withoutIdeal: 0,
});

type TimeClass = "apt" | "aust" | "adet" | "adot" | "unknown" | "outside";

/** Under which heads a stretch counts. */
export interface Heads {
  all: TrueOee;
  hours: Map<Micros, TrueOee>;
  shifts: Map<string, TrueOee>;
  orders: Map<string, TrueOee>;
}

export function oeeOf(known: Known, plan: Plan, window: Span): Heads {
  return new Oracle(known, plan, window).run();
}

interface Order {
  order: string;
  material: string;
  cavities: number;
}

/** A stretch in which nothing changes. */
interface Stretch extends Span {
  state: KnownState | null;
  shift: string | null;
  /** In a shift and in no break of it. */
  busy: boolean;
  orders: readonly (Order | null)[];
  classes: TimeClass[];
  micro: boolean;
}

class Oracle {
  readonly #known: Known;
  readonly #plan: Plan;
  readonly #window: Span;
  readonly #sums = new Map<string, Sums>();
  readonly #setUps: { order: string; fromUs: Micros; toUs: Micros; booked: boolean }[];
  readonly #stops: Span[];

  constructor(known: Known, plan: Plan, window: Span) {
    this.#known = known;
    this.#plan = plan;
    this.#window = window;
    this.#stops = stopsOf(known.states);
    this.#setUps = [
      ...plan.setUps.map((setUp) => ({ ...setUp, booked: true })),
      ...(plan.policy.setUp === "firstGoodPart" ? this.#setUpsToFirstGoodPart() : []),
    ];
  }

  run(): Heads {
    const stretches = this.#stretches();
    for (const stretch of stretches) this.#addTime(stretch);
    for (const count of this.#known.counts) this.#addCount(count, stretches);
    for (const late of this.#plan.lateScrap ?? []) this.#addLate(late, stretches);
    const heads: Heads = { all: this.#oee("all"), hours: new Map(), shifts: new Map(), orders: new Map() };
    for (const key of this.#sums.keys()) {
      const [head, of] = [key.slice(0, key.indexOf(" ")), key.slice(key.indexOf(" ") + 1)];
      if (head === "hour") heads.hours.set(Number(of), this.#oee(key));
      else if (head === "shift") heads.shifts.set(of, this.#oee(key));
      else if (head === "order") heads.orders.set(of, this.#oee(key));
    }
    return heads;
  }

  #stretches(): Stretch[] {
    const { fromUs, toUs } = this.#window;
    const { shifts, executions, blocked } = this.#plan;
    const spans: Span[] = [
      ...this.#known.states,
      ...shifts,
      ...shifts.flatMap(({ breaks }) => breaks),
      ...executions,
      ...this.#setUps,
      ...blocked,
      ...(this.#plan.reasons ?? []),
    ];
    const edges = new Set<Micros>([fromUs, toUs]);
    for (let hour = Math.ceil(fromUs / hourUs) * hourUs; hour < toUs; hour += hourUs) edges.add(hour);
    for (const span of spans) for (const at of [span.fromUs, span.toUs]) if (at > fromUs && at < toUs) edges.add(at);
    const sorted = [...edges].sort((a, b) => a - b);
    const states = cursor(this.#known.states);
    const stops = cursor(this.#stops);
    const stretches: Stretch[] = [];
    for (let i = 0; i + 1 < sorted.length; i++) {
      const [a, b] = [sorted[i], sorted[i + 1]];
      stretches.push(this.#stretch(a, b, states(a), stops(a)));
    }
    return stretches;
  }

  #stretch(a: Micros, b: Micros, state: KnownState | null, stop: Span | null): Stretch {
    const { shifts, executions, policy } = this.#plan;
    const shift = shifts.find((each) => holds(each, a)) ?? null;
    const busy = shift !== null && !shift.breaks.some((each) => holds(each, a));
    const running = executions.filter((each) => holds(each, a));
    const orders = running.length === 0 ? [null] : running;
    return {
      fromUs: a,
      toUs: b,
      state,
      shift: shift?.id ?? null,
      busy,
      orders,
      classes: orders.map((order) => this.#classOf(state, busy, order?.order ?? null, a)),
      micro: stop !== null && stop.toUs - stop.fromUs < policy.microStopUs,
    };
  }

  /** The table of OPC 40001-1 Annex C.2, as completed. */
  #classOf(state: KnownState | null, busy: boolean, order: string | null, at: Micros): TimeClass {
    const produces = makes(state);
    if (!busy) return produces && this.#plan.policy.outsidePlan === "extend" ? "apt" : "outside";
    const said = this.#plan.reasons?.findLast((reason) => holds(reason, at));
    const planned = said?.planned ?? (state !== null && plannedCauses.has(state.cause));
    if (planned && !produces) return "outside";
    const own = this.#setUps.filter((setUp) => setUp.order === order && holds(setUp, at));
    if (own.some(({ booked }) => booked)) return "aust";
    if (state === null || state.itemState === null) return "unknown";
    if (own.length > 0) return "aust";
    if (produces) return "apt";
    const { itemState, operationMode } = state;
    const down = order === null ? "adot" : "adet";
    if (operationMode === "Maintenance") return order === null ? "outside" : "adet";
    if (operationMode === "Setup") return itemState === "OutOfService" ? down : "aust";
    if (operationMode === "Processing") return itemState === "NotExecuting" ? down : "adet";
    return down;
  }

  #addTime({ fromUs, toUs, shift, orders, classes, micro }: Stretch): void {
    for (const [i, order] of orders.entries()) {
      // Orders that run at once have equal shares of the time; the clock's µs are dealt out, wherever else time is cut.
      const day = fromUs - (fromUs % dayUs);
      const dealt = (t: Micros, shares: number): Micros => Math.round(((t - day) * shares) / orders.length);
      const part = (shares: number): Micros => dealt(toUs, shares) - dealt(fromUs, shares);
      const us = part(i + 1) - part(i);
      const timeClass = classes[i];
      if (timeClass === "outside") continue;
      for (const sums of this.#under(fromUs, shift, order)) {
        sums[timeClass] += us;
        if (micro && timeClass === "adet") sums.micro += us;
      }
    }
  }

  /** A count stands where it was completed; one that may lie anywhere in its interval is laid out over the running time there. */
  #addCount(count: KnownCount, stretches: readonly Stretch[]): void {
    if (!count.spread) this.#addAt(stretches[endingAt(stretches, count.atUs)], count.name, count.n);
    else this.#layOut(count, !this.#plan.continuous, stretches, (stretch, n) => this.#addAt(stretch, count.name, n));
  }

  /** What turned out to be no good is no good where it was made. */
  #addLate({ order, quantity, becomes, bookedUs, madeUs }: TrueLateScrap, stretches: readonly Stretch[]): void {
    const made = madeUs ?? this.#lastRun(order, bookedUs);
    if (made === null) return;
    const add = (stretch: Stretch, n: number): void => this.#addLateAt(stretch, order, becomes, n);
    const count = { fromUs: made.fromUs, atUs: made.toUs, n: quantity };
    const at = stretches[endingAt(stretches, made.toUs)];
    if (made.fromUs < made.toUs) this.#layOut(count, true, stretches, add);
    else if (at !== undefined) add(at, quantity);
  }

  /** The last running time of an order until an instant. */
  #lastRun(order: string, untilUs: Micros): Span | null {
    let last: Span | null = null;
    for (const execution of this.#plan.executions.filter((each) => each.order === order))
      for (const run of runsOf(this.#known.states)) {
        const fromUs = Math.max(run.fromUs, execution.fromUs);
        const toUs = Math.min(run.toUs, execution.toUs, untilUs);
        if (fromUs < toUs && toUs > (last?.toUs ?? 0)) last = { fromUs, toUs };
      }
    return last;
  }

  /** Deals a count out over the running time of its interval: piece i of n lies at quantile (i − ½)/n, what has no pieces evenly. */
  #layOut(
    { fromUs, atUs, n }: Pick<KnownCount, "fromUs" | "atUs" | "n">,
    inPieces: boolean,
    stretches: readonly Stretch[],
    add: (stretch: Stretch, n: number) => void,
  ): void {
    const runs = this.#running(fromUs, atUs);
    const length = runs.reduce((sum, run) => sum + run.toUs - run.fromUs, 0);
    /** Running time of (fromUs, t]. */
    const upTo = (t: Micros): Micros =>
      runs.reduce((sum, run) => sum + Math.max(0, Math.min(run.toUs, t) - run.fromUs), 0);
    const pieces = inPieces && Number.isInteger(n);
    let before = 0;
    const until = (t: Micros): number => {
      const at = upTo(Math.min(atUs, t));
      if (!pieces) return (n * at) / length;
      let i = before;
      while (i < n && (2 * (i + 1) - 1) * length <= 2 * n * at) i++;
      return i;
    };
    const begin = Math.max(fromUs, this.#window.fromUs);
    before = until(begin);
    for (let k = endingAt(stretches, begin + 1); stretches[k]?.fromUs < atUs; k++) {
      const after = until(stretches[k].toUs);
      if (after > before) add(stretches[k], after - before);
      before = after;
    }
  }

  /** Where the machine ran or may have run; if nowhere, all of it. */
  #running(fromUs: Micros, toUs: Micros): Span[] {
    const runs: Span[] = [];
    const { states } = this.#known;
    for (let i = firstBehind(states, fromUs); i < states.length && states[i].fromUs < toUs; i++)
      if (states[i].itemState === null || makes(states[i]))
        runs.push({ fromUs: Math.max(fromUs, states[i].fromUs), toUs: Math.min(toUs, states[i].toUs) });
    return runs.length > 0 ? runs : [{ fromUs, toUs }];
  }

  #addAt(stretch: Stretch | undefined, name: KnownCount["name"], n: number): void {
    const vector = vectors[this.#plan.counters][name];
    if (stretch === undefined || n === 0 || vector === undefined) return;
    for (const order of stretch.orders) {
      const units = n * this.#unitsPerCount(stretch.orders, order, stretch.fromUs);
      if (units !== 0)
        this.#addUnits(
          stretch,
          order,
          vector.map((factor) => factor * units),
        );
    }
  }

  #addLateAt(stretch: Stretch, name: string, becomes: "scrap" | "rework", n: number): void {
    const order =
      stretch.orders.find((each) => each?.order === name) ??
      this.#plan.executions.find((each) => each.order === name) ??
      null;
    this.#addUnits(stretch, order, becomes === "rework" ? [0, -n, 0, n] : [0, -n, n, 0]);
  }

  /** Adds [produced, good, scrap, rework] of an order in a stretch. */
  #addUnits(stretch: Stretch, order: Order | null, units: readonly number[]): void {
    const { state, busy, fromUs, shift } = stretch;
    const timeClass = this.#classOf(state, busy, order?.order ?? null, fromUs);
    const ideal = order === null ? undefined : this.#plan.idealCycles.get(order.material);
    const pri = ideal === undefined ? 0 : ideal.cycleUs / ideal.unitsPerCycle;
    const { setUpQuantity, noOrder } = this.#plan.policy;
    const inKpi =
      timeClass === "aust"
        ? setUpQuantity === "inside"
        : timeClass !== "unknown" && timeClass !== "outside" && !(timeClass === "adot" && noOrder === "notBusy");
    for (const sums of this.#under(fromUs, shift, order)) {
      for (const [q, n] of units.entries()) sums.quantities[q] += n;
      if (!inKpi) continue;
      if (ideal === undefined) sums.withoutIdeal += Math.abs(units[0]) + Math.abs(units[1]);
      sums.priPq += pri * units[0];
      sums.priGq += pri * units[1];
    }
  }

  /** Units of an order in one count of the machine. */
  #unitsPerCount(orders: readonly (Order | null)[], order: Order | null, at: Micros): number {
    if (order === null) return 1;
    if (this.#plan.counts === "units") return 1 / orders.length;
    const closed = this.#plan.blocked
      .filter((block) => block.order === order.order && holds(block, at))
      .reduce((sum, { cavities }) => sum + cavities, 0);
    return Math.max(0, order.cavities - closed);
  }

  #under(at: Micros, shift: string | null, order: Order | null): Sums[] {
    const keys = ["all", `hour ${Math.floor(at / hourUs) * hourUs}`];
    if (shift !== null) keys.push(`shift ${shift}`);
    if (order !== null) keys.push(`order ${order.order}`);
    return keys.map((key) => {
      let sums = this.#sums.get(key);
      if (sums === undefined) {
        sums = noSums();
        this.#sums.set(key, sums);
      }
      return sums;
    });
  }

  #oee(key: string): TrueOee {
    const { policy } = this.#plan;
    const { apt, aust, adet, adot, unknown, micro, quantities, priPq, priGq, withoutIdeal } =
      this.#sums.get(key) ?? noSums();
    const [produced, good, scrap, rework] = quantities;
    const pbt = apt + aust + adet + (policy.noOrder === "busy" ? adot : 0);
    const producing = apt + (policy.microStopTo === "effectiveness" ? micro : 0);
    const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
    const valued = (part: number, whole: number): number | null => (withoutIdeal > 0 ? null : ratio(part, whole));
    return {
      aptUs: apt,
      austUs: aust,
      adetUs: adet,
      adotUs: adot,
      unknownUs: unknown,
      pbtUs: pbt,
      produced,
      good,
      scrap,
      rework,
      availability: ratio(producing, pbt),
      effectiveness: valued(priPq, producing),
      qualityRatio: valued(priGq, priPq),
      oee: valued(priGq, pbt),
    };
  }

  /** From where an order begins that did not run before it to its n-th good part, each execution for itself. */
  #setUpsToFirstGoodPart(): { order: string; fromUs: Micros; toUs: Micros; booked: boolean }[] {
    const { executions, policy } = this.#plan;
    const ended = Math.max(...this.#known.states.map(({ toUs }) => toUs));
    const of = {
      known: this.#known,
      plan: this.#plan,
      running: (fromUs: Micros, toUs: Micros) => this.#running(fromUs, toUs),
      unitsPerCount: (orders: readonly Order[], order: Order, at: Micros) => this.#unitsPerCount(orders, order, at),
    };
    return executions.flatMap((execution) => {
      const before = executions.filter(({ fromUs }) => fromUs < execution.fromUs);
      const last = before.reduce((end, { toUs }) => Math.max(end, Math.min(toUs, execution.fromUs)), 0);
      if (before.some(({ order, toUs }) => order === execution.order && toUs >= last)) return [];
      const end = goodPart(execution, policy.setUpParts, of) ?? ended;
      return [{ order: execution.order, fromUs: execution.fromUs, toUs: Math.min(end, execution.toUs), booked: false }];
    });
  }
}
