import { type Columns, ColumnsBuilder, eventTypes, ProblemError, valueAt } from "@lineshaft/contract/api";
import {
  decodePoints,
  type EventReader,
  encodeJson,
  encodeVerdict,
  type Frame,
  type History,
  type Lsn,
  recordType,
  type VerdictRecord,
} from "@lineshaft/contract/ports";
import { FakeClock, MemoryLog } from "@lineshaft/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HistoryFeeder } from "../feeder/index.ts";
import { Ingest, SumLedger, TagDirectory } from "../ingest/index.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { createEventSource } from "./index.ts";

const t0 = 1_795_000_000_000_000;
const everything = { types: new Set(eventTypes), accept: null, tags: null };

/** History as a plain list: enough to test what stands above it. Values are unique by (tag, time), so equal identity is a repeat. */
class ListHistory implements Pick<History, "status" | "apply" | "scan"> {
  rows: { tag: number; time: number; value: number; lsn: Lsn; late: boolean }[] = [];
  appliedLsn = 0;
  // biome-ignore lint/suspicious/noExplicitAny: nothing else is read here
  get status(): any {
    return { appliedLsn: this.appliedLsn, verifiedLsn: 0, needs: [] };
  }

  apply(frames: Frame[]): Promise<VerdictRecord[]> {
    const verdicts: VerdictRecord[] = [];
    for (const frame of frames) {
      this.appliedLsn = frame.lsn;
      if (frame.type !== recordType.points) continue;
      const { columns, suspect, connectionId } = decodePoints(frame.payload);
      const fresh = new ColumnsBuilder();
      let repeats = 0;
      for (let i = 0; i < columns.rows; i++) {
        const row = { tag: columns.tag[i], time: columns.time[i], value: valueAt(columns, i) as number };
        if (suspect.includes(i)) {
          if (this.rows.some((r) => r.tag === row.tag && r.time === row.time)) {
            repeats++;
            continue;
          }
          fresh.add(row.tag, row.time, row.value);
        }
        this.rows.push({ ...row, lsn: frame.lsn, late: frame.recordedTime - row.time > 60_000_000 });
      }
      if (suspect.length > 0) {
        verdicts.push({
          batchLsn: frame.lsn,
          connectionId,
          new: fresh.rows,
          repeats,
          corrections: 0,
          corrected: [],
          columns: fresh.build(),
        });
      }
    }
    return Promise.resolve(verdicts);
  }

  async *scan(q: Parameters<History["scan"]>[0]): AsyncGenerator<Columns> {
    const rows = this.rows
      .filter((r) => r.time >= q.fromUs && r.time < q.toUs && !(r.late && r.lsn > q.asOf))
      .sort((a, b) => a.time - b.time || a.tag - b.tag);
    let builder = new ColumnsBuilder();
    for (const [i, r] of rows.entries()) {
      builder.add(r.tag, r.time, r.value);
      if (rows[i + 1]?.time !== r.time && builder.rows >= 3) {
        yield builder.build();
        builder = new ColumnsBuilder();
      }
    }
    if (builder.rows > 0) yield builder.build();
  }
}

type Step =
  | { kind: "send"; rows: [tag: number, agoMs: number][] }
  | { kind: "wait"; seconds: number }
  | { kind: "feed" }
  | { kind: "open"; agoMs: number }
  | { kind: "read"; items: number }
  | { kind: "resume" };

const ago = fc.oneof(
  fc.integer({ min: 0, max: 3000 }),
  fc.integer({ min: 55_000, max: 65_000 }),
  fc.integer({ min: -200_000, max: 200_000 }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("send" as const),
      // Two rows of one identity in one message are two points, and would come twice with good reason.
      rows: fc.uniqueArray(fc.tuple(fc.nat(1), ago), { minLength: 1, maxLength: 4, selector: String }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ min: 0, max: 90 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("feed" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("open" as const), agoMs: fc.oneof(ago, fc.constant(1_000_000)) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("read" as const), items: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("resume" as const) }) },
);

/** A value that follows from its identity, so that a repeat is a repeat. */
const plausibleValue = (tag: number, time: number): number => tag * 1000 + ((time / 1000) % 997);

