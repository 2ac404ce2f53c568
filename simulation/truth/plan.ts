import type { Micros, OeePolicy } from "@lineshaft/contract/api";
import type { Product } from "../plant/machine-kind.ts";
import type { TrueBlock, TrueExecution, TrueShift } from "../plant/truth.ts";

/** What people say of a machine's time, as far as an OEE needs it. */
export interface Plan {
  shifts: readonly TrueShift[];
  executions: readonly TrueExecution[];
  /** Booked set-ups; others follow from the order change where the policy says so. */
  setUps: readonly { order: string; fromUs: Micros; toUs: Micros }[];
  blocked: readonly TrueBlock[];
  /** What people said of stops, later words behind earlier ones; over what the machine says. */
  reasons?: readonly TrueReason[];
  /** Good parts that turned out to be none. */
  lateScrap?: readonly TrueLateScrap[];
  /** By material. */
  idealCycles: ReadonlyMap<string, { cycleUs: number; unitsPerCycle: number }>;
  counts: "units" | "cycles";
  counters: "totalAndScrap" | "totalAndGood" | "sum";
  continuous: boolean;
  policy: OeePolicy;
}

/** A reason that somebody gave for [fromUs, toUs), and whether its time is planned. */
export interface TrueReason {
  fromUs: Micros;
  toUs: Micros;
  planned: boolean;
}

/** `madeUs`: when they were made; null: nobody knows, so in the last running time of their order before they were booked. */
export interface TrueLateScrap {
  order: string;
  quantity: number;
  becomes: "scrap" | "rework";
  bookedUs: Micros;
  madeUs: { fromUs: Micros; toUs: Micros } | null;
}

/** The ideal cycles of what a machine makes. Parts of a family mould share the cycle and the number of its cavities. */
export function idealCyclesOf(products: readonly Product[]): Map<string, { cycleUs: number; unitsPerCycle: number }> {
  return new Map(
    products.flatMap(({ material, idealCycleSeconds, unitsPerCycle, family }) =>
      [material, ...family.map((part) => part.material)].map((name) => [
        name,
        { cycleUs: idealCycleSeconds * 1e6, unitsPerCycle },
      ]),
    ),
  );
}
