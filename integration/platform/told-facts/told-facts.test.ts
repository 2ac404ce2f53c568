import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dayUs, type MachineFacts, minuteUs, type ProblemError, stateCode } from "@lineshaft/contract/api";
import { encodeFacts, type FactsRows, recordType } from "@lineshaft/contract/ports";
import { FakeClock, MemoryLog } from "@lineshaft/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decodeBlock, encodeBlock } from "./block.ts";
import { openToldFacts, type ToldFactsService } from "./index.ts";

let clock = new FakeClock();
const start = clock.nowUs() - dayUs;
const at = (minute: number): number => start + minute * minuteUs;
const running = stateCode("Executing", "Processing");
const standing = stateCode("NotExecuting", "Processing");
const press = 7;

let dir: string;
let log: MemoryLog;
let told: ToldFactsService;

const open = (): ToldFactsService =>
  openToldFacts({
    ...{ path: join(dir, "told.sqlite"), log, clock, keptUs: 32 * dayUs, flushEveryMs: 0 },
    applied: async () => told.apply(log.frames),
  });
/** In minutes: what is so from a range's begin on, and counts. */
async function tell(
  ...ranges: {
    from: number;
    to: number;
    states?: [number, number][];
    counts?: [number, number][];
    names?: [number, string][];
  }[]
) {
  const rows: FactsRows = { ranges: [], states: [], counts: [], alarms: [], identifiers: [] };
  const base = { equipment: press, cause: "late", lsn: 1 } as const;
  for (const { from, to, states, counts, names } of ranges) {
    const span = { ...base, from: at(from), to: at(to) };
    if (states !== undefined) rows.ranges.push({ ...span, what: "states" });
    for (const [minute, code] of states ?? []) rows.states.push({ equipment: press, time: at(minute), code });
    if (counts !== undefined) rows.ranges.push({ ...span, what: "counts" });
    if (names !== undefined) rows.ranges.push({ ...span, what: "identifiers" });
    for (const [minute, value] of names ?? [])
      rows.identifiers.push({ equipment: press, property: "recipe", t: at(minute), value });
    for (const [minute, value] of counts ?? [])
      rows.counts.push({ equipment: press, source: at(minute), time: at(minute), value, kind: 0, flags: 0 });
  }
  const { lsn, durable } = log.append({
    ...{ tenant: 1, partition: 0, type: recordType.factsChanged },
    payload: encodeFacts(rows),
  });
  await durable;
  return lsn;
}
const minutes = ({ states, increments }: MachineFacts) => ({
  states: Array.from(states.t, (t, i) => [(t - start) / minuteUs, states.code[i]]),
  counts: Array.from(increments.t, (t, i) => [(t - start) / minuteUs, increments.n[i]]),
});
const as = async (asOf: number | string, from = 0, to = 60) =>
  minutes((await told.machine(press, at(from), at(to), String(asOf))).facts);
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (error as ProblemError).code,
  );

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lineshaft-told-"));
  clock = new FakeClock();
  log = new MemoryLog(clock);
  told = open();
});
afterEach(() => {
  told.close();
  rmSync(dir, { recursive: true, force: true });
});

