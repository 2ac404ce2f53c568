import type {
  BindingEntry,
  CounterOptions,
  ItemState,
  Mapping,
  OperationMode,
  PulseOptions,
  StateMeaning,
  StatePreset,
  StateRow,
} from "@lineshaft/contract/api";
import { type AlarmDraft, alarmDraftOf, alarmOf } from "./alarm-draft.ts";
import { parseNumber, parseValue, valueInput } from "./values.ts";

/** A mapping as it stands in the fields of the editor, and the way there and back; texts of numbers stay as they are typed. */

/** By what a row is chosen: this value, a range of numbers, or a condition. */
export type RowKind = "value" | "range" | "when";

export interface MeaningDraft {
  itemState: ItemState | "unknown" | "";
  operationMode: OperationMode | "";
  /** A reason's number; "" is none. */
  cause: string;
}

export interface RowDraft extends MeaningDraft {
  /** Names the row while it is edited. */
  id: number;
  by: RowKind;
  value: string;
  from: string;
  to: string;
  when: string;
}

type CounterNumber = "rolloverAt" | "maxPerSecond" | "samplingMs" | "glitchWindowMs";
type PulseNumber = "stopAfterCycles" | "idealCycleMs";

export interface MappingDraft {
  preset: StatePreset | "";
  rows: RowDraft[];
  otherwise: MeaningDraft;
  deadBand: string;
  counter: Record<CounterNumber, string> & {
    width: CounterOptions["width"] | "";
    sampling: CounterOptions["sampling"] | "";
  };
  pulse: Record<PulseNumber, string> & { edge: PulseOptions["edge"] | "" };
  alarm: AlarmDraft;
}

const text = (value: number | undefined): string => (value === undefined ? "" : String(value));

const meaningDraft = ({ itemState, operationMode, cause }: StateMeaning = {}): MeaningDraft => ({
  itemState: itemState ?? "",
  operationMode: operationMode ?? "",
  cause: cause === undefined || cause === 0 ? "" : String(cause),
});

let lastId = 0;
export const newRow = (part: Partial<RowDraft> = {}): RowDraft => ({
  ...{ id: ++lastId, by: "value", value: "", from: "", to: "", when: "" },
  ...meaningDraft(),
  ...part,
});

export function draftOf(mapping: Mapping): MappingDraft {
  const { counter = {}, pulse = {} } = mapping;
  return {
    preset: mapping.preset ?? "",
    rows: (mapping.states ?? []).map((row) =>
      newRow({
        by: row.when !== undefined ? "when" : row.value !== undefined ? "value" : "range",
        value: row.value === undefined ? "" : valueInput(row.value),
        from: text(row.from),
        to: text(row.to),
        when: row.when ?? "",
        ...meaningDraft(row),
      }),
    ),
    otherwise: meaningDraft(mapping.otherwise),
    deadBand: text(mapping.deadBand),
    counter: {
      width: counter.width ?? "",
      sampling: counter.sampling ?? "",
      rolloverAt: text(counter.rolloverAt),
      maxPerSecond: text(counter.maxPerSecond),
      samplingMs: text(counter.samplingMs),
      glitchWindowMs: text(counter.glitchWindowMs),
    },
    pulse: {
      edge: pulse.edge ?? "",
      stopAfterCycles: text(pulse.stopAfterCycles),
      idealCycleMs: text(pulse.idealCycleMs),
    },
    alarm: alarmDraftOf(mapping.alarm),
  };
}

/** What is wrong in a field; the key is `row <id>` or the field's name. */
export type FaultCode = "value" | "range" | "when" | "meaning" | "number" | "positive" | "severity";
export type DraftFaults = ReadonlyMap<string, FaultCode>;

export const says = ({ itemState, operationMode, cause }: MeaningDraft): boolean =>
  itemState !== "" || operationMode !== "" || cause !== "";

const meaningOfDraft = ({ itemState, operationMode, cause }: MeaningDraft): StateMeaning => ({
  ...(itemState === "" ? {} : { itemState }),
  ...(operationMode === "" ? {} : { operationMode }),
  ...(cause === "" ? {} : { cause: Number(cause) }),
});

