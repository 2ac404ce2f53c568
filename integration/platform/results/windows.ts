import { type Cause, dayUs, type Micros, type ResultCause } from "@lineshaft/contract/api";
import { type KeySpan, keyText } from "./keys.ts";
import type { Station } from "./stations.ts";
import { type AgendaInputs, isBacklog, type Row } from "./tasks.ts";

/** Windows are taken apart day by day, the newest first. */
const chunkUs = dayUs;
const windowsMax = 64;
/** Facts are kept for 32 days, and forgotten by the hour. */
const factsKeptUs = 31 * dayUs;

/** The part of a window that is taken apart now, from `cut` to `end`; the whole begins at `begin`. null: nothing is known of the machine. */
export function newestPart(
  inputs: AgendaInputs,
  station: Station,
  { fromUs, toUs }: Row,
): { begin: Micros; cut: Micros; end: Micros } | null {
  if (station.level === "above") return { begin: fromUs, cut: fromUs, end: toUs };
  const progress = inputs.progress(station.members);
  if (progress === null) return null;
  const end = Math.min(toUs, progress.watermarkUs);
  // Nothing is known of a period that ends where facts begin.
  const begin = Math.min(end, Math.max(fromUs, progress.fromUs + 1));
  return { begin, cut: Math.max(begin, end - chunkUs), end };
}

/** Keys under the context as it is, and those that were published under another. Above, there is what was published. */
export function keysWithin(inputs: AgendaInputs, station: Station, fromUs: Micros, toUs: Micros): KeySpan[] {
  const keys = new Map<string, KeySpan>();
  // Whose facts are forgotten cannot be computed again.
  const forgotten = station.watermarkUs - factsKeptUs;
  for (const span of inputs.stored(station.id, fromUs, toUs))
    if (span.fromUs >= forgotten || station.level === "above") keys.set(keyText(span), span);
  if (station.level === "above") return [...keys.values()];
  for (const span of inputs.keys(station, fromUs, toUs))
    if (span.fromUs < Math.max(toUs, station.watermarkUs)) keys.set(keyText(span), span);
  return [...keys.values()];
}

/**
 * Nobody takes work: what piles up is known less exactly, and not forgotten. Where a station has many windows, one is made to hold the new range too; null: there is room. The
 * past that waits is no change, and a change no part of the past.
 */
export function widened(station: Station, fromUs: Micros, toUs: Micros, cause: Cause): Row | null {
  if (station.windows.length < windowsMax) return null;
  const same = station.windows.findLast((window) => isBacklog(window.cause) === isBacklog(cause));
  if (same === undefined) return null;
  const hull = { fromUs: Math.min(same.fromUs, fromUs), toUs: Math.max(same.toUs, toUs) };
  return Object.assign(same, { ...hull, endsBy: null, cause });
}

/** Is a range of a station, or of anything below it, dirty for such a cause? A machine of which nothing is known holds up nobody. */
export function windowsMeet(
  inputs: AgendaInputs,
  station: Station,
  span: { fromUs: Micros; toUs: Micros },
  of: (kind: ResultCause) => boolean,
): boolean {
  const meets = ({ fromUs, toUs, cause }: Row) => fromUs <= span.toUs && toUs >= span.fromUs && of(cause.kind);
  // After a start nobody may have looked at it yet.
  const known = (): boolean =>
    station.level === "above" ||
    station.watermarkUs !== Number.NEGATIVE_INFINITY ||
    inputs.progress(station.members) !== null;
  return (
    (station.windows.some(meets) && known()) || station.below.some((below) => windowsMeet(inputs, below, span, of))
  );
}
