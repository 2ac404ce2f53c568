import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BriefResult,
  minuteUs,
  type Principal,
  ProblemError,
  type StateCode,
  stateCode,
} from "@lineshaft/contract/api";
import type { Facts, Results } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRegistry } from "../registry/index.ts";
import { nowSource } from "./now.ts";
import { running, standing } from "./testing.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
const day = 24 * 60;
const min = (minute: number): number => minute * minuteUs;
const jammed = stateCode("OutOfService", "Processing", 7_100_000);
/** A Monday, eight o'clock. */
const monday = Date.UTC(2026, 0, 5, 8) / 60_000;

describe("what equipment is doing just now", () => {
  let dir: string;
  let registry: ReturnType<typeof openRegistry>;
  const clock = new FakeClock(min(monday));
  const told = new Map<number, [minute: number, code: StateCode][]>();
  let asked = 0;
  /** As derivation answers: the first state holds at the start of what was asked. */
  const facts: Pick<Facts, "states" | "alarms" | "progress" | "identifiers"> = {
    identifiers: (equipmentId, from) =>
      equipmentId === oven ? [{ property: "orderNumber", t: Math.max(from, min(monday - 5)), value: "B" }] : [],
    alarms: (_, from, to) => {
      const row = (tagId: number, minute: number, severity: number | null) => ({
        ...{ property: "fault", tagId, t: min(minute), active: severity !== null, severity, text: null, cause: 0 },
        code: severity === null ? null : `E${tagId}`,
      });
      const all = [
        row(1, monday - 90, 400),
        row(2, monday - 5, 900),
        row(3, monday - 4, 300),
        row(3, monday - 1, null),
      ];
      const held = [1, 2, 3].flatMap((tag) => {
        const last = all.findLast(({ tagId, t }) => tagId === tag && t <= from);
        return last === undefined ? [] : [{ ...last, t: from }];
      });
      return [...held, ...all.filter(({ t }) => t > from && t < to)];
    },
    progress: (equipmentId) =>
      told.has(equipmentId)
        ? { equipmentId, fromUs: 0, watermarkUs: clock.nowUs(), finalBeforeUs: 0, repairing: false }
        : null,
    states: (equipmentId, from, to) => {
      asked++;
      const all = (told.get(equipmentId) ?? []).map(([minute, code]) => ({ t: min(minute), code }));
      const held = all.findLast(({ t }) => t <= from)?.code ?? 0;
      const rows = [{ t: from, code: held }, ...all.filter(({ t }) => t > from && t < to)];
      return {
        count: rows.length,
        t: Float64Array.from(rows, ({ t }) => t),
        code: Int32Array.from(rows, ({ code }) => code),
      };
    },
  };
  const published: { equipmentId: number; period: string; key: string }[] = [];
  const brief = (value: number) => ({ values: { oeeIndex: value } }) as unknown as BriefResult;
  const results: Pick<Results, "find"> = {
    find: (_p, application, keys) =>
      keys.map((key) => {
        published.push(key);
        return application === "oee" && key.period === "shift" ? brief(0.7) : null;
      }),
  };
  const source = () => nowSource({ facts, registry, results, clock });
  let site: number;
  let line: number;
  let press: number;
  let oven: number;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lineshaft-now-"));
    registry = openRegistry({ path: join(dir, "registry.sqlite"), clock });
    const add = (level: "site" | "workCenter" | "workUnit", name: string, parentId?: number) =>
      registry.createEquipment(admin, { level, name, parentId }).item.id;
    site = add("site", "Plant");
    line = add("workCenter", "Line", site);
    press = add("workUnit", "Press", line);
    oven = add("workUnit", "Oven", line);
    told.clear();
    published.length = 0;
    asked = 0;
    told.set(press, [
      [0, running],
      [monday - 3 * day, standing],
    ]);
    told.set(oven, [[monday - 5, running]]);
  });
  afterEach(() => {
    registry.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const now = (q: Parameters<ReturnType<typeof source>["now"]>[1] = {}, p = admin) => source().now(p, q);
  const of = (id: number, from = source()) => from.now(admin, { equipmentIds: [id] }).items[0];

  it("tells the state of each machine since when it holds, however long ago that was, and looks back no further than it must", () => {
    expect(of(oven)).toMatchObject({
      path: "Plant/Line/Oven",
      state: { itemState: "Executing", sinceUs: min(monday - 5) },
      watermarkUs: min(monday),
      plan: "noCalendar",
    });
    expect(asked).toBe(1);
    expect(of(press).state).toMatchObject({ itemState: "NotExecuting", sinceUs: min(monday - 3 * day), given: false });
    expect(of(line).state).toBeNull();
  });

  it("tells alarms that are active, the most severe first, each since it began", () => {
    expect(of(oven).alarms).toMatchObject({
      active: 2,
      worst: [
        { code: "E2", severity: 900, sinceUs: min(monday - 5) },
        { code: "E1", severity: 400, sinceUs: min(monday - 90) },
      ],
    });
    expect(of(line).alarms).toEqual({ active: 0, worst: [] });
  });

  it("tells the reason that was given to the stop, else the cause that the machine tells", () => {
    told.set(press, [
      [0, running],
      [monday - 90, standing],
      [monday - 80, jammed],
    ]);
    const one = source();
    expect(of(press, one).state).toMatchObject({ reason: 7_100_000, given: false, sinceUs: min(monday - 80) });
    registry.masterData.put(
      admin,
      "annotation",
      "1",
      {
        ...{ equipmentId: press, kind: "reason", anchorUs: min(monday - 85), reason: 7_900_000, text: "" },
        ...{ fromUs: min(monday - 90), toUs: min(monday - 80) },
      },
      null,
    );
    expect(of(press, one).state).toMatchObject({ reason: 7_900_000, given: true });
    // Another stop has had no reason yet.
    told.set(press, [
      [0, running],
      [monday - 2, jammed],
    ]);
    expect(of(press, one).state).toMatchObject({ reason: 7_100_000, given: false });
  });

  it("tells shift, break and zone of the nearest calendar, and follows a change of it", () => {
    const one = source();
    expect(of(press, one)).toMatchObject({ plan: "noCalendar", shift: null, timeZone: "UTC" });
    const calendar = (pause: string) => ({
      ...{ name: "early", timeZone: "Europe/Berlin", holidays: [], exceptions: [] },
      shifts: [{ name: "Early", start: "06:00", end: "14:00", breaks: [{ start: pause, minutes: 30 }] }],
      rotation: { anchor: "2024-01-01", days: [[{ shift: "Early" }]] },
    });
    registry.masterData.put(admin, "calendar", "early", calendar("12:00"), null);
    const assignment = { equipmentId: site, calendar: "early", fromUs: 0, toUs: null };
    registry.masterData.put(admin, "calendarAssignment", "plant", assignment, null);
    expect(of(press, one)).toMatchObject({
      plan: "shift",
      shift: { id: "early/2026-01-05/Early", fromUs: min(monday - 180), toUs: min(monday + 300) },
      timeZone: "Europe/Berlin",
    });
    const { revision } = registry.masterData.get(admin, "calendar", "early");
    registry.masterData.put(admin, "calendar", "early", calendar("09:00"), revision);
    expect(of(press, one).plan).toBe("break");
  });

  it("tells the running order, and that a machine works by orders when it has none", () => {
    const one = source();
    const order = (toUs: number | null) => ({
      ...{ material: "M", unit: "1", quantity: 500 },
      operations: [{ id: "10", name: null, executions: [{ equipmentId: press, fromUs: min(monday - 60), toUs }] }],
    });
    registry.masterData.put(admin, "order", "A", order(null), null);
    expect(of(press, one)).toMatchObject({
      order: { order: "A", operation: "10", material: "M", quantity: 500, fromUs: min(monday - 60) },
      worksByOrder: true,
    });
    expect(of(oven, one)).toMatchObject({ order: null, worksByOrder: false });
    const { revision } = registry.masterData.get(admin, "order", "A");
    registry.masterData.put(admin, "order", "A", order(min(monday - 1)), revision);
    expect(of(press, one)).toMatchObject({ order: null, worksByOrder: true });
    // The oven tells its order itself.
    registry.masterData.put(admin, "order", "B", { ...order(null), operations: [] }, null);
    const told = { dimension: "order" as const, property: "orderNumber", prefix: null, padTo: null, none: null };
    const rule = { equipmentId: site, ...told, lookUp: null, fromUs: 0, toUs: null };
    registry.masterData.put(admin, "identifierRule", "r", rule, null);
    expect(of(oven, one)).toMatchObject({
      order: { order: "B", operation: "", quantity: 500, fromUs: min(monday - 5) },
      worksByOrder: true,
    });
    expect(of(press, one)).toMatchObject({ order: null });
  });

  it("brings the application's results of shift and order, asked for in one go", () => {
    const calendar = {
      ...{ name: "all", timeZone: "Etc/UTC", holidays: [], exceptions: [] },
      shifts: [{ name: "Day", start: "00:00", end: "00:00", breaks: [] }],
      rotation: { anchor: "2024-01-01", days: [[{ shift: "Day" }]] },
    };
    registry.masterData.put(admin, "calendar", "all", calendar, null);
    registry.masterData.put(
      admin,
      "calendarAssignment",
      "p",
      { equipmentId: site, calendar: "all", fromUs: 0, toUs: null },
      null,
    );
    const answer = now({ below: "Plant/Line", application: "oee" });
    expect(answer.items.map(({ path, shiftResult }) => [path, shiftResult?.values.oeeIndex])).toEqual([
      ["Plant/Line", 0.7],
      ["Plant/Line/Oven", 0.7],
      ["Plant/Line/Press", 0.7],
    ]);
    expect(published).toContainEqual({ equipmentId: line, period: "shift", key: "all/2026-01-05/Day" });
    expect(now({}).items.every(({ shiftResult }) => shiftResult === null)).toBe(true);
  });

  it("tells the nearest target, of several the one that began last, for those who see the machine only too", () => {
    const one = source();
    const put = (id: string, equipmentId: number, value: number, fromUs: number, toUs: number | null = null) =>
      registry.masterData.put(admin, "kpiTarget", id, { equipmentId, kpi: "oeeIndex", value, fromUs, toUs }, null);
    expect(of(press, one).targets).toEqual({});
    put("plant", site, 0.8, 0);
    put("later", site, 0.82, min(monday - 60));
    put("ended", line, 0.5, 0, min(monday - 30));
    expect(of(press, one).targets).toEqual({ oeeIndex: 0.82 });
    put("own", press, 0.9, min(monday + 60));
    const operator: Principal = { ...admin, role: "viewer", scopes: ["Plant/Line/Press"] };
    const at = (minute: number) => one.targets(operator, [press, oven], min(minute));
    expect(at(monday)).toEqual([{ equipmentId: press, targets: { oeeIndex: 0.82 } }]);
    expect(at(monday - 40)[0].targets).toEqual({ oeeIndex: 0.5 });
    expect(at(monday - 61)[0].targets).toEqual({ oeeIndex: 0.5 });
    expect(at(monday + 60)[0].targets).toEqual({ oeeIndex: 0.9 });
    expect(() => put("none", press, 0, 0)).toThrow(ProblemError);
  });

  it("shows nobody what is out of scope, leaves out what is retired, and goes page by page", () => {
    const limited: Principal = { ...admin, role: "viewer", scopes: ["Plant/Line/Oven"] };
    expect(now({}, limited).items.map(({ path }) => path)).toEqual(["Plant/Line/Oven"]);
    expect(now({ equipmentIds: [press, oven, 999] }, limited).items.map(({ path }) => path)).toEqual([
      "Plant/Line/Oven",
    ]);
    expect(() => now({ below: "Plant/Nowhere" })).toThrow(ProblemError);
    const { revision } = registry.getEquipment(admin, press);
    registry.changeEquipment(admin, press, { lifecycle: "retired" }, revision);
    const first = now({ below: "Plant", limit: 2 });
    const rest = now({ below: "Plant", limit: 2, cursor: first.cursor ?? undefined });
    expect([...first.items, ...rest.items].map(({ path }) => path)).toEqual(["Plant", "Plant/Line", "Plant/Line/Oven"]);
  });
});
