import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  defaultOeePolicy,
  hourUs,
  type MasterDataItem,
  type MasterDataKind,
  type Principal,
} from "@lineshaft/contract/api";
import type { Facts, Lsn, ProductionTimes, Registry } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRegistry } from "../registry/index.ts";
import { ContextChanges, type MasterDataChange } from "./context-changes.ts";
import type { StationPlan } from "./stations.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
const day = 493_000 * hourUs;
const clock = new FakeClock();
const facts = { identifiers: () => [], progress: () => null } as unknown as Facts;
const production: ProductionTimes = { ofSerial: () => null, ofLot: () => null, named: () => [] };

let dir: string;
let registry: Registry;
let changes: ContextChanges;
let stations: StationPlan[];
let [line, press] = [0, 0];
let lsn: Lsn = 0;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "changes-"));
  registry = openRegistry({ path: join(dir, "registry.db"), clock });
  line = registry.createEquipment(admin, { level: "workCenter", name: "L" }).item.id;
  press = registry.createEquipment(admin, { level: "workUnit", name: "P", parentId: line }).item.id;
  changes = new ContextChanges({ registry, facts, clock, production });
  const station = { equipmentLevel: "workUnit" as const, level: "workUnit" as const, members: [press] };
  stations = [
    { ...station, id: line, path: "L", equipmentLevel: "workCenter", parent: null },
    { ...station, id: press, path: "L/P", parent: line },
  ];
});
afterEach(() => {
  registry.close();
  rmSync(dir, { recursive: true });
});

/** Puts an item, or takes it away; where that touches the line and the press, in hours of the day. */
function change<K extends MasterDataKind>(kind: K, id: string, item: MasterDataItem<K> | null): [number, number][][] {
  const { masterData } = registry;
  const known = masterData.list(admin, kind, { limit: 1000 }).items.find((each) => each.id === id)?.revision ?? null;
  if (item === null) masterData.remove(admin, kind, id, known as number);
  else masterData.put(admin, kind, id, item, known);
  const rows = registry.outbox(1000);
  registry.stampLsn(rows.map(({ revision }) => ({ revision, lsn: ++lsn })));
  const { after } = rows[rows.length - 1].record;
  const record = { ...after, removed: after.removed === true, lsn } as unknown as MasterDataChange;
  const touched = [...changes.touched(1, record, stations)];
  return stations.map(({ id: station }) =>
    touched
      .filter((each) => each.station === station)
      .map(({ fromUs, toUs }) => [(fromUs - day) / hourUs, (toUs - day) / hourUs]),
  );
}

function book(id: string, ...hours: [number, number][]): [number, number][][] {
  const executions = hours.map(([a, b]) => ({ equipmentId: press, fromUs: day + a * hourUs, toUs: day + b * hourUs }));
  const operations = [{ id: "10", name: null, executions }];
  return change("order", id, { material: "M", unit: "1", quantity: 1, operations });
}

const setUpTo = (setUp: "booked" | "firstGoodPart"): void => {
  const policy = { ...defaultOeePolicy, version: setUp, setUp };
  change("policyAssignment", "p", { equipmentId: line, policy, fromUs: 0, toUs: null });
};

describe("what an order that is booked otherwise touches", () => {
  it("where set-up is booked: where it ran, and where it is said to have run, at the machine and along its line", () => {
    setUpTo("booked");
    book("A", [0, 1], [4, 6]);
    expect(book("B", [1, 2])).toEqual([[[1, 2]], [[1, 2]]]);
    expect(change("order", "B", null)).toEqual([[[1, 2]], [[1, 2]]]);
  });

  it("where set-up runs to the first good part: the next order too, which is an order change or none by what ran before the pause", () => {
    setUpTo("firstGoodPart");
    book("A", [0, 1], [4, 6]);
    // A, B, a pause, A: A is set up anew. Without B it only went on.
    expect(book("B", [1, 2])).toEqual([[[1, 6]], [[1, 6]]]);
    expect(change("order", "B", null)).toEqual([[[1, 6]], [[1, 6]]]);
    // No longer than a set-up lasts, and not beyond the next order.
    book("A", [0, 1], [4, 30], [31, 32]);
    expect(book("B", [1, 2])).toEqual([[[1, 12]], [[1, 12]]]);
  });
});