describe("facts as they were published", () => {
  test("later tellings take the place of earlier ones, from the record on in which they were told", async () => {
    const first = await tell({
      from: 0,
      to: 20,
      states: [[0, running]],
      counts: [
        [5, 10],
        [15, 10],
      ],
    });
    clock.advanceMs(1000);
    const between = new Date(clock.nowUs() / 1000).toISOString();
    clock.advanceMs(1000);
    const second = await tell({
      from: 4,
      to: 10,
      states: [
        [4, running],
        [6, standing],
        [10, running],
      ],
      counts: [
        [5, 9],
        [8, 1],
      ],
    });
    const third = await tell({
      from: 21,
      to: 30,
      states: [
        [21, running],
        [25, standing],
      ],
      counts: [],
    });
    expect(await as(first)).toEqual({
      states: [[0, running]],
      counts: [
        [5, 10],
        [15, 10],
      ],
    });
    expect(await as(between)).toEqual(await as(first));
    expect((await as(second)).states).toEqual([
      [0, running],
      [6, standing],
      [10, running],
    ]);
    expect((await as(second)).counts).toEqual([
      [5, 9],
      [8, 1],
      [15, 10],
    ]);
    expect((await as(third)).states.at(-1)).toEqual([25, standing]);
    // What holds at the begin of an answer was told long before.
    expect((await as(third, 7, 8)).states).toEqual([[7, standing]]);
    expect((await as(third, 700, 701)).states).toEqual([[700, standing]]);
    expect((await told.machine(press, at(0), at(60), String(second))).finalBeforeUs).toBe(at(20) + 1);
    expect((await told.machine(8, at(0), at(60), String(second))).finalBeforeUs).toBeNull();
  });

  test("identifiers and alarms are told like states: what held, then each change", async () => {
    const first = await tell({
      from: 0,
      to: 20,
      names: [
        [0, "A"],
        [10, "B"],
      ],
    });
    const second = await tell({
      from: 5,
      to: 12,
      names: [
        [5, "A"],
        [8, "C"],
        [11, "B"],
      ],
    });
    const names = async (asOf: number, from: number) =>
      (await told.machine(press, at(from), at(60), String(asOf))).identifiers.map(({ t, value }) => [
        (t - start) / minuteUs,
        value,
      ]);
    expect(await names(first, 0)).toEqual([
      [0, "A"],
      [10, "B"],
    ]);
    expect(await names(second, 0)).toEqual([
      [0, "A"],
      [8, "C"],
      [11, "B"],
    ]);
    expect(await names(second, 9)).toEqual([
      [9, "C"],
      [11, "B"],
    ]);
  });

  test("they are the same after a start, also when the process ended before it had written them", async () => {
    const lsn = await tell({ from: 0, to: 20, states: [[0, running]], counts: [[5, 10]] });
    const expected = await as(lsn);
    const later = await tell({ from: 3, to: 4, states: [[3, standing]], counts: [] });
    told.close();
    told = open();
    expect(told.appliedLsn).toBe(lsn);
    expect(await as(lsn)).toEqual(expected);
    expect((await as(later)).states).toEqual([
      [0, running],
      [3, standing],
    ]);
  });

  test("what is kept no more, and what is still to come, has its code", async () => {
    const lsn = await tell({ from: 0, to: 20, states: [[0, running]] });
    expect(await codeOf(told.machine(press, start - 40 * dayUs, at(1), String(lsn)))).toBe("as_of_expired");
    expect(await codeOf(told.machine(press, at(0), at(1), "0"))).toBe("as_of_expired");
    expect(await codeOf(told.machine(press, at(0), at(1), "2020-01-01T00:00:00Z"))).toBe("as_of_expired");
    for (const asOf of [String(lsn + 1), "soon", "2200-01-01T00:00:00Z"])
      expect(await codeOf(told.machine(press, at(0), at(1), asOf))).toBe("as_of_invalid");
    await as(lsn);
    clock.advanceMs(33 * 24 * 3_600_000);
    await tell({ from: 33 * 24 * 60, to: 33 * 24 * 60 + 1, states: [[33 * 24 * 60, running]] });
    told.apply(log.frames);
    expect(await codeOf(told.machine(press, at(0), at(1), String(lsn)))).toBe("as_of_expired");
  });

  test("any tellings in any order of time fold to what a list of minutes says", async () => {
    const minute = fc.nat(120);
    const range = fc.record({ from: minute, for: fc.nat(30), on: fc.uniqueArray(minute, { maxLength: 8 }) });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 20 }), async (ranges) => {
        told.close();
        rmSync(dir, { recursive: true, force: true });
        dir = mkdtempSync(join(tmpdir(), `lineshaft-told-${round++}-`));
        log = new MemoryLog(clock);
        told = open();
        const model = new Map<number, number>();
        const known: [number, Map<number, number>][] = [];
        for (const [i, { from, for: length, on }] of ranges.entries()) {
          const to = from + length;
          const counts = on.filter((m) => m >= from && m <= to).sort((a, b) => a - b);
          const lsn = await tell({ from, to, counts: counts.map((m) => [m, i + 1]) });
          for (let m = from; m <= to; m++) model.delete(m);
          for (const m of counts) model.set(m, i + 1);
          known.push([lsn, new Map(model)]);
        }
        for (const [lsn, expected] of known) {
          const { counts } = await as(lsn, 0, 200);
          expect(counts).toEqual([...expected].sort(([a], [b]) => a - b));
        }
      }),
      { numRuns: 8 },
    );
  });

  test("blocks hold rows of any kind exactly; hours of a machine take few bytes", async () => {
    const odd = [
      {
        lsn: 3,
        from: 5,
        to: 9,
        rows: [
          { time: 5, text: "ä", deep: { a: [1] } },
          { time: 6, x: 0.1 },
        ],
      },
      { lsn: 9, from: 2 ** 52, to: 2 ** 52 + 1, rows: [] },
    ];
    expect(decodeBlock(encodeBlock(odd as never))).toEqual([
      {
        ...odd[0],
        rows: [
          { time: 5, text: "ä", deep: { a: [1] }, x: null },
          { time: 6, text: null, deep: null, x: 0.1 },
        ],
      },
      odd[1],
    ]);
    // A part every 10 s and a state every 5 minutes, each told when it is final. Of a day it was some 100,000 bytes.
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    let last = 0;
    for (let second = 10; second < 14_400; second += 10) {
      const minute = (second + Math.round(random() * 1e6) / 1e6) / 60;
      const states: [number, number][] =
        second % 300 === 0
          ? [
              [last, running],
              [minute, random() < 0.5 ? standing : running],
            ]
          : [];
      await tell({ from: last, to: minute, counts: [[minute, 1]], ...(states.length > 0 ? { states } : {}) });
      last = minute + 1 / 60e6;
    }
    told.apply(log.frames);
    told.flush();
    expect((await as(log.frames.length, 0, 1440)).counts).toHaveLength(1439);
    told.close();
    expect(statSync(join(dir, "told.sqlite")).size).toBeLessThan(70_000);
    told = open();
    expect((await as(log.frames.length, 0, 1440)).counts).toHaveLength(1439);
  });
});
