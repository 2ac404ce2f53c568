/**
 * The state of an automaton: seven float64, 56 bytes, all bindings in one array. One that joins several tags has two more a tag behind them. It is canonical: two automata that will behave the same have the same
 * bytes. So it is forgetful (no totals, no counters of rows, no "since"), a field without meaning is 0, a timer that does not run is Infinity, −0 and NaN
 * never stand in it. Byte equality with a stored checkpoint is what ends a repair.
 */
export const stateWidth = 7;

/** Time of the sample that the next difference counts from; of the last pulse, or what stands for it. */
export const fLast = 0;
/** The value in force; for pulses the levels of the channels, two bits each. */
export const fValue = 1;
/** A sample that waits for its verdict. */
export const fPendingT = 2;
export const fPendingV = 3;
/** When the timer is due. */
export const fDue = 4;
/** The code of the last transition. */
export const fCode = 5;
export const fFlags = 6;

/** Bits of `fFlags`. */
export const flagHas = 1;
export const flagGapOpen = 2;
/** A gap meets (last, now], or (last, pending] while a sample is pending. */
export const flagGapSeen = 4;
/** A gap began after the pending sample, or was open then. */
export const flagGapSincePending = 8;
export const flagPending = 16;
/** A counter without a sample yet: `fLast` is when its binding began. What begins a baseline is remembered, since rules of the past are not read. */
export const flagSince = 32;

/** Behind the seven, of each tag that is joined: the value that was told last, and whether its data are lost now, 0 or 1. */
export const tagWidth = 2;
/** No value is known. Values are finite. */
export const unknownValue = Number.POSITIVE_INFINITY;

/** `width`: of the whole state. */
export function clearState(s: Float64Array, o: number, width: number): void {
  s.fill(0, o, o + width);
  s[o + fDue] = Number.POSITIVE_INFINITY;
  for (let i = stateWidth; i < width; i += tagWidth) s[o + i] = unknownValue;
}

export function sameState(a: Float64Array, ao: number, b: Float64Array, bo: number, width: number): boolean {
  for (let i = 0; i < width; i++) if (a[ao + i] !== b[bo + i]) return false;
  return true;
}
