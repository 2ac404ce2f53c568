import { eventTypes, type LastValue, type OtherEvent, type PointsRecorded } from "@lineshaft/contract/api";
import { LiveValues } from "./live.ts";
import { call, openStream, type StreamState } from "./platform.ts";

/** Tags that one page watches at most; the rest of a longer list is asked for when it is scrolled to. */
export const watchedMax = 2_000;
const valuesPerCall = 200;
const settleMs = 150;

/** Facts of all machines would come beside the tags that a page watches. */
const watchedTypes = eventTypes.filter(
  (type) => type !== "facts.changed" && type !== "fact.recorded" && type !== "result.published",
);

type PointsListener = (event: PointsRecorded) => void;
interface Watcher {
  tags: ReadonlySet<number>;
  onPoints: PointsListener | null;
}

const watchers = new Set<Watcher>();
const stateListeners = new Set<() => void>();
const otherListeners = new Set<(event: OtherEvent) => void>();
let close: (() => void) | null = null;
let streamed: ReadonlySet<number> = new Set();
let settle = 0;
/** Nobody is signed in: pages that are still being taken down must not open a stream once more. */
let stopped = true;
let state: StreamState = "connecting";
let skewUs = 0;

/** Newest values of everything watched. */
export const live = new LiveValues(
  (tell, delayMs) => window.setTimeout(() => requestAnimationFrame(tell), delayMs),
  () => performance.now(),
);
let lastTick = performance.now();
setInterval(() => {
  const now = performance.now();
  live.tick((now - lastTick) / 1000);
  lastTick = now;
}, 1000);

/** The server's time, so that ages are right on a tablet whose clock is not. */
export const nowUs = (): number => Date.now() * 1000 + skewUs;
export function learnClock(serverUs: number): void {
  skewUs = serverUs - Date.now() * 1000;
}

export const streamState = (): StreamState => state;
export function observeStream(listener: () => void): () => void {
  stateListeners.add(listener);
  return () => stateListeners.delete(listener);
}

/** Registrations, changes, gaps, rejections: whatever is no point. */
export function observeEvents(listener: (event: OtherEvent) => void): () => void {
  otherListeners.add(listener);
  return () => otherListeners.delete(listener);
}

/**
 * Keeps `tags` in the one subscription of this page. `onPoints` gets each batch as it comes (it may hold other tags too).
 * Call the result to stop; changes settle for a moment, so that scrolling does not subscribe at every row.
 */
export function watch(tags: Iterable<number>, onPoints: PointsListener | null = null): () => void {
  const watcher: Watcher = { tags: new Set(tags), onPoints };
  watchers.add(watcher);
  changed();
  return () => {
    watchers.delete(watcher);
    changed();
  };
}

/** Opens the subscription; without tags it brings what is no point. */
export function startFeed(): void {
  stopped = false;
  changed();
}

/** Forget everything, e.g. at sign-out. */
export function stopFeed(): void {
  stopped = true;
  clearTimeout(settle);
  settle = 0;
  close?.();
  close = null;
  streamed = new Set();
}

function changed(): void {
  if (stopped || settle !== 0) return;
  settle = window.setTimeout(
    () => {
      settle = 0;
      const wanted = new Set<number>();
      for (const watcher of watchers) for (const tag of watcher.tags) if (wanted.size < watchedMax) wanted.add(tag);
      live.keep(wanted);
      const added = [...wanted].filter((tag) => !streamed.has(tag));
      // What is watched a little too much does no harm: a new subscription is opened only for new tags, or far too many old ones.
      if (close !== null && added.length === 0 && streamed.size <= 2 * wanted.size + 100) return;
      subscribe(wanted);
      void readLast(added);
    },
    close === null ? 0 : settleMs,
  );
}

function subscribe(tags: ReadonlySet<number>): void {
  close?.();
  streamed = tags;
  // No tags in the filter would mean every tag.
  const filter =
    tags.size === 0
      ? { types: watchedTypes.filter((type) => type !== "points.recorded") }
      : { types: watchedTypes, tags: [...tags] };
  close = openStream(
    { format: "columns", ...filter },
    {
      onEvent(event) {
        if (event.type !== "points.recorded") {
          for (const listener of otherListeners) listener(event);
          return;
        }
        live.applyColumns(event.columns);
        for (const watcher of watchers) watcher.onPoints?.(event);
      },
      onState(next) {
        // Values that came while the line was down are not streamed again from a cursor: read them.
        if (next === "open" && state === "waiting") void readLast([...tags]);
        state = next;
        for (const listener of stateListeners) listener();
      },
    },
  );
}

async function readLast(tags: readonly number[]): Promise<void> {
  for (let at = 0; at < tags.length; at += valuesPerCall) {
    try {
      const { items } = await call("lastValues", { query: { tag: tags.slice(at, at + valuesPerCall) } });
      live.applyLast(items as LastValue[]);
    } catch {
      // The stream's state already says that the server is away; the next connection reads again.
      return;
    }
  }
}
