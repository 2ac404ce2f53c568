import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IdentifierTransition, MachineFacts, OrderProgress, Principal } from "@lineshaft/contract/api";
import type { Facts, FactsChange } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openRegistry } from "../registry/index.ts";
import { cellSource } from "./cell-source.ts";
import { facts, min, running } from "./testing.ts";
import { workSource } from "./work.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
const now = 120;

/** A machine that runs and makes a piece a minute for two hours, and tells what it works at. */
describe("how far an order is", () => {
  let dir: string;
  let registry: ReturnType<typeof openRegistry>;
  let press: number;
  let oven: number;
  const revisions = new Map<string, number>();
  const clock = new FakeClock(min(now));
  let tells: [minute: number, value: string | null][] = [];
  let perMinute = 1;
  let counts = 0;
  let changed: (changes: readonly FactsChange[]) => void = () => undefined;
  const machine = {
    machine: (_: number, from: number, to: number) => {
      const pieces = Array.from({ length: now }, (_each, i) => [i, i + 1, perMinute] as [number, number, number]);
      const all: MachineFacts = { ...facts(0, now, [[0, running]], pieces), from, to };
      counts++;
      return { facts: all, watermarkUs: min(now), finalBeforeUs: null, repairing: false };
    },
    states: (id: number, from: number, to: number) => machine.machine(id, from, to).facts.states,
    alarms: () => [],
    identifiers: (id: number, from: number) => {
      const all = tells.map(([minute, value]): IdentifierTransition => ({ property: "order", t: min(minute), value }));
      if (id !== press) return [];
      const before = all.filter(({ t }) => t <= from).at(-1);
      return [...(before === undefined ? [] : [{ ...before, t: from }]), ...all.filter(({ t }) => t > from)];
    },
    progress: (equipmentId) => ({
      ...{ equipmentId, fromUs: min(0), watermarkUs: min(now), finalBeforeUs: min(0), repairing: false },
    }),
    onChanged: (listener: typeof changed) => {
      changed = listener;
      return () => undefined;
    },
  } as Partial<Facts> as Facts;
  const source = () =>
    workSource({ facts: machine, registry, clock, cells: cellSource({ facts: machine, registry, clock }) });
  const progress = async (id: string, p = admin, work = source()): Promise<OrderProgress> =>
    (await work.progress(p, { orders: [id] })).items[0];
  const order = (id: string, quantity: number, more: object = {}): void => {
    const { item } = registry.masterData.put(
      admin,
      "order",
      id,
      {
        ...{ material: "M", unit: "1", quantity },
        operations: [
          { id: "10", name: null, executions: [], planned: [{ equipmentId: press, fromUs: 0, toUs: null }], ...more },
        ],
      },
      revisions.get(id) ?? null,
    );
    revisions.set(id, item.revision);
  };

  beforeEach(() => {
    [tells, perMinute, counts] = [[], 1, 0];
  });
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "lineshaft-progress-"));
    registry = openRegistry({ path: join(dir, "registry.sqlite"), clock });
    press = registry.createEquipment(admin, { level: "workUnit", name: "Press" }).item.id;
    oven = registry.createEquipment(admin, { level: "workUnit", name: "Oven" }).item.id;
    registry.standardBindings = () =>
      ({
        ...{ revision: 0 },
        items: [{ tenant: 1, kind: "identifier", equipmentId: press }],
      }) as unknown as ReturnType<typeof registry.standardBindings>;
    const rule = { prefix: null, padTo: null, none: "0", lookUp: null, fromUs: 0, toUs: null };
    registry.masterData.put(
      admin,
      "identifierRule",
      "press",
      { equipmentId: press, dimension: "order", property: "order", ...rule },
      null,
    );
  });
  afterAll(() => {
    registry.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it("is told of a machine's own word like of a booking", async () => {
    order("A", 200);
    tells = [[60, "A"]];
    const toldA = await progress("A");
    expect(toldA).toMatchObject({
      ...{ state: "running", sinceUs: min(60), made: { good: 60, scrap: 0, rework: 0 }, remaining: 140 },
      ...{ expectedEndUs: min(now + 140), expectedBy: "pace", partly: false },
      runs: [{ equipmentId: press, operation: "10", fromUs: min(60), toUs: null, by: "identifier", unheard: false }],
    });
    order("B", 200, { executions: [{ equipmentId: oven, fromUs: min(60), toUs: null }] });
    const { runs, order: _a, revision: _r, ...same } = toldA;
    expect(await progress("B")).toMatchObject(same);
    expect((await progress("B")).runs[0]).toMatchObject({ ...runs[0], equipmentId: oven, by: "booking" });
  });

  it.each<[string, [number, string | null][], object]>([
    [
      "moved on, all made: finished",
      [
        [0, "A"],
        [100, "B"],
      ],
      { state: "finished", remaining: 0, sinceUs: null },
    ],
    [
      "moved on, some missing: interrupted",
      [
        [0, "A"],
        [80, "B"],
      ],
      { state: "interrupted", remaining: 20 },
    ],
    [
      "moved on to nothing",
      [
        [0, "A"],
        [80, "0"],
      ],
      { state: "interrupted", remaining: 20 },
    ],
    [
      "came back to it",
      [
        [0, "A"],
        [40, "B"],
        [60, "A"],
      ],
      { state: "running", remaining: 0, expectedEndUs: null },
    ],
    [
      "fell silent",
      [
        [0, "A"],
        [50, null],
      ],
      { state: "running", remaining: 50, sinceUs: null, expectedEndUs: null },
    ],
    [
      "fell silent after it had told nothing",
      [
        [0, "A"],
        [50, "0"],
        [60, null],
      ],
      { state: "interrupted" },
    ],
    ["has not told it yet", [[0, "B"]], { state: "planned", made: null, remaining: 100, expectedEndUs: null }],
  ])("the machine %s", async (_, told, expected) => {
    order("A", 100);
    order("B", 500);
    tells = told;
    expect(await progress("A")).toMatchObject(expected);
  });

  it("is finished by the machine when it made what was ordered, be it with scrap: what is short is told", async () => {
    order("S", 100);
    tells = [
      [0, "S"],
      [100, "B"],
    ];
    order("B", 500);
    const late = { equipmentId: press, order: "S", operation: "10", quantity: 4, bookedUs: min(110), madeUs: null };
    registry.masterData.put(admin, "lateScrap", "1", late, null);
    expect(await progress("S")).toMatchObject({
      ...{ state: "finished", made: { good: 96, scrap: 4, rework: 0 }, remaining: 4 },
    });
  });

  it("counts what ended long ago once, until facts or the order change", async () => {
    order("A", 30);
    tells = [
      [0, "A"],
      [30, "B"],
    ];
    const work = source();
    await progress("A", admin, work);
    const before = counts;
    expect((await progress("A", admin, work)).made?.good).toBe(30);
    expect(counts).toBe(before);
    perMinute = 2;
    changed([{ equipmentId: press, what: "production", fromUs: 0, toUs: min(9), cause: "late", lsn: 1 }]);
    expect((await progress("A", admin, work)).made?.good).toBe(60);
  });

  it("shows of machines out of scope nothing, and says that it is a part", async () => {
    order("A", 200, { executions: [{ equipmentId: oven, fromUs: min(30), toUs: min(40) }] });
    tells = [[60, "A"]];
    const operator: Principal = { ...admin, role: "operator", scopes: ["Oven"] };
    expect(await progress("A", operator)).toMatchObject({
      ...{ state: "interrupted", partly: true, made: { good: 10 }, sinceUs: null },
      runs: [{ equipmentId: oven }],
    });
    expect((await source().progress(operator, { orders: ["X"] })).items).toEqual([]);
  });
});
