import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Principal, ProblemError } from "@lineshaft/contract/api";
import {
  encodeJson,
  type Frame,
  type GapRecord,
  type Ledger,
  type RejectedRecord,
  recordType,
} from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LedgerOptions, openLedger } from "./index.ts";

let dir: string;
let clock: FakeClock;
let ledger: Ledger;
const scopes: Record<string, string> = { press: "S/press", oven: "T" };
const open = (options: Partial<LedgerOptions> = {}): Ledger =>
  openLedger({
    path: join(dir, "ledger.sqlite"),
    clock,
    connectionScope: (tenant, name) => (tenant === 1 ? (scopes[name] ?? null) : null),
    ...options,
  });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lineshaft-ledger-"));
  clock = new FakeClock();
  ledger = open();
});
afterEach(() => {
  ledger.close();
  rmSync(dir, { recursive: true, force: true });
});

const reader = (parts: Partial<Principal> = {}): Principal => ({
  id: "r",
  kind: "key",
  name: "r",
  tenant: 1,
  role: "viewer",
  scopes: [""],
  ...parts,
});

function frame(lsn: number, type: Frame["type"], record: object, tenant = 1): Frame {
  return { lsn, generation: 1, recordedTime: 1000 * lsn, tenant, partition: 0, type, payload: encodeJson(record) };
}

function rejected(lsn: number, parts: Partial<RejectedRecord> = {}, tenant = 1): Frame {
  const record: RejectedRecord = {
    connectionId: 1,
    connection: "press",
    code: "value_invalid",
    detail: "Row 3 has no value.",
    points: 2,
    sample: [{ tag: "a", time: 5, value: { double: "NaN" } }],
    payload: "AAAA",
    payloadBytes: 3,
    ...parts,
  };
  return frame(lsn, recordType.rejected, record, tenant);
}

function gap(lsn: number, connection: string | null): Frame {
  const record: GapRecord = { connectionId: 1, connection, fromUs: 1, toUs: 2, points: 7, reason: "queueFull" };
  return frame(lsn, recordType.gap, record);
}

const points = (lsn: number): Frame => frame(lsn, recordType.points, {});

function code(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
}

test("keeps what was rejected, with what to do about it; the payload comes with the single item", () => {
  ledger.apply([points(1), rejected(2), gap(3, "press")]);
  expect(ledger.appliedLsn).toBe(3);
  const { items, groups } = ledger.listRejected(reader(), {});
  const item = {
    id: 2,
    time: 2000,
    connection: "press",
    code: "value_invalid",
    detail: "Row 3 has no value.",
    action: "Send a number, boolean, text, null or one of the documented objects.",
    points: 2,
    sample: [{ tag: "a", time: 5, value: { double: "NaN" } }],
    payload: null,
    payloadBytes: 3,
  };
  expect(items).toEqual([item]);
  expect(ledger.getRejected(reader(), 2)).toEqual({ ...item, payload: "AAAA" });
  expect(groups).toEqual([{ code: "value_invalid", connection: "press", items: 1, points: 2, lastUs: 2000 }]);
  expect(ledger.listGaps(reader(), {}).items).toEqual([
    { id: 3, connection: "press", fromUs: 1, toUs: 2, points: 7, reason: "queueFull", recordedUs: 3000 },
  ]);
});

test("frames that come again change nothing, also after a restart", () => {
  const frames = [rejected(1), rejected(2), gap(3, null)];
  ledger.apply(frames);
  ledger.apply(frames);
  ledger.close();
  ledger = open();
  ledger.apply(frames);
  ledger.apply([...frames, rejected(4)]);
  const { items, groups } = ledger.listRejected(reader(), {});
  expect(items.map((item) => item.id)).toEqual([4, 2, 1]);
  expect(groups).toMatchObject([{ items: 3, points: 6 }]);
});

test("frames without anything to keep cost at most one write a second", () => {
  ledger.apply([points(1)]);
  ledger.apply([points(2)]);
  expect(ledger.appliedLsn).toBe(1);
  clock.advanceMs(1000);
  ledger.apply([points(3)]);
  expect(ledger.appliedLsn).toBe(3);
});

