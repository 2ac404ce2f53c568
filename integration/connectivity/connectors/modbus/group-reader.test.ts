import { FakeClock } from "@lineshaft/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "./address.ts";
import { GroupReader } from "./group-reader.ts";
import { TableKnowledge } from "./plan.ts";
import { PollRows } from "./rows.ts";
import { Units } from "./units.ts";

const never = new AbortController().signal;

/** A group of registers over a device without a network: register n holds n mod 65536, and some are refused. */
function rig(starts: readonly number[], refuses: (at: number) => boolean, inFlight = 1) {
  const clock = new FakeClock();
  const asked: { start: number; count: number }[] = [];
  const told: [number, number | null][] = [];
  const knowledge = new TableKnowledge();
  const rows = new PollRows(
    starts.map((_, name) => ({ name, heartbeatMs: 0, count: null })),
    () => null,
  );
  const reader = new GroupReader({
    targets: starts.map((at) => parseAddress(`holding:${at}`, { addressing: "oneBased", unit: 1, wordOrder: "ABCD" })),
    rows,
    clock,
    inFlight,
    session: {
      async read(_unit, _table, start, count) {
        asked.push({ start, count });
        const at = Array.from({ length: count }, (_, i) => start + i);
        if (at.some(refuses)) return { kind: "exception", code: 2 };
        return { kind: "data", bytes: Uint8Array.from(at.flatMap((n) => [n >> 8, n & 255])) };
      },
    },
    units: new Units({ clock, timeouts: 3, onChange: () => {} }),
    knowledge: () => knowledge,
    limits: () => ({ max: 125, gap: 8 }),
    onRefused: (tag, exception) => told.push([tag, exception]),
  });
  const poll = async (): Promise<(number | null)[]> => {
    asked.length = 0;
    await reader.poll(never);
    const { rows: n, tag, value, status } = rows.take(1);
    const found = new Array<number | null>(starts.length).fill(-1);
    for (let row = 0; row < n; row++) found[tag[row]] = status !== null && status[row] !== 0 ? null : value[row];
    expect(n).toBe(starts.length);
    return found;
  };
  return { clock, asked, told, poll, reader };
}

describe("GroupReader", () => {
  it("gives each tag its value or bad quality in the very first poll, however the device refuses", async () => {
    const starts = fc.uniqueArray(fc.nat(400), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        starts,
        fc.array(fc.nat(400), { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (at, bad, n) => {
          const { poll, asked } = rig(at, (address) => bad.includes(address), n);
          const expected = at.map((address) => (bad.includes(address) ? null : address));
          expect(await poll()).toEqual(expected);
          expect(await poll()).toEqual(expected);
          // Nothing that was refused is asked again soon.
          expect(asked.filter(({ start, count }) => bad.some((a) => a >= start && a < start + count))).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("asks for a refused value again after a minute, and joins the reads once it is there", async () => {
    let refused = true;
    const starts = Array.from({ length: 20 }, (_, i) => i);
    const { clock, asked, told, poll, reader } = rig(starts, (at) => at === 7 && refused);
    await poll();
    expect(told).toEqual([[7, 2]]);
    expect(reader.plan().refused).toBe(1);
    refused = false;
    await poll();
    expect(asked.some(({ start, count }) => start <= 7 && start + count > 7)).toBe(false);
    clock.advanceMs(60_000);
    expect(await poll()).toEqual(starts);
    expect(told).toEqual([
      [7, 2],
      [7, null],
    ]);
    await poll();
    expect(asked).toEqual([{ start: 0, count: 20 }]);
    expect(reader.plan()).toEqual({ reads: 1, addresses: 20, refused: 0 });
  });
});
