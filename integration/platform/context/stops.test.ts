import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Principal, ProblemError } from "@lineshaft/contract/api";
import type { Facts } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRegistry } from "../registry/index.ts";
import { cellSource } from "./cell-source.ts";
import { cellsOf } from "./cells.ts";
import { randomContext, randomFacts, spanMinutes, withSetUps } from "./random.fixture.ts";
import { machineStops, stopSource } from "./stops.ts";
import { broken, context, day0, facts, min, order, running, shift, standing } from "./testing.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
/** Runs, stands for a minute, runs, stands ten minutes and is then told to be broken, is unknown, and stands to the end. */
const told = facts(0, 120, [
  [0, running],
  [20, standing],
  [21, running],
  [30, standing],
  [40, broken],
  [60, running],
  [70, 0],
  [80, running],
  [110, standing],
]);

describe("the stops of a machine", () => {
  it("stand with their own beginning and end, in parts by class and reason; what nobody knows is told apart", () => {
    const plan = context(
      { shifts: [shift("s", 0, 200, [[35, 38]])], executions: [order("A", 0, 200)] },
      { microStopUs: 120e6 },
    );
    const stops = machineStops({ equipmentId: 7, facts: told, context: plan }, { from: min(32), to: min(115) });
    const part = (from: number, to: number, timeClass: string, reason: number | null) => ({
      ...{ fromUs: min(from), toUs: min(to), timeClass, reason },
    });
    expect(stops).toEqual([
      {
        ...{ equipmentId: 7, fromUs: min(30), toUs: min(60), micro: false },
        parts: [
          part(32, 35, "adet", 3_000_000),
          part(35, 38, "break", 3_000_000),
          part(38, 40, "adet", 3_000_000),
          part(40, 60, "adet", 7_100_000),
        ],
      },
      {
        ...{ equipmentId: 7, fromUs: min(70), toUs: min(80), micro: false },
        parts: [part(70, 80, "unknown", null)],
      },
      {
        ...{ equipmentId: 7, fromUs: min(110), toUs: null, micro: false },
        parts: [part(110, 115, "adet", 3_000_000)],
      },
    ]);
    const [micro] = machineStops({ equipmentId: 7, facts: told, context: plan }, { from: min(0), to: min(25) });
    expect(micro).toMatchObject({ fromUs: min(20), micro: true, parts: [{ reason: 3_100_000 }] });
  });

  it("come to the same as cells, to the µs, by class and reason", () => {
    fc.assert(
      fc.property(randomFacts, randomContext, (found, raw) => {
        const executions = raw.executions.filter(({ order: name }) => name === "A");
        const own = withSetUps(found, { ...raw, executions });
        const window = { from: day0, to: min(spanMinutes) };
        const sums = new Map<string, number>();
        const add = (sign: number, timeClass: string, reason: number | null, us: number): void => {
          const key = `${timeClass} ${reason}`;
          if (["adet", "aust", "adot"].includes(timeClass)) sums.set(key, (sums.get(key) ?? 0) + sign * us);
        };
        for (const cell of cellsOf({ equipment: 7, facts: found, context: own }, window))
          for (const { timeClass, reason, us } of cell.stops) add(1, timeClass, reason, us);
        // Booked set-up in unknown time is set-up, and no stop.
        for (const { parts } of machineStops({ equipmentId: 7, facts: found, context: own }, window))
          for (const { timeClass, reason, fromUs, toUs } of parts)
            if (reason !== null) add(-1, timeClass, reason, toUs - fromUs);
        expect([...sums.values()].filter((us) => us !== 0)).toEqual([]);
      }),
      { seed: 3, numRuns: 60 },
    );
  });
});

describe("stops of many machines", () => {
  let dir: string;
  let registry: ReturnType<typeof openRegistry>;
  let ids: number[];
  const clock = new FakeClock(min(120));
  /** Every machine does the same, the second ten minutes later. */
  const machine: Facts["machine"] = (id, from, to) => {
    const late = id === ids[1] ? 600e6 : 0;
    const t = told.states.t.map((us, i) => (i === 0 ? us : us + late));
    const states = { ...told.states, t };
    return { facts: { ...told, states, from, to }, watermarkUs: min(120), finalBeforeUs: null, repairing: false };
  };
  const states: Facts["states"] = (...range) => machine(...range).facts.states;
  const progress: Facts["progress"] = (equipmentId) => ({
    ...{ equipmentId, fromUs: 0, watermarkUs: min(120), finalBeforeUs: min(120), repairing: false },
  });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lineshaft-stops-"));
    registry = openRegistry({ path: join(dir, "registry.sqlite"), clock });
    const line = registry.createEquipment(admin, { level: "workCenter", name: "Line" }).item.id;
    ids = ["Press", "Oven"].map(
      (name) => registry.createEquipment(admin, { level: "workUnit", name, parentId: line }).item.id,
    );
    ids.push(line);
    registry.masterData.put(
      admin,
      "calendar",
      "always",
      {
        ...{ name: "always", timeZone: "UTC", holidays: [], exceptions: [] },
        shifts: [{ name: "Day", start: "00:00", end: "00:00", breaks: [] }],
        rotation: { anchor: "2024-01-01", days: [[{ shift: "Day" }]] },
      },
      null,
    );
    const assigned = { equipmentId: line, calendar: "always", fromUs: 0, toUs: null };
    registry.masterData.put(admin, "calendarAssignment", "line", assigned, null);
  });
  afterEach(() => {
    registry.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const ask = (p: Principal, place: number, q: object = {}) => {
    const cells = cellSource({ facts: { machine, states, progress } as Facts, registry, clock });
    return stopSource({ registry, cells }).stops(p, place, { from: min(0), to: min(120) }, { limit: 10, ...q });
  };

  it("are found at and below a place, the longest or the newest first, with what was written of them", async () => {
    const anchorUs = min(45);
    const note = { equipmentId: ids[0], kind: "comment", anchorUs, fromUs: anchorUs, toUs: anchorUs } as const;
    registry.masterData.put(admin, "annotation", "n", { ...note, reason: null, text: "Belt torn" }, null);
    const all = await ask(admin, ids[2], { leastUs: 600e6, limit: 2 });
    expect(all.items.map(({ equipmentId, us, comments }) => [equipmentId, us / 60e6, comments])).toEqual([
      [ids[1], 30, []],
      [ids[0], 30, ["Belt torn"]],
    ]);
    expect([all.total, all.us / 60e6]).toEqual([3, 70]);
    const newest = await ask(admin, ids[2], { sort: "newest", limit: 1 });
    expect(newest.items.map(({ fromUs, toUs }) => [fromUs, toUs])).toEqual([[min(110), null]]);
  });

  it("are narrowed by reason, class and length, and by what may be seen", async () => {
    const faults = await ask(admin, ids[2], { reasons: [7_100_000] });
    expect(faults.items.map(({ us }) => us / 60e6)).toEqual([20, 20]);
    expect((await ask(admin, ids[2], { timeClasses: ["unknown"] })).us / 60e6).toBe(20);
    expect((await ask(admin, ids[2], { timeClasses: ["aust"] })).total).toBe(0);
    const viewer: Principal = { ...admin, role: "viewer", scopes: ["Line/Oven"] };
    expect((await ask(viewer, ids[1])).items.every(({ equipmentId }) => equipmentId === ids[1])).toBe(true);
    await expect(ask(viewer, ids[0])).rejects.toThrow(ProblemError);
  });
});
