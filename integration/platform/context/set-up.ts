import {
  defaultOeePolicy,
  type EquipmentContext,
  type MachineFacts,
  type Micros,
  type OeePolicy,
  type OrderExecution,
  type SetUp,
} from "@lineshaft/contract/api";
import { ContextWalk } from "./piece.ts";
import { type PlacedCount, placeCounts, startOf } from "./placing.ts";
import { vectorOf } from "./quantities.ts";

/**
 * Set-up that nobody booked, under policies that let it run from the order change to the first (n-th) good part (RULES 8). An order changes where one begins
 * that did not run just before; a pause without an order is no change. The facts reach from the order changes on; where the part does not come in them, set-up lasts until their end.
 */
export function setUpsFromOrderChange(facts: MachineFacts, context: EquipmentContext): SetUp[] {
  const executions = [...context.executions].sort((a, b) => a.fromUs - b.fromUs);
  const counts = placeCounts(facts, context.counting).sort((a, b) => a.t - b.t);
  const setUps: SetUp[] = [];
  for (const execution of executions) {
    const policy = policyAt(context, execution.fromUs);
    // Whether a good part came before the facts begin is not known.
    if (
      policy.setUp !== "firstGoodPart" ||
      execution.fromUs < facts.from ||
      execution.fromUs >= facts.to ||
      !isChange(executions, execution)
    )
      continue;
    const end = nthGoodPart(execution, policy.setUpParts, counts, context) ?? facts.to;
    const toUs = Math.min(end, execution.toUs);
    if (toUs > execution.fromUs)
      setUps.push({ fromUs: execution.fromUs, toUs, order: execution.order, by: "orderChange" });
  }
  return setUps;
}

function policyAt(context: EquipmentContext, t: Micros): OeePolicy {
  return context.policies.findLast(({ fromUs, toUs }) => fromUs <= t && t < toUs)?.policy ?? defaultOeePolicy;
}

/** Did the order not run when anything last ran before it? */
function isChange(executions: readonly OrderExecution[], execution: OrderExecution): boolean {
  const before = executions.filter(({ fromUs }) => fromUs < execution.fromUs);
  const last = Math.max(...before.map(({ toUs }) => Math.min(toUs, execution.fromUs)));
  return !before.some(({ order, toUs }) => order === execution.order && toUs >= last);
}

/** When the good quantity of an execution reaches `parts`; null: not in the facts. Counts may overlap in time, so they are taken together. */
function nthGoodPart(
  execution: OrderExecution,
  parts: number,
  counts: readonly PlacedCount[],
  context: EquipmentContext,
): Micros | null {
  const walk = new ContextWalk(context);
  const good: { count: PlacedCount; perCount: number; before: number }[] = [];
  const times = new Set<Micros>();
  for (const count of counts) {
    if (count.t <= execution.fromUs || startOf(count) >= execution.toUs) continue;
    // What held as the count was complete; counts come in the order of that.
    const piece = walk.piece(Math.min(count.t, execution.toUs) - 1, count.t, 0, null);
    const [, gq] = vectorOf(count.kind, piece.counting, "output");
    const order = piece.orders.find((each) => each === execution) ?? execution;
    const perCount = gq * walk.unitsPerCount(piece, order);
    if (perCount === 0) continue;
    good.push({ count, perCount, before: count.until(execution.fromUs) });
    for (const at of [count.source, count.t]) if (at > execution.fromUs) times.add(at);
  }
  const until = (x: Micros) =>
    good.reduce((sum, { count, perCount, before }) => sum + (count.until(x) - before) * perCount, 0);
  let from = execution.fromUs;
  for (const to of [...times].sort((a, b) => a - b)) {
    if (until(to) >= parts) return firstIn(from, to, (x) => until(x) >= parts);
    from = to;
  }
  return null;
}

/** The first whole µs in (from, to] at which something is so that stays so. */
function firstIn(from: Micros, to: Micros, isSo: (x: Micros) => boolean): Micros {
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isSo(middle)) high = middle;
    else low = middle;
  }
  return high;
}
