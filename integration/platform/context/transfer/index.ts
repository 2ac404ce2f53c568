import {
  type Booking,
  BookingIntentSchema,
  BookingSchema,
  isTimeZone,
  type MasterDataImport,
  type MasterDataItem,
  type MasterDataKind,
  masterDataSchemas,
  type Principal,
  type ProblemCode,
  ProblemError,
  type Recorded,
  type TableKind,
  type TransferKind,
  tableKinds,
} from "@lineshaft/contract/api";
import type { MasterDataTransfer, Registry } from "@lineshaft/contract/ports";
import { type TSchema, Type } from "typebox";
import { stringify } from "yaml";
import { same } from "../../configuration/canonical.ts";
import { readRawTable } from "../../configuration/raw-table.ts";
import { shapeProblems } from "../../configuration/shape.ts";
import { defaultSourceLimits, readPointer, readSource } from "../../configuration/source.ts";
import { calendarFaults, shiftOccurrences } from "../calendar.ts";
import { throwCalendarFaults } from "../master-data-rules.ts";
import { type CellFault, type ReadItem, readItems, type TimeNote } from "./read.ts";
import { Surrounding } from "./surrounding.ts";
import { tables } from "./tables.ts";
import { asCsv, asWorkbook, writeRows } from "./write.ts";

/** So many take a second of the thread that serves everybody; more come in parts. */
const rowsMax = 10_000;
const faultsMax = 100;
const itemsMax = 1000;
/** Reading half a MiB of JSON or YAML takes some 0.4 s of the thread that serves everybody. */
const textLimits = { ...defaultSourceLimits, textLength: 1024 * 1024 };

interface ReadFile {
  items: ReadItem[];
  faults: CellFault[];
  notes: TimeNote[];
  told: Pick<MasterDataImport, "format" | "rows" | "encoding" | "separator" | "sheet">;
}

