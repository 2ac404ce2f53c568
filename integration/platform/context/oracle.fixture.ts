import {
  type Cell,
  countKinds,
  type EquipmentContext,
  incrementFlags,
  itemStateOf,
  type MachineFacts,
  type OeePolicy,
  type OrderExecution,
  operationModeOf,
  quantityPlaces,
  secondUs,
  startingReasons,
  timeClasses,
} from "@lineshaft/contract/api";

/**
 * The same arithmetic by brute force, written from the rules alone: it looks at every second by itself and shares no code with the join. Facts and contexts lie
 * on whole seconds. With `off` one rule is left out, so that a test can show that it would be missed.
 */
export const oracleRules = [
  "breaks",
  "extend",
  "plannedReason",
  "bookedSetUp",
  "wholeStop",
  "spreading",
  "leftOpenCounts",
  "shares",
  "priAtTheTime",
  "unknownApart",
  "lifecycle",
] as const;
export type OracleRule = (typeof oracleRules)[number];

export interface OracleSecond {
  timeClass: string;
  micro: boolean;
  shift: string | null;
  /** Each order with its share of the second and of the counts. */
  orders: { order: OrderExecution | null; share: number; timeClass: string; output: number }[];
  policy: OeePolicy;
}

/** Sums by `grid|shift|order|what`, and of what: a class in µs, a quantity, stops. */
export type OracleSums = Map<string, number>;

