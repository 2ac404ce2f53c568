import { readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { dayUs } from "@lineshaft/contract/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openHistory } from "./index.ts";
import { planRetirement } from "./retired.ts";
import { holes, unite } from "./settle.ts";
import { hourUs, minuteUs, Plant, series, sleep, t0 } from "./testing.ts";

let dir: string;
let plant: Plant;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "lineshaft-store-"));
  plant = new Plant(dir);
});

afterEach(async () => {
  await plant.stop();
  await rm(dir, { recursive: true, force: true });
});

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let k = 0; k < 1000; k++) {
    if (holds()) return;
    await sleep(5);
  }
  throw new Error(`In vain: ${what}`);
}

describe("verifiedLsn", () => {
  const lsns = (): number[] => {
    const { verifiedLsn, persistedLsn, appliedLsn } = plant.history.status;
    return [verifiedLsn, persistedLsn, appliedLsn];
  };

  test("stays behind runs, which only the log protects, and passes them when they are compacted", async () => {
    await plant.start();
    await plant.run(series(1, t0, 10));
    expect(lsns()).toEqual([0, 1, 1]);
    await plant.store.compact();
    expect(lsns()).toEqual([1, 1, 1]);
    await plant.run(series(1, t0 + minuteUs, 10));
    expect(lsns()).toEqual([1, 2, 2]);
    await plant.stop();
    await plant.start();
    expect(lsns()).toEqual([1, 2, 2]);
  });

  test("reaches what is applied by itself after a while, without further points", async () => {
    await plant.start();
    await plant.run(series(1, t0, 10));
    plant.log.push(plant.make.other(plant.now));
    for (let minute = 0; minute < 100 && plant.history.status.verifiedLsn < 2; minute++) {
      plant.history.tick(60_000);
      await plant.feed();
      await sleep(5);
    }
    expect(lsns()).toEqual([2, 2, 2]);
  });

  test("reaches what is applied at once when the log presses", async () => {
    await plant.start();
    plant.offer(series(1, t0, 10));
    await plant.feed();
    await plant.store.protect();
    await until("a copy", () => plant.history.status.verifiedLsn === 1);
    expect(lsns()).toEqual([1, 1, 1]);
    expect(await plant.files("copy")).toHaveLength(1);
  });
});

describe("while runs are written and files compacted", () => {
  test("suspect rows are judged against heads that become files meanwhile", async () => {
    plant.limits.headRows = 1;
    plant.limits.runsPerMerge = 2;
    await plant.start();
    for (let k = 0; k < 12; k++) {
      plant.now += minuteUs;
      // Each call closes the head of the last one, and asks for its rows while they are written.
      plant.offer([...series(1, plant.now, 30), ...series(1, plant.now - minuteUs, 30)]);
      await plant.feed();
    }
    expect((await plant.read()).rows).toEqual(plant.expected());
  });

  test("suspect rows are judged although a compaction takes the files away under the look-up", async () => {
    await plant.start();
    for (const k of [0, 1, 2]) await plant.run(series(1, t0 + k * minuteUs, 30));
    const { files, maintenance } = plant.store;
    const acquire = files.acquire.bind(files);
    let looked = 0;
    files.acquire = async (file) => {
      if (++looked === 2) await maintenance.everything();
      return acquire(file);
    };
    plant.offer([0, 1, 2].flatMap((k) => series(1, t0 + k * minuteUs, 40)));
    await plant.feed();
    expect(plant.events.map(({ type }) => type)).toContain("compacted");
    expect((await plant.read()).rows).toEqual(plant.expected());
  });

  test("buckets are right while a head that they need becomes a file", async () => {
    plant.limits.headRows = 1;
    plant.limits.runsPerMerge = 2;
    await plant.start();
    for (let k = 0; k < 12; k++) {
      plant.now += minuteUs;
      plant.offer(series(1, plant.now, 60));
      const feeding = plant.feed();
      const query = { tags: [1], fromUs: t0, toUs: t0 + hourUs, bucketUs: hourUs };
      for (let reads = 0; reads < 4; reads++) {
        const { count } = await plant.history.buckets(query);
        expect([k * 60, (k + 1) * 60]).toContain([...count].reduce((a, c) => a + c, 0));
      }
      await feeding;
    }
  });

  test("a statement that failed leaves no transaction behind for the next one", async () => {
    await plant.start();
    const { duck } = plant.store;
    const failed = duck.with(async (connection) => {
      await connection.run("BEGIN");
      await connection.run("SELECT 1/'a'::INTEGER");
    });
    await expect(failed).rejects.toThrow("Conversion Error");
    await duck.with((connection) => connection.run("BEGIN"));
  });
});

