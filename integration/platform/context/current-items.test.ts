import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Principal } from "@lineshaft/contract/api";
import { FakeClock } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRegistry } from "../registry/index.ts";

const admin: Principal = { id: "t", kind: "system", name: "test", tenant: 1, role: "admin", scopes: [""] };
const kind = "idealCycleTime";

interface Cycle {
  equipmentId: number;
  material: string | null;
  cycleUs: number;
  unitsPerCycle: number;
  fromUs: number;
  toUs: number | null;
}

/** Numbers below n, the same ones in each run. */
function chance(seed: number): (n: number) => number {
  let x = seed;
  return (n) => {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((x / 2 ** 32) * n);
  };
}

describe("current master data in memory", () => {
  let dir: string;
  let registry: ReturnType<typeof openRegistry>;
  let machines: number[];
  const kept = new Map<string, Cycle>();

  beforeEach(() => {
    kept.clear();
    dir = mkdtempSync(join(tmpdir(), "lineshaft-current-"));
    registry = openRegistry({ path: join(dir, "registry.sqlite"), clock: new FakeClock(0) });
    const line = registry.createEquipment(admin, { level: "workCenter", name: "Line" }).item.id;
    machines = ["Press", "Oven", "Saw"].map(
      (name) => registry.createEquipment(admin, { level: "workUnit", name, parentId: line }).item.id,
    );
  });
  afterEach(() => {
    registry.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const cycleOf = (below: (n: number) => number): Cycle => {
    const fromUs = below(20) * 86_400e6;
    const toUs = below(3) === 0 ? null : fromUs + (1 + below(5)) * 86_400e6;
    return { equipmentId: machines[below(3)], material: null, cycleUs: 1 + below(9), unitsPerCycle: 1, fromUs, toUs };
  };
  const put = (id: string, item: Cycle): void => {
    const revision = registry.masterData.find(admin, kind, id)?.revision ?? null;
    registry.masterData.put(admin, kind, id, item, revision);
    kept.set(id, item);
  };
  const expected = (q: { equipmentId?: number; fromUs?: number; toUs?: number }): string[] =>
    [...kept]
      .filter(([, item]) => q.equipmentId === undefined || item.equipmentId === q.equipmentId)
      .filter(([, { fromUs, toUs }]) => (toUs ?? Infinity) > (q.fromUs ?? -Infinity) && fromUs < (q.toUs ?? Infinity))
      .map(([id, { cycleUs }]) => `${id}:${cycleUs}`)
      .sort();
  const listed = (
    p: Principal,
    q: { equipmentId?: number; fromUs?: number; toUs?: number },
    limit = 1000,
  ): string[] => {
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = registry.masterData.list(p, kind, { ...q, limit, cursor });
      found.push(...page.items.map(({ id, item }) => `${id}:${item.cycleUs}`));
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    return found;
  };

  it("is what was written last, whatever was asked for before, changed, removed or taken back", () => {
    const below = chance(7);
    for (let step = 0; step < 150; step++) {
      const id = `c${10 + below(25)}`;
      const what = below(4);
      if (what === 0 && kept.has(id)) {
        const { revision } = registry.masterData.get(admin, kind, id);
        registry.masterData.remove(admin, kind, id, revision);
        kept.delete(id);
      } else if (what === 1) {
        const entries = [{ id, item: cycleOf(below) }];
        registry.masterData.putAll(admin, kind, entries, { revision: null, dryRun: true });
      } else put(id, cycleOf(below));
      const at = below(22) * 86_400e6;
      const q = [{}, { fromUs: at }, { fromUs: at, toUs: at + 1 }, { toUs: at }][below(4)];
      const there = below(4) === 0 ? q : { ...q, equipmentId: machines[below(3)] };
      expect(listed(admin, there, 1 + below(6))).toEqual(expected(there));
      const one = `c${10 + below(25)}`;
      expect(registry.masterData.find(admin, kind, one)?.item ?? null).toEqual(kept.get(one) ?? null);
    }
  });

  it("cannot be changed by those who read it, and each sees its own part", () => {
    put("press", { ...cycleOf(chance(1)), equipmentId: machines[0] });
    put("oven", { ...cycleOf(chance(1)), equipmentId: machines[1] });
    const [first] = registry.masterData.list(admin, kind, {}).items;
    expect(() => Object.assign(first.item, { cycleUs: 99 })).toThrow(TypeError);
    const viewer: Principal = { ...admin, role: "viewer", scopes: ["Line/Oven"] };
    expect(listed(viewer, {}).map((text) => text.split(":")[0])).toEqual(["oven"]);
    expect(registry.masterData.find(viewer, kind, "press")).toBeNull();
  });

  it("is looked up where there is too much of it", () => {
    const below = chance(3);
    const entries = Array.from({ length: 1100 }, (_, i) => ({ id: `n${1000 + i}`, item: cycleOf(below) }));
    registry.masterData.putAll(admin, kind, entries, { revision: null, dryRun: false });
    for (const { id, item } of entries) kept.set(id, item);
    for (const q of [{}, { fromUs: 3 * 86_400e6 }, { equipmentId: machines[0] }, { fromUs: 18 * 86_400e6 }])
      for (let again = 0; again < 2; again++) expect(listed(admin, q, 400)).toEqual(expected(q));
  });
});
