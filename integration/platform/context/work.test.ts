import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AlarmTransition,
  type MachineFacts,
  type Principal,
  ProblemError,
  stateCode,
} from "@lineshaft/contract/api";
import type { Facts } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRegistry } from "../registry/index.ts";
import { booking } from "./bookings.fixture.ts";
import { cellSource } from "./cell-source.ts";
import { facts, min, running, standing } from "./testing.ts";
import { workSource } from "./work.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
const jammed = stateCode("OutOfService", "Processing", 7_100_000);

const alarm = (over: Partial<AlarmTransition>): AlarmTransition => ({
  ...{ property: "alarm", tagId: 1, t: 0, active: false, code: null, severity: 500, text: { en: "Guard" }, cause: 0 },
  ...over,
});

describe("what a machine works at", () => {
  let dir: string;
  let registry: ReturnType<typeof openRegistry>;
  let press: number;
  const clock = new FakeClock(min(120));
  /** Whatever is asked for: 40 minutes running, a stop that the machine explains after two minutes, running, and a stop that lasts. */
  let alarms: AlarmTransition[] = [];
  const machine = {
    machine: (_: number, from: number, to: number) => {
      const all: MachineFacts = {
        ...facts(
          0,
          120,
          [
            [0, running],
            [40, standing],
            [42, jammed],
            [60, running],
            [110, standing],
          ],
          [
            [0, 40, 80],
            [60, 110, 100],
          ],
        ),
        from,
        to,
      };
      return { facts: all, watermarkUs: min(119), finalBeforeUs: null, repairing: false };
    },
    states: (id: number, from: number, to: number) => machine.machine(id, from, to).facts.states,
    alarms: () => alarms,
    progress: (equipmentId) => ({
      ...{ equipmentId, fromUs: min(0), watermarkUs: min(119), finalBeforeUs: min(0), repairing: false },
    }),
  } as Partial<Facts> as Facts;
  const work = () =>
    workSource({ facts: machine, registry, clock, cells: cellSource({ facts: machine, registry, clock }) });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lineshaft-work-"));
    alarms = [];
    registry = openRegistry({ path: join(dir, "registry.sqlite"), clock });
    press = registry.createEquipment(admin, { level: "workUnit", name: "Press" }).item.id;
  });
  afterEach(() => {
    registry.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it("tells orders with what they made, what comes next, set-up, and stops with what was said and what the machine says", () => {
    const { masterData } = registry;
    const order = (planned: number | null) => ({
      material: "M",
      unit: "1",
      quantity: 500,
      operations: [
        {
          id: "10",
          name: "Press",
          executions: [],
          ...(planned === null ? {} : { planned: [{ equipmentId: press, fromUs: min(planned), toUs: null }] }),
        },
      ],
    });
    masterData.put(admin, "material", "M", { name: "Cap", unit: "1", conversions: [] }, null);
    for (const [id, planned] of [
      ["A", null],
      ["B", null],
      ["C", 400],
      ["D", 300],
      ["E", 200],
    ] as const)
      masterData.put(admin, "order", id, order(planned), null);
    const book = (id: string, minute: number, intent: Parameters<typeof booking>[2]) =>
      masterData.book(admin, press, booking(id, minute, intent));
    book("1", 10, { kind: "startOrder", order: "B" });
    book("2", 60, { kind: "startOrder", order: "A" });
    book("3", 61, { kind: "finishOrder", order: "E" });
    book("4", 115, { kind: "setUpBegin" });
    book("5", 70, { kind: "reason", fromUs: min(40), toUs: min(60), reason: 7_900_000, text: "Belt" });
    book("6", 80, { kind: "scrap", order: "A", quantity: 4 });
    const told = work().work(admin, press, 120 * 60e6);
    expect(told).toMatchObject({
      name: "Press",
      state: { itemState: "NotExecuting", sinceUs: min(110) },
      setUp: { fromUs: min(115), order: null },
      usualReasons: [7_900_000],
    });
    expect(told.running).toEqual([
      {
        order: "A",
        operation: "10",
        name: "Press",
        material: "M",
        materialName: "Cap",
        unit: "1",
        quantity: 500,
        fromUs: min(60),
        made: { good: 96, scrap: 4, rework: 0 },
      },
    ]);
    // Interrupted before planned; what is finished here is gone.
    expect(told.next.map((each) => each.order)).toEqual(["B", "D", "C"]);
    expect(told.stops).toMatchObject([
      { fromUs: min(110), toUs: null, reasons: [], proposal: null },
      {
        fromUs: min(40),
        toUs: min(60),
        reasons: [{ fromUs: min(40), toUs: min(60), reason: 7_900_000 }],
        proposal: 7_100_000,
        comments: ["Belt"],
      },
    ]);
  });

  it.each<[string, Partial<AlarmTransition>[], number, string]>([
    ["just before it", [{ t: min(110) - 20e6, code: "17", cause: 7_900_000 }], 7_900_000, "17"],
    ["in its first minutes", [{ t: min(112), code: "17", cause: 7_900_000 }], 7_900_000, "17"],
    [
      "of several at once the most severe",
      [
        { t: min(110), tagId: 1, code: "17", cause: 7_100_000, severity: 300 },
        { t: min(110), tagId: 2, code: "18", cause: 7_900_000, severity: 900 },
      ],
      7_900_000,
      "18",
    ],
    [
      "the first, whatever comes of it",
      [
        { t: min(110), tagId: 1, code: "17", cause: 7_100_000, severity: 300 },
        { t: min(111), tagId: 2, code: "18", cause: 7_900_000, severity: 900 },
      ],
      7_100_000,
      "17",
    ],
  ])("proposes for a stop the reason of the alarm that came %s", (_, raised, proposal, code) => {
    alarms = [
      alarm({ t: min(0) }),
      alarm({ t: min(0), tagId: 2 }),
      ...raised.map((each) => alarm({ ...each, active: true })),
    ];
    const [stop, before] = work().work(admin, press, 120 * 60e6).stops;
    expect(stop).toMatchObject({ proposal, proposedBy: "alarm", alarm: { code, text: { en: "Guard" } } });
    expect(before).toMatchObject({ proposal: 7_100_000, proposedBy: "machine", alarm: null });
  });

  it.each<[string, Partial<AlarmTransition>[]]>([
    ["came long before", [{ t: min(109), code: "17", cause: 7_900_000 }]],
    ["came long after", [{ t: min(114), code: "17", cause: 7_900_000 }]],
    ["names no reason", [{ t: min(110), code: "17", cause: 0 }]],
    ["names a reason that there is not", [{ t: min(110), code: "17", cause: 12 }]],
  ])("proposes nothing for a stop by an alarm that %s", (_, raised) => {
    alarms = [alarm({ t: min(0) }), ...raised.map((each) => alarm({ ...each, active: true }))];
    expect(work().work(admin, press, 120 * 60e6).stops[0]).toMatchObject({ proposal: null, proposedBy: null });
  });

  it("answers whoever may see the machine, the same to all", () => {
    const operator: Principal = { ...admin, role: "operator", scopes: ["Press"] };
    expect(work().work(operator, press, 3_600e6)).toEqual(work().work(admin, press, 3_600e6));
    expect(() => work().work({ ...operator, scopes: ["Oven"] }, press, 3_600e6)).toThrow(ProblemError);
  });
});