test("a file of a later version is refused, not taken for damaged", async () => {
  await plant.start();
  await plant.run(series(1, t0, 10));
  await plant.stop();
  const [run] = await plant.files("run");
  const bytes = await readFile(join(dir, run));
  const json = bytes.readUInt32LE(bytes.length - 28);
  const at = bytes.length - 32 - json;
  const trailer = bytes
    .subarray(at, at + json)
    .toString()
    .replace('"format":1', '"format":9');
  const footer = Buffer.from(bytes.subarray(bytes.length - 32));
  footer.writeUInt32LE(crc32(trailer), 8);
  footer.writeUInt32LE(crc32(footer.subarray(0, 24)), 24);
  await writeFile(join(dir, run), Buffer.concat([bytes.subarray(0, at), Buffer.from(trailer), footer]));
  await expect(plant.start()).rejects.toMatchObject({ code: "data_dir_version" });
  await expect(openHistory({ dir, clock: plant.clock })).rejects.toMatchObject({ code: "data_dir_version" });
  expect(readdirSync(join(dir, "quarantine"))).toEqual([]);
});

test("the scrubber comes round to each file within a day, no faster than it may", async () => {
  await plant.start();
  await plant.run(series(1, t0, 1000));
  await plant.store.compact();
  const [part] = await plant.files("part");
  plant.history.tick(13 * 3_600_000);
  await plant.store.compact();
  await plant.flip(part, 5000);
  plant.history.tick(1000);
  await plant.store.compact();
  expect(plant.events.map(({ type }) => type)).not.toContain("quarantined");
  for (let hour = 0; hour < 13; hour++) plant.history.tick(3_600_000);
  plant.history.tick(1000);
  await plant.store.compact();
  expect(plant.events.map(({ type }) => type)).toEqual(expect.arrayContaining(["quarantined", "rebuilt"]));
  expect((await plant.read()).rows).toEqual(plant.expected());
});

describe("retention", () => {
  /** Three days of one part each; it is noon on the third. */
  async function threeDays(): Promise<void> {
    plant.limits.keepDays = 1.5;
    await plant.start();
    const day = Math.floor(t0 / dayUs) * dayUs;
    for (const k of [0, 1, 2]) {
      plant.now = day + k * dayUs + 13 * hourUs;
      await plant.run(series(1, plant.now - hourUs, 50));
      await plant.store.compact();
    }
    await plant.run(series(2, plant.now, 5));
    plant.clock.jumpUs(plant.now - plant.clock.nowUs());
  }
  const retired = (): number => plant.events.filter(({ type }) => type === "retired").length;

  test("drops the files of a day that is too old, says so, and says it after a restart too", async () => {
    await threeDays();
    plant.history.tick(1000);
    for (let hour = 0; hour < 3; hour++) {
      plant.history.tick(3_600_000);
      await plant.store.compact();
    }
    expect(retired()).toBe(1);
    for (const _ of [1, 2]) {
      const { rows, warnings } = await plant.read();
      expect(rows).toHaveLength(105);
      expect(warnings).toEqual([expect.stringContaining("older than what is kept")]);
      const day = Math.floor(t0 / dayUs) * dayUs;
      expect(plant.history.status.frozenBeforeUs).toBe(day + dayUs);
      expect(plant.history.extent()?.fromUs).toBe(day + dayUs + 12 * hourUs);
      const since = await plant.history.raw({ tags: [1], fromUs: day + dayUs, toUs: plant.now, limit: 1000 });
      expect(since.warnings).toEqual([]);
      expect(plant.history.status.needs).toEqual([]);
      await plant.stop();
      await plant.start();
    }
  });

  test("F15: a clock that jumps a year ahead costs no more than one day an hour", async () => {
    await threeDays();
    plant.history.tick(1000);
    plant.clock.jumpUs(365 * dayUs);
    for (let minute = 0; minute < 59; minute++) plant.history.tick(60_000);
    await plant.store.compact();
    expect(retired()).toBe(0);
    for (let minute = 0; minute < 30; minute++) plant.history.tick(60_000);
    await plant.store.compact();
    expect(retired()).toBe(1);
    plant.clock.jumpUs(-365 * dayUs);
    for (let hour = 0; hour < 5; hour++) {
      plant.history.tick(3_600_000);
      await plant.store.compact();
    }
    expect(retired()).toBe(1);
  });

  test("takes one day at a time, and never the newest file", () => {
    const file = (day: number, lsnTo: number, rows = 1) => ({ lsnTo, meta: { rows, toUs: day * dayUs + 5 } });
    const files = [file(3, 30), file(1, 10), file(1, 11), file(2, 20), file(0, 0, 0)];
    expect(planRetirement(files, 3 * dayUs)).toEqual({ files: [files[1], files[2]], beforeUs: 2 * dayUs });
    expect(planRetirement(files.slice(0, 1), 9 * dayUs)).toBeNull();
    expect(planRetirement(files, dayUs)).toBeNull();
  });
});

describe("ranges of records", () => {
  test.each([
    [[], 0, []],
    [[], 3, [[1, 3]]],
    [[[1, 3]], 3, []],
    [
      [
        [5, 9],
        [1, 3],
        [6, 7],
      ],
      12,
      [
        [4, 4],
        [10, 12],
      ],
    ],
  ] as [[number, number][], number, number[][]][])("%j up to %i leave out %j", (ranges, end, expected) => {
    expect(holes(ranges, end)).toEqual(expected);
  });

  test("touching and overlapping ones become one", () => {
    expect(
      unite([
        [4, 5],
        [1, 3],
        [9, 9],
        [5, 6],
      ]),
    ).toEqual([
      [1, 6],
      [9, 9],
    ]);
  });
});
