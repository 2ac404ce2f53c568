import {
  type Counting,
  causeOf,
  type Dated,
  defaultOeePolicy,
  type EquipmentContext,
  type IdealCycle,
  itemStateOf,
  type MadeMaterial,
  type Micros,
  type OeePolicy,
  type OrderExecution,
  operationModeOf,
  ownReasons,
  type PlanCondition,
  type PlannedClass,
  type SetUp,
  type SetUpCondition,
  type ShiftOccurrence,
  type TimeClass,
  timeClassOf,
} from "@lineshaft/contract/api";
import type { Stop } from "./states.ts";
import { cutsOf, Timeline } from "./timeline.ts";

/** What counters mean where nobody said it: one count, one good or scrapped piece. */
const plainCounting: Counting = {
  fromUs: 0,
  toUs: 0,
  counts: "units",
  quantities: "sum",
  unitsPerCount: 1,
  unit: "1",
};

/** A piece of time in which neither the machine nor its context changes, [from, to). */
export interface Piece {
  from: Micros;
  to: Micros;
  code: number;
  stop: Stop | null;
  /** Shorter than the threshold at its beginning, over its whole length. */
  micro: boolean;
  plan: PlanCondition;
  shift: ShiftOccurrence | null;
  policy: OeePolicy;
  counting: Counting;
  /** Booked, else the machine's own. */
  reason: number | null;
  plannedReason: PlannedClass | null;
  setUps: readonly SetUp[];
  /** `[null]`: no order. */
  orders: readonly (OrderExecution | null)[];
  /** What the machine says it makes. */
  made: MadeMaterial | null;
}

/** A context, asked in ascending time. */
export class ContextWalk {
  readonly #context: EquipmentContext;
  readonly #plannedClasses: ReadonlyMap<number, PlannedClass | null>;
  readonly #shifts;
  readonly #breaks;
  readonly #lifecycle;
  readonly #executions;
  readonly #materials;
  readonly #reasons;
  readonly #setUps;
  readonly #idealCycles;
  readonly #counting;
  readonly #blocked;
  readonly #policies;

  constructor(context: EquipmentContext) {
    this.#context = context;
    this.#plannedClasses = new Map(context.reasonTree.map((reason) => [reason.number, reason.planned]));
    this.#shifts = new Timeline(context.shifts);
    this.#breaks = new Timeline(context.shifts.flatMap((shift) => shift.breaks));
    this.#lifecycle = new Timeline(context.lifecycle);
    this.#executions = new Timeline(context.executions);
    this.#materials = new Timeline(context.materials);
    this.#reasons = new Timeline(context.reasons);
    this.#setUps = new Timeline(context.setUps);
    this.#idealCycles = new Timeline(context.idealCycles);
    this.#counting = new Timeline(context.counting);
    this.#blocked = new Timeline(context.blockedCavities);
    this.#policies = new Timeline(context.policies);
  }

  /** Adds the instants in (from, to) at which anything of it changes. */
  cuts(from: Micros, to: Micros, into: Micros[]): void {
    const {
      shifts,
      lifecycle,
      executions,
      materials,
      reasons,
      setUps,
      idealCycles,
      counting,
      blockedCavities,
      policies,
    } = this.#context;
    const breaks = shifts.flatMap((shift) => shift.breaks);
    const all: (readonly Dated[])[] = [
      shifts,
      breaks,
      lifecycle,
      executions,
      materials,
      reasons,
      setUps,
      idealCycles,
      counting,
      blockedCavities,
      policies,
    ];
    for (const dated of all) cutsOf(dated, from, to, into);
  }

  piece(from: Micros, to: Micros, code: number, stop: Stop | null): Piece {
    const shift = this.#shifts.one(from);
    const onBreak = this.#breaks.one(from) !== null;
    const productive = (this.#lifecycle.one(from)?.state ?? "productive") === "productive";
    const policy = this.#policies.one(from)?.policy ?? defaultOeePolicy;
    const cause = causeOf(code);
    const reason = this.#reasons.one(from)?.reason ?? (cause === 0 ? null : cause);
    const orders = this.#executions.at(from);
    return {
      from,
      to,
      code,
      stop,
      micro: stop !== null && stop.to - stop.from < this.#policyAt(stop.from).microStopUs,
      plan: shift === null || !productive ? "noShift" : onBreak ? "break" : "busy",
      shift,
      // Only productive time enters KPIs: what is made while a machine is tried out does not extend the plan.
      policy: productive ? policy : { ...policy, outsidePlan: "exclude" },
      counting: this.#counting.one(from) ?? plainCounting,
      reason,
      plannedReason: reason === null ? null : (this.#plannedClasses.get(reason) ?? null),
      setUps: this.#setUps.at(from),
      orders: orders.length === 0 ? [null] : [...orders].sort(byKey),
      made: this.#materials.one(from),
    };
  }

  /** The policy at the beginning of a stop, which may lie before anything else that is asked. */
  #policyAt(t: Micros): OeePolicy {
    const inForce = this.#context.policies.findLast(({ fromUs, toUs }) => fromUs <= t && t < toUs);
    return inForce?.policy ?? defaultOeePolicy;
  }

  /** The ideal cycle of the material; else the one of the equipment, whatever it makes. null: none is known. */
  idealCycle(at: Micros, material: string | null): IdealCycle | null {
    const dated = this.#idealCycles.at(at);
    const of = (wanted: string | null): IdealCycle | undefined => dated.findLast((cycle) => cycle.material === wanted);
    return of(material) ?? of(null) ?? null;
  }

  /** Units of `order` in one count of a machine. */
  unitsPerCount(piece: Piece, order: OrderExecution | null): number {
    const { counting } = piece;
    if (order === null) return counting.unitsPerCount;
    if (counting.counts === "cycles") {
      const blocked = this.#blocked.at(piece.from).filter((item) => item.order === order.order);
      return Math.max((order.cavities ?? 1) - blocked.reduce((sum, { cavities }) => sum + cavities, 0), 0);
    }
    const weightOf = (each: OrderExecution | null) => each?.outputShare ?? each?.share ?? 1;
    const whole = piece.orders.reduce((sum, each) => sum + weightOf(each), 0);
    return (counting.unitsPerCount * weightOf(order)) / whole;
  }
}

/** The time element of a piece for one of its orders. */
export function classOf(piece: Piece, order: OrderExecution | null): TimeClass {
  return timeClassOf({
    itemState: itemStateOf(piece.code),
    operationMode: operationModeOf(piece.code),
    plan: piece.plan,
    order: order !== null,
    plannedReason: piece.plannedReason,
    setUp: setUpOf(piece.setUps, order),
    outsidePlan: piece.policy.outsidePlan,
  });
}

/** The reason of a stop that nobody gave one. */
export function reasonOf(timeClass: TimeClass, micro: boolean): number {
  if (micro) return ownReasons.microStop;
  if (timeClass === "aust") return ownReasons.settingUp;
  return timeClass === "adot" ? ownReasons.noOrder : ownReasons.unspecifiedStop;
}

function setUpOf(setUps: readonly SetUp[], order: OrderExecution | null): SetUpCondition {
  const own = setUps.filter((setUp) => setUp.order === null || setUp.order === order?.order);
  if (own.some(({ by }) => by === "booked")) return "booked";
  return own.length > 0 ? "running" : "none";
}

const keyOf = ({ order, operation }: OrderExecution): string => `${order}\u0000${operation ?? ""}`;
const byKey = (a: OrderExecution, b: OrderExecution): number => (keyOf(a) < keyOf(b) ? -1 : 1);
