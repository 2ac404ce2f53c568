import type { Clock } from "@lineshaft/contract/ports";

/** What is asked together, every `periodMs`. */
export interface PollGroup {
  name: string;
  periodMs: number;
  /** Moves the grid of this group, so that many connections started together do not ask in the same millisecond. */
  phaseMs?: number;
  /** One poll. What it throws ends the poller; a bad value is no reason to throw. */
  poll(signal: AbortSignal): Promise<void>;
}

/** How one group keeps its period. */
export interface PollPace {
  name: string;
  periodMs: number;
  /** Mean distance of the last polls; null before the second. */
  actualMs: number | null;
  polls: number;
  /** Ticks of the grid that passed without a poll, because the one before was not yet back. */
  skipped: number;
  stretched: boolean;
}

export interface PollerOptions {
  clock: Clock;
  groups: readonly PollGroup[];
  /** Told once when a group cannot keep its period, and once when it can again. */
  onPace?(pace: PollPace): void;
}

/** Polls whose mean distance is judged. */
const judgedPolls = 8;
/** A group is stretched above the first ratio of actual and wanted period and keeps it again below the second. */
const stretchedAbove = 1.25;
const keptBelow = 1.1;

/**
 * Asks each group on its own grid of instants `start + phase + k × period`, so that delays do not add up to a drift. A group never has two polls
 * under way: one that is late starts as soon as the last is back, and ticks that passed wholly in between are skipped and counted.
 */
export class Poller {
  readonly #clock: Clock;
  readonly #onPace: (pace: PollPace) => void;
  readonly #groups: readonly { group: PollGroup; pace: PollPace; starts: number[] }[];

  constructor({ clock, groups, onPace }: PollerOptions) {
    this.#clock = clock;
    this.#onPace = onPace ?? (() => {});
    this.#groups = groups.map((group) => ({
      group,
      starts: [],
      pace: { name: group.name, periodMs: group.periodMs, actualMs: null, polls: 0, skipped: 0, stretched: false },
    }));
  }

  /** Polls until `signal` or the first failure of a group; rejects with the reason of either, after all groups have stopped. */
  async run(signal: AbortSignal): Promise<never> {
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    try {
      const loops = this.#groups.map(async (entry) => {
        try {
          await this.#loop(entry, stop.signal);
        } catch (error) {
          stop.abort(error);
        }
      });
      // Without groups there is nothing to do but to wait for the end.
      if (loops.length === 0) loops.push(untilAborted(stop.signal));
      await Promise.all(loops);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    throw stop.signal.reason;
  }

  paces(): PollPace[] {
    return this.#groups.map(({ pace }) => ({ ...pace }));
  }

  async #loop({ group, pace, starts }: { group: PollGroup; pace: PollPace; starts: number[] }, stop: AbortSignal) {
    const { periodMs } = group;
    let started = this.#clock.monotonicMs();
    // The first poll comes at once; the second at the first tick at least half a period later.
    let due = started + ((group.phaseMs ?? 0) % periodMs);
    if (due - started < periodMs / 2) due += periodMs;
    starts.length = 0;
    while (!stop.aborted) {
      this.#judge(pace, starts, started);
      await group.poll(stop);
      const now = this.#clock.monotonicMs();
      if (now < due) {
        await this.#clock.sleep(due - now, stop);
        started = this.#clock.monotonicMs();
      } else {
        const skipped = Math.floor((now - due) / periodMs);
        pace.skipped += skipped;
        due += skipped * periodMs;
        started = now;
      }
      due += periodMs;
    }
  }

  #judge(pace: PollPace, starts: number[], started: number): void {
    pace.polls++;
    starts.push(started);
    if (starts.length > judgedPolls) starts.shift();
    if (starts.length < 2) return;
    pace.actualMs = (started - starts[0]) / (starts.length - 1);
    if (starts.length < judgedPolls) return;
    const ratio = pace.actualMs / pace.periodMs;
    if (pace.stretched ? ratio > keptBelow : ratio <= stretchedAbove) return;
    pace.stretched = !pace.stretched;
    this.#onPace({ ...pace });
  }
}

/** Items by their period, shortest first. */
export function groupByPeriod<T>(items: readonly T[], periodMs: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const period = periodMs(item);
    const group = groups.get(period);
    if (group) group.push(item);
    else groups.set(period, [item]);
  }
  return new Map([...groups].sort(([a], [b]) => a - b));
}

/** Resolves with the promise, or rejects with the signal's reason when that comes first; the promise itself runs on. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      promise.catch(() => {});
      return reject(signal.reason);
    }
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
