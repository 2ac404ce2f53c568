import type { MachineFactsBody, Micros } from "@lineshaft/contract/api";
import type { LaneItem, PageLocale, StateClass, TimeRange } from "@lineshaft/ui/kit";
import { knownUntil, type Told } from "./timeline.ts";

/** One or several alarms at once: the most severe says what it is. */
export interface AlarmPiece extends TimeRange {
  text: string;
  severity: number;
  /** Active beside it. */
  others: number;
}

interface Active {
  text: string;
  severity: number;
}

/** From this severity of OPC UA on an alarm is shown like a fault. */
const severeFrom = 667;

/** What alarm tags told in the facts' range, as stretches in which the same alarms are active. Where nothing is known, and where nothing is the matter, is none. */
export function alarmPieces(facts: Told, nowUs: Micros, locale: PageLocale): AlarmPiece[] {
  const { time, tagId } = facts.alarms;
  const end = knownUntil(facts, nowUs);
  const active = new Map<number, Active>();
  const pieces: AlarmPiece[] = [];
  for (let i = 0; i < time.length; i++) {
    const alarm = alarmAt(facts.alarms, i, locale);
    if (alarm === null) active.delete(tagId[i]);
    else active.set(tagId[i], alarm);
    // Of several at one instant the last says what holds from then on.
    if (time[i + 1] === time[i] || active.size === 0) continue;
    const fromUs = Math.max(time[i], facts.fromUs);
    const toUs = Math.min(time[i + 1] ?? end, end);
    if (fromUs >= toUs) continue;
    const [first, ...rest] = [...active.values()].sort((a, b) => b.severity - a.severity);
    const last = pieces.at(-1);
    const same = last?.toUs === fromUs && last.text === first.text && last.others === rest.length;
    if (same) last.toUs = toUs;
    else pieces.push({ fromUs, toUs, ...first, others: rest.length });
  }
  return pieces;
}

function alarmAt(alarms: MachineFactsBody["alarms"], i: number, locale: PageLocale): Active | null {
  const code = alarms.code[i];
  if (alarms.active[i] !== true || code === null) return null;
  const { en, de } = alarms.text[i] ?? {};
  const said = locale === "de" ? (de ?? en) : (en ?? de);
  return { text: said ?? `${alarms.property[i]} ${code}`, severity: alarms.severity[i] ?? 0 };
}

export const alarmItems = (pieces: readonly AlarmPiece[], moreText: (n: number) => string): LaneItem[] =>
  pieces.map(({ fromUs, toUs, text, severity, others }) => ({
    key: String(fromUs),
    fromUs,
    toUs,
    label: others === 0 ? text : `${text} ${moreText(others)}`,
    state: stateOfSeverity(severity),
  }));

const stateOfSeverity = (severity: number): StateClass => (severity >= severeFrom ? "fault" : "notExecuting");
