import { type AlarmTransition, type Micros, minuteUs, secondUs, type WorkStop } from "@lineshaft/contract/api";

/** An alarm that came so long before a stop may be why, since a machine runs out; one that came later than this in it is rather what came of it. */
export const beforeStopUs = 30 * secondUs;
const intoStopUs = 3 * minuteUs;

/** Alarms that became active, in their order; of several at one instant the most severe first. What a tag told at the start of what was asked was there already. */
export function raised(alarms: readonly AlarmTransition[]): AlarmTransition[] {
  const before = new Map<number, string | null>();
  const found = alarms.filter(({ tagId, code }) => {
    const last = before.get(tagId);
    before.set(tagId, code);
    return last !== undefined && code !== null && code !== last;
  });
  return found.sort((a, b) => a.t - b.t || (b.severity ?? 0) - (a.severity ?? 0));
}

/** The first alarm around the beginning of a stop, and the reason that it names; `told`: is there such a reason? */
export function alarmOfStop(
  alarms: readonly AlarmTransition[],
  stop: { from: Micros; to: Micros },
  told: (reason: number) => boolean,
): { alarm: WorkStop["alarm"]; reason: number | null } {
  const until = Math.min(stop.to, stop.from + intoStopUs);
  const first = alarms.find(({ t }) => t >= stop.from - beforeStopUs && t < until);
  if (first === undefined || first.code === null || first.severity === null) return { alarm: null, reason: null };
  const { t: atUs, property, code, text, severity, cause } = first;
  return { alarm: { atUs, property, code, text, severity }, reason: told(cause) ? cause : null };
}
