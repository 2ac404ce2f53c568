import { dayUs, hourUs, type Micros } from "@lineshaft/contract/api";
import type { Known, KnownCount, KnownState, Span } from "./known.ts";
import type { Plan } from "./plan.ts";
import { cursor, endingAt, firstBehind, holds, placeAt } from "./spans.ts";

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
      orders,
      classes: orders.map((order) => this.#classOf(state, busy, order?.order ?? null, a)),
      micro: stop !== null && stop.toUs - stop.fromUs < policy.microStopUs,
    };
  }

  /** The table of OPC 40001-1 Annex C.2, as completed. */
  #classOf(state: KnownState | null, busy: boolean, order: string | null, at: Micros): TimeClass {
    const produces = makes(state);
    if (!busy) return produces && this.#plan.policy.outsidePlan === "extend" ? "apt" : "outside";
    const planned = state !== null && plannedCauses.has(state.cause);
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
    const { fromUs, atUs, n } = count;
    if (n === 0) return;
    if (!count.spread || fromUs === atUs) {
      this.#addAt(stretches[endingAt(stretches, atUs)], count, n);
      return;
    }
    const runs = this.#running(fromUs, atUs);
    const length = runs.reduce((sum, run) => sum + run.toUs - run.fromUs, 0);
    /** Running time of (fromUs, t]. */
    const upTo = (t: Micros): Micros =>
      runs.reduce((sum, run) => sum + Math.max(0, Math.min(run.toUs, t) - run.fromUs), 0);
    const pieces = !this.#plan.continuous && Number.isInteger(n);
    let before = 0;
    const until = (t: Micros): number => {
      const at = upTo(Math.min(atUs, t));
      if (!pieces) return (n * at) / length;
      // Piece i of n lies at quantile (i − ½)/n.
      let i = before;
      while (i < n && (2 * (i + 1) - 1) * length <= 2 * n * at) i++;
      return i;
    };
    before = until(Math.max(fromUs, this.#window.fromUs));
    for (let k = endingAt(stretches, Math.max(fromUs, this.#window.fromUs) + 1); stretches[k]?.fromUs < atUs; k++) {
      const after = until(stretches[k].toUs);
      if (after > before) this.#addAt(stretches[k], count, after - before);
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

  #addAt(stretch: Stretch | undefined, { name }: KnownCount, n: number): void {
    if (stretch === undefined) return;
    const vector = vectors[this.#plan.counters][name];
    for (const [i, order] of stretch.orders.entries()) {
      const units = n * this.#unitsPerCount(stretch, order);
      if (units === 0 || vector === undefined) continue;
      const timeClass = stretch.classes[i];
      const ideal = order === null ? undefined : this.#plan.idealCycles.get(order.material);
      const pri = ideal === undefined ? 0 : ideal.cycleUs / ideal.unitsPerCycle;
      const inKpi =
        timeClass === "aust"
          ? this.#plan.policy.setUpQuantity === "inside"
          : timeClass !== "unknown" &&
            timeClass !== "outside" &&
            !(timeClass === "adot" && this.#plan.policy.noOrder === "notBusy");
      for (const sums of this.#under(stretch.fromUs, stretch.shift, order)) {
        for (const [q, factor] of vector.entries()) sums.quantities[q] += factor * units;
        if (!inKpi) continue;
        if (ideal === undefined) sums.withoutIdeal += units;
        sums.priPq += pri * vector[0] * units;
        sums.priGq += pri * vector[1] * units;
      }
    }
  }

  /** Units of an order in one count of the machine. */
  #unitsPerCount(stretch: Stretch, order: Order | null): number {
    if (order === null) return 1;
    if (this.#plan.counts === "units") return 1 / stretch.orders.length;
    const closed = this.#plan.blocked
      .filter((block) => block.order === order.order && holds(block, stretch.fromUs))
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
    return executions.flatMap((execution) => {
      const before = executions.filter(({ fromUs }) => fromUs < execution.fromUs);
      const last = before.reduce((end, { toUs }) => Math.max(end, Math.min(toUs, execution.fromUs)), 0);
      if (before.some(({ order, toUs }) => order === execution.order && toUs >= last)) return [];
      const end = this.#goodPart(execution, policy.setUpParts) ?? ended;
      return [{ order: execution.order, fromUs: execution.fromUs, toUs: Math.min(end, execution.toUs), booked: false }];
    });
  }

  /** When the good quantity since the begin of an execution first reached so many. */
  #goodPart({ fromUs }: Span, parts: number): Micros | null {
    const good = this.#known.counts.flatMap((count) => this.#goodOf(count, fromUs)).sort((a, b) => a.t - b.t);
    let sum = 0;
    for (let i = 0; i < good.length; i++) {
      sum += good[i].n;
      if (sum >= parts && good[i + 1]?.t !== good[i].t) return good[i].t;
    }
    return null;
  }

  /** How a count changes the good quantity, instant by instant. */
  #goodOf(count: KnownCount, since: Micros): { t: Micros; n: number }[] {
    const { fromUs, atUs, n, name } = count;
    const factor = vectors[this.#plan.counters][name]?.[1] ?? 0;
    if (n === 0 || factor === 0 || atUs <= since) return [];
    if (!count.spread) return [{ t: atUs, n: n * factor }];
    const runs = this.#running(fromUs, atUs);
    const length = runs.reduce((sum, run) => sum + run.toUs - run.fromUs, 0);
    return Array.from({ length: Math.ceil(n) }, (_, i) => ({
      t: placeAt(runs, Math.ceil(((2 * i + 1) * length) / (2 * n))),
      n: factor,
    })).filter(({ t }) => t > since);
  }
}

/** Reasons of the starting vocabulary whose time is planned: break, no shift, preventive maintenance. */
const plannedCauses = new Set([6_200_000, 6_300_000, 7_400_000]);

const vectors: Record<Plan["counters"], Partial<Record<KnownCount["name"], readonly number[]>>> = {
  sum: { good: [1, 1, 0, 0], scrap: [1, 0, 1, 0], rework: [1, 0, 0, 1] },
  totalAndScrap: { total: [1, 1, 0, 0], scrap: [0, -1, 1, 0], rework: [0, -1, 0, 1] },
  totalAndGood: { total: [1, 0, 1, 0], good: [0, 1, -1, 0], rework: [0, 0, -1, 1] },
};

function makes(state: KnownState | null): boolean {
  if (state?.itemState !== "Executing") return false;
  return state.operationMode !== "Setup" && state.operationMode !== "Maintenance";
}

/** Runs of known states in which nothing is made, whatever order or shift there is. */
function stopsOf(states: readonly KnownState[]): Span[] {
  const stops: Span[] = [];
  for (const state of states) {
    if (state.itemState === null || makes(state)) continue;
    const last = stops.at(-1);
    if (last?.toUs === state.fromUs) last.toUs = state.toUs;
    else stops.push({ fromUs: state.fromUs, toUs: state.toUs });
  }
  return stops;
}
