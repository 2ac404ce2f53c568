import { hourUs, type Micros, minuteUs } from "@lineshaft/contract/api";
import type { MachineSheet } from "../plant/machine-kind.ts";
import { shiftAt, shiftStartUs } from "../plant/shift.ts";
import type { TruthBook } from "../truth/truth-book.ts";

/** A planner thinks half a shift ahead, in steps of five minutes. */
const aheadUs = 4 * hourUs;
const stepUs = 5 * minuteUs;
/** The future is played so much further each time: playing all of it at once would hold up the machines. */
const portionUs = 30 * minuteUs;
/** What begins in a moment is no longer planned. */
const beginsUs = 1_000_000;

/** An order as it is meant for a machine. */
export interface Planned {
  order: string;
  material: string;
  quantity: number;
  fromUs: Micros;
  toUs: Micros;
}

/**
 * The plant's planner: says ahead what each machine is to work at, as an ERP would. It plays the plant's future from a book of its own, since the plant works as it was planned; times are round, because nobody
 * plans to the second.
 */
export class Planner {
  readonly #future: TruthBook;
  #reachedUs: Micros = Number.NEGATIVE_INFINITY;

  constructor(future: TruthBook) {
    this.#future = future;
  }

  /** A little further than the last time. */
  lookAhead(nowUs: Micros): void {
    const from = Math.max(this.#reachedUs, shiftStartUs(shiftAt(nowUs)));
    this.#reachedUs = Math.min(nowUs + aheadUs, from + portionUs);
  }

  /** What is to begin on a machine, as far as it is looked ahead. */
  of({ machine }: MachineSheet, nowUs: Micros): Planned[] {
    // Played from the start of the shift in any case; here, in portions.
    const truth = this.#future.machine(machine, Math.min(nowUs, this.#reachedUs - 1), this.#reachedUs);
    return (truth?.executions ?? [])
      .filter(({ fromUs, toUs }) => fromUs > nowUs + beginsUs && toUs < this.#reachedUs)
      .map(({ order, material, quantity, fromUs, toUs }) => {
        const begin = round(fromUs);
        return { order, material, quantity, fromUs: begin, toUs: Math.max(begin + stepUs, round(toUs)) };
      });
  }
}

const round = (us: Micros): Micros => Math.round(us / stepUs) * stepUs;
