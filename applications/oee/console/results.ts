import type { Result, ResultPeriod } from "@lineshaft/contract/api";
import type { PagePlatform, TimeRange } from "@lineshaft/ui/kit";
import { kpisOf } from "../kpis.ts";
import { addSums, type Sums } from "../sums.ts";
import type { Numbers } from "./source.ts";

/** Results that the application has published: what stands in them is what everybody else reads, with its revision and the cause of it. */

/** Positions in the log and texts are the platform's; the sums are the application's own. null: a result of another version, or of none. */
function sumsIn(detail: unknown): Sums | null {
  const sums = (detail as { sums?: Partial<Sums> } | null)?.sums;
  return sums?.timeUs === undefined || sums.materials === undefined || sums.stops === undefined ? null : (sums as Sums);
}

export function numbersOfResult(result: Result): Numbers | null {
  const sums = sumsIn(result.detail);
  if (sums === null) return null;
  const { fromUs, toUs, state, revision, cause, publishedUs, stale } = result;
  return { fromUs, toUs, sums, kpis: kpisOf(sums), state, revision, cause: cause.text, changedUs: publishedUs, stale };
}

const pageSize = 5000;

/** Every page of the results of some equipment. */
export async function everyResult(
  platform: PagePlatform,
  equipmentId: readonly number[],
  period: ResultPeriod,
  range: TimeRange,
  more: { detail?: "none" },
  signal?: AbortSignal,
): Promise<Result[]> {
  const found: Result[] = [];
  if (equipmentId.length === 0) return found;
  const query = { application: "oee", equipmentId: [...equipmentId], period, limit: pageSize, ...more };
  const times = { from: Math.round(range.fromUs), to: Math.round(range.toUs) };
  let cursor: string | undefined;
  do {
    const page = await platform.call("listResults", { query: { ...query, ...times, cursor }, signal });
    found.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/** By equipment, in order of time. Places of which nothing was published are not in it. */
export async function readResults(
  platform: PagePlatform,
  equipmentId: readonly number[],
  period: ResultPeriod,
  range: TimeRange,
  signal?: AbortSignal,
): Promise<Map<number, { key: string; numbers: Numbers }[]>> {
  const found = new Map<number, { key: string; numbers: Numbers }[]>();
  for (const result of await everyResult(platform, equipmentId, period, range, {}, signal)) {
    const numbers = numbersOfResult(result);
    if (numbers === null) continue;
    const own = found.get(result.equipmentId) ?? [];
    own.push({ key: result.key, numbers });
    found.set(result.equipmentId, own);
  }
  for (const own of found.values()) own.sort((a, b) => a.numbers.fromUs - b.numbers.fromUs);
  return found;
}

/** Periods that follow one another, as one. As sure as the least sure of them; the newest correction is told. */
export function together(parts: readonly Numbers[]): Numbers | null {
  const [first, ...rest] = parts;
  if (first === undefined) return null;
  const sums = addSums(parts.map((part) => part.sums));
  const corrected = parts
    .filter(({ revision }) => revision !== null && revision > 1)
    .sort((a, b) => (b.changedUs ?? 0) - (a.changedUs ?? 0))[0];
  return {
    fromUs: first.fromUs,
    toUs: rest.at(-1)?.toUs ?? first.toUs,
    sums,
    kpis: kpisOf(sums),
    state: parts.some(({ state }) => state === "provisional") ? "provisional" : "final",
    revision: corrected?.revision ?? null,
    cause: corrected?.cause ?? null,
    changedUs: corrected?.changedUs ?? null,
    stale: parts.some(({ stale }) => stale),
  };
}
