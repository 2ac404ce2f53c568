import { hourUs, type Micros } from "@lineshaft/contract/api";

/** Each shift begins anew from the seed: so any instant is reached by playing at most one shift. */
export const shiftUs = 8 * hourUs;
/** Shifts begin at 05:00, 13:00 and 21:00 UTC: as the clocks of both sites have it in winter. */
const firstShiftUs = 5 * hourUs;

export const shiftAt = (timeUs: Micros): number => Math.floor((timeUs - firstShiftUs) / shiftUs);
export const shiftStartUs = (shift: number): Micros => firstShiftUs + shift * shiftUs;
