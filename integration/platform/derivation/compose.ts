import {
  countKinds,
  type IncrementColumns,
  itemStateOf,
  type MachineFacts,
  type Micros,
  operationModeOf,
  type StateCode,
  type StateColumns,
  stateCode,
  unknownState,
} from "@lineshaft/contract/api";
import type { Binding } from "./binding.ts";
import { fCode } from "./layout.ts";
import type { Rule } from "./mapping.ts";
import { lowerBound, OpenSegment, type Segment } from "./segment.ts";
import { hourOf, type Track } from "./track.ts";

/**
 * How far behind an instant its facts may still be emitted in good order: a time-out and the pulse that ends a stop, a verdict on a suspect sample, the next sample of a sampled
 * counter. Whether a stop is a micro stop is known when the states up to the threshold behind it are, so the threshold comes on top of what states need. A result is
 * provisional until the watermark has passed its end by more than that (a count at the very end belongs to it).
 */
export function lookAheadUs(bindings: readonly Binding[], microStopUs: number): number {
  let most = 0;
  for (const { track, exact } of bindings)
    for (const { rule } of exact ? [] : track.rules.pieces)
      most = Math.max(most, track.kind === "counter" ? countsUs(rule) : microStopUs + statesUs(track, rule));
  return most;
}

/** The same for states alone, and for counts alone; pulses are counts at once. */
export const statesAheadUs = (bindings: readonly Binding[]): number =>
  lookAheadUs(
    bindings.filter(({ track }) => track.kind !== "counter"),
    0,
  );
export const countsAheadUs = (bindings: readonly Binding[]): number =>
  lookAheadUs(
    bindings.filter(({ track }) => track.kind === "counter"),
    0,
  );

const countsUs = (rule: Rule): number => Math.max(rule.glitchWindowUs, rule.sampled ? rule.samplingUs : 0);

function statesUs({ kind, cycles }: Track, rule: Rule): number {
  if (kind !== "pulse") return 0;
  let most = 0;
  for (const own of rule.of ?? [rule]) {
    if (own === null) continue;
    const cycleUs = Math.max(cycles.greatest, own.idealCycleUs);
    most = Math.max(most, Math.round(own.stopAfterCycles * cycleUs) + cycleUs);
  }
  return most;
}

/** About how many facts an answer over [from, to) would hold: by whole hours, without looking into them. */
export function factsWithin(bindings: readonly Binding[], from: Micros, to: Micros): number {
  let sum = 0;
  for (const { track } of bindings)
    for (const { hour, transitions, increments: found } of track.emittedFrom(from)) {
      if (hour >= to) break;
      sum += (transitions?.n ?? 0) + (found?.n ?? 0);
    }
  return sum;
}

/** The facts of one machine for [from, to), of what its bindings have emitted so far. */
export function machineFacts(bindings: readonly Binding[], from: Micros, to: Micros): MachineFacts {
  const until = to + lookAheadUs(bindings, 0);
  return {
    from,
    to,
    states: composedStates(bindings, from, to, until),
    increments: increments(bindings, from, to, until),
  };
}

/** The states of it alone. */
export const machineStates = (bindings: readonly Binding[], from: Micros, to: Micros): StateColumns =>
  composedStates(bindings, from, to, to + lookAheadUs(bindings, 0));

/** Raw units with from < t ≤ to of one binding. */
export function quantity(track: Track, from: Micros, to: Micros): number {
  let sum = 0;
  for (const part of track.emittedFrom(from)) {
    const found = part.increments;
    if (found === null || found.n === 0) continue;
    const begin = lowerBound(found.t, found.n, from + 1);
    const end = lowerBound(found.t, found.n, to + 1);
    if (!(part instanceof OpenSegment)) sum += prefixAt(part, end) - prefixAt(part, begin);
    else for (let i = begin; i < end; i++) sum += found.value[i];
    if (found.t[0] > to) break;
  }
  return sum;
}

const prefixAt = ({ prefix }: Segment, i: number): number => prefix?.[i] ?? 0;

/** What one binding tells over [from, to): the first holds at `from`; one entry an instant, no two equal ones in a row. */
export interface Timeline {
  binding: Binding;
  t: Micros[];
  code: StateCode[];
}

export function timeline(binding: Binding, from: Micros, to: Micros, until: Micros): Timeline {
  const { track } = binding;
  const t = [from];
  const code = [track.stateAt(hourOf(from))[fCode]];
  for (const { hour, transitions } of track.emittedFrom(from)) {
    if (hour > until) break;
    if (transitions === null) continue;
    for (let i = 0; i < transitions.n && transitions.t[i] < to; i++) {
      const at = Math.max(from, transitions.t[i]);
      if (at === t[t.length - 1]) code[code.length - 1] = transitions.code[i];
      else {
        t.push(at);
        code.push(transitions.code[i]);
      }
    }
  }
  return { binding, t, code };
}

