import { cpSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describePoint } from "@lineshaft/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { byteClasses, hourUs, minuteUs, Plant, series, sleep, t0 } from "./testing.ts";

const long = process.env.LINESHAFT_LONG === "1";

let dir: string;
let plant: Plant;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "lineshaft-damage-"));
  plant = new Plant(dir);
});

afterEach(async () => {
  await plant.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Parts of two hours with roll-ups, a side file with late and judged rows, a run with a correction, and rows in memory. */
async function stocked(): Promise<void> {
  plant.limits.runsPerMerge = 2;
  await plant.start();
  plant.now = t0 + 2 * hourUs;
  plant.offer([...series(1, t0, 1500, 4_000_000), ...series(2, t0, 1500, 4_000_000)]);
  plant.offer(series(3, t0 + minuteUs, 10));
  await plant.feed();
  await plant.store.compact();
  plant.now += minuteUs;
  await plant.run([...series(1, plant.now, 20), ...series(3, t0 + minuteUs, 14)]);
  await plant.run(series(1, plant.now, 3));
  while ((await plant.files("side")).length === 0) await sleep(5);
  await plant.run([{ tag: 1, time: plant.now, value: -7 }], "correct");
  plant.now += minuteUs;
  plant.offer(series(2, plant.now, 5));
  await plant.feed();
}

/** What is answered is right: all of it, or less with a warning. */
async function servesOnlyTheTruth(asOf?: number): Promise<void> {
  const { rows, warnings } = await plant.read();
  const expected = plant.expected(asOf);
  if (warnings.length === 0) expect(rows).toEqual(expected);
  else {
    // A correction that is out of service lets show what it had replaced.
    const told = new Set(plant.oracle.points.map(describePoint));
    expect(rows.filter((row) => !told.has(row))).toEqual([]);
    expect(rows.length).toBeLessThan(expected.length + 1);
  }
}

async function wholeAgain(): Promise<void> {
  await plant.mended();
  const { rows, warnings } = await plant.read();
  expect(warnings).toEqual([]);
  expect(rows).toEqual(plant.expected());
  expect(plant.history.status.quarantined).toEqual([]);
  expect(plant.history.status.needs).toEqual([]);
  expect(await readdir(join(dir, "quarantine"))).toEqual([]);
  await bucketsAreRight();
}

/** Roll-ups equal what the points give (F20). */
async function bucketsAreRight(): Promise<void> {
  const b = await plant.history.buckets({
    tags: [1, 2, 3],
    fromUs: t0 - 60 * hourUs,
    toUs: t0 + 5 * hourUs,
    bucketUs: hourUs,
  });
  const points = plant.oracle.current();
  for (let i = 0; i < b.rows; i++) {
    const inside = points.filter((p) => p.tag === b.tag[i] && p.time >= b.time[i] && p.time < b.time[i] + hourUs);
    expect(b.count[i]).toBe(inside.length);
    expect(b.max[i]).toBe(inside.reduce((max, p) => Math.max(max, Number(p.value)), Number.NEGATIVE_INFINITY));
    expect(b.avg[i]).toBeCloseTo(inside.reduce((sum, p) => sum + Number(p.value), 0) / inside.length, 6);
  }
  expect([...b.count].reduce((a, c) => a + c, 0)).toBe(points.length);
}

describe("F11: a flipped bit", () => {
  test("in any class of bytes of any kind of file is found by a scrub, and the file is rebuilt", async () => {
    await stocked();
    const seen = new Set<string>();
    for (let round = 0; round < (long ? 100 : 1); round++) {
      for (const kind of ["run", "part", "side"] as const) {
        for (let k = 0; ; k++) {
          const [name] = await plant.files(kind);
          const classes = await byteClasses(join(dir, name));
          if (k === classes.length) break;
          const [what, from, to] = classes[k];
          seen.add(`${kind}: ${what}`);
          const at = from + Math.floor(Math.random() * (to - from));
          await plant.flip(name, at, Math.floor(Math.random() * 8));
          const { damaged } = await plant.store.scrub();
          expect(damaged, `${name} at ${at}`).toEqual([name]);
          await servesOnlyTheTruth();
          await wholeAgain();
        }
      }
    }
    expect([...seen].filter((what) => what.endsWith("roll-ups"))).toHaveLength(1);
    expect(seen.size).toBe(10);
  });

  test("in any byte of a copy is found by a scrub, and the copy is made again", async () => {
    await stocked();
    for (const name of (await plant.files("copy")).slice(0, long ? 9 : 1)) {
      const { size } = await stat(join(dir, name));
      for (const at of [0, Math.floor(Math.random() * size), size - 100, size - 20, size - 1]) {
        await plant.flip(name, at, Math.floor(Math.random() * 8));
        const { damaged } = await plant.store.scrub();
        expect(damaged).toEqual([name.replace(/\.zst$/, "")]);
        await wholeAgain();
        expect(await plant.files("copy")).toContain(name);
      }
    }
  });

  test("is found by the reader that meets it, also in roll-ups", async () => {
    await stocked();
    await plant.stop();
    const [part] = await plant.files("part");
    const classes = await byteClasses(join(dir, part));
    for (const wanted of ["roll-ups", "DuckDB's pages"]) {
      const [, from, to] = classes.find(([what]) => what === wanted)!;
      // So many that a reader cannot miss them; the first pages are DuckDB's own headers.
      for (let at = Math.max(from, 12_288); at < to; at += 16) await plant.flip(part, at);
      await plant.start();
      if (wanted === "roll-ups") await bucketsUntilWhole();
      else await servesOnlyTheTruth(plant.history.status.persistedLsn);
      expect(plant.events.some((event) => event.type === "quarantined" && event.file === part)).toBe(true);
      plant.events.length = 0;
      await plant.feed();
      await wholeAgain();
      await plant.stop();
    }
    await plant.start();
    await plant.feed();
  });

  async function bucketsUntilWhole(): Promise<void> {
    const fromUs = Math.floor(t0 / hourUs) * hourUs;
    const query = { tags: [1], fromUs, toUs: fromUs + hourUs, bucketUs: hourUs };
    const truth = plant.oracle.current().filter((p) => p.tag === 1 && p.time < query.toUs).length;
    const { count, warnings } = await plant.history.buckets(query);
    if (warnings.length === 0) expect([...count].reduce((a, c) => a + c, 0)).toBe(truth);
  }

  test("is waited for by a replay, which leaves nothing out; a read beside it says what it lacks", async () => {
    await stocked();
    const all = plant.oracle.current().length;
    for (const kind of ["part", "run", "side"] as const) {
      const [name] = await plant.files(kind);
      await plant.flip(name, 20_000);
      let replayed = 0;
      const replay = (async () => {
        const range = { fromUs: t0 - 60 * hourUs, toUs: t0 + 5 * hourUs };
        const scan = plant.history.scan({ tags: null, ...range, asOf: Number.MAX_SAFE_INTEGER, chunkRows: 500 });
        for await (const chunk of scan) replayed += chunk.rows;
      })();
      const scrubbed = plant.store.scrub();
      for (let k = 0; k < 20; k++) await servesOnlyTheTruth();
      await scrubbed;
      await replay;
      expect(replayed, kind).toBe(all);
      await wholeAgain();
    }
  });

  test("while suspect rows are judged: judgement waits for the rebuild, and repeats stay repeats", async () => {
    await stocked();
    const [run] = await plant.files("run");
    const [part] = await plant.files("part");
    await plant.stop();
    for (const name of [run, part]) await plant.flip(name, 20_000);
    for (const name of [run, part]) await plant.flip(name, (await stat(join(dir, name))).size - 1);
    await plant.start();
    expect(plant.history.status.quarantined).toHaveLength(2);
    plant.now += minuteUs;
    plant.offer([...series(1, t0, 30, 200_000), ...series(3, t0 + minuteUs, 14)]);
    await plant.feed();
    await wholeAgain();
  });
});

describe("F14: a file that is not what it was", () => {
  const fates = ["missing", "renamed", "zeroed", "empty", "truncated"] as const;

  test.each(fates)("%s while history is closed: nothing else goes, and it comes back", async (how) => {
    await stocked();
    const kinds = ["run", "part", "side", "copy"] as const;
    // Each fate meets two kinds, each kind two or three fates; all pairs take longer.
    for (const kind of long ? kinds : [0, 1].map((k) => kinds[(fates.indexOf(how) + k) % 4])) {
      await plant.stop();
      const before = await plant.files("original");
      const [name] = await plant.files(kind);
      await plant.ruin(name, how, (await stat(join(dir, name))).size);
      await plant.start();
      await servesOnlyTheTruth(plant.history.status.persistedLsn);
      await plant.feed();
      await wholeAgain();
      // The last run comes back by being applied again, which makes no file yet.
      if (kind !== "run") expect(await plant.files("original")).toEqual(before);
    }
  });

  test.each(["missing", "zeroed"] as const)("%s while history is open", async (how) => {
    await stocked();
    for (const kind of ["run", "part", "side"] as const) {
      const [name] = await plant.files(kind);
      await plant.ruin(name, how, (await stat(join(dir, name))).size);
      expect((await plant.store.scrub()).damaged).toEqual([name]);
      await wholeAgain();
    }
  });

  test("when neither copy nor log has the rows, the file is kept and named, and the rest is served", async () => {
    await stocked();
    await plant.stop();
    const [part] = await plant.files("part");
    await plant.flip(part, (await stat(join(dir, part))).size - 1);
    await plant.flip(join("copies", `${part}.zst`), 100);
    for (const _ of [1, 2]) {
      await plant.start();
      await plant.feed();
      await plant.mended();
      expect(plant.history.status.quarantined).toMatchObject([{ file: part, rebuild: "impossible" }]);
      const { rows, warnings } = await plant.read();
      expect(warnings).toHaveLength(1);
      expect(rows.length).toBeGreaterThan(40);
      await servesOnlyTheTruth();
      expect(await readdir(join(dir, "quarantine"))).toEqual(expect.arrayContaining([part, `${part}.zst`]));
      await plant.stop();
    }
    await plant.start();
  });

  test("when the log has lost some of the records, what came is served, and the damage stays named", async () => {
    await plant.start();
    await plant.run(series(1, t0, 10));
    await plant.run(series(1, t0 + minuteUs, 10));
    const [run] = await plant.files("run");
    await plant.flip(run, 4000);
    await plant.store.scrub();
    for (const _ of [1, 2]) {
      for (const range of plant.history.status.needs) await plant.history.rebuild(range, [], "incomplete");
      await plant.mended();
      expect(plant.history.status.quarantined).toMatchObject([{ file: run, rebuild: "impossible" }]);
      expect((await plant.read()).rows).toHaveLength(10);
      await plant.stop();
      await plant.start();
    }
  });
});

test("a run that is found damaged while it is being copied leaves no copy behind, which would bring its rows back twice", async () => {
  await plant.start();
  await plant.run(series(1, t0, 10));
  const { files } = plant.store;
  const addCopy = files.addCopy.bind(files);
  files.addCopy = async (file, bytes) => {
    files.addCopy = addCopy;
    await plant.flip(file.name, 4000);
    await plant.store.scrub();
    return addCopy(file, bytes);
  };
  await plant.store.protect();
  await plant.mended();
  await plant.store.compact();
  expect(await plant.files("copy")).toEqual((await plant.files("original")).map((name) => `copies/${name}.zst`));
  await plant.stop();
  await plant.start();
  await wholeAgain();
});

test("a compaction gives way to the rebuilding of a file", async () => {
  await stocked();
  await plant.stop();
  const [part] = await plant.files("part");
  let hurt = false;
  await plant.start(async (point) => {
    if (point !== "K7" || hurt) return;
    hurt = true;
    await plant.flip(part, 5000);
    await plant.store.scrub();
  });
  await plant.feed();
  plant.events.length = 0;
  await plant.store.maintenance.everything();
  const told = plant.events.map(({ type }) => type).filter((type) => type === "rebuilt" || type === "compacted");
  expect(told.slice(0, 2)).toEqual(["rebuilt", "compacted"]);
  await wholeAgain();
});

test("a kill between copy, switch and removal leaves each row exactly once", async () => {
  await stocked();
  await plant.stop();
  // History waits at each of these points: what lies on the disk then is what a kill leaves.
  const left: string[] = [];
  await plant.start(async () => {
    const copy = `${dir}-${left.length}`;
    cpSync(dir, copy, { recursive: true });
    left.push(copy);
  });
  const original = dir;
  for (const kind of ["side", "run"] as const) {
    const [name] = await plant.files(kind);
    await plant.ruin(name, "zeroed", 1000);
    await plant.store.scrub();
    await plant.mended();
  }
  await plant.feed();
  await plant.store.compact();
  await wholeAgain();
  await plant.stop();
  try {
    // A file restored, a run rebuilt, a run and a compaction, each with its steps.
    expect(left.length).toBeGreaterThan(9);
    for (const copy of left) {
      dir = plant.dir = copy;
      await plant.start();
      await plant.feed();
      await wholeAgain();
      await plant.stop();
      expect((await readdir(dir)).filter((name) => name.includes(".tmp"))).toEqual([]);
    }
  } finally {
    dir = original;
    for (const copy of left) await rm(copy, { recursive: true, force: true });
  }
});

test("any order of batches, damage, rebuilding, compaction and restarts equals the reference", async () => {
  type Step =
    | { kind: "feed" | "flush" | "compact" | "scrub" | "restart" | "mend" }
    | {
        kind: "batch";
        rows: { tag: number; ago: number; value: number }[];
        mode: "append" | "correct";
        minutes: number;
      }
    | { kind: "damage"; which: number; how: "flip" | "missing" | "truncated"; where: number };
  const batch = fc.record({
    kind: fc.constant("batch" as const),
    rows: fc.array(
      fc.record({
        tag: fc.integer({ min: 1, max: 3 }),
        ago: fc.constantFrom(0, 0, 0, 20 * minuteUs, 26 * hourUs),
        value: fc.integer({ min: 0, max: 3 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    mode: fc.constantFrom("append" as const, "append" as const, "correct" as const),
    minutes: fc.integer({ min: 0, max: 30 }),
  });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: batch },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("feed" as const, "flush" as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("compact" as const, "scrub" as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("restart" as const, "mend" as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("damage" as const),
        which: fc.nat(),
        how: fc.constantFrom("flip" as const, "flip" as const, "missing" as const, "truncated" as const),
        where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      }),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      await plant.stop();
      await rm(dir, { recursive: true, force: true });
      plant = new Plant(dir);
      await plant.start();
      // One fault at a time in a file and its copy: two at once lose rows, and may.
      let hurt = new Set<string>();
      for (const s of steps) {
        if (s.kind === "batch") {
          plant.now += s.minutes * minuteUs;
          const seen = new Map<string, number>();
          const rows = s.rows.map(({ tag, ago, value }) => {
            const time = plant.now - ago;
            const ordinal = seen.get(`${tag}:${time}`) ?? 0;
            seen.set(`${tag}:${time}`, ordinal + 1);
            return { tag, time, value, ordinal };
          });
          plant.offer(rows, s.mode);
        } else if (s.kind === "feed") await plant.feed();
        else if (s.kind === "flush") {
          await plant.feed();
          await plant.mendWhile(plant.store.flush());
        } else if (s.kind === "compact") await plant.mendWhile(plant.store.compact());
        else if (s.kind === "scrub") await plant.store.scrub();
        else if (s.kind === "restart") {
          await plant.stop();
          await plant.start();
        } else if (s.kind === "mend") {
          await plant.mended();
          hurt = new Set();
        } else if (s.kind === "damage") {
          const names = await plant.files("any");
          const name = names[s.which % Math.max(1, names.length)];
          if (name === undefined) continue;
          const base = name.replace("copies/", "").replace(".zst", "");
          if (hurt.has(base)) continue;
          hurt.add(base);
          const hit = async (): Promise<void> => {
            const { size } = await stat(join(dir, name));
            if (s.how === "flip") await plant.flip(name, Math.floor(s.where * size));
            else await plant.ruin(name, s.how, size);
          };
          // What a compaction or a rebuild has just removed cannot be hurt any more.
          await hit().catch((error: NodeJS.ErrnoException) => {
            if (error.code !== "ENOENT") throw error;
          });
        }
      }
      await plant.feed();
      await plant.mended();
      expect((await plant.read()).warnings).toEqual([]);
      expect((await plant.read()).rows).toEqual(plant.expected());
    }),
    // The first counterexample will do: looking for a smaller one takes minutes.
    { endOnFailure: !long, numRuns: Number(process.env.LINESHAFT_RUNS ?? (long ? 1000 : 3)) },
  );
}, 3_600_000);
