import { type FactRecordItem, type Micros, minuteUs, type ProblemCode } from "@lineshaft/contract/api";
import { unitFault } from "../registry/ucum.ts";

/** A clock may be ahead of ours by so much. */
const aheadUs = 5 * minuteUs;
/** Further on than any time that is exact. */
const forever: Micros = Number.MAX_SAFE_INTEGER;

export interface FactFault {
  code: ProblemCode;
  detail: string;
  path: string;
}

/** What is wrong with a record beyond its shape; null: nothing. */
export function faultOf(item: FactRecordItem, nowUs: Micros): FactFault | null {
  return timeFault(item, nowUs) ?? subjectFault(item) ?? quantityFault(item) ?? unitFaultOf(item) ?? limitFault(item);
}

/** The time of a record; one that is not done yet goes on for ever. */
export function timeOf(item: FactRecordItem): { fromUs: Micros; toUs: Micros } {
  const toUs = item.toUs ?? forever;
  return { fromUs: item.fromUs ?? toUs, toUs };
}

function timeFault(item: FactRecordItem, nowUs: Micros): FactFault | null {
  const { fromUs, toUs } = timeOf(item);
  const last = toUs === forever ? fromUs : toUs;
  if (last > nowUs + aheadUs) {
    const seconds = Math.round((last - nowUs) / 1e6);
    return fault("record_time_ahead", "/toUs", `It lies ${seconds} s ahead of the server's clock.`);
  }
  if (toUs < fromUs) return fault("range_invalid", "/toUs", "toUs is before fromUs.");
  if (item.kind === "energy" && toUs === fromUs)
    return fault("range_invalid", "/toUs", "Energy is taken within a time; toUs is not after fromUs.");
  return null;
}

function subjectFault(item: FactRecordItem): FactFault | null {
  const none = (thing: { serial?: string; lot?: string }): boolean =>
    thing.serial === undefined && thing.lot === undefined;
  const missing = (path: string) => fault("record_subject_missing", path, "Neither serial nor lot is named.");
  if (item.kind === "unitProduced") {
    const parent = (item.parents ?? []).findIndex(none);
    if (parent >= 0) return missing(`/parents/${parent}`);
  }
  if (item.kind === "lotConsumption" && item.into !== undefined && none(item.into)) return missing("/into");
  const needs = item.kind === "unitProduced" || item.kind === "lotConsumption" || item.kind === "testResult";
  return needs && none(item) ? missing("") : null;
}

function quantityFault(item: FactRecordItem): FactFault | null {
  if ("quantity" in item && item.quantity !== undefined && item.quantity < 0)
    return negative("/quantity", item.quantity);
  if (item.kind !== "unitProduced") return null;
  const at = (item.parents ?? []).findIndex(({ quantity = 0 }) => quantity < 0);
  return at < 0 ? null : negative(`/parents/${at}/quantity`, item.parents?.[at].quantity as number);
}

function unitFaultOf(item: FactRecordItem): FactFault | null {
  const units: [string, string | undefined][] = [["/unit", "unit" in item ? item.unit : undefined]];
  if (item.kind === "unitProduced")
    for (const [i, { unit }] of (item.parents ?? []).entries()) units.push([`/parents/${i}/unit`, unit]);
  if (item.kind === "testResult")
    for (const [i, { unit }] of (item.values ?? []).entries()) units.push([`/values/${i}/unit`, unit]);
  for (const [path, unit] of units) {
    const why = unit === undefined ? null : unitFault(unit);
    if (why !== null) return fault("unit_unknown", path, `The unit ${JSON.stringify(unit)}: ${why}`);
  }
  return null;
}

function limitFault(item: FactRecordItem): FactFault | null {
  const limits = item.kind === "testResult" ? (item.values ?? []) : item.kind === "qualitySample" ? [item] : [];
  const at = limits.findIndex(({ lower, upper }) => lower !== undefined && upper !== undefined && upper < lower);
  if (at < 0) return null;
  const path = item.kind === "testResult" ? `/values/${at}/upper` : "/upper";
  return fault("range_invalid", path, "The upper limit is below the lower one.");
}

const negative = (path: string, quantity: number): FactFault =>
  fault("quantity_negative", path, `The quantity is ${quantity}; it cannot be below 0.`);

const fault = (code: ProblemCode, path: string, detail: string): FactFault => ({ code, detail, path });

/** Equal for equal content, whatever the order of its fields; its place in the count of revisions is no content. */
export function contentOf({ revision: _, ...item }: { revision?: number }): string {
  return JSON.stringify(item, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
