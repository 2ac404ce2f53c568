import { incrementFlags, type Micros } from "@lineshaft/contract/api";
import {
  clearState,
  fDue,
  fFlags,
  fLast,
  flagGapOpen,
  flagGapSeen,
  flagGapSincePending,
  flagHas,
  flagPending,
  flagSince,
  fPendingT,
  fPendingV,
  fValue,
  stateWidth,
} from "./layout.ts";
import type { Rule, Rules } from "./mapping.ts";
import type { OpenSegment } from "./segment.ts";

/**
 * Counter reading → increments. The increment is the difference; a change that is not plausible waits one sample, within the glitch window. If
 * that sample goes on plausibly from the value before, the suspect was a glitch, upwards too; else it was a rollover if that makes a plausible
 * increment, else a reset: nothing is counted and the count is uncertain by at most the pieces between two samples. Never negative. A
 * counter survives gaps and bad samples: what it counted meanwhile comes with the next good one.
 */

export function counterPoint(
  s: Float64Array,
  o: number,
  rules: Rules,
  rule: Rule | null,
  t: Micros,
  value: number,
  out: OpenSegment,
): void {
  if (rule === null) return;
  if (value < rule.least || value >= rule.below) {
    out.outside++;
    return;
  }
  const flags = s[o + fFlags];
  if ((flags & flagHas) === 0) {
    // After a binding the first sample is a baseline: what was counted before it, since the binding began, nobody knows.
    const since = (flags & flagSince) !== 0 ? s[o + fLast] : t;
    out.increment(since, t, 0, incrementFlags.uncertain, 0);
    base(s, o, t, value, flags & flagGapOpen);
    return;
  }
  if ((flags & flagPending) !== 0) {
    // The verdict on a suspect is by the rule at the suspect's time, whoever brings it about.
    const verdict = rules.at(s[o + fPendingT]) ?? rule;
    const n = value - s[o + fValue];
    if (plausible(verdict, n, t - s[o + fLast])) {
      const seen = (flags & (flagGapSeen | flagGapSincePending)) !== 0 ? flagGapSeen : 0;
      accept(s, o, rule, t, value, n, 0, (flags & flagGapOpen) | seen, out);
      return;
    }
    settle(s, o, verdict, out);
  }
  const n = value - s[o + fValue];
  if (plausible(rule, n, t - s[o + fLast])) {
    accept(s, o, rule, t, value, n, 0, s[o + fFlags], out);
    return;
  }
  s[o + fPendingT] = t;
  s[o + fPendingV] = value;
  s[o + fDue] = t + rule.glitchWindowUs;
  const now = s[o + fFlags];
  s[o + fFlags] = now | flagPending | ((now & flagGapOpen) !== 0 ? flagGapSincePending : 0);
}

export function counterGap(s: Float64Array, o: number, open: boolean): void {
  const flags = s[o + fFlags];
  if (!open) s[o + fFlags] = flags & ~flagGapOpen;
  else if ((flags & flagHas) === 0) s[o + fFlags] = (flags & flagSince) | flagGapOpen;
  else s[o + fFlags] = flags | flagGapOpen | ((flags & flagPending) !== 0 ? flagGapSincePending : flagGapSeen);
}

/** A rule begins or ends at `t`; between two rules the counter goes on. */
export function counterBoundary(
  s: Float64Array,
  o: number,
  rules: Rules,
  rule: Rule | null,
  t: Micros,
  out: OpenSegment,
): void {
  if (rule !== null && rules.before(t) !== null) return;
  counterTimer(s, o, rules, out);
  const open = s[o + fFlags] & flagGapOpen;
  clearState(s, o, stateWidth);
  s[o + fFlags] = open;
  if (rule === null) return;
  s[o + fLast] = t;
  s[o + fFlags] = open | flagSince;
}

/** The glitch window has passed, or nothing can come any more: the suspect is judged without the next sample. */
export function counterTimer(s: Float64Array, o: number, rules: Rules, out: OpenSegment): void {
  if ((s[o + fFlags] & flagPending) === 0) return;
  const verdict = rules.at(s[o + fPendingT]);
  if (verdict !== null) settle(s, o, verdict, out);
}

/** `maxPerSecond` is declared by the binding; one piece more than it allows is the resolution of two samples. */
function plausible(rule: Rule, n: number, afterUs: number): boolean {
  return n >= 0 && (rule.maxPerUs === Number.POSITIVE_INFINITY || n <= rule.maxPerUs * afterUs + 1);
}

/**
 * Since when the pieces were made. Between two samples a counter was sampled too, every period, and whoever sends only changes has said by that that it stood still; so they are of the last period. Where so many cannot
 * be, samples were missed.
 */
function sourceOf(rule: Rule, last: Micros, t: Micros, n: number): Micros {
  const since = t - rule.samplingUs;
  return rule.sampled && rule.samplingUs > 0 && since > last && plausible(rule, n, rule.samplingUs) ? since : last;
}

function settle(s: Float64Array, o: number, rule: Rule, out: OpenSegment): void {
  const t = s[o + fPendingT];
  const value = s[o + fPendingV];
  const flags = s[o + fFlags];
  const down = value < s[o + fValue];
  const n = value - s[o + fValue] + rule.modulus;
  const before = flags & (flagGapSeen | flagGapOpen);
  if (down && rule.modulus > 0 && plausible(rule, n, t - s[o + fLast]))
    accept(s, o, rule, t, value, n, incrementFlags.rollover, before, out);
  else {
    out.increment(s[o + fLast], t, 0, incrementFlags.uncertain | (down ? incrementFlags.reset : 0), 0);
    base(s, o, t, value, flags & flagGapOpen);
  }
  if ((flags & flagGapSincePending) !== 0) s[o + fFlags] |= flagGapSeen;
}

function accept(
  s: Float64Array,
  o: number,
  rule: Rule,
  t: Micros,
  value: number,
  n: number,
  kind: number,
  flags: number,
  out: OpenSegment,
): void {
  if (n !== 0) {
    const gap = (flags & flagGapSeen) !== 0;
    const estimated = rule.sampled || gap ? incrementFlags.estimated : 0;
    out.increment(gap ? s[o + fLast] : sourceOf(rule, s[o + fLast], t, n), t, n, kind | estimated, 0);
  }
  base(s, o, t, value, flags & flagGapOpen);
}

/** The next difference counts from here. */
function base(s: Float64Array, o: number, t: Micros, value: number, gapOpen: number): void {
  s[o + fLast] = t;
  s[o + fValue] = value;
  s[o + fPendingT] = 0;
  s[o + fPendingV] = 0;
  s[o + fDue] = Number.POSITIVE_INFINITY;
  s[o + fFlags] = flagHas | gapOpen | (gapOpen === 0 ? 0 : flagGapSeen);
}
