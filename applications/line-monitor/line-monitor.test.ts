import type { NamedColumns, PointInput } from "@lineshaft/client";
import { type Columns, ColumnsBuilder, minuteUs, type StreamEvent } from "@lineshaft/contract/api";
import { afterEach, describe, expect, it } from "vitest";
import { type MonitorPlatform, monitor, ownConnection } from "./app.ts";
import { findingsOf } from "./findings.ts";

type Row = [tag: number, time: number, value: number | string | boolean];
const t0 = 29_000_000 * minuteUs;

function columnsOf(rows: Row[]): Columns {
  const builder = new ColumnsBuilder();
  for (const [tag, time, value] of rows) builder.add(tag, time, value);
  return builder.build();
}

describe("findings", () => {
  const look = t0 - minuteUs;
  const cases: [string, Row[], object][] = [
    ["nothing", [], { points: 0, activeTags: 0, fellSilent: 0, changes: 0, longestGapSeconds: null }],
    ["a first point has no neighbour", [[1, t0, 5]], { points: 1, activeTags: 1, changes: 0, longestGapSeconds: null }],
    [
      "the point before the window counts as neighbour only",
      [
        [1, t0 - 1_000_000, 5],
        [1, t0, 6],
      ],
      { points: 1, changes: 1, longestGapSeconds: 1, fellSilent: 0 },
    ],
    ["a tag that stops", [[1, look, 5]], { points: 0, activeTags: 0, fellSilent: 1 }],
    [
      "tags do not mix",
      [
        [1, t0, 5],
        [2, t0 + 9_000_000, 6],
        [2, t0 + 12_500_000, 6],
      ],
      { points: 3, activeTags: 2, changes: 0, longestGapSeconds: 3.5 },
    ],
    [
      "types differ, values differ",
      [
        [1, t0, 1],
        [1, t0 + 1, true],
        [1, t0 + 2, "1"],
        [1, t0 + 3, "1"],
      ],
      { points: 4, changes: 2 },
    ],
  ];
  it.each(cases)("%s", (_, rows, expected) => {
    expect(findingsOf([columnsOf(rows)], t0)).toMatchObject(expected);
    // In whatever portions history gives them.
    expect(
      findingsOf(
        rows.map((row) => columnsOf([row])),
        t0,
      ),
    ).toEqual(findingsOf([columnsOf(rows)], t0));
  });
});

/** A platform of one connection in memory: a set of points, a log of events, and what the monitor has published. */
class PlatformInMemory {
  readonly events: StreamEvent[] = [];
  readonly published = new Map<string, unknown>();
  writes = 0;
  sourceCursor: string | null = null;
  #rows: Row[] = [];
  #wake: (() => void)[] = [];

