import { hourUs, type Micros } from "@lineshaft/contract/api";
import { type Binding, waitingMax } from "./binding.ts";
import { type ChangedRange, factsDifference } from "./difference.ts";
import { type Input, type InputColumns, inputColumns, rowsOf } from "./inputs.ts";
import { sameState } from "./layout.ts";
import { lowerBound, type Transitions } from "./segment.ts";
import { hourOf, Track } from "./track.ts";

/** What a repair wants to read next: the inputs with from ≤ t < to. */
export interface RepairRequest {
  binding: number;
  from: Micros;
  to: Micros;
}
export interface RepairInputs {
  inputs: InputColumns;
  /** Time of the first input at or after `to`; Infinity when there is none. */
  next: Micros;
}
export interface Repaired {
  changes: ChangedRange[];
  /** Hours that were run again. */
  hours: number;
}

const nothing: Repaired = { changes: [], hours: 0 };

/**
 * Makes a dirty binding right: from the checkpoint at or before the first thing that changed, hour by hour, until the new state equals the stored
 * checkpoint and nothing dirty lies ahead; or to where the inputs end, which becomes the live state. Whole hours are replaced, and their facts compared. It asks for
 * its inputs by yielding, so that one and the same repair runs over memory and over a database. `watermark`: what is due before it shall have fired.
 * `frozenBefore`: the start of an hour before which there are no inputs any more; facts there stay as they are.
 */
export function* repair(
  binding: Binding,
  firstInput: Micros,
  watermark: Micros,
  frozenBefore: Micros = Number.NEGATIVE_INFINITY,
): Generator<RepairRequest, Repaired, RepairInputs> {
  const { track } = binding;
  const { dirtyTo } = binding;
  const begin = Math.min(firstInput, track.rules.boundaries[0] ?? Number.POSITIVE_INFINITY);
  const oldest = track.firstHour;
  const progress = binding.progress;
  // What lies ahead of the automaton has no checkpoint: it goes on from where it is.
  const floor = Math.max(binding.floor, frozenBefore);
  if (dirtyTo < floor && binding.progress >= floor) {
    settled(binding, watermark);
    return nothing;
  }
  const first = Math.max(floor, Math.min(binding.dirtyFrom, progress), Math.min(begin, oldest));
  if (first === Number.POSITIVE_INFINITY) {
    settled(binding, watermark);
    return nothing;
  }
  const firstHour = hourOf(first);
  const run = new Track(
    track.kind,
    track.rules,
    track.cycles,
    track.texts,
    new Float64Array(track.width),
    0,
    track.width,
  );
  run.restart(firstHour, track.stateAt(firstHour));
  const reached = (hour: Micros): boolean =>
    hour > dirtyTo && hour <= progress && sameState(run.s, 0, track.stateAt(hour), 0, track.width);

  let hour = firstHour;
  let hours = 0;
  let last: InputColumns | null = null;
  let waits = binding.waits && watermark !== Number.NEGATIVE_INFINITY;
  for (;;) {
    hours++;
    let end = hour + hourUs;
    let { inputs, next } = yield { binding: binding.spec.id, from: hour, to: end };
    if (waits && watermark < end) {
      const ahead = yield* aheadOf(binding, inputs, next, watermark, end);
      waits = ahead.next === Number.POSITIVE_INFINITY;
      if (waits) {
        binding.waitsFor(ahead.rows);
        inputs = { ...inputs, n: inputs.n - ahead.rowsOfFirst };
      } else {
        run.feed(inputs);
        last = inputs;
        inputs = inputColumns(ahead.rows.slice(ahead.rowsOfFirst));
        end = ahead.end;
      }
      next = ahead.next;
    }
    run.feed(inputs);
    if (inputs.n > 0) last = inputs;
    // An hour is over when the watermark or a later input says so; where neither does, its timers are still to run.
    if (watermark < end && next === Number.POSITIVE_INFINITY) break;
    run.advance(end);
    if (reached(end)) return converged(binding, run, firstHour, end, watermark, hours);
    const event = Math.min(next, run.nextEvent < watermark ? run.nextEvent : Number.POSITIVE_INFINITY);
    if (event === Number.POSITIVE_INFINITY) break;
    hour = hourOf(event);
    if (reached(hour)) return converged(binding, run, firstHour, hour, watermark, hours);
  }
  run.advance(watermark);
  binding.stands(last, firstHour);
  return replacedToTheEnd(binding, run, firstHour, watermark, hours);
}

interface Ahead {
  rows: Input[];
  /** So many of them are of the hour up to `end` that was asked for. */
  rowsOfFirst: number;
  /** Infinity: these are all. Else there are more than may wait. */
  next: Micros;
  /** So far was read. */
  end: Micros;
}

/** What lies ahead of the watermark waits for it again: rows of other channels may still come in between, and each of them would be late. */
function* aheadOf(
  { spec }: Binding,
  inputs: InputColumns,
  next: Micros,
  watermark: Micros,
  end: Micros,
): Generator<RepairRequest, Ahead, RepairInputs> {
  const rows = rowsOf(inputs, lowerBound(inputs.t, inputs.n, watermark));
  const ahead: Ahead = { rows, rowsOfFirst: rows.length, next, end };
  while (ahead.next !== Number.POSITIVE_INFINITY && rows.length <= waitingMax) {
    const hour = hourOf(ahead.next);
    ahead.end = hour + hourUs;
    const more = yield { binding: spec.id, from: hour, to: ahead.end };
    for (const row of rowsOf(more.inputs, 0)) rows.push(row);
    ahead.next = more.next;
  }
  return ahead;
}

/** The old facts hold from `stop` on. */
function converged(
  binding: Binding,
  run: Track,
  from: Micros,
  stop: Micros,
  watermark: Micros,
  hours: number,
): Repaired {
  const { track } = binding;
  track.closeBefore(stop);
  run.closeBefore(stop);
  const begin = track.firstSegment(from);
  const end = track.firstSegment(stop);
  const old = track.segments.slice(begin, end);
  const after = firstTransition([...track.segments.slice(end), track.open]);
  track.replace(begin, end, run.segments);
  track.crossedBefore(Math.max(binding.watermark, binding.lastT + 1));
  track.open.absorb();
  settled(binding, watermark);
  return { changes: factsDifference(old, run.segments, after, after, whatOf(binding)), hours };
}

/** The new run ends where the inputs end: it is the live state now. */
function replacedToTheEnd(binding: Binding, run: Track, from: Micros, watermark: Micros, hours: number): Repaired {
  const { track } = binding;
  // An open hour before the repaired ones ends here.
  track.closeBefore(from);
  track.open.absorb();
  const begin = track.firstSegment(from);
  const old = [...track.segments.slice(begin), ...(track.open.hour >= from ? [track.open] : [])];
  const none = Number.POSITIVE_INFINITY;
  const changes = factsDifference(old, [...run.segments, run.open], none, none, whatOf(binding));
  track.replace(begin, track.segments.length, run.segments);
  track.adopt(run);
  settled(binding, watermark);
  return { changes, hours };
}

const whatOf = ({ exact }: Binding): "state" | "name" => (exact ? "name" : "state");

/** A dirty binding was not ticked: the watermark is applied now. */
function settled(binding: Binding, watermark: Micros): void {
  binding.clean();
  binding.tick(watermark);
}

function firstTransition(segments: readonly { transitions: Transitions | null }[]): Micros {
  for (const { transitions } of segments) if (transitions !== null && transitions.n > 0) return transitions.t[0];
  return Number.POSITIVE_INFINITY;
}
