import type { Property } from "./configuration.ts";
import { itemStates, operationModes, type StateCode, stateCode } from "./facts.ts";
import type { CounterOptions, Mapping, StateMeaning, StateRow } from "./mapping.ts";
import { presetRows } from "./mapping-presets.ts";

/**
 * What one raw value means under a mapping, told plainly: the console previews with it. Derivation has the same rules in a compiled form, and a test holds
 * the two together on random tables and values.
 */

/** Numbers below are taken for texts by derivation, which keeps a text as a number there: no range of a table reaches them. */
export const textBelow = -(2 ** 51);

/** The registers' widths: after how many values one begins anew, and what it can hold, `below` not included. */
const widths = {
  int16: { modulus: 65_536, least: -32_768, below: 32_768 },
  uint16: { modulus: 65_536, least: 0, below: 65_536 },
  int32: { modulus: 4_294_967_296, least: -2_147_483_648, below: 2_147_483_648 },
  uint32: { modulus: 4_294_967_296, least: 0, below: 4_294_967_296 },
  bcd16: { modulus: 10_000, least: 0, below: 10_000 },
  bcd32: { modulus: 100_000_000, least: 0, below: 100_000_000 },
} as const;

/** What a counter can hold, least ≤ value < below. `modulus` 0: it never begins anew. */
export function counterRange({ width, rolloverAt }: CounterOptions): { modulus: number; least: number; below: number } {
  const of = width === undefined ? null : widths[width];
  return {
    modulus: rolloverAt ?? of?.modulus ?? 0,
    least: of?.least ?? (rolloverAt === undefined ? Number.NEGATIVE_INFINITY : 0),
    below: rolloverAt ?? of?.below ?? Number.POSITIVE_INFINITY,
  };
}

/** A meaning as facts carry it. */
export const meaningCode = ({ itemState, operationMode, cause }: StateMeaning): StateCode =>
  stateCode(itemState === undefined || itemState === "unknown" ? null : itemState, operationMode ?? null, cause ?? 0);

/** A good raw value that a state can be read from. */
export type StateValue = number | bigint | boolean | string;

/**
 * What a value means: the first row that has it, those of one's own before the preset's, else `otherwise`. null: nothing says it, and the state is unknown.
 * `condition`: a row with a condition stands before any other that has it, and only derivation can ask it. A boolean is 0 or 1, a text is compared as it
 * is; behind a condition nothing is said of a text.
 */
export function meaningOf(mapping: Mapping, value: StateValue): StateMeaning | "condition" | null {
  const { preset, states = [], otherwise } = mapping;
  const wanted = comparable(value);
  for (const row of preset === undefined ? states : [...states, ...presetRows[preset]]) {
    if (row.when !== undefined) return isNumber(wanted) ? "condition" : null;
    if (row.value === undefined ? holds(row, wanted) : comparable(row.value) === wanted) return meaningIn(row);
  }
  return otherwise === undefined ? null : meaningIn(otherwise);
}

const meaningIn = ({ itemState, operationMode, cause }: StateMeaning): StateMeaning => ({
  ...(itemState === undefined ? {} : { itemState }),
  ...(operationMode === undefined ? {} : { operationMode }),
  ...(cause === undefined ? {} : { cause }),
});

const comparable = (value: StateValue): number | string => (typeof value === "string" ? value : Number(value));

const holds = ({ from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: StateRow, value: number | string) =>
  isNumber(value) && value >= from && value < to;

const isNumber = (value: number | string): value is number => typeof value === "number" && value >= textBelow;

/**
 * What a property means where its binding says nothing: the model's mapping; without one its `enum`, where the names are the standard's; without any, the
 * standard's own numbers.
 */
export function propertyMapping({ kind, mapping, enum: names }: Property): Mapping {
  if (mapping !== undefined) return mapping;
  if (kind !== "itemState" && kind !== "operationMode") return {};
  if (names === undefined) return { preset: kind === "itemState" ? "machineryItemState" : "machineryOperationMode" };
  const states: StateRow[] = [];
  for (const [raw, name] of Object.entries(names)) {
    const value = raw.trim() !== "" && Number.isFinite(Number(raw)) ? Number(raw) : raw;
    const itemState = itemStates.find((state) => state === name);
    const operationMode = operationModes.find((mode) => mode === name);
    if (kind === "itemState" && itemState !== undefined) states.push({ value, itemState });
    if (kind === "operationMode" && operationMode !== undefined) states.push({ value, operationMode });
  }
  return { states };
}
