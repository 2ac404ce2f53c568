import { type Violation, violations } from "./codec.ts";
import { exceptionName } from "./status.ts";

/** Answer times that the percentiles are taken from. */
const keptLatencies = 256;

/** What happened on a connection since its instance was made; a fixed size. */
export class SessionFigures {
  requests = 0;
  timeouts = 0;
  /** Answers that came after their time-out. */
  late = 0;
  readonly violations: Record<Violation | "framing", number> = {
    ...(Object.fromEntries(violations.map((v) => [v, 0])) as Record<Violation, number>),
    framing: 0,
  };
  readonly #exceptions = new Uint32Array(256);
  readonly #latencies = new Float64Array(keptLatencies);
  #answers = 0;

  addException(code: number): void {
    this.#exceptions[code]++;
  }

  addLatency(ms: number): void {
    this.#latencies[this.#answers++ % keptLatencies] = ms;
  }

  toJSON(): Record<string, unknown> {
    const sorted = this.#latencies.slice(0, Math.min(this.#answers, keptLatencies)).sort();
    const at = (share: number): number | null =>
      sorted.length === 0 ? null : Math.round(sorted[Math.floor(share * (sorted.length - 1))] * 100) / 100;
    const exceptions: Record<string, number> = {};
    for (const [code, count] of this.#exceptions.entries()) if (count > 0) exceptions[exceptionName(code)] = count;
    return {
      requests: this.requests,
      answers: this.#answers,
      timeouts: this.timeouts,
      lateAnswers: this.late,
      wrongAnswers: { ...this.violations },
      exceptions,
      latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    };
  }
}