/**
 * The state of a machine from its bindings. The item state is that of the first state tag that knows one; pulses speak where no state tag is in force, since a state tag that
 * is silent or bad means that nothing is known. Where the item state is unknown, all is. The mode is that of the mode tag, else what the state table says of it.
 */
function composedStates(bindings: readonly Binding[], from: Micros, to: Micros, until: Micros): StateColumns {
  const lines = bindings
    .filter(({ spec, exact }) => spec.role !== "counter" && !exact)
    .map((binding) => timeline(binding, from, to, until));
  const instants = new Set([from]);
  for (const line of lines) {
    for (const t of line.t) instants.add(t);
    for (const t of line.binding.track.rules.boundaries) if (t > from && t < to) instants.add(t);
  }
  const cursors = new Int32Array(lines.length);
  const t: Micros[] = [];
  const code: StateCode[] = [];
  for (const at of [...instants].sort((a, b) => a - b)) {
    for (const [i, line] of lines.entries()) {
      while (cursors[i] + 1 < line.t.length && line.t[cursors[i] + 1] <= at) cursors[i]++;
    }
    const next = composed(lines, cursors, at);
    if (t.length > 0 && code[code.length - 1] === next) continue;
    t.push(at);
    code.push(next);
  }
  return { count: t.length, t: Float64Array.from(t), code: Int32Array.from(code) };
}

function composed(lines: readonly Timeline[], cursors: Int32Array, at: Micros): StateCode {
  let item = unknownState;
  let itemInForce = false;
  let pulse = unknownState;
  let mode = unknownState;
  for (const [i, { binding, code }] of lines.entries()) {
    const { spec, track } = binding;
    if (track.rules.at(at) === null) continue;
    const told = code[cursors[i]];
    if (spec.role === "itemState") {
      itemInForce = true;
      if (itemStateOf(item) === null) item = told;
    } else if (spec.role === "operationMode") {
      if (operationModeOf(mode) === null) mode = told;
    } else if (itemStateOf(pulse) !== "Executing" && told !== unknownState) pulse = told;
  }
  if (!itemInForce) item = pulse;
  const state = itemStateOf(item);
  if (state === null) return unknownState;
  const own = stateCode(state, operationModeOf(mode) ?? operationModeOf(item));
  return own | (causeBits(item) || causeBits(mode));
}

const causeBits = (code: StateCode): number => (code >> 6) << 6;

/** Increments of all counting bindings whose (source, t] meets [from, to], ascending by t. */
function increments(bindings: readonly Binding[], from: Micros, to: Micros, until: Micros): IncrementColumns {
  const runs: Run[] = [];
  let count = 0;
  for (const { spec, track } of bindings) {
    const run: Run = { source: [], t: [], n: [], kind: [], flags: [], next: 0 };
    const kinds = spec.channels.map(({ counts }) => (counts === null ? -1 : countKinds.indexOf(counts)));
    let behind = false;
    for (const { hour, increments: found } of track.emittedFrom(from)) {
      // What bridges a long silence comes long after it: the first increment behind `to` is looked at too.
      if (hour > until && behind) break;
      if (found === null) continue;
      for (let i = lowerBound(found.t, found.n, from); i < found.n && !behind; i++) {
        behind = found.t[i] > to;
        const kind = kinds[found.channel[i]];
        if (kind < 0 || (behind && found.source[i] >= to)) continue;
        run.source.push(found.source[i]);
        run.t.push(found.t[i]);
        run.n.push(found.value[i]);
        run.kind.push(kind);
        run.flags.push(found.flags[i]);
      }
    }
    if (run.t.length === 0) continue;
    runs.push(run);
    count += run.t.length;
  }
  return merged(runs, count);
}

/** Increments of one binding; an automaton emits them ascending by t. */
interface Run {
  source: number[];
  t: number[];
  n: number[];
  kind: number[];
  flags: number[];
  next: number;
}

/** At one instant in the order of the runs. */
function merged(runs: readonly Run[], count: number): IncrementColumns {
  const columns = {
    ...{ count, source: new Float64Array(count), t: new Float64Array(count), n: new Float64Array(count) },
    ...{ kind: new Uint8Array(count), flags: new Uint8Array(count) },
  };
  for (let i = 0; i < count; i++) {
    let least: Run | null = null;
    for (const run of runs)
      if (run.next < run.t.length && (least === null || run.t[run.next] < least.t[least.next])) least = run;
    const run = least as Run;
    const at = run.next++;
    columns.source[i] = run.source[at];
    columns.t[i] = run.t[at];
    columns.n[i] = run.n[at];
    columns.kind[i] = run.kind[at];
    columns.flags[i] = run.flags[at];
  }
  return columns;
}