async function play(steps: Step[]): Promise<void> {
  const clock = new FakeClock(t0);
  const log = new MemoryLog(clock);
  const list = new ListHistory();
  const history = list as unknown as History;
  const ingest = new Ingest({ log, clock, directory: new TagDirectory(), sums: new SumLedger() });
  let appliedTime: number | null = null;
  const source = createEventSource({ log, history, appliedTime: () => appliedTime, leadUs: 300_000_000 });
  const feed = async (): Promise<void> => {
    const frames = log.frames.filter((f) => f.lsn > list.appliedLsn);
    if (frames.length === 0) return;
    for (const v of await list.apply(frames)) {
      await log.append({ tenant: 1, partition: 0, type: recordType.verdict, payload: encodeVerdict(v) }).durable;
    }
    appliedTime = frames[frames.length - 1].recordedTime;
  };

  let reader: EventReader | null = null;
  let cursor = "";
  let from = 0;
  let seen = new Map<string, number>();
  const read = async (items: number): Promise<boolean> => {
    const signal = AbortSignal.timeout(5);
    try {
      for (let i = 0; i < items; ) {
        for (const item of await reader!.next(1, signal)) {
          i++;
          cursor = item.cursor;
          for (let r = 0; r < (item.columns?.rows ?? 0); r++) {
            const key = `${item.columns!.tag[r]}@${item.columns!.time[r]}`;
            seen.set(key, (seen.get(key) ?? 0) + 1);
          }
        }
      }
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  };

  for (const s of steps) {
    if (s.kind === "send") {
      const builder = new ColumnsBuilder();
      for (const [tag, agoMs] of s.rows) {
        const time = clock.nowUs() - agoMs * 1000;
        builder.add(tag, time, plausibleValue(tag, time));
      }
      await ingest.offer(1, {
        connection: "c",
        generation: 0,
        sequence: null,
        mode: "append",
        sourceCursor: null,
        names: ["a", "b"],
        columns: builder.build(),
        ordinalsGiven: true,
        faults: [],
        faultSamples: [],
      });
    } else if (s.kind === "wait") clock.advanceMs(s.seconds * 1000);
    else if (s.kind === "feed") await feed();
    else if (s.kind === "open") {
      reader?.close();
      from = clock.nowUs() - s.agoMs * 1000;
      seen = new Map();
      reader = await source.open(1, { fromUs: from }, everything);
      cursor = reader.cursor;
    } else if (s.kind === "read" && reader !== null) await read(s.items);
    else if (s.kind === "resume" && reader !== null) {
      reader.close();
      reader = await source.open(1, { cursor }, everything);
    }
  }
  await feed();
  if (reader === null) return;
  while (await read(1));
  for (const [key, times] of seen) expect(times, `${key} came more than once`).toBe(1);
  for (const { tag, time } of list.rows) {
    if (time >= from) expect(seen.has(`${tag}@${time}`), `${tag}@${time - t0} is missing`).toBe(true);
  }
}

describe("replay", () => {
  it("gives each stored point once, from any past instant to live, under late rows, repeats and resumes", {
    timeout: 60_000,
  }, async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), play), { numRuns: 300 });
  });

  it("refuses cursors that were cut, changed or belong to another generation", async () => {
    const clock = new FakeClock(t0);
    const log = new MemoryLog(clock);
    const source = createEventSource({
      log,
      history: new ListHistory() as unknown as History,
      appliedTime: () => null,
      leadUs: 0,
    });
    const open = (cursor: string) => source.open(1, { cursor }, everything);
    const good = (await source.open(1, "now", everything)).cursor;
    await expect(open(good.slice(0, -3))).rejects.toMatchObject({ code: "cursor_invalid" });
    await expect(open("bm90IGEgY3Vyc29y")).rejects.toMatchObject({ code: "cursor_invalid" });
    await expect(open(encodeCursor({ phase: "log", generation: 2, next: 1, skip: null }))).rejects.toMatchObject({
      code: "cursor_foreign",
    });
    await expect(open(encodeCursor({ phase: "log", generation: 1, next: 99, skip: null }))).rejects.toBeInstanceOf(
      ProblemError,
    );
    await expect(open(good)).resolves.toBeDefined();
  });

  it("cursors come back as they were", () => {
    const skip = { lsn: 5, before: -Infinity, historyEnd: 1.5e15 };
    for (const position of [
      { phase: "log", generation: 3, next: 7, skip: null },
      { phase: "log", generation: 3, next: 7, skip },
      { phase: "history", generation: 3, next: 7, skip, from: -5 },
    ] as const) {
      expect(decodeCursor(encodeCursor(position))).toEqual(position);
    }
  });

  it("filters by tag, and tells other records as they are", async () => {
    const clock = new FakeClock(t0);
    const log = new MemoryLog(clock);
    const ingest = new Ingest({ log, clock, directory: new TagDirectory(), sums: new SumLedger() });
    const source = createEventSource({
      log,
      history: new ListHistory() as unknown as History,
      appliedTime: () => null,
      leadUs: 0,
    });
    const reader = await source.open(1, "now", {
      types: new Set(["points.recorded", "gap.recorded"]),
      accept: (tag) => tag === 2,
      tags: [2],
    });
    const columns = new ColumnsBuilder();
    columns.add(0, t0, 1);
    columns.add(1, t0, 2);
    await ingest.offer(1, {
      connection: "c",
      generation: 0,
      sequence: null,
      mode: "append",
      sourceCursor: null,
      names: ["a", "b"],
      columns: columns.build(),
      ordinalsGiven: false,
      faults: [],
      faultSamples: [],
    });
    await log.append({ tenant: 1, partition: 0, type: recordType.gap, payload: encodeJson({ reason: "test" }) })
      .durable;
    const items = await reader.next(1e6, AbortSignal.timeout(100));
    expect(items.map((i) => i.type)).toEqual(["points.recorded", "gap.recorded"]);
    expect([...items[0].columns!.tag]).toEqual([2]);
    expect(items[1].data).toEqual({ reason: "test" });
  });

  it("the feeder logs each verdict once, also after a restart with history behind", async () => {
    const clock = new FakeClock(t0);
    const log = new MemoryLog(clock);
    const ingest = new Ingest({ log, clock, directory: new TagDirectory(), sums: new SumLedger() });
    const send = (time: number) => {
      const columns = new ColumnsBuilder();
      columns.add(0, time, 1);
      return ingest.offer(1, {
        connection: "c",
        generation: 0,
        sequence: null,
        mode: "append",
        sourceCursor: null,
        names: ["a"],
        columns: columns.build(),
        ordinalsGiven: false,
        faults: [],
        faultSamples: [],
      });
    };
    await send(t0);
    await send(t0 - 5);
    const verdicts = () => log.frames.filter((f) => f.type === recordType.verdict).length;
    for (const _ of [1, 2]) {
      // A fresh history each time: as if nothing had been persisted before the kill.
      const feeder = new HistoryFeeder({ log, history: new ListHistory() as unknown as History, clock });
      feeder.run((error) => {
        throw error;
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await feeder.stop();
      expect(verdicts()).toBe(1);
    }
  });
});
