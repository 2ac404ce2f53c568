import {
  type AlarmTransition,
  alarmsMost,
  dayUs,
  type EquipmentNow,
  hourUs,
  type Micros,
  minuteUs,
  ProblemError,
} from "@lineshaft/contract/api";
import type { Facts } from "@lineshaft/contract/ports";

/** How far back the beginning of an alarm is looked for, step by step: most began just before. */
const lookBackUs = [10 * minuteUs, 2 * hourUs, dayUs, 8 * dayUs];

/** What is active at a machine just now, each since when. One that is older than what is looked through began before. */
export function activeAlarms(facts: Pick<Facts, "alarms">, equipmentId: number, atUs: Micros): EquipmentNow["alarms"] {
  let active: AlarmTransition[] = [];
  for (const backUs of lookBackUs) {
    const fromUs = atUs - backUs;
    const rows = rowsOf(facts, equipmentId, fromUs, atUs + 1);
    if (rows === null) break;
    const last = new Map(rows.map((row) => [row.tagId, row]));
    active = [...last.values()].filter((row) => row.active === true);
    // What holds at the start of what was asked may have begun before.
    if (active.every(({ t }) => t > fromUs)) break;
  }
  const told = active.flatMap(({ tagId, property, code, severity, text, t }) =>
    code === null || severity === null ? [] : [{ tagId, property, code, severity, text, sinceUs: t }],
  );
  told.sort((a, b) => b.severity - a.severity || b.sinceUs - a.sinceUs);
  return { active: told.length, worst: told.slice(0, alarmsMost) };
}

/** null: a machine tells so much that so long a range is not looked through. */
function rowsOf(facts: Pick<Facts, "alarms">, equipmentId: number, from: Micros, to: Micros): AlarmTransition[] | null {
  try {
    return facts.alarms(equipmentId, from, to);
  } catch (error) {
    if (error instanceof ProblemError && error.code === "query_too_large") return null;
    throw error;
  }
}
