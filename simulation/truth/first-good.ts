import type { Micros } from "@lineshaft/contract/api";
import type { TrueExecution } from "../plant/truth.ts";
import type { Known, Span } from "./known.ts";
import { vectors } from "./meaning.ts";
import type { Plan } from "./plan.ts";
import { holds, placeAt } from "./spans.ts";

interface Of {
  known: Known;
  plan: Plan;
  /** Where the machine ran or may have run. */
  running(fromUs: Micros, toUs: Micros): Span[];
  /** Units of an order in one count, beside these orders. */
  unitsPerCount(orders: readonly TrueExecution[], order: TrueExecution, at: Micros): number;
}

/** Sums of shares of parts may lack some. */
const dust = 1e-9;

/** When the good quantity of an execution first reached so many. */
export function goodPart(
  execution: TrueExecution,
  parts: number,
  { known, plan, running, unitsPerCount }: Of,
): Micros | null {
  const { fromUs, toUs } = execution;
  const jumps: { t: Micros; n: number }[] = [];
  const slopes: { from: Micros; to: Micros; perUs: number }[] = [];
  for (const { name, ...count } of known.counts) {
    const factor = vectors[plan.counters][name]?.[1] ?? 0;
    if (factor === 0 || count.atUs <= fromUs || (count.spread ? count.fromUs : count.atUs - 1) >= toUs) continue;
    if (!count.spread) jumps.push({ t: count.atUs, n: count.n * factor });
    else {
      const runs = running(count.fromUs, count.atUs);
      const length = runs.reduce((sum, run) => sum + run.toUs - run.fromUs, 0);
      if (plan.continuous || !Number.isInteger(count.n))
        for (const run of runs) slopes.push({ from: run.fromUs, to: run.toUs, perUs: (count.n * factor) / length });
      else
        for (let i = 1; i <= count.n; i++)
          jumps.push({ t: placeAt(runs, Math.ceil(((2 * i - 1) * length) / (2 * count.n))), n: factor });
    }
  }
  const { executions, blocked } = plan;
  const spans = [...executions, ...blocked, ...slopes.map(({ from, to }) => ({ fromUs: from, toUs: to }))];
  const edges = [...spans.flatMap((span) => [span.fromUs, span.toUs]), ...jumps.map(({ t }) => t)];
  let [at, sum] = [fromUs, 0];
  for (const t of [...new Set(edges)].sort((a, b) => a - b)) {
    if (t <= fromUs || t > toUs) continue;
    const orders = executions.filter((each) => holds(each, at));
    const units = unitsPerCount(orders, execution, at);
    const perUs = slopes.reduce((all, each) => all + (each.from <= at && each.to >= t ? each.perUs * units : 0), 0);
    const needs = parts - dust - sum;
    if (perUs > 0 && needs <= perUs * (t - at)) return at + Math.max(1, Math.ceil(needs / perUs));
    sum += perUs * (t - at) + jumps.reduce((all, each) => all + (each.t === t ? each.n * units : 0), 0);
    if (sum >= parts - dust) return t;
    at = t;
  }
  return null;
}
