import {
  type FactToRecord,
  factRecordLimits,
  type factRecordRoutes,
  factSchemas,
  type Micros,
  type Principal,
  ProblemError,
  parseTimeUs,
} from "@lineshaft/contract/api";
import type { FactsRecorded, Page } from "@lineshaft/contract/ports";
import { Compile, type Validator } from "typebox/compile";
import type { RequestBody } from "./body.ts";
import type { Call, Handlers } from "./call.ts";
import { assertCleanTexts, parseJson } from "./json.ts";
import type { Services } from "./services.ts";

interface Kit {
  page<P extends Page<unknown>>(
    name: "listFacts",
    call: Call<"listFacts"> & { principal: Principal },
    list: (query: { limit: number; cursor?: string }) => Promise<P>,
  ): Promise<P>;
}

const validators = new Map(Object.entries(factSchemas).map(([kind, schema]) => [kind, Compile(schema) as Validator]));

/** Facts that systems record: the shape of each item is judged here, so that a bad one does not stop the others; the rest is the port's. */
export function factRecordHandlers({ factRecords }: Services, kit: Kit): Pick<Handlers, keyof typeof factRecordRoutes> {
  const asOfIn = ({ asOf }: { asOf?: string }) => (asOf === undefined ? undefined : factRecords.placeOf(asOf));
  return {
    recordFacts: async ({ principal, raw }) => {
      const faults: FactsRecorded["faults"] = [];
      const good: { index: number; item: FactToRecord }[] = [];
      for (const [index, item] of itemsOf(raw).entries()) {
        const fault = shapeFault(item);
        if (fault === null) good.push({ index, item: item as FactToRecord });
        else faults.push({ index, ...fault });
      }
      const answer = await factRecords.record(
        principal,
        good.map(({ item }) => item),
      );
      const own = answer.faults.map((fault) => ({ ...fault, index: good[fault.index].index }));
      return { ...answer, faults: [...faults, ...own].sort((a, b) => a.index - b.index) };
    },
    listFacts: (call) => {
      const { asOf: _, from, to, limit: __, cursor: ___, ...filter } = call.query;
      const fromUs = from === undefined ? undefined : timeOf(from, "from");
      const toUs = to === undefined ? undefined : timeOf(to, "to");
      if (fromUs !== undefined && toUs !== undefined && fromUs >= toUs)
        throw new ProblemError("range_invalid", `from (${from}) is not before to (${to}).`);
      return kit.page("listFacts", call, ({ limit, cursor }) =>
        factRecords.list(call.principal, { ...filter, fromUs, toUs, asOf: asOfIn(call.query), limit, cursor }),
      );
    },
    getFactRevisions: ({ principal, params }) => factRecords.revisions(principal, params.id),
    getUnit: ({ principal, params, query }) => factRecords.unit(principal, params.serial, asOfIn(query)),
    getLot: ({ principal, params, query }) => factRecords.lot(principal, params.lot, asOfIn(query)),
  };
}

/** The items of a batch, whatever each of them is. */
function itemsOf(raw: RequestBody | null): unknown[] {
  if (raw === null) throw new ProblemError("json_invalid", "The body is empty.");
  if (raw.mediaType !== "application/json")
    throw new ProblemError("media_type_unsupported", `The body is "${raw.mediaType.slice(0, 80)}", not JSON.`);
  const { value, escapes } = parseJson(raw.bytes);
  if (escapes) assertCleanTexts(value);
  const items = typeof value === "object" && value !== null ? (value as { items?: unknown }).items : undefined;
  if (!Array.isArray(items) || items.length === 0 || Object.keys(value as object).length > 1)
    throw new ProblemError("request_invalid", "The body is an object with `items`, a list that is not empty.");
  if (items.length > factRecordLimits.batch)
    throw new ProblemError(
      "too_many_rows",
      `The batch has ${items.length} items; ${factRecordLimits.batch} are taken.`,
    );
  return items;
}

function shapeFault(item: unknown): Omit<FactsRecorded["faults"][number], "index"> | null {
  const kind = typeof item === "object" && item !== null ? (item as { kind?: unknown }).kind : undefined;
  const validator = typeof kind === "string" ? validators.get(kind) : undefined;
  if (validator === undefined) {
    const kinds = [...validators.keys()].join(", ");
    return { code: "request_invalid", detail: `The kind of an item is one of ${kinds}.`, path: "/kind" };
  }
  if (validator.Check(item)) return null;
  const [first] = validator.Errors(item);
  return { code: "request_invalid", detail: `It ${first.message}.`, path: first.instancePath };
}

function timeOf(input: string | number, name: string): Micros {
  const time = parseTimeUs(input);
  if (time === null)
    throw new ProblemError("time_invalid", `${name} is neither µs since 1970 nor RFC 3339 text with a zone.`);
  return time;
}
