import type { Micros } from "@lineshaft/contract/api";
import { fCode, fFlags, flagGapOpen, flagHas, fValue } from "./layout.ts";
import { codeAt, outside, type Rule, withinDeadBand } from "./mapping.ts";
import type { OpenSegment } from "./segment.ts";

/**
 * Raw value → state code, for item states and modes. It has no timer. What it holds is the raw value, so that a change of the table at an instant
 * says what the machine's state is from that instant on. After a gap the state is unknown until the next sample: the machine may have changed its state
 * unseen.
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
  if ((flags & flagGapOpen) !== 0) return;
  if (bad) {
    s[o + fValue] = 0;
    s[o + fFlags] = 0;
    turn(s, o, t, 0, out);
    return;
  }
  if ((flags & flagHas) !== 0) {
    if (s[o + fValue] === value) return;
    if (rule !== null && withinDeadBand(rule, value, s[o + fValue])) return;
  }
  s[o + fValue] = value;
  s[o + fFlags] = flagHas;
  const code = rule === null ? 0 : codeAt(rule, value);
  if (code === outside) out.outside++;
  turn(s, o, t, code === outside ? 0 : code, out);
}

export function stateGap(s: Float64Array, o: number, t: Micros, open: boolean, out: OpenSegment): void {
  s[o + fFlags] = open ? flagGapOpen : 0;
  s[o + fValue] = 0;
  turn(s, o, t, 0, out);
}

/** From `t` on another rule holds, or none. */
export function stateBoundary(s: Float64Array, o: number, rule: Rule | null, t: Micros, out: OpenSegment): void {
  if ((s[o + fFlags] & flagHas) === 0) return;
  const code = rule === null ? 0 : codeAt(rule, s[o + fValue]);
  turn(s, o, t, code === outside ? 0 : code, out);
}

function turn(s: Float64Array, o: number, t: Micros, code: number, out: OpenSegment): void {
  if (s[o + fCode] === code) return;
  s[o + fCode] = code;
  out.transition(t, code);
}
