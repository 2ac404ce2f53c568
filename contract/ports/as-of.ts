import { type Micros, ProblemError, parseTimeUs } from "../api/index.ts";
import type { Clock } from "./clock.ts";
import type { Log, Lsn } from "./log.ts";

/**
 * The place in the log that `asOf` means: itself, or the last record of `lsnAt` by a time, since only what was recorded by then counts (0: there was none). Throws `as_of_invalid` for what is
 * neither, and for what is still to come.
 */
export function placeInLog(
  asOf: string,
  { log, clock, lsnAt }: { log: Pick<Log, "status">; clock: Clock; lsnAt: (time: Micros) => Lsn | null },
): Lsn {
  if (/^\d{1,15}$/.test(asOf)) {
    const { durableLsn } = log.status;
    if (Number(asOf) <= durableLsn) return Number(asOf);
    throw new ProblemError("as_of_invalid", `The log ends at ${durableLsn}; ${asOf} is still to come.`);
  }
  const time = parseTimeUs(asOf);
  if (time !== null && time <= clock.nowUs()) return lsnAt(time) ?? 0;
  const detail = `${JSON.stringify(asOf)} is no place in the log and no time that has been.`;
  throw new ProblemError("as_of_invalid", detail);
}
