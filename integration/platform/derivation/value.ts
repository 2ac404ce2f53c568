import { alarmCode, type Micros } from "@lineshaft/contract/api";
import { fCode, fFlags, flagGapOpen, fValue } from "./layout.ts";
import type { Rule } from "./mapping.ts";
import type { OpenSegment } from "./segment.ts";
import type { Texts } from "./texts.ts";

/**
 * Value of an identifier or alarm tag → what it names, from one change to the next, both as keys of texts; 0 is unknown. As with states it holds the value itself, so that another mapping at an
 * instant counts from that instant on; within a gap nothing is known, and after it until a value tells it; what came within the gap holds from its end on.
 */
export type Naming = (rule: Rule, value: number) => number;

export const identifierNaming: Naming = (_, value) => value;

/** What an alarm tag tells: the key of the active alarm's code, of "" where none is. */
export const alarmNaming =
  (texts: Texts): Naming =>
  ({ alarm }, value) => {
    const text = texts.textOf(value);
    return text === null ? 0 : texts.keyOf(alarmCode(alarm, text) ?? "");
  };

/** `value` 0: it is bad. */
export function valuePoint(
  s: Float64Array,
  o: number,
  rule: Rule | null,
  names: Naming,
  t: Micros,
  value: number,
  out: OpenSegment,
): void {
  if (s[o + fValue] === value) return;
  s[o + fValue] = value;
  valueBoundary(s, o, rule, names, t, out);
}

export function valueGap(
  s: Float64Array,
  o: number,
  rule: Rule | null,
  names: Naming,
  t: Micros,
  open: boolean,
  out: OpenSegment,
): void {
  s[o + fFlags] = open ? flagGapOpen : 0;
  if (open) {
    s[o + fValue] = 0;
    turn(s, o, t, 0, out);
  } else valueBoundary(s, o, rule, names, t, out);
}

/** From `t` on another rule holds, or none; or another value. */
export function valueBoundary(
  s: Float64Array,
  o: number,
  rule: Rule | null,
  names: Naming,
  t: Micros,
  out: OpenSegment,
): void {
  if (s[o + fFlags] === flagGapOpen) return;
  const value = s[o + fValue];
  turn(s, o, t, rule === null || value === 0 ? 0 : names(rule, value), out);
}

function turn(s: Float64Array, o: number, t: Micros, code: number, out: OpenSegment): void {
  if (s[o + fCode] === code) return;
  s[o + fCode] = code;
  out.transition(t, code);
}
