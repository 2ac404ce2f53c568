/** Shared by the tests of this folder only: a history with a log beside it, and ways to damage its files. */
import { open, readdir, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Columns, Micros } from "@lineshaft/contract/api";
import {
  type BucketColumns,
  decodeVerdict,
  type Frame,
  type HistoryStatus,
  type Lsn,
  type PointsAnswer,
  recordType,
  type VerdictRecord,
} from "@lineshaft/contract/ports";
import {
  describeColumns,
  describePoint,
  FakeClock,
  FrameMaker,
  historyTestEpochUs,
  ReferenceHistory,
  type TestRow,
} from "@lineshaft/testkit";
import type { StoreHooks } from "./maintenance.ts";
import {
  type BucketQuery,
  defaultLimits,
  type HistoryEvent,
  type HistoryLimits,
  packFrames,
  type RawQuery,
  type RebuildPortion,
  type ScanQuery,
} from "./messages.ts";
import { readBuckets, readExtent, readRaw, scan } from "./query.ts";
import { Store } from "./store.ts";
import { loadTrailer } from "./trailer.ts";

export const t0 = historyTestEpochUs;
export const minuteUs = 60_000_000;
export const hourUs = 60 * minuteUs;
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const both = [recordType.points, recordType.verdict];

/** History without its worker: cheap to open, and its time and crash points are in the test's hands. */
export class DirectHistory {
  readonly store: Store;
  readonly #clock: FakeClock;

  constructor(store: Store, clock: FakeClock) {
    this.store = store;
    this.#clock = clock;
  }

  get status(): HistoryStatus {
    return this.store.status;
  }

