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
 * What a value means: a row with exactly this value, else a range that holds it, else `otherwise`; of several rows the last, and those of the preset stand
 * before one's own. null: nothing says it, and the state is unknown. A boolean is 0 or 1, a text is compared as it is.
 */
export function meaningOf({ preset, states = [], otherwise }: Mapping, value: StateValue): StateMeaning | null {
  const rows = preset === undefined ? states : [...presetRows[preset], ...states];
  const wanted = comparable(value);
  const row =
    rows.findLast((one) => one.value !== undefined && comparable(one.value) === wanted) ??
    rows.findLast((one) => one.value === undefined && holds(one, wanted)) ??
    otherwise;
  if (row === undefined) return null;
  const { itemState, operationMode, cause } = row;
  return {
    ...(itemState === undefined ? {} : { itemState }),
    ...(operationMode === undefined ? {} : { operationMode }),
    ...(cause === undefined ? {} : { cause }),
  };
}

const comparable = (value: StateValue): number | string => (typeof value === "string" ? value : Number(value));

const holds = ({ from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: StateRow, value: number | string) =>
  typeof value === "number" && value >= textBelow && value >= from && value < to;

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
