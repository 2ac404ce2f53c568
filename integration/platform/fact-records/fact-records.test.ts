import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type FactRecordItem,
  type FactToRecord,
  inScope,
  may,
  type Principal,
  ProblemError,
  type Role,
} from "@lineshaft/contract/api";
import type { Registry } from "@lineshaft/contract/ports";
import { FakeClock, MemoryLog } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FactRecordService, openFactRecords } from "./index.ts";

const clock = new FakeClock();
const now = clock.nowUs();
const at = (minute: number): number => now - 1e9 + minute * 60e6;
const paths = new Map([
  [1, "site/press"],
  [2, "site/bench"],
  [3, "other/mill"],
]);
const registry = {
  getEquipment: (p: Principal, id: number) => {
    if (!may(p, "read")) throw new ProblemError("forbidden", "No reading.");
    const path = paths.get(id);
    if (path === undefined || !inScope(p, path)) throw new ProblemError("not_found", `There is no equipment ${id}.`);
    return { id, path };
  },
} as unknown as Registry;
const who = (role: Role, ...scopes: string[]): Principal => ({
  ...{ id: role, kind: "key", name: role, tenant: 1, role, scopes },
});
const all = who("engineer", "");
const site = who("engineer", "site");

const made = (serial: string, more: Partial<FactRecordItem<"unitProduced">> = {}): FactRecordItem<"unitProduced"> => ({
  ...{ kind: "unitProduced", id: `made-${serial}`, equipmentId: 1, serial, verdict: "good", toUs: at(0) },
  ...more,
});
const tested = (serial: string, more: Partial<FactRecordItem<"testResult">> = {}): FactRecordItem<"testResult"> => ({
  ...{ kind: "testResult", id: `test-${serial}`, equipmentId: 2, serial, test: "leak", verdict: "pass", toUs: at(1) },
  ...more,
});

let dir: string;
let log: MemoryLog;
let records: FactRecordService;
/** false: what is acknowledged stays in the log only. */
let following = true;

const open = (): FactRecordService =>
  openFactRecords({
    ...{ path: join(dir, "facts.sqlite"), log, registry, clock },
    applied: async (lsn) => {
      if (following) records.apply(log.frames);
      expect(records.appliedLsn).toBeGreaterThanOrEqual(lsn);
    },
  });
const record = (...items: FactToRecord[]) => records.record(all, items);
const codes = async (p: Principal, ...items: FactToRecord[]): Promise<string[]> =>
  (await records.record(p, items)).faults.map(({ code }) => code);
const ids = async (p: Principal, q: Parameters<FactRecordService["list"]>[1] = {}): Promise<string[]> =>
  (await records.list(p, q)).items.map(({ item }) => item.id);
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (error as ProblemError).code,
  );

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lineshaft-facts-"));
  log = new MemoryLog(clock);
  following = true;
  records = open();
});
afterEach(() => {
  records.close();
  rmSync(dir, { recursive: true, force: true });
});