test("at its bounds the oldest go, their counts stay", () => {
  ledger.close();
  ledger = open({ maxItems: 5 });
  for (let lsn = 1; lsn <= 20; lsn += 2) ledger.apply([rejected(lsn), gap(lsn + 1, "press")]);
  const { items, groups } = ledger.listRejected(reader(), {});
  expect(items.map((item) => item.id)).toEqual([19, 17, 15, 13, 11]);
  expect(groups).toMatchObject([{ items: 10, points: 20 }]);
  expect(ledger.listGaps(reader(), {}).items.map((item) => item.id)).toEqual([20, 18, 16, 14, 12]);
  expect(code(() => ledger.getRejected(reader(), 1))).toBe("not_found");
  ledger.close();
  ledger = open({ maxBytes: 250_000 });
  ledger.apply([rejected(21, { payload: "A".repeat(87_380) }), rejected(22, { payload: "A".repeat(87_380) })]);
  ledger.close();
  ledger = open({ maxBytes: 250_000 });
  ledger.apply([rejected(23, { payload: "A".repeat(87_380) })]);
  expect(ledger.listRejected(reader(), {}).items.map((item) => item.id)).toEqual([23, 22]);
  for (let lsn = 24; lsn <= 40; lsn++) ledger.apply([rejected(lsn, { payload: "A".repeat(87_380) })]);
  expect(ledger.listRejected(reader(), {}).items.map((item) => item.id)).toEqual([40, 39]);
});

test("a sample is cut to what fits", () => {
  const value = "x".repeat(20_000);
  ledger.apply([rejected(1, { sample: Array.from({ length: 20 }, () => ({ tag: "t", time: 1, value })) })]);
  expect(ledger.listRejected(reader(), {}).items[0].sample).toHaveLength(3);
});

test("pages by cause: newest first, complete, groups on the first page only", () => {
  for (let lsn = 1; lsn <= 30; lsn++)
    ledger.apply([rejected(lsn, lsn % 3 === 0 ? { code: "time_invalid", connection: "oven" } : {})]);
  const first = ledger.listRejected(reader(), { limit: 12, code: "value_invalid" });
  const second = ledger.listRejected(reader(), { limit: 12, code: "value_invalid", cursor: first.cursor as string });
  const ids = [...first.items, ...second.items].map((item) => item.id);
  expect(ids).toEqual(Array.from({ length: 30 }, (_, i) => 30 - i).filter((id) => id % 3 !== 0));
  expect([first.groups.length, second.groups.length, second.cursor]).toEqual([1, 0, null]);
  expect(ledger.listRejected(reader(), { connection: "oven" }).items).toHaveLength(10);
  expect(ledger.listRejected(reader(), {}).groups).toMatchObject([{ code: "time_invalid" }, { code: "value_invalid" }]);
  expect(code(() => ledger.listRejected(reader(), { cursor: first.cursor as string }))).toBe("cursor_invalid");
});

test("A67, A68: items, gaps and counts are seen within the scope of their connection only", () => {
  ledger.apply([
    rejected(1, { connection: "press" }),
    rejected(2, { connection: "oven", code: "time_invalid" }),
    rejected(3, { connection: null, code: "json_invalid" }),
    rejected(4, { connection: "never", code: "quota_tags" }),
    gap(5, "oven"),
    gap(6, "press"),
    gap(7, null),
    rejected(8, {}, 2),
  ]);
  const site = reader({ scopes: ["S"] });
  expect(ledger.listRejected(site, {})).toMatchObject({ items: [{ id: 1 }], groups: [{ connection: "press" }] });
  expect(ledger.listGaps(site, {}).items.map((item) => item.id)).toEqual([6]);
  for (const id of [2, 3, 4, 8, 99]) expect(code(() => ledger.getRejected(site, id))).toBe("not_found");
  for (const connection of ["oven", "never", "nothing"])
    expect(code(() => ledger.listRejected(site, { connection }))).toBe("not_found");
  expect(ledger.listRejected(reader(), {}).items.map((item) => item.id)).toEqual([4, 3, 2, 1]);
  expect(ledger.listRejected(reader({ tenant: 2 }), {}).items.map((item) => item.id)).toEqual([8]);
  expect(code(() => ledger.listRejected(reader({ role: "source" }), {}))).toBe("forbidden");
});

test("a damaged file is set aside, said, and begun anew", () => {
  ledger.apply([rejected(1)]);
  ledger.close();
  writeFileSync(join(dir, "ledger.sqlite"), "this is no database".repeat(1000));
  const events: string[] = [];
  ledger = open({ onEvent: (event) => events.push(event.code) });
  expect(events).toEqual(["storage_unavailable"]);
  expect(ledger.appliedLsn).toBe(0);
  ledger.apply([rejected(1)]);
  expect(ledger.listRejected(reader(), {}).items).toHaveLength(1);
  expect(readdirSync(dir)).toContain("ledger.sqlite.damaged");
});
