import { type Micros, minuteUs } from "@lineshaft/contract/api";
import { type KeySpan, keyText } from "./keys.ts";
import { standingAbove } from "./standing.ts";
import type { OpenKey, Station } from "./stations.ts";
import type { AgendaInputs, AgendaOptions, Task } from "./tasks.ts";

/** A period of 5 s × this many is computed again every 5 s; one twice as long every 10 s. */
const progressShare = 720;
/** How often it is looked whether another period has begun. */
const lookMs = 60_000;

/** The periods of stations that are under way: as time goes on they are due again, until they are final. */
export class OpenPeriods {
  readonly #inputs: AgendaInputs;
  readonly #options: AgendaOptions;

  constructor(inputs: AgendaInputs, options: AgendaOptions) {
    this.#inputs = inputs;
    this.#options = options;
  }

  /** Where a station's keys are known up to, and which are open: as they were kept. */
  resume(station: Station, seen: Micros | null, open: readonly KeySpan[]): void {
    // What is open is looked at again: only its context tells whether it has ended.
    if (seen !== null) station.seenUs = Math.min(seen, ...open.map(({ fromUs }) => fromUs));
    for (const span of open) this.opened(station, span).stored = true;
  }

  /** It is under way, with this range. */
  opened(station: Station, { period, key, fromUs, toUs }: KeySpan): OpenKey {
    const text = keyText({ period, key });
    const known = station.open.get(text);
    if (known !== undefined) return Object.assign(known, { fromUs, toUs });
    const open = { period, key, fromUs, toUs, dueMs: 0, watermarkUs: Number.NEGATIVE_INFINITY, stored: false };
    station.open.set(text, open);
    return open;
  }

  /** What is due, and all that was recorded before the station was first looked at. */
  lookAt(station: Station, now: number): { past: { fromUs: Micros; toUs: Micros } | null; due: OpenKey[] } {
    const progress = this.#inputs.progress(station.members);
    if (progress === null || progress.watermarkUs <= station.watermarkUs) return { past: null, due: [] };
    const { watermarkUs, finalBeforeUs } = progress;
    station.watermarkUs = watermarkUs;
    const past = station.seenUs === null ? { fromUs: progress.fromUs, toUs: watermarkUs } : null;
    const seen = station.seenUs ?? watermarkUs;
    if (past !== null || now - station.lookedMs >= lookMs || watermarkUs - seen >= minuteUs)
      this.#look(station, seen, watermarkUs, now);
    const due = [...station.open.values()].filter(
      (open) => (open.toUs <= finalBeforeUs || now >= open.dueMs) && open.watermarkUs < watermarkUs,
    );
    return { past, due };
  }

  /** What stands above is computed when something below is; here is what has become final meanwhile without any. */
  ended(station: Station): OpenKey[] {
    return [...station.open.values()].filter((open) => {
      const text = keyText(open);
      if (station.tasks.has(text) || station.busy.has(text)) return false;
      return standingAbove(this.#inputs, station, open)?.state === "final";
    });
  }

  /** A key was given out: if it is open, it is due again after a while. */
  given(task: Task, now: number): void {
    const { station, item } = task;
    const open = station.open.get(keyText(task));
    if (open === undefined || item === null) return;
    open.watermarkUs = station.watermarkUs;
    open.dueMs = now + Math.max(this.#options.progressMs, (item.toUs - item.fromUs) / 1000 / progressShare);
  }

  /** Takes up the keys that have begun. */
  #look(station: Station, fromUs: Micros, toUs: Micros, now: number): void {
    station.lookedMs = now;
    station.seenUs = toUs;
    for (const span of this.#inputs.keys(station, fromUs, toUs)) {
      if (span.fromUs >= toUs) continue;
      const stored = station.open.has(keyText(span)) ? null : this.#inputs.find({ equipmentId: station.id, ...span });
      if (stored?.state !== "final") this.opened(station, span);
    }
  }
}

/** Keys that begin before are kept with the results, or stand in windows; null: the station has not been looked at. */
export function seenUs(station: Station): Micros | null {
  if (station.seenUs === null) return null;
  let seen = station.seenUs;
  for (const open of station.open.values()) if (!open.stored) seen = Math.min(seen, open.fromUs);
  return seen;
}