  /** As the platform does it: a repeat is no event. */
  record(rows: Row[]): void {
    const fresh = rows.filter((row) => !this.#rows.some((r) => r.join() === row.join()));
    if (fresh.length === 0) return;
    this.#rows.push(...fresh);
    const lsn = this.events.length + 1;
    this.events.push({
      type: "points.recorded",
      lsn,
      cursor: String(lsn),
      recordedTime: 0,
      connectionId: 1,
      late: false,
      corrected: [],
      columns: columnsOf(fresh),
    });
    for (const wake of this.#wake.splice(0)) wake();
  }

  readonly face = {
    call: async (name: string) => {
      if (name === "getSystem") return { history: { appliedLsn: this.events.length } };
      if (name === "getSourceCursor") return { sourceCursor: this.sourceCursor, generation: null, sequence: null };
      return {};
    },
    tags: async function* (): AsyncGenerator<{ id: number; connectionId: number; connection: string }> {},
    history: async function* (this: unknown) {},
    subscribe: async function* () {},
    writer: () => ({
      write: async (points: PointInput[] | NamedColumns, sourceCursor: string) => {
        this.writes++;
        for (const { tag, time, value } of points as PointInput[])
          this.published.set(`${tag}@${Number(time) - t0}`, value);
        this.sourceCursor = sourceCursor;
      },
    }),
  };

  constructor(connection = "press") {
    const platform = this;
    this.face.tags = async function* () {
      for (const id of [1, 2]) yield { id, connectionId: 1, connection };
    };
    this.face.history = async function* (query?: { tag: number[]; from: number; to: number }) {
      const { tag, from, to } = query as { tag: number[]; from: number; to: number };
      const rows = platform.#rows.filter((r) => tag.includes(r[0]) && r[1] >= from && r[1] < to);
      yield columnsOf(rows.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
    } as never;
    this.face.subscribe = async function* (
      request?: { cursor?: string },
      options?: { signal: AbortSignal; onCursor(cursor: string): void },
    ) {
      const signal = options?.signal as AbortSignal;
      for (let at = Number(request?.cursor ?? 0); !signal.aborted; ) {
        if (at < platform.events.length) {
          yield platform.events[at++];
          options?.onCursor(String(at));
        } else
          await new Promise<void>((resolve) => {
            platform.#wake.push(resolve);
            signal.addEventListener("abort", () => resolve());
          });
      }
    } as never;
  }
}

const running: AbortController[] = [];
afterEach(() => {
  for (const stop of running.splice(0)) stop.abort();
});

function run(platform: PlatformInMemory): { stop(): Promise<void> } {
  const stop = new AbortController();
  running.push(stop);
  const done = monitor(platform.face as unknown as MonitorPlatform, {
    signal: stop.signal,
    log: () => {},
    nowUs: () => t0 + 60 * minuteUs,
    everyMs: 5,
  });
  return {
    stop: async () => {
      stop.abort();
      await done;
    },
  };
}

const settled = async (platform: PlatformInMemory): Promise<void> => {
  for (let writes = -1; writes !== platform.writes || writes === 0; ) {
    writes = platform.writes;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
};

const history: Row[] = Array.from({ length: 200 }, (_, i) => [1 + (i % 2), t0 + i * 1_000_000, Math.floor(i / 7)]);

describe("the monitor", () => {
  it("starts on an empty platform and waits", async () => {
    const platform = new PlatformInMemory();
    const { stop } = run(platform);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(platform.writes).toBe(0);
    await stop();
  });

  it("gives the same result for the same history, in whatever order it comes, and repeats change nothing", async () => {
    const inOrder = new PlatformInMemory();
    run(inOrder);
    inOrder.record(history);
    await settled(inOrder);
    expect(inOrder.published.get(`press/points@0`)).toBe(60);
    expect(inOrder.published.size).toBe(5 * 4);

    const shuffled = new PlatformInMemory();
    run(shuffled);
    const order = history.map((row, i) => ({ row, at: (i * 7919) % 211 })).sort((a, b) => a.at - b.at);
    for (let at = 0; at < order.length; at += 13) {
      shuffled.record(order.slice(at, at + 13).map(({ row }) => row));
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    shuffled.record(history);
    await settled(shuffled);
    expect(new Map([...shuffled.published].sort())).toEqual(new Map([...inOrder.published].sort()));
  });

  it("goes on after a restart where it stood, and corrects a minute for a late point", async () => {
    const platform = new PlatformInMemory();
    const first = run(platform);
    platform.record(history.slice(0, 100));
    await settled(platform);
    await first.stop();
    expect(JSON.parse(platform.sourceCursor as string)).toMatchObject({ cursor: expect.any(String) });
    platform.record(history.slice(100));
    platform.record([[1, t0 + 500_000, 99]]);
    run(platform);
    await settled(platform);

    const whole = new PlatformInMemory();
    run(whole);
    whole.record([...history, [1, t0 + 500_000, 99]]);
    await settled(whole);
    expect(new Map([...platform.published].sort())).toEqual(new Map([...whole.published].sort()));
    expect(platform.published.get("press/points@0")).toBe(61);
  });

  it("does not monitor its own findings", async () => {
    const platform = new PlatformInMemory(ownConnection);
    run(platform);
    platform.record(history);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(platform.writes).toBe(0);
  });
});
