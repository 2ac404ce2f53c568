import type { Micros } from "@lineshaft/contract/api";
import { fCode, fDue, stateWidth, tagWidth, unknownValue } from "./layout.ts";
import { outside, type Rules } from "./mapping.ts";
import type { OpenSegment } from "./segment.ts";

/**
 * Values of several tags → the state that conditions make of them. The state holds the last value of each tag, and nothing else. What comes at one instant counts
 * as having come together, whatever tags it is of: an input only arms a timer for its own instant, and since a timer fires behind all inputs of its instant, the conditions are
 * asked once, with the last value of each. A gap or a bad sample makes the value of its own tag unknown, from then on until a sample tells it; one that was told within a gap holds
 * from the gap's end on.
 */

export function jointPoint(s: Float64Array, o: number, channel: number, t: Micros, value: number, bad: boolean): void {
  const at = o + stateWidth + tagWidth * channel;
  const told = bad ? unknownValue : value;
  if (s[at] === told) return;
  s[at] = told;
  if (s[at + 1] === 0) s[o + fDue] = t;
}

export function jointGap(s: Float64Array, o: number, channel: number, t: Micros, open: boolean): void {
  const at = o + stateWidth + tagWidth * channel;
  s[at + 1] = open ? 1 : 0;
  if (s[at] === unknownValue) return;
  if (open) s[at] = unknownValue;
  s[o + fDue] = t;
}

/** All inputs of the instant are in. */
export function jointTimer(s: Float64Array, o: number, rules: Rules, out: OpenSegment): void {
  const t = s[o + fDue];
  s[o + fDue] = Number.POSITIVE_INFINITY;
  const rule = rules.at(t);
  let code = rule === null || rule.decide === null ? 0 : rule.decide.code(s, o + stateWidth, rule.of ?? []);
  if (code === outside) {
    out.outside++;
    code = 0;
  }
  if (s[o + fCode] === code) return;
  s[o + fCode] = code;
  out.transition(t, code);
}
