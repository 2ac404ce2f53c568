import type { LateScrapBooking, MasterDataKind, Order } from "@lineshaft/contract/api";
import type { Facts, MasterData } from "@lineshaft/contract/ports";
import { describe, expect, it } from "vitest";
import { ContextChanges } from "./context-changes.ts";
import type { StationPlan } from "./stations.ts";

const station: StationPlan = {
  id: 1,
  path: "P",
  equipmentLevel: "workUnit",
  level: "workUnit",
  parent: null,
  members: [1],
};
const order = (...spans: [number, number][]): Order => ({
  ...{ material: "M", unit: "1", quantity: 9 },
  operations: [{ id: "10", name: null, executions: spans.map(([fromUs, toUs]) => ({ equipmentId: 1, fromUs, toUs })) }],
});

/** The reach of changes at a machine with these bookings of late scrap; nothing is known of its facts. */
function changes(bookings: Pick<LateScrapBooking, "order" | "madeUs">[], orders: Record<string, Order> = {}) {
  const items = bookings.map((item) => ({
    item: { ...item, equipmentId: 1, operation: "10", quantity: 1, bookedUs: 0 },
  }));
  const data = {
    list: (_: unknown, kind: MasterDataKind) => ({ items: kind === "lateScrap" ? items : [], cursor: null }),
    get: (_: unknown, __: unknown, id: string) => ({ item: orders[id] }),
  } as unknown as MasterData;
  return new ContextChanges(data, { progress: () => null } as unknown as Facts);
}

describe("how far a change of the past reaches", () => {
  it("over all of the time in which late scrap may have been made, since its parts lie by the running time there", () => {
    const around = changes([
      { order: "A", madeUs: { fromUs: 100, toUs: 900 } },
      { order: "A", madeUs: { fromUs: 2000, toUs: 3000 } },
    ]);
    expect(around.reach(1, station, { fromUs: 500, toUs: 510 })).toEqual({ fromUs: 99, toUs: 900 });
    expect(around.reach(1, station, { fromUs: 1000, toUs: 1010 })).toEqual({ fromUs: 1000, toUs: 1010 });
  });

  it("over all executions of an order whose late scrap lies where it last produced", () => {
    const around = changes([{ order: "A", madeUs: null }], { A: order([100, 400], [700, 900]) });
    expect(around.reach(1, station, { fromUs: 750, toUs: 760 })).toEqual({ fromUs: 100, toUs: 900 });
    const after = order([100, 400], [700, 950]);
    const change = { kind: "order" as const, id: "A", item: after, removed: false, lsn: 5 };
    const moved = changes([{ order: "A", madeUs: null }], { A: order([100, 400], [700, 900]) });
    expect([...moved.touched(1, change, [station])]).toEqual([{ station: 1, fromUs: 100, toUs: 950 }]);
  });
});
