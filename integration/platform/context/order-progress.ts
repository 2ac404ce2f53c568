import {
  dayUs,
  gridUs,
  hourUs,
  type MasterDataItem,
  type Micros,
  minuteUs,
  type OrderProgress,
  type OrderRun,
  orderProgressMax,
  orderState,
  type Principal,
  type Recorded,
  ranOut,
  secondUs,
} from "@lineshaft/contract/api";
import type { CellSource, Clock, Facts, Registry, WorkSource } from "@lineshaft/contract/ports";
import { placesUpwards } from "./cell-source.ts";
import type { IdentifierSource } from "./identifier-source.ts";
import { addCells, afterPlanned, type Counted, nothingCounted, timeLeft, windowsOf } from "./order-count.ts";
import { sees } from "./told-work.ts";

type Order = Recorded<MasterDataItem<"order">>;

/** Of one order so much is counted; what runs longer, or on more machines, is told as counted in part. */
const countedMost = { us: 31 * dayUs, machines: 20 };
/** Planned time is looked for so far ahead. */
const aheadUs = 21 * dayUs;
/** Counting is most of the work: what runs is counted again after a while, what ended long ago when facts of its machines or the order change, at the latest after some minutes. */
const countedFor = { running: 10 * secondUs, ended: 5 * minuteUs };
const longEndedUs = hourUs;
const rememberedMost = 5000;
/** What machines tell is read again after. */
const toldForUs = 2 * secondUs;
const forever = Number.MAX_SAFE_INTEGER;

interface Memo {
  key: string;
  untilUs: Micros;
  byMachine: ReadonlyMap<number, Counted>;
  partly: boolean;
}
type RunsByOrder = ReadonlyMap<string, readonly OrderRun[]>;