function rowOf(row: RowDraft): StateRow | FaultCode {
  const meaning = meaningOfDraft(row);
  if (row.by === "when") return row.when.trim() === "" ? "when" : { when: row.when.trim(), ...meaning };
  if (row.by === "value") {
    const value = parseValue(row.value);
    return value === null ? "value" : { value, ...meaning };
  }
  const [from, to] = [parseNumber(row.from), parseNumber(row.to)];
  if ((from === null && row.from.trim() !== "") || (to === null && row.to.trim() !== "")) return "number";
  if ((from === null && to === null) || (from !== null && to !== null && from >= to)) return "range";
  return { ...(from === null ? {} : { from }), ...(to === null ? {} : { to }), ...meaning };
}

/** The mapping that the fields say. What is faulty is left out of it, so that a preview goes on while somebody types. */
export function mappingOf(draft: MappingDraft): { mapping: Mapping; faults: DraftFaults } {
  const faults = new Map<string, FaultCode>();
  const states = draft.rows.flatMap((row): StateRow[] => {
    const found = rowOf(row);
    const fault = typeof found === "string" ? found : says(row) ? null : "meaning";
    if (fault !== null) faults.set(`row ${row.id}`, fault);
    return fault !== null || typeof found === "string" ? [] : [found];
  });
  const numbers = <K extends string>(fields: Record<K, string>, names: readonly K[], zero = false) =>
    Object.fromEntries(
      names.flatMap((name) => {
        if (fields[name].trim() === "") return [];
        const value = parseNumber(fields[name]);
        if (value === null) faults.set(name, "number");
        else if (value < 0 || (value === 0 && !zero)) faults.set(name, "positive");
        else return [[name, value]];
        return [];
      }),
    ) as Partial<Record<K, number>>;
  const { width, sampling } = draft.counter;
  const counter: CounterOptions = {
    ...(width === "" || width === undefined ? {} : { width }),
    ...numbers(draft.counter, ["rolloverAt", "maxPerSecond"]),
    ...(sampling === "" || sampling === undefined ? {} : { sampling }),
    ...numbers(draft.counter, ["samplingMs"]),
    ...numbers(draft.counter, ["glitchWindowMs"], true),
  };
  const { edge } = draft.pulse;
  const pulse: PulseOptions = {
    ...(edge === "" || edge === undefined ? {} : { edge }),
    ...numbers(draft.pulse, ["stopAfterCycles", "idealCycleMs"]),
  };
  const filled = <T extends object>(name: string, value: T) =>
    Object.keys(value).length === 0 ? {} : { [name]: value };
  const mapping: Mapping = {
    ...(draft.preset === "" ? {} : { preset: draft.preset }),
    ...(states.length === 0 ? {} : { states }),
    ...(says(draft.otherwise) ? { otherwise: meaningOfDraft(draft.otherwise) } : {}),
    ...numbers(draft, ["deadBand"], true),
    ...filled("counter", counter),
    ...filled("pulse", pulse),
    ...filled("alarm", alarmOf(draft.alarm, faults)),
  };
  return { mapping, faults };
}

/**
 * A binding with another mapping for all of its time, or from an instant on: then what holds before stays as it is. Null: the instant lies
 * outside of the binding's time.
 */
export function remapped(
  binding: BindingEntry,
  mapping: Mapping | undefined,
  from: string | undefined,
): BindingEntry[] | null {
  const { mapping: _, ...bare } = binding;
  const next: BindingEntry = mapping === undefined ? bare : { ...bare, mapping };
  if (from === undefined) return [next];
  const at = Date.parse(from);
  if (binding.validFrom !== undefined && at <= Date.parse(binding.validFrom)) return null;
  if (binding.validTo !== undefined && at >= Date.parse(binding.validTo)) return null;
  return [
    { ...binding, validTo: from },
    { ...next, validFrom: from },
  ];
}
