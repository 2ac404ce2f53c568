import {
  type AlarmOptions,
  type AlarmRow,
  type AlarmText,
  alarmCode,
  alarmMeaning,
  exactText,
} from "@lineshaft/contract/api";
import type { FaultCode } from "./draft.ts";
import { parseNumber, parseValue, valueInput } from "./values.ts";

/** What the values of an alarm tag mean, as it stands in the fields of the editor, and the way there and back. */

/** What is said of an alarm; texts of numbers stay as they are typed. */
interface SaidDraft {
  code: string;
  en: string;
  de: string;
  severity: string;
  /** A reason's number; "" is none. */
  cause: string;
}

export interface AlarmRowDraft extends SaidDraft {
  /** Names the row while it is edited. */
  id: number;
  by: "value" | "range";
  value: string;
  from: string;
  to: string;
  /** false: this value is no alarm. */
  active: boolean;
}

export interface AlarmDraft extends SaidDraft {
  rows: AlarmRowDraft[];
  otherwise: "value" | "none";
}

const text = (value: number | undefined): string => (value === undefined ? "" : String(value));

const saidDraft = ({ code, text: said, severity, cause }: Omit<AlarmRow, "value">): SaidDraft => ({
  code: code ?? "",
  en: said?.en ?? "",
  de: said?.de ?? "",
  severity: text(severity),
  cause: cause === undefined || cause === 0 ? "" : String(cause),
});

let lastId = 0;
export const newAlarmRow = (part: Partial<AlarmRowDraft> = {}): AlarmRowDraft => ({
  ...{ id: ++lastId, by: "value", value: "", from: "", to: "", active: true },
  ...saidDraft({}),
  ...part,
});

export const alarmDraftOf = (options: AlarmOptions = {}): AlarmDraft => ({
  ...saidDraft(options),
  otherwise: options.otherwise ?? "value",
  rows: (options.rows ?? []).map((row) =>
    newAlarmRow({
      by: row.value === undefined ? "range" : "value",
      value: row.value === undefined ? "" : valueInput(row.value),
      from: text(row.from),
      to: text(row.to),
      active: row.active ?? true,
      ...saidDraft(row),
    }),
  ),
});

const textIn = ({ en, de }: SaidDraft): { text?: AlarmText } => {
  const said = { ...(en.trim() === "" ? {} : { en: en.trim() }), ...(de.trim() === "" ? {} : { de: de.trim() }) };
  return Object.keys(said).length === 0 ? {} : { text: said };
};

/** OPC UA's scale, whole numbers from 1 to 1000. */
function saidIn(draft: SaidDraft, fault: (code: FaultCode) => void) {
  const severity = draft.severity.trim() === "" ? null : parseNumber(draft.severity);
  const sound = severity !== null && Number.isInteger(severity) && severity >= 1 && severity <= 1000;
  if (draft.severity.trim() !== "" && !sound) fault("severity");
  return {
    ...(draft.code.trim() === "" ? {} : { code: draft.code.trim() }),
    ...textIn(draft),
    ...(sound ? { severity } : {}),
    ...(draft.cause === "" ? {} : { cause: Number(draft.cause) }),
  };
}

function rowIn(row: AlarmRowDraft, fault: (code: FaultCode) => void): AlarmRow | null {
  const quiet = row.active ? {} : { active: false };
  // Of what is no alarm there is nothing else to say.
  const said = row.active ? saidIn(row, fault) : {};
  if (row.by === "value") {
    const value = row.value.trim() === '""' ? "" : parseValue(row.value);
    if (value === null) fault("value");
    return value === null ? null : { value, ...quiet, ...said };
  }
  const [from, to] = [parseNumber(row.from), parseNumber(row.to)];
  if ((from === null && row.from.trim() !== "") || (to === null && row.to.trim() !== "")) fault("number");
  else if ((from === null && to === null) || (from !== null && to !== null && from >= to)) fault("range");
  else return { ...(from === null ? {} : { from }), ...(to === null ? {} : { to }), ...quiet, ...said };
  return null;
}

/** The options that the fields say; what is faulty is left out, and named by `alarm` or `row <id>`. */
export function alarmOf(draft: AlarmDraft, faults: Map<string, FaultCode>): AlarmOptions {
  const rows = draft.rows.flatMap((row) => rowIn(row, (code) => faults.set(`row ${row.id}`, code)) ?? []);
  const said = saidIn(draft, (code) => faults.set("alarm", code));
  return {
    ...said,
    ...(rows.length === 0 ? {} : { rows }),
    ...(draft.otherwise === "value" ? {} : { otherwise: draft.otherwise }),
  };
}

/** What a value would become: no alarm, or an alarm with what is said of it. */
export type AlarmVerdict = null | { code: string; severity: number; text: AlarmText | null; cause: number };

export function alarmVerdict(options: AlarmOptions, value: number | bigint | boolean | string): AlarmVerdict {
  const code = alarmCode(options, exactText(value));
  return code === null ? null : { code, ...alarmMeaning(options, code) };
}