  /** As the worker is told once a second. */
  tick(ms = 1000): void {
    this.#clock.advanceMs(ms);
    this.store.maintenance.tick(this.#clock.monotonicMs(), this.#clock.nowUs());
  }

  apply(frames: Frame[]): Promise<VerdictRecord[]> {
    return this.store.apply(packFrames(frames, both), this.#clock.monotonicMs());
  }

  async rebuild(range: { fromLsn: Lsn }, frames: Frame[], portion: RebuildPortion): Promise<void> {
    this.store.rebuild(range.fromLsn, packFrames(frames, both), portion);
  }

  raw(query: RawQuery): Promise<PointsAnswer> {
    return readRaw(this.store, query, new AbortController().signal);
  }

  scan(query: ScanQuery): AsyncGenerator<Columns> {
    return scan(this.store, query, new AbortController().signal);
  }

  buckets(query: BucketQuery): Promise<BucketColumns> {
    return readBuckets(this.store, query, new AbortController().signal);
  }

  extent(): { fromUs: Micros; toUs: Micros } | null {
    return readExtent(this.store);
  }
}

/** What the feeder does, by hand; and an oracle that is told the same. */
export class Plant {
  dir: string;
  readonly clock = new FakeClock(t0);
  readonly make = new FrameMaker();
  readonly log: Frame[] = [];
  readonly oracle = new ReferenceHistory();
  readonly events: HistoryEvent[] = [];
  readonly limits: Partial<HistoryLimits>;
  now = t0;
  #history: DirectHistory | null = null;
  readonly #judged = new Set<number>();

  constructor(dir: string, limits: Partial<HistoryLimits> = {}) {
    this.dir = dir;
    this.limits = { memoryMb: 64, threads: 1, ...limits };
  }

  get history(): DirectHistory {
    if (this.#history === null) throw new Error("The plant is not running.");
    return this.#history;
  }

  get store(): Store {
    return this.history.store;
  }

  async start(crashPoint: StoreHooks["crashPoint"] = () => Promise.resolve()): Promise<void> {
    const event = (told: HistoryEvent): void => void this.events.push(told);
    const store = await Store.open(this.dir, { ...defaultLimits, ...this.limits }, { event, crashPoint });
    this.#history = new DirectHistory(store, this.clock);
  }

  async stop(): Promise<void> {
    await this.#history?.store.close();
    this.#history = null;
  }

  /** A batch into the log. */
  offer(rows: TestRow[], mode: "append" | "correct" = "append"): void {
    const frame = this.make.points(rows, this.now, mode);
    this.log.push(frame);
    this.oracle.apply([frame]);
  }

  /** Hands over what history has not; verdicts go into the log, each once. */
  async feed(): Promise<void> {
    const { appliedLsn } = this.history.status;
    const applying = this.history.apply(this.log.filter((frame) => frame.lsn > appliedLsn));
    const verdicts = await this.mendWhile(applying);
    for (const verdict of verdicts) {
      if (this.#judged.has(verdict.batchLsn)) continue;
      this.#judged.add(verdict.batchLsn);
      this.log.push(this.make.verdict(verdict, this.now));
    }
    // The verdicts are in the log by now: see the port.
    const rest = this.log.filter((frame) => frame.lsn > this.history.status.appliedLsn);
    await this.mendWhile(this.history.apply(rest));
  }

  /** Feeds and makes a run of it. */
  async run(rows: TestRow[], mode: "append" | "correct" = "append"): Promise<void> {
    this.offer(rows, mode);
    await this.feed();
    await this.store.flush();
  }

  async mendWhile<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const result = work.finally(() => {
      done = true;
    });
    result.catch(() => undefined);
    while (!done) {
      await Promise.race([result.catch(() => undefined), sleep(3)]);
      await this.answerNeeds();
    }
    return result;
  }

  /** Gives the records that history needs again, as the feeder does. */
  async answerNeeds(): Promise<void> {
    for (const range of this.history.status.needs) {
      const inRange = (lsn: number): boolean => lsn >= range.fromLsn && lsn <= range.toLsn;
      const frames = this.log.filter((frame) =>
        frame.type === recordType.verdict
          ? inRange(decodeVerdict(frame.payload).batchLsn)
          : frame.type === recordType.points && inRange(frame.lsn),
      );
      for (const frame of frames) await this.history.rebuild(range, [frame], "more");
      await this.history.rebuild(range, [], "complete");
    }
  }

  /** Until nothing is damaged any more, or nothing can be done about it. */
  async mended(): Promise<void> {
    for (let round = 0; round < 2000; round++) {
      const { quarantined } = this.history.status;
      if (quarantined.every((q) => q.rebuild === "impossible")) {
        const { damaged } = await this.store.scrub();
        const { files } = this.store;
        const copied = files.all.every((file) => file.kind === "run" || files.copyOf(file) !== null);
        if (copied && damaged.length === 0 && this.history.status.quarantined.every((q) => q.rebuild === "impossible"))
          return;
      }
      await this.answerNeeds();
      await sleep(3);
    }
    throw new Error(`Still damaged: ${JSON.stringify(this.history.status)}`);
  }

  /** All rows, and the warnings that came with them. */
  async read(): Promise<{ rows: string[]; warnings: string[] }> {
    const query = { tags: [1, 2, 3], fromUs: t0 - 1e15, toUs: t0 + 1e15, limit: 1_000_000 };
    const { columns, warnings } = await this.history.raw(query);
    return { rows: describeColumns(columns).sort(), warnings: warnings.map(({ detail }) => detail) };
  }

  expected(asOf?: number): string[] {
    return this.oracle.current(asOf).map(describePoint).sort();
  }

  /** Names, the largest first. */
  async files(kind: "run" | "part" | "side" | "copy" | "original" | "any"): Promise<string[]> {
    const originals = (await readdir(this.dir)).filter((name) => name.endsWith(".duckdb"));
    const written = (await readdir(join(this.dir, "copies"))).filter((name) => name.endsWith(".zst"));
    const copies = written.map((name) => join("copies", name));
    const all = { copy: copies, original: originals, any: [...originals, ...copies] };
    const names = kind in all ? all[kind as keyof typeof all] : originals.filter((name) => name.startsWith(kind));
    const sizes = new Map<string, number>();
    for (const name of names) {
      // One that a compaction has just removed is none.
      const found = await stat(join(this.dir, name)).catch(() => null);
      if (found !== null) sizes.set(name, found.size);
    }
    return [...sizes.keys()].sort((a, b) => sizes.get(b)! - sizes.get(a)!);
  }

  async flip(name: string, at: number, bit = 0): Promise<void> {
    const file = await open(join(this.dir, name), "r+");
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] ^= 1 << bit;
    await file.write(byte, 0, 1, at);
    await file.close();
  }

  /** What may become of a file that is not flipped bits. */
  async ruin(
    name: string,
    how: "missing" | "renamed" | "zeroed" | "empty" | "truncated",
    bytes: number,
  ): Promise<void> {
    const path = join(this.dir, name);
    if (how === "missing") await rm(path);
    else if (how === "renamed") await rename(path, `${path}.bak`);
    else if (how === "zeroed") await writeFile(path, new Uint8Array(bytes));
    else await truncate(path, how === "empty" ? 0 : Math.floor(bytes / 2));
  }
}

/** First byte and end of each kind of bytes in a file. */
export async function byteClasses(path: string): Promise<[name: string, from: number, to: number][]> {
  const { trailer, dataBytes, bytes } = await loadTrailer(path);
  const { minute, hour } = trailer.meta.rollups;
  const rollups = Math.min(dataBytes, hour?.at ?? dataBytes, minute?.at ?? dataBytes);
  const classes: [string, number, number][] = [
    ["DuckDB's pages", 0, rollups],
    ["roll-ups", rollups, dataBytes],
    ["trailer", dataBytes, bytes - 32],
    ["footer", bytes - 32, bytes],
  ];
  return classes.filter(([, from, to]) => to > from);
}

/** One tag at 1 Hz: so many rows from a time on, with values that no other row has. */
export function series(tag: number, fromUs: Micros, n: number, stepUs = 1_000_000): TestRow[] {
  return Array.from({ length: n }, (_, k) => ({ tag, time: fromUs + k * stepUs, value: tag * 1000 + (k % 997) / 8 }));
}
