import {
  isProducing,
  itemStateOf,
  type MachineFacts,
  type Micros,
  operationModeOf,
  type StateCode,
  unknownState,
} from "@lineshaft/contract/api";

/** One state of a machine, [from, to). */
export interface StateSpan {
  from: Micros;
  to: Micros;
  code: StateCode;
}

/** The states of [facts.from, facts.to) without a hole: what is not told is unknown. Equal neighbours are one. */
export function stateSpans(facts: Pick<MachineFacts, "from" | "to" | "states">): StateSpan[] {
  const { t, code, count } = facts.states;
  const spans: StateSpan[] = [];
  const add = (from: Micros, to: Micros, of: StateCode) => {
    if (from >= to) return;
    const last = spans.at(-1);
    if (last?.code === of) last.to = to;
    else spans.push({ from, to, code: of });
  };
  if (count === 0) add(facts.from, facts.to, unknownState);
  for (let i = 0; i < count; i++) {
    // The first holds from the start of what was asked.
    const from = i === 0 ? facts.from : Math.max(t[i], facts.from);
    add(from, i + 1 < count ? Math.min(t[i + 1], facts.to) : facts.to, code[i]);
  }
  return spans;
}

export const isKnown = (code: StateCode): boolean => itemStateOf(code) !== null;
export const producing = (code: StateCode): boolean => isProducing(itemStateOf(code), operationModeOf(code));

/** A maximal run of known, non-producing states, from facts alone (RULES 6). */
export interface Stop {
  from: Micros;
  to: Micros;
}

export function stopsOf(spans: readonly StateSpan[]): Stop[] {
  const stops: Stop[] = [];
  for (const { from, to, code } of spans) {
    if (!isKnown(code) || producing(code)) continue;
    const last = stops.at(-1);
    if (last?.to === from) last.to = to;
    else stops.push({ from, to });
  }
  return stops;
}

/**
 * The time in which a machine produced or may have produced: what estimated counts are spread over. What lies outside the facts is unknown, so it counts.
 */
export class RunningClock {
  readonly #from: Float64Array;
  readonly #sum: Float64Array;
  readonly #runs: Uint8Array;

  constructor(spans: readonly StateSpan[]) {
    this.#from = new Float64Array(spans.length + 1);
    this.#sum = new Float64Array(spans.length + 1);
    this.#runs = new Uint8Array(spans.length + 1).fill(1);
    let sum = 0;
    for (const [i, { from, to, code }] of spans.entries()) {
      const runs = !isKnown(code) || producing(code);
      this.#from[i] = from;
      this.#sum[i] = sum;
      this.#runs[i] = runs ? 1 : 0;
      if (runs) sum += to - from;
    }
    this.#from[spans.length] = spans.at(-1)?.to ?? 0;
    this.#sum[spans.length] = sum;
  }

  /** Running time from the start of the facts until `t`; negative before it. */
  at(t: Micros): Micros {
    const i = this.#index(t);
    if (i < 0) return t - this.#from[0];
    return this.#sum[i] + (this.#runs[i] === 1 ? t - this.#from[i] : 0);
  }

  #index(t: Micros): number {
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#from[middle] <= t) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
