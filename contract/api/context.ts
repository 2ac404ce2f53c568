import type { ShiftOccurrence } from "./calendar.ts";
import type { Reason } from "./context-reasons.ts";
import type { lifecycleStates } from "./equipment.ts";
import type { OeePolicy } from "./kpi.ts";
import type { Micros } from "./time.ts";

/**
 * What people and ERPs say of one equipment over time, made ready for the join with its facts. Orders, shifts and time classes are never stored on facts:
 * a context is laid over them when they are read (DESIGN, section 6). Everything in it holds in [fromUs, toUs).
 */
export interface Dated {
  fromUs: Micros;
  toUs: Micros;
}

/** An operation of a job order, executed on the equipment. Several at once share its time and its output. */
export interface OrderExecution extends Dated {
  order: string;
  operation: string | null;
  material: string | null;
  /** Of its quantities, UCUM. */
  unit: string;
  /** Weight of its share of the time among the orders that run at once. */
  share: number;
  /** Weight of its share of what a part counter counts. Default: `share`. */
  outputShare?: number;
  /** Where cycles are counted: parts of this order that one makes with no cavity blocked. Default 1. */
  cavities?: number;
  /** The machine told it by an identifier. Default: people booked it. */
  by?: "identifier";
}

/** What the machine says it makes: where no order runs, or the order names no material. `unit` null: that of its counters. */
export interface MadeMaterial extends Dated {
  material: string;
  unit: string | null;
}

/** PRI: the shortest time of one cycle, and how many units it makes with every cavity in use. `material` null: whatever is made. */
export interface IdealCycle extends Dated {
  material: string | null;
  cycleUs: number;
  unitsPerCycle: number;
}

/** What the counters of the equipment mean. */
export interface Counting extends Dated {
  counts: "units" | "cycles";
  /**
   * Which counters tell what: `sum`: produced = good + scrap + rework. `totalAndScrap`: good = total − scrap − rework. `totalAndGood`: scrap = total − good − rework.
   */
  quantities: "sum" | "totalAndScrap" | "totalAndGood";
  /** Units in one count of a part counter. */
  unitsPerCount: number;
  /** Its counts are of something that has no pieces (kilograms, metres): estimated ones lie evenly in time. Default: pieces. */
  continuous?: boolean;
  /** UCUM unit of what is made without an order. */
  unit: string;
}

/** A reason that is in force; bound to the machine's intervals before (annotations). */
export interface ReasonInForce extends Dated {
  reason: number;
}

/** Set-up as booked, or as it follows from the order change to the first good part. `order` null: whatever runs. */
export interface SetUp extends Dated {
  order: string | null;
  by: "booked" | "orderChange";
}

export interface BlockedCavities extends Dated {
  order: string;
  cavities: number;
}

/** Good units that turned out to be scrap, at the time they were made: [fromUs, toUs], an instant when both are equal. */
export interface LateScrap extends Dated {
  order: string;
  operation: string | null;
  quantity: number;
  /** What it turned out to be. Default scrap. */
  becomes?: "scrap" | "rework";
  /** The time of production was not known; it was put at the order's last producing interval. */
  assigned: boolean;
  /** Of a longer time: when the machine produced in it, or may have. It lies there alone; left out: all the time. */
  runs?: Dated[];
}

export interface EquipmentContext {
  timeZone: string;
  /** Where nothing is said, the equipment is productive. */
  lifecycle: (Dated & { state: (typeof lifecycleStates)[number] })[];
  shifts: ShiftOccurrence[];
  executions: OrderExecution[];
  materials: MadeMaterial[];
  reasons: ReasonInForce[];
  reasonTree: readonly Reason[];
  setUps: SetUp[];
  idealCycles: IdealCycle[];
  counting: Counting[];
  blockedCavities: BlockedCavities[];
  lateScrap: LateScrap[];
  /** Where none is said, the default policy holds. */
  policies: (Dated & { policy: OeePolicy })[];
}
