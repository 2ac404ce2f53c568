import { type Static, Type } from "typebox";
import { ShiftCalendarSchema, ShiftOccurrenceSchema } from "./calendar.ts";
import { WriteReceiptSchema } from "./equipment.ts";
import type { MasterDataKind } from "./master-data.ts";
import { MicrosSchema, TimeInputSchema } from "./time.ts";

/** Master data as a whole: tables in and out, what an item was before, and back to it. */

const closed = { additionalProperties: false } as const;
const zone = Type.Optional(
  Type.String({
    maxLength: 64,
    description:
      "IANA zone of times that stand without one, where no calendar is assigned to the equipment or above it. Default UTC.",
  }),
);

/** Kinds that a table can hold; the others travel as JSON or YAML. */
export const tableKinds = [
  "material",
  "idealCycleTime",
  "order",
  "calendarAssignment",
  "policyAssignment",
  "countingAssignment",
  "lateScrap",
  "physicalAsset",
  "reason",
  "annotation",
  "identifierRule",
  "lookUp",
  "calendar",
  "setUp",
  "booking",
] as const satisfies readonly MasterDataKind[];
export type TableKind = (typeof tableKinds)[number];
/** All that people write themselves. Bookings go in as what they are: each is booked, as a terminal would, and makes orders and annotations what they are. */
export const transferKinds = [...tableKinds, "lineTopology", "kpiTarget"] as const satisfies readonly MasterDataKind[];
export type TransferKind = (typeof transferKinds)[number];

const kind = Type.Enum([...transferKinds]);
const kindOnly = Type.Object({ kind }, closed);
const item = Type.Object({ kind, id: Type.String({ minLength: 1, maxLength: 128 }) }, closed);

export const transferFormats = ["csv", "xlsx", "json", "yaml"] as const;
export type TransferFormat = (typeof transferFormats)[number];

/** What a file of master data does, or did. Items that it does not name stay. */
export const MasterDataImportSchema = Type.Object(
  {
    kind,
    format: Type.Enum([...transferFormats]),
    rows: Type.Integer({ description: "Rows of the table; items, where it is none." }),
    encoding: Type.Union([Type.Enum(["utf-8", "windows-1252"]), Type.Null()], { description: "null: no CSV." }),
    separator: Type.Union([Type.String(), Type.Null()], { description: "null: no CSV." }),
    sheet: Type.Union([Type.String(), Type.Null()], { description: "The sheet that was read; null: no workbook." }),
    counts: Type.Object({ create: Type.Integer(), change: Type.Integer(), unchanged: Type.Integer() }),
    items: Type.Array(
      Type.Object({
        id: Type.String(),
        action: Type.Enum(["create", "change", "unchanged"]),
        line: Type.Integer({ description: "Where the item begins in the file." }),
        changes: Type.Array(Type.Object({ field: Type.String(), from: Type.Unknown(), to: Type.Unknown() })),
      }),
      { description: "In the order of the file; the first 1,000, those that change something before the others." },
    ),
    notes: Type.Array(
      Type.Object({
        line: Type.Integer(),
        column: Type.Integer(),
        rule: Type.Enum(["firstOfTwo", "movedForward"]),
        message: Type.String(),
      }),
      {
        description:
          "Local times that a change of the clock made ambiguous or non-existent, and what they were taken for.",
      },
    ),
    revision: Type.Integer({
      description: "Of the kind, as it was found; If-Match of an import that must rest on it.",
    }),
    receipt: Type.Union([WriteReceiptSchema, Type.Null()], { description: "null: a dry run, or nothing to change." }),
  },
  { $id: "MasterDataImport" },
);
export type MasterDataImport = Static<typeof MasterDataImportSchema>;

/** One version of an item. */
export const MasterDataRevisionSchema = Type.Object(
  {
    revision: Type.Integer(),
    changedUs: MicrosSchema,
    actor: Type.String({ description: "Id of the key or session that made it." }),
    removed: Type.Boolean({ description: "It took the item away; `item` is what it was before." }),
    lsn: Type.Union([Type.Integer(), Type.Null()], { description: "Its place in the log, for `asOf`." }),
    item: Type.Unknown(),
  },
  { $id: "MasterDataRevision" },
);
export type MasterDataRevision = Static<typeof MasterDataRevisionSchema>;

/** Rows of the route table. */
export const masterDataTransferRoutes = {
  importMasterData: {
    method: "POST",
    path: "/master-data/{kind}/import",
    summary:
      "Create and change items by a table (CSV, or XLSX: its first sheet) or as JSON or YAML: all of it or nothing",
    permission: "book",
    params: kindOnly,
    query: Type.Object(
      {
        dryRun: Type.Optional(Type.Enum(["true", "false"], { description: "Say what would be done, and do nothing." })),
        timeZone: zone,
      },
      closed,
    ),
    response: MasterDataImportSchema,
  },
  exportMasterData: {
    method: "GET",
    path: "/master-data/{kind}/export",
    summary: "All items of a kind that are visible, as a file that an import takes back without a change",
    permission: "read",
    params: kindOnly,
    query: Type.Object(
      {
        format: Type.Optional(
          Type.Enum([...transferFormats], { description: "Default csv; json where no table can hold it." }),
        ),
        decimal: Type.Optional(
          Type.Enum(["point", "comma"], {
            description: "comma: a CSV that German spreadsheets open, with semicolons between cells. Default point.",
          }),
        ),
        timeZone: zone,
      },
      closed,
    ),
    response: Type.Object({}, { description: "The file." }),
  },
  listMasterDataRevisions: {
    method: "GET",
    path: "/master-data/{kind}/{id}/revisions",
    summary: "What an item was, newest first",
    permission: "read",
    params: item,
    query: Type.Object(
      {
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "Default 100." })),
        cursor: Type.Optional(Type.String({ maxLength: 512 })),
      },
      closed,
    ),
    response: Type.Object({
      items: Type.Array(MasterDataRevisionSchema),
      cursor: Type.Union([Type.String(), Type.Null()], { description: "For the next page; null: there is no more." }),
    }),
  },
  restoreMasterData: {
    method: "POST",
    path: "/master-data/{kind}/{id}/restore",
    summary: "Make an item again what it was at a revision, also one that was removed; a new revision (If-Match)",
    permission: "book",
    params: item,
    body: Type.Object({ revision: Type.Integer({ minimum: 1, description: "The version to go back to." }) }, closed),
    response: Type.Object({
      item: Type.Object({
        id: Type.String(),
        revision: Type.Integer(),
        changedUs: MicrosSchema,
        item: Type.Unknown(),
      }),
      receipt: WriteReceiptSchema,
    }),
  },
  previewShifts: {
    method: "POST",
    path: "/calendars/preview",
    summary: "The shifts that a calendar comes to in a range of at most 400 days, without keeping it",
    permission: "read",
    body: Type.Object({ calendar: ShiftCalendarSchema, from: TimeInputSchema, to: TimeInputSchema }, closed),
    response: Type.Object({ items: Type.Array(ShiftOccurrenceSchema) }),
  },
} as const;
