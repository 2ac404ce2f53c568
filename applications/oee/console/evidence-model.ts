import { type EvidenceTerm, type Result, type ResultPeriod, resultPeriods } from "@lineshaft/contract/api";
import type { PageContext } from "@lineshaft/ui/kit";

/** Why a number is what it is: a published result with its terms, what they come from, and what it was before. Pure. */

/** Of which result: one period of a place, or, without a key, all periods of that kind in the range of the page. */
export interface Explained {
  equipmentId: number;
  period: ResultPeriod;
  key: string | null;
}

/** As it stands in an address, so that a link shows a colleague the same. A key may hold anything. */
export const explainedText = ({ equipmentId, period, key }: Explained): string =>
  [equipmentId, period, ...(key === null ? [] : [key])].join(":");

export function explainedIn(text: string | null): Explained | null {
  const [, id, name, key] = /^(\d+):(\w+)(?::(.+))?$/s.exec(text ?? "") ?? [];
  const period = resultPeriods.find((one) => one === name);
  return period === undefined ? null : { equipmentId: Number(id), period, key: key ?? null };
}

/** Props of the link from a number to why it is so. */
export const whyLink = (context: Pick<PageContext, "page" | "query" | "link">, of: Explained) =>
  context.link(context.page, { ...Object.fromEntries(context.query), why: explainedText(of) });

export type Published = Result & { evidence: readonly EvidenceTerm[] };
type Reference = NonNullable<EvidenceTerm["ref"]>;
type Interval = Exclude<Reference, { kind: "masterData" }>;
type MasterDatum = Extract<Reference, { kind: "masterData" }>;

/** A factor of OEE as the quotient that it is; null: it has no value, or its terms are not told. */
export interface Quotient {
  name: "availability" | "effectiveness" | "qualityRatio";
  value: number | null;
  top: { term: string; us: number | null };
  bottom: { term: string; us: number | null };
}

export interface Explanation {
  quotients: readonly Quotient[];
  /** Everything else that was counted or timed. */
  terms: readonly EvidenceTerm[];
  /** Which stretches of which equipment it was read from, each once. */
  intervals: readonly Interval[];
  /** What stands below, with its share of planned and of good time. */
  parts: readonly { interval: Interval; plannedUs: number | null; goodUs: number | null }[];
  masterData: readonly MasterDatum[];
}

const factors = [
  { name: "availability", top: "APT", bottom: "PBT'" },
  { name: "effectiveness", top: "PRI·PQ", bottom: "APT" },
  { name: "qualityRatio", top: "PRI·GQ", bottom: "PRI·PQ" },
] as const;
/** Terms that tell what stands below, by the application's own words. */
const belowTerms = { "PBT' below": "plannedUs", "PRI·GQ below": "goodUs" } as const;
const isBelow = (term: string): term is keyof typeof belowTerms => term in belowTerms;

export function explanationOf({ values, evidence }: Pick<Published, "values" | "evidence">): Explanation {
  const told = (term: string): number | null => evidence.find((one) => one.term === term)?.value ?? null;
  const intervals = new Map<string, Interval>();
  const parts = new Map<string, { interval: Interval; plannedUs: number | null; goodUs: number | null }>();
  const masterData: MasterDatum[] = [];
  const terms: EvidenceTerm[] = [];
  for (const one of evidence) {
    const { ref, term, value } = one;
    if (ref?.kind === "masterData") {
      masterData.push(ref);
      continue;
    }
    const place = ref === null ? "" : `${ref.equipmentId} ${ref.fromUs} ${ref.toUs}`;
    if (ref !== null && isBelow(term)) {
      const part = parts.get(place) ?? { interval: ref, plannedUs: null, goodUs: null };
      parts.set(place, { ...part, [belowTerms[term]]: value });
      continue;
    }
    if (ref !== null && !intervals.has(place)) intervals.set(place, ref);
    terms.push(one);
  }
  return {
    quotients: factors.map(({ name, top, bottom }) => ({
      name,
      value: values[name] ?? null,
      top: { term: top, us: told(top) },
      bottom: { term: bottom, us: told(bottom) },
    })),
    terms,
    intervals: [...intervals.values()],
    parts: [...parts.values()],
    masterData,
  };
}

export interface Told {
  revision: number;
  state: Result["state"];
  publishedUs: number;
  cause: Result["cause"];
  oee: number | null;
  /** Against the one before; null: there is none, or one of them has no value. */
  change: number | null;
}

/** What the number was, the newest first. */
export function revisionsOf(items: readonly Published[]): Told[] {
  return items.map(({ revision, state, publishedUs, cause, values }, i) => {
    const oee = values.oeeIndex ?? null;
    const before = items[i + 1]?.values.oeeIndex ?? null;
    return { revision, state, publishedUs, cause, oee, change: oee === null || before === null ? null : oee - before };
  });
}

const viewOf: Readonly<Record<string, string>> = {
  material: "materials",
  idealCycleTime: "cycles",
  setUp: "setUps",
  lineTopology: "lines",
  physicalAsset: "assets",
  policyAssignment: "policies",
  countingAssignment: "counting",
  reason: "reasons",
  identifierRule: "rules",
  lookUp: "lookUps",
};

/** Where the console shows an item of master data; null: it has no page of its own. */
export function pageOf({ entity, id }: MasterDatum): { page: string; query: Record<string, string> } | null {
  if (entity === "order") return { page: "orders", query: { order: id } };
  if (entity === "calendar" || entity === "calendarAssignment") return { page: "calendar", query: {} };
  const view = viewOf[entity];
  return view === undefined ? null : { page: "materials", query: { view, at: id } };
}
