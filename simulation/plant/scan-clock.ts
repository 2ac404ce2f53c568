import type { Micros } from "@lineshaft/contract/api";
import { scanUs } from "./machine-play.ts";
import { Random } from "./random.ts";
import { shiftAt, shiftStartUs } from "./shift.ts";

/** Scans begin up to this much late, as a controller's do. */
export const jitterUs = 4_000;

/** The clock of a line's controllers: which time the scan of an instant bears. A function of seed, line and instant. */
export class ScanClock {
  readonly #seed: number;
  readonly #connection: string;
  /** Of the shift last asked for: its number, what is drawn next, and how late each of its scans begins. */
  #shift = Number.NaN;
  #random = new Random("");
  #late: number[] = [];

  constructor(seed: number, connection: string) {
    this.#seed = seed;
    this.#connection = connection;
  }

  /** `t`: when the scan should begin. */
  stampUs(t: Micros): Micros {
    const shift = shiftAt(t);
    if (shift !== this.#shift) {
      this.#shift = shift;
      this.#random = new Random(`${this.#seed}/${this.#connection}/${shift}/jitter`);
      this.#late = [];
    }
    const scan = (t - shiftStartUs(shift)) / scanUs;
    while (this.#late.length <= scan) this.#late.push(Math.floor(this.#random.next() * jitterUs));
    return t + this.#late[scan];
  }
}