export function oracle(
  facts: MachineFacts,
  context: EquipmentContext,
  from: number,
  to: number,
  off: OracleRule | null = null,
): OracleSums {
  const second = (us: number) => Math.round(us / secondUs);
  const [first, last] = [second(facts.from), second(facts.to)];
  const codes: number[] = [];
  for (let s = first; s < last; s++) {
    let code = 0;
    for (let i = 0; i < facts.states.count; i++)
      if (i === 0 || second(facts.states.t[i]) <= s) code = facts.states.code[i];
    codes.push(code);
  }
  const codeAt = (s: number) => codes[s - first] ?? 0;
  const holds = (item: { fromUs: number; toUs: number }, s: number) =>
    item.fromUs <= s * secondUs && s * secondUs < item.toUs;
  const makes = (code: number) =>
    itemStateOf(code) === "Executing" && !["Setup", "Maintenance"].includes(operationModeOf(code) ?? "");
  const stands = (s: number) => s >= first && s < last && itemStateOf(codeAt(s)) !== null && !makes(codeAt(s));
  const policyAt = (s: number) => context.policies.findLast((item) => holds(item, s))!.policy;

  const standsFrom = new Map<number, number>();
  const standsUntil = new Map<number, number>();
  for (let s = first; s < last; s++) if (stands(s)) standsFrom.set(s, stands(s - 1) ? standsFrom.get(s - 1)! : s);
  for (let s = last - 1; s >= first; s--)
    if (stands(s)) standsUntil.set(s, stands(s + 1) ? standsUntil.get(s + 1)! : s + 1);

  const looked = new Map<number, OracleSecond>();
  function look(s: number): OracleSecond {
    const known = looked.get(s) ?? lookAt(s);
    looked.set(s, known);
    return known;
  }

  function lookAt(s: number): OracleSecond {
    const code = codeAt(s);
    const shift = context.shifts.find((item) => holds(item, s)) ?? null;
    const pause = off !== "breaks" && shift !== null && shift.breaks.some((item) => holds(item, s));
    const lifecycle = context.lifecycle.find((item) => holds(item, s))?.state ?? "productive";
    const out = off !== "lifecycle" && lifecycle !== "productive";
    const policy = policyAt(s);
    const booked = context.reasons.find((item) => holds(item, s))?.reason ?? (code >> 6 || null);
    const reason = startingReasons.find((item) => item.number === booked) ?? null;
    const all = context.executions.filter((item) => holds(item, s));
    const weight = all.reduce((sum, item) => sum + item.share, 0);
    const outputs = all.reduce((sum, item) => sum + (item.outputShare ?? item.share), 0);
    const orders = (all.length === 0 ? [null] : all).map((order) => ({
      order,
      share: order === null ? 1 : off === "shares" ? 1 / all.length : order.share / weight,
      output: order === null ? 1 : (order.outputShare ?? order.share) / outputs,
      timeClass: classOf(order),
    }));
    const length = stands(s) ? standsUntil.get(s)! - standsFrom.get(s)! : 0;
    const seen = off === "wholeStop" && stands(s) ? standsUntil.get(s)! - s : length;
    const threshold = stands(s) ? policyAt(standsFrom.get(s)!).microStopUs / secondUs : 0;
    return {
      timeClass: orders[0].timeClass,
      micro: stands(s) && seen < threshold,
      shift: shift?.id ?? null,
      orders,
      policy,
    };

    function classOf(order: OrderExecution | null): string {
      const state = itemStateOf(code);
      const mode = operationModeOf(code);
      const extended = makes(code) && policy.outsidePlan === "extend" && !out && off !== "extend";
      if (shift === null || out) return extended ? "apt" : "notPlanned";
      if (pause) return extended ? "apt" : "break";
      if (off !== "plannedReason" && reason?.planned && !makes(code)) return reason.planned;
      const setUps = context.setUps.filter(
        (item) => holds(item, s) && (item.order === null || item.order === order?.order),
      );
      if (off !== "bookedSetUp" && setUps.some((item) => item.by === "booked")) return "aust";
      if (state === null) return "unknown";
      if (setUps.some((item) => item.by === "orderChange")) return "aust";
      if (makes(code)) return "apt";
      if (mode === "Maintenance") return order === null ? "plannedMaintenance" : "adet";
      if (mode === "Setup" && state !== "OutOfService") return "aust";
      if (mode === "Processing" && state !== "NotExecuting") return "adet";
      return order === null ? "adot" : "adet";
    }
  }

  const sums: OracleSums = new Map();
  const add = (s: number, shift: string | null, order: OrderExecution | null, what: string, amount: number) => {
    const grid = Math.floor(s / 900) * 900;
    const key = `${grid * secondUs}|${shift}|${order?.order ?? null}|${what}`;
    sums.set(key, (sums.get(key) ?? 0) + amount);
  };
  const [begin, end] = [second(from), second(to)];
  const increments = Array.from({ length: facts.increments.count }, (_, i) => ({
    source: second(facts.increments.source[i]),
    t: second(facts.increments.t[i]),
    n: facts.increments.n[i],
    kind: countKinds[facts.increments.kind[i]],
    estimated: (facts.increments.flags[i] & incrementFlags.estimated) !== 0,
    uncertain: (facts.increments.flags[i] & incrementFlags.uncertain) !== 0,
  }));

  // Time.
  for (let s = begin; s < end; s++) {
    const now = look(s);
    const covering = increments.filter((each) => each.source <= s && each.t >= s + 1);
    const unsure =
      covering.some((each) => each.uncertain) ||
      (itemStateOf(codeAt(s)) === null && !covering.some((each) => each.estimated));
    for (const { order, share, timeClass } of now.orders) {
      add(s, now.shift, order, timeClass, share * secondUs);
      if (now.micro && timeClass === "adet") add(s, now.shift, order, "micro", share * secondUs);
      if (unsure && ["apt", "aust", "adet", "adot", "unknown"].includes(timeClass))
        add(s, now.shift, order, "countUnknown", share * secondUs);
      const out = timeClass === "adot" && now.policy.noOrder === "notBusy";
      if (!["apt", "aust", "adet", "adot", "unknown"].includes(timeClass) || out) continue;
      add(s, now.shift, order, "kpi PBT", share * secondUs);
      if (timeClass !== "unknown") add(s, now.shift, order, "kpi PBT'", share * secondUs);
      const running =
        timeClass === "apt" || (now.micro && timeClass === "adet" && now.policy.microStopTo === "effectiveness");
      if (running) add(s, now.shift, order, "kpi APT", share * secondUs);
    }
  }

  // Counts, each unit at its place.
  for (const each of increments) {
    const seconds: number[] = [];
    for (let s = each.source; s < each.t; s++) if (itemStateOf(codeAt(s)) === null || makes(codeAt(s))) seconds.push(s);
    if (seconds.length === 0) for (let s = each.source; s < each.t; s++) seconds.push(s);
    if (!each.estimated || off === "spreading" || seconds.length === 0)
      count(each.t - (off === "leftOpenCounts" ? 0 : 1), each.n, each.kind);
    else if (Number.isInteger(each.n) && !context.counting.some((item) => holds(item, each.t - 1) && item.continuous))
      for (let i = 1; i <= each.n; i++)
        count(seconds[Math.ceil(((i - 0.5) / each.n) * seconds.length) - 1], 1, each.kind);
    else for (const s of seconds) count(s, each.n / seconds.length, each.kind);
  }

  /** Counts in the second that ends with it. */
  function count(s: number, n: number, kind: string): void {
    if (s < begin || s >= end) return;
    const now = look(s);
    for (const { order, output, timeClass } of now.orders) {
      const counting = context.counting.find((item) => holds(item, s));
      let units = n * output;
      if (counting?.counts === "cycles" && order !== null) {
        const blocked = context.blockedCavities.filter((item) => holds(item, s) && item.order === order.order);
        units = n * Math.max(0, (order.cavities ?? 1) - blocked.reduce((sum, item) => sum + item.cavities, 0));
      }
      const rules = {
        apt: "known",
        adet: "known",
        adot: "known",
        aust: "setUp",
        unknown: off === "unknownApart" ? "known" : "unknown",
      };
      let place = (rules as Record<string, string>)[timeClass] ?? "outside";
      if (timeClass === "adot" && now.policy.noOrder === "notBusy") place = "outside";
      const quantities = counting?.quantities ?? "sum";
      let [pq, gq] = [0, 0];
      if (quantities === "sum") [pq, gq] = [kind === "total" ? 0 : units, kind === "good" ? units : 0];
      if (quantities === "totalAndScrap")
        [pq, gq] = [kind === "total" ? units : 0, kind === "total" ? units : kind === "good" ? 0 : -units];
      if (quantities === "totalAndGood") [pq, gq] = [kind === "total" ? units : 0, kind === "good" ? units : 0];
      const at = off === "priAtTheTime" ? begin : s;
      const dated = context.idealCycles.filter((item) => holds(item, at));
      const cycle =
        dated.find((item) => item.material === (order?.material ?? null)) ??
        dated.find((item) => item.material === null);
      add(s, now.shift, order, `pq ${place}`, pq);
      add(s, now.shift, order, `gq ${place}`, gq);
      if (cycle === undefined) continue;
      const priUs = cycle.cycleUs / cycle.unitsPerCycle;
      add(s, now.shift, order, `priPq ${place}`, pq * priUs);
      add(s, now.shift, order, `kpi priGq ${place}`, gq * priUs);
    }
  }
  return sums;
}

