import { type Micros, stateCode } from "@lineshaft/contract/api";
import { clearState, fCode, fDue, fFlags, fLast, flagGapOpen, fValue, stateWidth } from "./layout.ts";
import type { Rule, Rules } from "./mapping.ts";
import type { OpenSegment } from "./segment.ts";
import type { Steps } from "./steps.ts";

/**
 * Pulses of a machine that tells nothing else (a good pulse, a reject pulse) → counts and the state of the machine. A pause longer than k ideal
 * cycles is a stop [last pulse, next pulse − ideal cycle), never from before the last pulse; a pause of exactly k cycles is none. The time-out belongs to
 * the state: it is armed by a pulse with the ideal cycle of that instant, and when it is due it states the past. A gap disarms it: what ran before it ran, within it
 * nothing is known; its end arms it like a pulse without count.
 */

const executing = stateCode("Executing");
const stopped = stateCode("NotExecuting");

/** Two bits a channel: 0 not known, 1 low, 2 high. */
const channelBase = 4;
const never = Number.POSITIVE_INFINITY;

export function pulsePoint(
  s: Float64Array,
  o: number,
  rule: Rule | null,
  cycles: Steps,
  t: Micros,
  value: number,
  channel: number,
  out: OpenSegment,
): void {
  if (rule === null) return;
  const own = rule.of === null ? rule : rule.of[channel];
  if (own === null) return;
  if (own.edge !== "each" && !edge(s, o, own, value, channel)) return;
  out.increment(t, t, 1, 0, channel);
  if ((s[o + fFlags] & flagGapOpen) !== 0) return;
  const cycleUs = cycles.at(t) || own.idealCycleUs;
  if (!(cycleUs > 0)) {
    disarm(s, o, t, out);
    return;
  }
  const code = s[o + fCode];
  if (code !== executing) {
    out.transition(code === stopped ? Math.max(t - cycleUs, s[o + fLast]) : t, executing);
    s[o + fCode] = executing;
  }
  arm(s, o, own, cycleUs, t);
}

/** A bad sample is no pulse, and after it the level is not known. */
export function pulseBad(s: Float64Array, o: number, channel: number): void {
  setLevel(s, o, channel, 0);
}

export function pulseGap(
  s: Float64Array,
  o: number,
  rule: Rule | null,
  cycles: Steps,
  t: Micros,
  open: boolean,
  out: OpenSegment,
): void {
  s[o + fFlags] = open ? flagGapOpen : 0;
  if (rule === null) return;
  disarm(s, o, t, out);
  const cycleUs = cycles.at(t) || rule.idealCycleUs;
  if (open || !(cycleUs > 0)) return;
  out.transition(t, executing);
  s[o + fCode] = executing;
  arm(s, o, rule, cycleUs, t);
}

/** Where a binding begins, the machine is stopped until its first pulse; where it ends, nothing is known. */
export function pulseBoundary(
  s: Float64Array,
  o: number,
  rules: Rules,
  rule: Rule | null,
  t: Micros,
  out: OpenSegment,
): void {
  if (rule !== null && rules.before(t) !== null) {
    levelsAnew(s, o, rule);
    return;
  }
  disarm(s, o, t, out);
  const open = s[o + fFlags] & flagGapOpen;
  clearState(s, o, stateWidth);
  s[o + fFlags] = open;
  if (rule === null || open !== 0) return;
  out.transition(t, stopped);
  s[o + fCode] = stopped;
  s[o + fLast] = t;
}

/** No pulse for k cycles: the machine has stood since the last one. */
export function pulseTimer(s: Float64Array, o: number, out: OpenSegment): void {
  out.transition(s[o + fLast], stopped);
  s[o + fCode] = stopped;
  s[o + fDue] = never;
}

function arm(s: Float64Array, o: number, rule: Rule, cycleUs: number, t: Micros): void {
  s[o + fLast] = t;
  s[o + fDue] = t + Math.round(rule.stopAfterCycles * cycleUs);
}

function disarm(s: Float64Array, o: number, t: Micros, out: OpenSegment): void {
  if (s[o + fCode] !== 0) out.transition(t, 0);
  s[o + fCode] = 0;
  s[o + fLast] = 0;
  s[o + fDue] = never;
}

function edge(s: Float64Array, o: number, rule: Rule, value: number, channel: number): boolean {
  const level = value === 0 ? 1 : 2;
  const before = setLevel(s, o, channel, level);
  return rule.edge === "rising" ? before === 1 && level === 2 : before === 2 && level === 1;
}

/** From here on edges of a tag count no more; where they count again, nobody knows the level it had. */
function levelsAnew(s: Float64Array, o: number, rule: Rule): void {
  for (const [channel, own] of (rule.of ?? [rule]).entries())
    if ((own?.edge ?? "each") === "each") setLevel(s, o, channel, 0);
}

/** Sets the level of a channel and tells what it was. */
function setLevel(s: Float64Array, o: number, channel: number, level: number): number {
  const unit = channelBase ** channel;
  const before = Math.floor(s[o + fValue] / unit) % channelBase;
  s[o + fValue] += (level - before) * unit;
  return before;
}