describe("recorded facts", () => {
  test("the same again is a repeat, also within a batch and before it is in the view; other content is a conflict", async () => {
    following = false;
    expect(await record(made("A"), made("A"))).toMatchObject({ recorded: 1, repeated: 1, faults: [] });
    expect(await record({ ...made("A"), revision: 0 })).toMatchObject({ recorded: 0, repeated: 1, lsn: null });
    expect(await codes(all, made("A", { verdict: "scrap" }))).toEqual(["record_conflict"]);
    following = true;
    expect(await ids(all)).toEqual(["made-A"]);
    expect(await record(made("A"))).toMatchObject({ recorded: 0, repeated: 1 });
    expect(await codes(all, made("A", { verdict: "scrap" }))).toEqual(["record_conflict"]);
    expect(log.frames).toHaveLength(1);
  });

  test("a correction has a greater revision; what was known before is read by asOf", async () => {
    const first = (await record(made("A", { parents: [{ lot: "L1" }] }))).lsn as number;
    clock.advanceMs(1000);
    const between = clock.nowUs();
    clock.advanceMs(1000);
    const second = (await record(made("A", { revision: 3, verdict: "rework", parents: [{ lot: "L2" }] })))
      .lsn as number;
    const third = (await record({ kind: "retraction", id: "made-A", revision: 4 })).lsn as number;
    const verdicts = async (asOf?: number) =>
      (await records.list(all, { serial: "A", asOf })).items.map(({ item }) => (item as { verdict: string }).verdict);
    expect([await verdicts(first), await verdicts(second), await verdicts(third), await verdicts()]).toEqual([
      ["good"],
      ["rework"],
      [],
      [],
    ]);
    expect((await records.unit(all, "A", first)).madeOf.items).toMatchObject([{ lot: "L1", generation: 1 }]);
    expect((await records.unit(all, "A", second)).madeOf.items).toMatchObject([{ lot: "L2" }]);
    expect((await records.lot(all, "L1", first)).wentInto.items).toMatchObject([{ serial: "A" }]);
    expect(await codeOf(records.lot(all, "L1", second))).toBe("not_found");
    expect(await codeOf(records.unit(all, "A"))).toBe("not_found");
    const kept = await records.revisions(all, "made-A");
    expect(kept).toMatchObject({ retracted: true, items: [{ item: { revision: 3 } }, { lsn: first, by: "engineer" }] });

    const time = new Date(between / 1000).toISOString();
    expect(records.placeOf(time)).toBe(first);
    expect(records.placeOf(String(second))).toBe(second);
    for (const asOf of ["999", "2200-01-01T00:00:00Z", "yesterday", "2026-01-01T00:00:00"])
      expect(() => records.placeOf(asOf)).toThrow(expect.objectContaining({ code: "as_of_invalid" }));
    // A late resend of what was corrected is known; with other content it is refused.
    expect(await record(made("A", { parents: [{ lot: "L1" }] }))).toMatchObject({ repeated: 1, recorded: 0 });
    expect(await codes(all, made("A", { revision: 2 }))).toEqual(["record_conflict"]);
    expect(await codes(all, { kind: "retraction", id: "made-A", revision: 5 })).toEqual(["record_unknown"]);
    expect(await codes(all, { kind: "retraction", id: "nothing", revision: 1 })).toEqual(["record_unknown"]);
    expect(await record(made("A", { revision: 6 }))).toMatchObject({ recorded: 1 });
    expect(await verdicts()).toEqual(["good"]);
  });

  test("bad items are refused by index, the others go through", async () => {
    const energy = { kind: "energy", equipmentId: 1, medium: "electricity", quantity: 1, unit: "kW.h" } as const;
    const answer = await record(
      made("A"),
      made("B", { equipmentId: 99 }),
      { ...energy, id: "e1", fromUs: at(2), toUs: at(1) },
      { ...energy, id: "e2", fromUs: at(1), toUs: at(2), quantity: -1 },
      { ...energy, id: "e3", fromUs: at(1), toUs: at(2), unit: "kilowatt" },
      { ...made("C"), serial: undefined } as FactToRecord,
      made("D", { parents: [{ serial: "A" }, {}] }),
      made("E", { toUs: now + 3_600e6 }),
      { ...energy, id: "e4", fromUs: at(1), toUs: at(2) },
    );
    expect(answer).toMatchObject({ recorded: 2, repeated: 0 });
    expect(answer.faults.map(({ index, code, path }) => [index, code, path])).toEqual([
      [1, "equipment_unknown", "/equipmentId"],
      [2, "range_invalid", "/toUs"],
      [3, "quantity_negative", "/quantity"],
      [4, "unit_unknown", "/unit"],
      [5, "record_subject_missing", ""],
      [6, "record_subject_missing", "/parents/1"],
      [7, "record_time_ahead", "/toUs"],
    ]);
    expect(await ids(all)).toEqual(["made-A", "e4"]);
  });

  test("lists by kind, equipment, order and range in pages", async () => {
    await record(
      ...[5, 1, 4, 2, 3].map((minute) => made(`S${minute}`, { toUs: at(minute), order: minute > 2 ? "O" : "P" })),
      tested("S1"),
      { kind: "maintenanceEvent", id: "m", equipmentId: 1, type: "corrective", fromUs: at(2), toUs: null },
    );
    const first = await records.list(all, { kind: "unitProduced", limit: 2 });
    expect(first.items.map(({ item }) => item.id)).toEqual(["made-S1", "made-S2"]);
    expect(await ids(all, { kind: "unitProduced", limit: 3, cursor: first.cursor as string })).toEqual([
      ...["made-S3", "made-S4", "made-S5"],
    ]);
    expect(await ids(all, { fromUs: at(3), toUs: at(5) })).toEqual(["made-S3", "made-S4", "m"]);
    expect(await ids(all, { equipmentId: 2 })).toEqual(["test-S1"]);
    expect(await ids(all, { order: "P" })).toEqual(["made-S1", "made-S2"]);
    expect(await codeOf(records.list(all, { cursor: "x" }))).toBe("cursor_invalid");
    expect(await codeOf(records.list(site, { equipmentId: 3 }))).toBe("not_found");
  });

  test("a unit is told with its tests and all that it came from and went into, a lot with its totals", async () => {
    const use = { kind: "lotConsumption", equipmentId: 1, unit: "kg", quantity: 2, toUs: at(0) } as const;
    await record(
      made("car", { parents: [{ serial: "motor" }, { serial: "door" }] }),
      made("motor", { lot: "M", parents: [{ serial: "bolt" }, { lot: "oil" }] }),
      made("spare", { lot: "M", toUs: at(9), fromUs: at(8), verdict: "scrap" }),
      { ...use, id: "u1", lot: "steel", into: { serial: "bolt" } },
      { ...use, id: "u2", lot: "steel", into: { lot: "oil" } },
      tested("motor"),
      tested("motor", { id: "t2", verdict: "fail", toUs: at(5) }),
    );
    const motor = await records.unit(all, "motor");
    expect(motor.tests.items.map(({ item }) => item.id)).toEqual(["test-motor", "t2"]);
    expect(motor.madeOf.items.map(({ serial, lot, generation }) => [serial ?? lot, generation])).toEqual([
      ["oil", 1],
      ["bolt", 1],
      ["steel", 2],
    ]);
    expect(motor.wentInto.items).toEqual([
      { serial: "car", lot: null, generation: 1, next: { serial: "motor", lot: null } },
    ]);
    const steel = await records.lot(all, "steel");
    expect(steel.consumed.items.map(({ item }) => item.id)).toEqual(["u1", "u2"]);
    expect(steel.wentInto.items.map(({ serial, lot }) => serial ?? lot)).toEqual(["oil", "bolt", "motor", "car"]);
    expect((await records.lot(all, "M")).totals).toEqual([
      { equipmentId: 1, unit: "1", good: 1, scrap: 1, rework: 0, fromUs: at(0), toUs: at(9) },
    ]);
    // A circle, which only a mistake can make, ends.
    await record(made("bolt", { id: "odd", parents: [{ serial: "car" }] }));
    expect((await records.unit(all, "car")).madeOf.items.map(({ serial, lot }) => serial ?? lot)).toEqual([
      ...["door", "motor", "oil", "bolt", "steel"],
    ]);
  });

  test("what is of equipment out of scope looks as if it was not there", async () => {
    await record(
      made("A"),
      made("B", { equipmentId: 3, parents: [{ serial: "A" }] }),
      tested("B", { equipmentId: 2 }),
      made("C", { equipmentId: 3 }),
    );
    expect(await ids(site)).toEqual(["made-A", "test-B"]);
    expect((await records.unit(site, "A")).wentInto.items).toEqual([]);
    expect((await records.unit(site, "B")).produced.items).toEqual([]);
    expect(await codeOf(records.unit(site, "C"))).toBe("not_found");
    expect(await codeOf(records.revisions(site, "made-C"))).toBe("not_found");
    expect(await codes(site, made("X", { equipmentId: 3 }))).toEqual(["equipment_unknown"]);
    // Of what it cannot see it can neither learn more than that the id is taken, nor change it.
    expect(await codes(site, made("C", { equipmentId: 3 }), { kind: "retraction", id: "made-C", revision: 9 })).toEqual(
      [...["record_conflict", "record_conflict"]],
    );
    for (const role of ["viewer", "operator", "source"] as const)
      expect(await codeOf(records.record(who(role, ""), [made("Y")]))).toBe("forbidden");
    expect(await codeOf(records.list(who("recorder", ""), {}))).toBe("forbidden");
    expect(await records.record(who("recorder", ""), [made("Z")])).toMatchObject({ recorded: 1 });
  });

  test("F6: what is acknowledged and not in the view yet is there after a start; the log again changes nothing", async () => {
    following = false;
    await record(made("A"), made("B"));
    await record(made("A", { revision: 1, verdict: "scrap" }));
    records.close();
    following = true;
    records = open();
    records.apply(log.frames);
    records.apply(log.frames);
    expect(records.appliedLsn).toBe(2);
    expect((await records.list(all, {})).items.map(({ item, lsn }) => [item.id, lsn])).toEqual([
      ["made-B", 1],
      ["made-A", 2],
    ]);
  });

  test("a record that could not be made durable is not acknowledged, and can be sent again", async () => {
    log.failWith = new ProblemError("disk_full", "Full.");
    expect(await codeOf(record(made("A")))).toBe("disk_full");
    log.failWith = null;
    expect(await record(made("A"))).toMatchObject({ recorded: 1, repeated: 0 });
  });

  test("a damaged file is set aside and built anew from the log", async () => {
    await record(made("A"));
    expect(await ids(all)).toEqual(["made-A"]);
    records.close();
    writeFileSync(join(dir, "facts.sqlite"), "no database at all, but long enough to be looked at".repeat(100));
    records = open();
    expect(records.appliedLsn).toBe(0);
    records.apply(log.frames);
    expect(await ids(all)).toEqual(["made-A"]);
  });

  test("A29: names of prototypes are names like others; thousands of parts are told in part, and quickly", async () => {
    await record(made("__proto__", { parents: [{ lot: "constructor" }] }));
    expect((await records.unit(all, "__proto__")).madeOf.items).toMatchObject([{ lot: "constructor" }]);
    expect((await records.lot(all, "constructor")).wentInto.items).toMatchObject([{ serial: "__proto__" }]);

    const children = Array.from({ length: 15 }, (_, i) =>
      made(`whole-${i}`, {
        parents: Array.from({ length: 1000 }, (_, j) => ({ serial: `part-${i}-${j}` })),
      }),
    );
    await record(made("root", { parents: children.map(({ serial }) => ({ serial })) }), ...children);
    await ids(all, { limit: 1 });
    const began = performance.now();
    const root = await records.unit(all, "root");
    expect(performance.now() - began).toBeLessThan(1000);
    expect(root.madeOf).toMatchObject({ more: true });
    expect(root.madeOf.items).toHaveLength(1000);
  });
});
