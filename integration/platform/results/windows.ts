import { dayUs, type Micros, type ResultCause } from "@lineshaft/contract/api";
import { type KeySpan, keyText } from "./keys.ts";
import type { Station } from "./stations.ts";
import type { AgendaInputs, Row } from "./tasks.ts";

/** Windows are taken apart day by day, the newest first. */
const chunkUs = dayUs;
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

/** Is a range of a station, or of anything below it, dirty for such a cause? A machine of which nothing is known holds up nobody. */
export function windowsMeet(
  station: Station,
  span: { fromUs: Micros; toUs: Micros },
  of: (kind: ResultCause) => boolean,
): boolean {
  const meets = ({ fromUs, toUs, cause }: Row) => fromUs <= span.toUs && toUs >= span.fromUs && of(cause.kind);
  const known = station.level === "above" || station.watermarkUs !== Number.NEGATIVE_INFINITY;
  return (known && station.windows.some(meets)) || station.below.some((below) => windowsMeet(below, span, of));
}
