import { ColumnsBuilder } from "@lineshaft/contract/api";
import type { HistoryStatus } from "@lineshaft/contract/ports";
import { expect, test } from "vitest";
import { Derivation } from "./engine.ts";
import { GapLedger } from "./gaps.ts";
import { compileMapping, Rules } from "./mapping.ts";
import { settle } from "./settle.ts";
import { Slices } from "./slices.ts";
import { hourOf } from "./track.ts";

const hourUs = 3_600_000_000;
const start = 480_000 * hourUs;

test("a slice lasts some milliseconds, and then the others have their turn", async () => {
  let now = 1000;
  let turns = 0;
  const slices = new Slices(
    () => now,
    async () => void turns++,
  );
  await slices.pause();
  for (let i = 0; i < 100; i++) {
    now++;
    await slices.pause();
  }
  expect(turns).toBeGreaterThan(10);
  expect(turns).toBeLessThan(30);
});

test("a repair of days is interrupted between its hours", async () => {
  const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  const rules = new Rules([{ ...ever, rule: compileMapping({ preset: "running" }) }]);
  const derivation = new Derivation();
  const channels = [{ tag: 1, connection: 1, counts: null }];
  derivation.add({ id: 1, equipment: 1, role: "itemState", channels, rules }, "derive");
  const columns = new ColumnsBuilder();
  for (let hour = 0; hour < 48; hour++) columns.add(1, start + hour * hourUs, hour % 2);
  const status = { appliedLsn: 1, frozenBeforeUs: null } as HistoryStatus;
  const history = { status, raw: async () => ({ columns: columns.build(), warnings: [], more: false }) };
  // Each look at the clock is a millisecond of work.
  let now = 0;
  let turns = 0;
  const slices = new Slices(
    () => now++,
    async () => void turns++,
  );
  let repaired = 0;
  const sources = { history, gaps: new GapLedger(), oldest: hourOf(start) };
  const signal = new AbortController().signal;
  await settle(
    derivation,
    sources,
    slices,
    signal,
    () => true,
    () => void repaired++,
  );
  expect([derivation.dirty, repaired]).toEqual([0, 1]);
  expect(turns).toBeGreaterThan(5);
});