/** Master data as files over the registry's master data; it keeps nothing itself. */
export function createMasterDataTransfer(registry: Registry): MasterDataTransfer {
  const { masterData } = registry;

  /** Everything of a kind that `p` sees. */
  function all<K extends MasterDataKind>(p: Principal, kind: K): Recorded<MasterDataItem<K>>[] {
    const items: Recorded<MasterDataItem<K>>[] = [];
    let cursor: string | undefined;
    do {
      const page = masterData.list(p, kind, { limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
      items.push(...page.items);
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    return items;
  }

  /** Of the whole tenant: whoever may book at a machine may name any order there. */
  const orderKnown = (p: Principal, id: string): boolean =>
    masterData.find({ ...p, role: "admin", scopes: [""] }, "order", id) !== null;

  return {
    export(p, kind, { format = isTable(kind) ? "csv" : "json", decimal = "point", timeZone }) {
      const items = all(p, kind).sort(byId);
      if (format === "json" || format === "yaml") {
        const value = { kind, items: Object.fromEntries(items.map(({ id, item }) => [id, item])) };
        const text = format === "json" ? `${JSON.stringify(value, null, 2)}\n` : stringify(value, { lineWidth: 0 });
        return { format, bytes: new TextEncoder().encode(text) };
      }
      if (!isTable(kind))
        throw new ProblemError("request_invalid", `The kind ${kind} fits no table; ask for json or yaml.`);
      const around = new Surrounding(registry, p, kind, defaultZone(timeZone));
      const { flat } = tables[kind];
      const told = flat === undefined ? items : items.map(({ id, item }) => ({ id, item: flat.to(item) }));
      const rows = writeRows(tables[kind], told, around);
      return { format, bytes: format === "csv" ? asCsv(rows, decimal) : asWorkbook(rows, kind) };
    },

    import(p, kind, bytes, { form, dryRun, revision, timeZone }) {
      const known = new Map(all(p, kind).map((one) => [one.id, one.item]));
      const found = masterData.revisionOf(p, kind);
      const around = new Surrounding(registry, p, kind, defaultZone(timeZone), known);
      const file = form === "table" ? readTable(kind, bytes, around) : readText(kind, bytes);
      const { items, notes, told } = file;
      const wrong = new Set(file.faults.map(({ line }) => line));
      const faults = [
        ...file.faults,
        // What could not be read has no shape; it was complained of already.
        ...items.flatMap((one) => (wrong.size > 0 && touches(one, wrong) ? [] : shapeFaults(kind, one))),
      ];
      if (faults.length > 0) throw refused(faults);
      const judged = items.map((one) => {
        const item = one.item as MasterDataItem<typeof kind>;
        const before = known.get(one.id);
        const action = before === undefined ? "create" : same(meant(before), meant(item)) ? "unchanged" : "change";
        return { ...one, item, before, action } as const;
      });
      const wanted = judged.filter(({ action }) => action !== "unchanged");
      const orderless = wanted.flatMap((one) => orderFaults(kind, one, (id) => orderKnown(p, id)));
      if (orderless.length > 0) throw refused(orderless);
      const done =
        kind === "booking"
          ? masterData.bookAll(p, wanted as { id: string; item: Booking }[], { revision, dryRun })
          : masterData.putAll(p, kind, wanted, { revision, dryRun });
      if (done.faults.length > 0)
        throw refused(
          done.faults.flatMap(({ index, problem }) => {
            const { placeOf } = wanted[index];
            const parts = problem.errors ?? [{ path: placesOfCodes[problem.code] ?? "", message: problem.message }];
            return parts.map(({ path, message }) => ({ ...faultOf(problem, path, message), ...placeOf(path) }));
          }),
        );
      const count = (action: string): number => judged.filter((one) => one.action === action).length;
      return {
        summary: {
          kind,
          ...told,
          counts: { create: count("create"), change: count("change"), unchanged: count("unchanged") },
          items: [...wanted, ...judged.filter(({ action }) => action === "unchanged")]
            .slice(0, itemsMax)
            .map(({ id, line, action, before, item }) => ({ id, line, action, changes: changesOf(before, item) })),
          notes: notes.slice(0, faultsMax),
          revision: found,
        },
        revision: done.revision,
      };
    },

    previewShifts(calendar, fromUs, toUs) {
      throwCalendarFaults(calendarFaults(calendar));
      return shiftOccurrences(calendar, fromUs, toUs);
    },
  };
}

/** An item without lists, and in bookings and late scrap values, that are as well not there. */
const meant = (item: object): unknown =>
  JSON.parse(
    JSON.stringify(item, (key, value: unknown) =>
      ((key === "planned" || key === "finished") && Array.isArray(value) && value.length === 0) ||
      (value === null && asWellAbsent.has(key) && ("intent" in item || "bookedUs" in item))
        ? undefined
        : value,
    ),
  );
const asWellAbsent = new Set(["madeUs", "reason", "operation", "order"]);

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
const isTable = (kind: TransferKind): kind is TableKind => (tableKinds as readonly string[]).includes(kind);

function defaultZone(timeZone = "UTC"): string {
  if (!isTimeZone(timeZone))
    throw new ProblemError("time_zone_unknown", `There is no time zone ${JSON.stringify(timeZone)}.`);
  return timeZone;
}

function readTable(kind: TransferKind, bytes: Uint8Array, around: Surrounding): ReadFile {
  if (!isTable(kind))
    throw new ProblemError("media_type_unsupported", `The kind ${kind} fits no table; send it as JSON or YAML.`);
  const raw = readRawTable(bytes, kind, rowsMax);
  if (raw.rows.length > rowsMax + 1)
    throw new ProblemError(
      "import_invalid",
      `The table has ${raw.rows.length} rows; at most ${rowsMax} are taken at once.`,
    );
  const { encoding, separator, sheet } = raw;
  const { rows, ...read } = readItems(tables[kind], raw, around);
  return { ...read, told: { format: sheet === null ? "csv" : "xlsx", rows, encoding, separator, sheet } };
}

/** `{ kind, items: { id: item } }`; JSON is read as the YAML that it is. */
function readText(kind: TransferKind, bytes: Uint8Array): ReadFile {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ProblemError("json_encoding", "The body is not valid UTF-8.", { cause });
  }
  const { root, problems, placeOf } = readSource({ file: "", text }, null, textLimits);
  const at = (path: readonly string[]): { line: number; column: number } => {
    const { line, column } = placeOf(path);
    return { line, column };
  };
  if (problems.length > 0)
    throw refused(problems.map((one) => ({ ...one, line: one.line ?? 1, column: one.column ?? 1 })));
  const { kind: said, items } = (root ?? {}) as { kind?: unknown; items?: unknown };
  if (said !== kind || typeof items !== "object" || items === null || Array.isArray(items))
    throw new ProblemError("import_invalid", `The file must say \`kind: ${kind}\` and list its \`items\` by id.`, {
      errors: [
        { path: said === kind ? "/items" : "/kind", message: `Expected kind ${kind} and items by id.`, ...at([]) },
      ],
    });
  const read = Object.entries(items).map(
    ([id, item]): ReadItem => ({
      id,
      line: at(["items", id]).line,
      item: item as Record<string, unknown>,
      placeOf: (path) => at(["items", id, ...readPointer(path)]),
    }),
  );
  const format = text.trimStart().startsWith("{") ? "json" : "yaml";
  return {
    items: read,
    faults: [],
    notes: [],
    told: { format, rows: read.length, encoding: null, separator: null, sheet: null },
  };
}

/** Does one of an item's rows have a fault already? */
const touches = ({ line, placeOf }: ReadItem, lines: ReadonlySet<number>): boolean =>
  lines.has(line) || lines.has(placeOf("").line);

/** Scrap and set-up of an order that nobody knows would lie nowhere, and nobody would ever see it: in a file it is a slip. */
function orderFaults(
  kind: TransferKind,
  { item, placeOf }: Pick<ReadItem, "placeOf"> & { item: object },
  known: (id: string) => boolean,
): CellFault[] {
  if (kind !== "lateScrap" && kind !== "setUp") return [];
  const { order } = item as { order: string | null };
  if (order === null || known(order)) return [];
  const problem = new ProblemError("order_unknown", `There is no order ${JSON.stringify(order)}.`);
  return [{ ...faultOf(problem, "/order", problem.message), ...placeOf("/order") }];
}

/** Of a booking only the shape of its own kind: which of ten others it might have, helps nobody. */
function schemaOf(kind: TransferKind, item: object): TSchema {
  if (kind !== "booking") return masterDataSchemas[kind];
  const said = (item as { intent?: { kind?: unknown } }).intent?.kind;
  return bookingSchemas.get(said) ?? masterDataSchemas.booking;
}
const bookingSchemas = new Map<unknown, TSchema>(
  BookingIntentSchema.anyOf.map((intent) => [
    intent.properties.kind.const,
    Type.Object({ ...BookingSchema.properties, intent }, { additionalProperties: false }),
  ]),
);

function shapeFaults(kind: TransferKind, { item, placeOf }: ReadItem): CellFault[] {
  return shapeProblems(schemaOf(kind, item), item).map((problem) => ({ ...problem, ...placeOf(problem.path) }));
}

/** What of a booking a fault is about that names no place in it. */
const placesOfCodes: Partial<Record<ProblemCode, string>> = {
  order_unknown: "/intent/order",
  order_finished: "/intent/order",
  booking_time_invalid: "/atUs",
  equipment_not_bookable: "/equipmentId",
};

const faultOf = (problem: ProblemError, path: string, message: string) => ({
  code: problem.code,
  path,
  message,
  action: problem.toProblem().action,
});

function refused(faults: readonly CellFault[]): ProblemError {
  const sorted = [...faults].sort((a, b) => a.line - b.line || a.column - b.column);
  const n = faults.length;
  return new ProblemError("import_invalid", `${n === 1 ? "1 cell is" : `${n} cells are`} wrong; nothing was changed.`, {
    errors: sorted.slice(0, faultsMax),
  });
}

function changesOf(before: object | undefined, item: object): MasterDataImport["items"][number]["changes"] {
  const [old, now] = [(before ?? {}) as Record<string, unknown>, item as Record<string, unknown>];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((field) =>
    same(old[field], now[field]) ? [] : [{ field, from: old[field] ?? null, to: now[field] ?? null }],
  );
}
