import { type Static, Type } from "typebox";
import { AlarmColumnsSchema, IdentifierColumnsSchema } from "./facts-values.ts";
import { type Micros, MicrosSchema, TimeInputSchema } from "./time.ts";

/**
 * What a machine did, in the words of OPC 40001-1 (Machinery): the facts that derivation makes of standard tags. Order, shift and time class are no part
 * of a fact; they are joined when one is read (DESIGN, section 6).
 */

/** OPC 40001-1 MachineryItemState. Unknown is none of them. */
export const itemStates = ["NotAvailable", "OutOfService", "NotExecuting", "Executing"] as const;
export type ItemState = (typeof itemStates)[number];

/** OPC 40001-1 MachineryOperationMode. */
export const operationModes = ["None", "Maintenance", "Setup", "Processing"] as const;
export type OperationMode = (typeof operationModes)[number];

/** What a count says about the pieces. `total` is good and scrap together where a machine does not tell them apart. */
export const countKinds = ["good", "scrap", "rework", "total"] as const;
export type CountKind = (typeof countKinds)[number];

/**
 * A machine state as one non-negative integer, so that states compare and store as numbers:
 * bits 0–2 item state (0 unknown, 1–4 in the order of `itemStates`), bits 3–5 operation mode (0 not told, 1–4), bits 6–30 cause (0 none, else the
 * reason's number). 0 is "unknown".
 */
export type StateCode = number;
export const unknownState: StateCode = 0;

export function stateCode(itemState: ItemState | null, mode: OperationMode | null = null, cause = 0): StateCode {
  const item = itemState === null ? 0 : itemStates.indexOf(itemState) + 1;
  const operation = mode === null ? 0 : operationModes.indexOf(mode) + 1;
  return item | (operation << 3) | (cause << 6);
}
export const itemStateOf = (code: StateCode): ItemState | null => itemStates[(code & 7) - 1] ?? null;
export const operationModeOf = (code: StateCode): OperationMode | null => operationModes[((code >> 3) & 7) - 1] ?? null;
export const causeOf = (code: StateCode): number => code >> 6;

/** Why an increment is not simply the difference of two samples; bits of `flags`. */
export const incrementFlags = {
  /** At most the pieces between two samples are missing: a reset, a first sample after a re-binding. */
  uncertain: 1,
  /** Where the pieces lie in (source, t] is estimated: a sampled counter, or a gap of its connection. */
  estimated: 2,
  rollover: 4,
  reset: 8,
} as const;

/** The composed state of one machine: `code[i]` holds from `t[i]` until `t[i + 1]`. The first holds from the start of what was asked. */
export interface StateColumns {
  count: number;
  t: Float64Array;
  code: Int32Array;
}

/** Production of one machine: `n` raw units completed in (source, t]. Ascending by t. */
export interface IncrementColumns {
  count: number;
  source: Float64Array;
  t: Float64Array;
  n: Float64Array;
  /** Index into `countKinds`. */
  kind: Uint8Array;
  flags: Uint8Array;
}

/** The facts of one machine for [from, to): states that hold in it, and increments whose (source, t] meets it. */
export interface MachineFacts {
  from: Micros;
  to: Micros;
  states: StateColumns;
  increments: IncrementColumns;
}

export const FactsQuerySchema = Type.Object(
  {
    from: TimeInputSchema,
    to: TimeInputSchema,
    asOf: Type.Optional(
      Type.String({
        maxLength: 40,
        description:
          "As they had been published by then: a position in the log (LSN), such as the basisLsn of a result, or a time as RFC 3339 text with a zone.",
      }),
    ),
  },
  { additionalProperties: false, description: "Facts with from ≤ time < to." },
);

const unknownTime = Type.Union([MicrosSchema, Type.Null()]);

/** Facts of a machine as columns. A state holds until the next; null is unknown, or not told. */
export const MachineFactsSchema = Type.Object(
  {
    equipmentId: Type.Integer(),
    fromUs: MicrosSchema,
    toUs: MicrosSchema,
    states: Type.Object({
      time: Type.Array(MicrosSchema),
      itemState: Type.Array(Type.Union([Type.Enum([...itemStates]), Type.Null()])),
      operationMode: Type.Array(Type.Union([Type.Enum([...operationModes]), Type.Null()])),
      cause: Type.Array(Type.Integer()),
    }),
    increments: Type.Object(
      {
        source: Type.Array(MicrosSchema),
        time: Type.Array(MicrosSchema),
        n: Type.Array(Type.Number()),
        kind: Type.Array(Type.Enum([...countKinds])),
        flags: Type.Array(Type.Integer(), {
          description: "Bits: 1 uncertain, 2 place estimated, 4 rollover, 8 reset.",
        }),
      },
      { description: "`n` raw units completed in (source, time]." },
    ),
    alarms: AlarmColumnsSchema,
    identifiers: IdentifierColumnsSchema,
    watermarkUs: Type.Union([MicrosSchema, Type.Null()], {
      description: "Nothing earlier is expected any more; null: nothing was heard of what feeds the machine.",
    }),
    finalBeforeUs: unknownTime,
    repairing: Type.Boolean({ description: "Something in the past has changed, and its repair is under way." }),
  },
  { $id: "MachineFacts" },
);
export type MachineFactsBody = Static<typeof MachineFactsSchema>;

/** Values of a tag that its mapping says nothing of: states outside their table, counts outside their width. There the state is unknown, and the count goes on. */
export const MappingErrorsSchema = Type.Object(
  {
    tagId: Type.Integer(),
    equipmentId: Type.Integer(),
    values: Type.Integer({ description: "So many, of the time that facts are kept." }),
  },
  { $id: "MappingErrors" },
);
export type MappingErrors = Static<typeof MappingErrorsSchema>;

export const factsRoutes = {
  listMappingErrors: {
    method: "GET",
    path: "/facts/mapping-errors",
    summary: "Tags with values that their mapping says nothing of, those with the most first; up to 1000",
    permission: "read",
    response: Type.Object({ items: Type.Array(MappingErrorsSchema) }),
  },
  machineFacts: {
    method: "GET",
    path: "/facts/machines/{id}",
    summary:
      "States, counts, alarms and identifiers of a machine, derived from what its tags mean; as they are, or as they were published",
    permission: "read",
    params: Type.Object({ id: Type.Integer({ minimum: 1 }) }, { additionalProperties: false }),
    query: FactsQuerySchema,
    response: MachineFactsSchema,
  },
} as const;
