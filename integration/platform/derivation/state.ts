import type { Micros } from "@lineshaft/contract/api";
import { fCode, fFlags, flagGapOpen, flagHas, fValue } from "./layout.ts";
import { codeAt, outside, type Rule, withinDeadBand } from "./mapping.ts";
import type { OpenSegment } from "./segment.ts";

/**
 * Raw value → state code, for item states and modes. It has no timer. What it holds is the raw value, so that a change of the table at an instant
 * says what the machine's state is from that instant on. Within a gap the state is unknown, and after it too until a sample tells it: the machine may have changed unseen.
 * A sample within the gap tells it from the gap's end on: a source that is back states its present values, and the gap ends when the first of them has arrived.
 */

export function statePoint(
  s: Float64Array,
  o: number,
  rule: Rule | null,
  t: Micros,
  value: number,
  bad: boolean,
  out: OpenSegment,
): void {
  const flags = s[o + fFlags];
  const gapOpen = flags & flagGapOpen;
  if (bad) {
    s[o + fValue] = 0;
    s[o + fFlags] = gapOpen;
    turn(s, o, t, 0, out);
    return;
  }
  if ((flags & flagHas) !== 0) {
    if (s[o + fValue] === value) return;
    if (rule !== null && withinDeadBand(rule, value, s[o + fValue])) return;
  }
  s[o + fValue] = value;
  s[o + fFlags] = flagHas | gapOpen;
  const code = rule === null ? 0 : codeAt(rule, value);
  if (code === outside) out.outside++;
  if (gapOpen === 0) turn(s, o, t, code === outside ? 0 : code, out);
}

export function stateGap(
  s: Float64Array,
  o: number,
  rule: Rule | null,
  t: Micros,
  open: boolean,
  out: OpenSegment,
): void {
  if (open) {
    s[o + fFlags] = flagGapOpen;
    s[o + fValue] = 0;
    turn(s, o, t, 0, out);
    return;
  }
  s[o + fFlags] &= ~flagGapOpen;
  stateBoundary(s, o, rule, t, out);
}

/** From `t` on another rule holds, or none. */
export function stateBoundary(s: Float64Array, o: number, rule: Rule | null, t: Micros, out: OpenSegment): void {
  if ((s[o + fFlags] & (flagHas | flagGapOpen)) !== flagHas) return;
  const code = rule === null ? 0 : codeAt(rule, s[o + fValue]);
  turn(s, o, t, code === outside ? 0 : code, out);
}

function turn(s: Float64Array, o: number, t: Micros, code: number, out: OpenSegment): void {
  if (s[o + fCode] === code) return;
  s[o + fCode] = code;
  out.transition(t, code);
}