/** Cells in the oracle's words. */
export function said(cells: readonly Cell[]): OracleSums {
  const sums: OracleSums = new Map();
  const add = (cell: Cell, what: string, amount: number) => {
    const key = `${cell.gridUs}|${cell.shift}|${cell.order}|${what}`;
    sums.set(key, (sums.get(key) ?? 0) + amount);
  };
  for (const cell of cells) {
    for (const name of timeClasses) add(cell, name, cell.timeUs[name]);
    add(cell, "micro", cell.microStopUs);
    add(cell, "countUnknown", cell.countUnknownUs);
    for (const place of quantityPlaces) {
      const { pq, gq } = cell.quantities[place];
      add(cell, `pq ${place}`, pq);
      add(cell, `gq ${place}`, gq);
      if (cell.priUs !== null) add(cell, `priPq ${place}`, pq * cell.priUs);
    }
  }
  return sums;
}

/** The first key on which two sums differ; shares of a second are whole µs only together. */
export function difference(a: OracleSums, b: OracleSums): string | null {
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    if (key.includes("|kpi ")) continue;
    const [x, y] = [a.get(key) ?? 0, b.get(key) ?? 0];
    const slack = /q (known|setUp|unknown|outside)$/.test(key) ? 1e-6 : 100;
    if (Math.abs(x - y) > slack + 1e-9 * Math.abs(x)) return `${key}: ${x} against ${y}`;
  }
  return null;
}
