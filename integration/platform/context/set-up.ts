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
import { type StateSpan, stateSpans } from "./states.ts";

/**
 * Set-up that nobody booked, under policies that let it run from the order change to the first (n-th) good part (RULES 8). An order changes where one begins
 * that did not run just before; a pause without an order is no change. The facts reach from the order changes on; where the part does not come in them, set-up lasts until their end.
 */
export function setUpsFromOrderChange(facts: MachineFacts, context: EquipmentContext): SetUp[] {
  const executions = [...context.executions].sort((a, b) => a.fromUs - b.fromUs);
  // Most plants book their set-ups; then no count is looked at.
  let placed: { counts: PlacedCount[]; spans: StateSpan[] } | null = null;
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
    placed ??= {
      counts: placeCounts(facts, context.counting).sort((a, b) => startOf(a) - startOf(b)),
      spans: stateSpans(facts),
    };
    const { counts, spans } = placed;
    const end = nthGoodPart(execution, policy.setUpParts, counts, { context, spans }) ?? facts.to;
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

/** When the good quantity of an execution first reaches `parts`; null: not in the facts. It grows, and where good parts are a difference of counters shrinks too, as cells have it. */
function nthGoodPart(
  execution: OrderExecution,
  parts: number,
  counts: readonly PlacedCount[],
  { context, spans }: { context: EquipmentContext; spans: readonly StateSpan[] },
): Micros | null {
  const { fromUs, toUs } = execution;
  const own = counts.filter((count) => count.t > fromUs && startOf(count) < toUs);
  const walk = new ContextWalk(context);
  const edges = new Set([fromUs]);
  for (const { source, t } of own) for (const at of [source, t]) if (at > fromUs && at < toUs) edges.add(at);
  const cuts: Micros[] = [];
  walk.cuts(fromUs, toUs, cuts);
  // What has no pieces grows with the running time.
  if (own.some(({ continuous, estimated }) => continuous && estimated))
    for (const { from } of spans) if (from > fromUs && from < toUs) cuts.push(from);
  for (const at of cuts) edges.add(at);
  const last = own.reduce((end, { t }) => Math.max(end, t), fromUs);
  edges.add(Math.min(last, toUs));
  const times = [...edges].sort((a, b) => a - b);
  let active: PlacedCount[] = [];
  let next = 0;
  let sum = 0;
  for (let i = 0; i + 1 < times.length; i++) {
    const [from, to] = [times[i], times[i + 1]];
    while (next < own.length && startOf(own[next]) < to) active.push(own[next++]);
    active = active.filter(({ t }) => t > from);
    const piece = walk.piece(from, to, 0, null);
    const order = piece.orders.find((each) => each === execution) ?? execution;
    const growing = active.flatMap((count) => {
      const perCount = vectorOf(count.kind, piece.counting, "output")[1] * walk.unitsPerCount(piece, order);
      return perCount === 0 ? [] : [{ count, perCount }];
    });
    const reached = firstReached(parts - sum, growing, from, to);
    if (reached !== null) return reached;
    for (const { count, perCount } of growing) sum += (count.until(to) - count.until(from)) * perCount;
  }
  return null;
}

interface Growing {
  count: PlacedCount;
  /** Units that one count adds. */
  perCount: number;
}

/** The first whole µs in (from, to] at which what came since `from` reaches `units`. */
function firstReached(units: number, growing: readonly Growing[], from: Micros, to: Micros): Micros | null {
  const jumps = new Map<Micros, number>();
  const linear: Growing[] = [];
  for (const each of growing) {
    const { count, perCount } = each;
    if (count.continuous && count.estimated) linear.push(each);
    else for (const { t, n } of placesOf(count, from, to)) jumps.set(t, (jumps.get(t) ?? 0) + n * perCount);
  }
  const grown = (x: Micros): number =>
    linear.reduce((sum, { count, perCount }) => sum + (count.until(x) - count.until(from)) * perCount, 0);
  let jumped = 0;
  let at = from;
  for (const [t, n] of [...jumps, [to, 0] as const].sort(([a], [b]) => a - b)) {
    const before = jumped;
    if (linear.length > 0 && isReached(before + grown(t), units))
      return firstIn(at, t, (x) => isReached(before + grown(x), units));
    jumped += n;
    if (isReached(jumped + grown(t), units)) return t;
    at = t;
  }
  return null;
}

/** Sums of shares of parts may lack some dust. */
const isReached = (sum: number, units: number): boolean => sum >= units - 1e-9;

/** Where the units of a count in (from, to] lie. */
function placesOf(count: PlacedCount, from: Micros, to: Micros): { t: Micros; n: number }[] {
  if (!count.estimated) return count.t > from && count.t <= to ? [{ t: count.t, n: count.n }] : [];
  const places: { t: Micros; n: number }[] = [];
  for (let seen = count.until(from), at = from; seen < count.until(to); ) {
    at = firstIn(at, to, (x) => count.until(x) > seen);
    places.push({ t: at, n: count.until(at) - seen });
    seen = count.until(at);
  }
  return places;
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