/** How far orders are, as planners and ERPs ask for it: made when it is asked for, order by order, so that others have their turn between. */
export function orderProgress(parts: {
  registry: Registry;
  facts: Facts;
  identifiers: IdentifierSource;
  cells: CellSource;
  clock: Clock;
}): Pick<WorkSource, "progress"> {
  const { registry, facts, identifiers, cells, clock } = parts;
  const { masterData } = registry;
  const memos = new Map<string, Memo>();
  const told = new Map<number, { untilUs: Micros; revision: number; runs: RunsByOrder }>();
  let listening = false;

  /** Facts that were not told in their order change what was counted long ago. */
  function listen(): void {
    if (listening) return;
    listening = true;
    facts.onChanged((changes) => {
      const past = changes.filter(({ cause }) => cause !== "points");
      if (past.length === 0) return;
      for (const [key, { byMachine }] of memos)
        if (past.some(({ equipmentId }) => byMachine.has(equipmentId))) memos.delete(key);
    });
  }

  /** What machines of a tenant tell of orders, by the order. */
  async function toldRuns({ tenant }: Principal, all: Principal, nowUs: Micros): Promise<RunsByOrder> {
    const known = told.get(tenant);
    if (known !== undefined && nowUs < known.untilUs && known.revision === registry.revision) return known.runs;
    const { revision } = registry;
    const runs = new Map<string, OrderRun[]>();
    if (identifiers.heard(all)) {
      const machines = new Set(
        registry
          .standardBindings()
          .items.flatMap((each) => (each.tenant === tenant && each.kind === "identifier" ? [each.equipmentId] : [])),
      );
      for (const equipmentId of machines) {
        for (const [order, run] of runsOn(all, equipmentId, nowUs)) runs.set(order, [...(runs.get(order) ?? []), run]);
        await turn();
      }
    }
    told.set(tenant, { untilUs: nowUs + toldForUs, revision, runs });
    return runs;
  }

  function runsOn(all: Principal, equipmentId: number, nowUs: Micros): [string, OrderRun][] {
    const said = identifiers.of(all, placesUpwards(registry, all, equipmentId));
    if (said.executions.length === 0) return [];
    const orders = said.told.filter(({ dimension }) => dimension === "order");
    const latestUs = Math.max(...orders.map(({ toUs }) => toUs));
    // What it told last ended in silence, and nothing came after.
    const since = latestUs === forever ? [] : facts.identifiers(equipmentId, latestUs - 1, nowUs);
    const after = since.filter(
      ({ t, property }) => t >= latestUs && orders.some((each) => each.toUs === latestUs && each.property === property),
    );
    const silent = after.length > 0 && after.every(({ value }) => value === null);
    return said.executions.map(({ order, operation, fromUs, toUs }) => [
      order,
      {
        ...{ equipmentId, operation, fromUs, toUs: toUs === forever ? null : toUs, by: "identifier" as const },
        unheard: silent && toUs === latestUs,
      },
    ]);
  }

  function count(p: Principal, order: Order, runs: readonly OrderRun[], revision: string, nowUs: Micros): Memo {
    const operation = order.item.operations.at(-1)?.id ?? null;
    const begun = runs.filter((run) => run.operation === operation && run.fromUs < nowUs);
    const key = JSON.stringify([order.revision, revision, begun]);
    const name = `${p.tenant} ${p.scopes.join(" ")} ${order.id}`;
    const known = memos.get(name);
    if (known?.key === key && nowUs < known.untilUs) return known;
    const machines = [...new Set(begun.map(({ equipmentId }) => equipmentId))];
    let partly = machines.length > countedMost.machines;
    const byMachine = new Map<number, Counted>();
    for (const equipmentId of machines.slice(0, countedMost.machines)) {
      const own = begun
        .filter((run) => run.equipmentId === equipmentId)
        .map(({ fromUs, toUs }) => ({ fromUs, toUs: Math.min(nowUs, toUs ?? nowUs) }));
      const sum = nothingCounted();
      let left = countedMost.us;
      for (const window of windowsOf(own, gridUs).reverse()) {
        const fromUs = Math.max(window.fromUs, window.toUs - left);
        partly ||= fromUs > window.fromUs;
        left -= window.toUs - fromUs;
        if (fromUs < window.toUs)
          addCells(sum, cells.cells(p, equipmentId, fromUs, window.toUs).cells, { order: order.id, operation });
      }
      byMachine.set(equipmentId, sum);
    }
    const endedUs = Math.max(0, ...begun.map(({ toUs }) => toUs ?? forever));
    const forUs = endedUs < nowUs - longEndedUs ? countedFor.ended : countedFor.running;
    const memo = { key, untilUs: nowUs + forUs, byMachine, partly };
    if (memos.size >= rememberedMost) memos.clear();
    memos.set(name, memo);
    return memo;
  }

  function progressOf(
    p: Principal,
    all: Principal,
    order: Order,
    toldHere: readonly OrderRun[],
    stamp: string,
    nowUs: Micros,
  ): OrderProgress {
    const mine = toldHere.filter(({ equipmentId }) => sees(registry, p, equipmentId));
    const every = [...bookedRuns(order), ...toldHere].sort((a, b) => a.fromUs - b.fromUs);
    const runs = every.filter(({ equipmentId }) => sees(registry, p, equipmentId));
    const { byMachine, partly } = count(p, order, runs, stamp, nowUs);
    const sums = [...byMachine.values()];
    const sum = (of: (each: Counted) => number): number => sums.reduce((total, each) => total + of(each), 0);
    const made = sums.some(({ any }) => any)
      ? { good: sum(({ good }) => good), scrap: sum(({ scrap }) => scrap), rework: sum(({ rework }) => rework) }
      : null;
    const ordered = order.item.quantity;
    const state = orderState(order.item, mine, nowUs, ranOut(order.item, made));
    const going = runs.filter(({ fromUs, toUs }) => fromUs <= nowUs && (toUs === null || toUs > nowUs));
    const begun = runs.length > 0 && runs[0].fromUs <= nowUs;
    const remaining = made === null ? (begun ? null : ordered) : Math.max(0, ordered - made.good - made.rework);
    const expected = expectedEnd(all, going, byMachine, remaining ?? ordered, nowUs);
    return {
      ...{ order: order.id, revision: order.revision, state, runs, made },
      sinceUs: going.length === 0 ? null : Math.min(...going.map(({ fromUs }) => fromUs)),
      partly: partly || runs.length < every.length,
      ...{ remaining, expectedEndUs: expected?.atUs ?? null, expectedBy: expected?.by ?? null },
    };
  }

  function expectedEnd(
    all: Principal,
    going: readonly OrderRun[],
    byMachine: ReadonlyMap<number, Counted>,
    remaining: number,
    nowUs: Micros,
  ): { atUs: Micros; by: "pace" | "idealCycle" } | null {
    const counted = [...new Set(going.map(({ equipmentId }) => equipmentId))].flatMap(
      (equipmentId) => byMachine.get(equipmentId) ?? [],
    );
    if (remaining <= 0 || counted.length === 0) return null;
    const left = timeLeft(remaining, counted);
    if (left === null) return null;
    const shifts = masterData.shifts(all, going[0].equipmentId, nowUs - dayUs, nowUs + aheadUs);
    const atUs = afterPlanned(shifts.length === 0 ? null : shifts, nowUs, left.us);
    return atUs === null ? null : { atUs, by: left.by };
  }

  return {
    progress: async (p, { orders, limit = 100, cursor }) => {
      listen();
      const all: Principal = { ...p, role: "admin", scopes: [""] };
      const nowUs = clock.nowUs();
      const page =
        orders === undefined
          ? masterData.list(p, "order", { limit: Math.min(limit, orderProgressMax), cursor })
          : { items: [...new Set(orders)].flatMap((id) => masterData.find(p, "order", id) ?? []), cursor: null };
      const runs = await toldRuns(p, all, nowUs);
      // What else than facts and the order itself decides how many pieces are counted.
      const kinds = ["lateScrap", "countingAssignment", "physicalAsset", "calendarAssignment", "calendar"] as const;
      const stamp = kinds.map((kind) => masterData.revisionOf(all, kind)).join(" ");
      const items: OrderProgress[] = [];
      for (const order of page.items) {
        items.push(progressOf(p, all, order, runs.get(order.id) ?? [], stamp, nowUs));
        await turn();
      }
      return { atUs: nowUs, items, cursor: page.cursor };
    },
  };
}

/** Counting is done on the thread that answers everybody. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const bookedRuns = ({ item }: Order): OrderRun[] =>
  item.operations.flatMap(({ id: operation, executions }) =>
    executions.map(({ equipmentId, fromUs, toUs }) => ({
      ...{ equipmentId, operation, fromUs, toUs, by: "booking" as const },
      unheard: false,
    })),
  );
