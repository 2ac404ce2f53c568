// Faults on the real process that need no kill point: disk, clock, repeats, slow readers, memory. Numbers as in the fault list.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasPeer } from "@lineshaft/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { Rest } from "./support/rest.ts";
import { type ServerOptions, ServerProcess, tempDir } from "./support/server-process.ts";
import { Stream } from "./support/stream.ts";

let server: ServerProcess | null = null;
let rest: Rest;
let secret = "";
const undo: (() => void)[] = [];

afterEach(async () => {
  await server?.kill();
  server = null;
  for (const step of undo.splice(0).reverse()) step();
});

async function start(options: ServerOptions): Promise<ServerProcess> {
  server = await ServerProcess.start(options);
  secret = server.adminSecret ?? secret;
  rest = new Rest(server.url, secret);
  return server;
}

function dataDir(): string {
  const dir = tempDir();
  undo.push(dir.remove);
  return dir.path;
}

const nowUs = () => Date.now() * 1000;
const columns = (tag: string, times: number[], values: number[]) => ({
  names: [tag],
  tag: 0,
  time: times,
  value: values,
});
const tagIds = async () =>
  (await rest.get<{ items: { id: number }[] }>("/api/v1/tags?limit=1000")).items.map((tag) => tag.id);

describe("disk", () => {
  it.skipIf(!hasPeer("strace"))(
    "F8: a failing fdatasync acknowledges nothing more, reading goes on, a restart writes again",
    async () => {
      const dir = dataDir();
      await start({ dataDir: dir });
      const t = nowUs();
      expect((await rest.ingest("c", columns("a", [t], [1]))).status).toBe(200);
      await rest.settle();
      const tracer = spawn(
        "strace",
        [
          "-f",
          "-qq",
          "-o",
          "/dev/null",
          "-p",
          String(server!.pid),
          "-e",
          "trace=fdatasync",
          "-e",
          "inject=fdatasync:error=EIO",
        ],
        { stdio: "ignore" },
      );
      undo.push(() => tracer.kill("SIGKILL"));
      let refused: { status: number; body: { code: string } } | null = null;
      const acked: number[] = [];
      for (let n = 1; n < 200 && refused === null; n++) {
        const answer = await rest.ingest("c", columns("a", [t + n], [1 + n]));
        if (answer.status === 200) acked.push(t + n);
        else refused = answer;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(refused).toMatchObject({ status: 503, body: { code: "storage_unavailable" } });
      tracer.kill("SIGTERM");
      await new Promise((resolve) => tracer.once("exit", resolve));
      // The writer stays dead although the disk would work again: a failed sync says nothing about what was written.
      expect((await rest.ingest("c", columns("a", [t + 900], [1]))).status).toBe(503);
      expect((await rest.get<{ items: unknown[] }>(`/api/v1/values?tag=${(await tagIds())[0]}`)).items).toHaveLength(1);
      expect((await fetch(`${server!.url}/readyz`)).status).toBe(503);
      await server!.kill();
      await start({ dataDir: dir });
      expect((await rest.ingest("c", columns("a", [t + 1000], [1]))).status).toBe(200);
      await rest.settle();
      const stored = (await rest.raw(await tagIds(), t, t + 2000)).map((row) => row[1]);
      expect(stored).toEqual(expect.arrayContaining([t, ...acked, t + 1000]));
      expect(new Set(stored).size).toBe(stored.length);
    },
  );

  it.skipIf(process.getuid?.() !== 0)(
    "F9: a full disk refuses with 507, loses nothing, restarts full, and heals by itself",
    { timeout: 120_000 },
    async () => {
      const dir = dataDir();
      const mount = join(dir, "small");
      mkdirSync(mount);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", mount]);
      undo.push(() => execFileSync("umount", ["-l", mount]));
      const data = join(mount, "data");
      await start({ dataDir: data, flags: ["--segment-mib", "1"] });
      const ballast = join(mount, "ballast");
      const t = nowUs();
      const acked: number[] = [];
      const send = async (n: number) => {
        const times = Array.from({ length: 1000 }, (_, i) => t + n * 1000 + i);
        const answer = await rest.ingest(
          "c",
          columns(
            "a",
            times,
            times.map((_, i) => Math.sin(i + n)),
          ),
        );
        if (answer.status === 200) acked.push(...times);
        return answer;
      };
      expect((await send(0)).status).toBe(200);
      const { bavail, bsize } = statfsSync(mount);
      writeFileSync(ballast, new Uint8Array(Math.max(0, bavail * bsize - 4_000_000)));
      let full: Awaited<ReturnType<typeof send>> | null = null;
      for (let n = 1; n < 1000 && full === null; n++) {
        const answer = await send(n);
        if (answer.status !== 200) full = answer;
      }
      expect(full).toMatchObject({ status: 507, body: { code: "disk_full" } });
      expect((await rest.system()).state).toBe("diskFull");
      await server!.kill();
      await start({ dataDir: data, flags: ["--segment-mib", "1"] });
      expect((await send(2000)).status).toBe(507);
      rmSync(ballast);
      const end = Date.now() + 20_000;
      let healed = 0;
      while (healed !== 200 && Date.now() < end) {
        healed = (await send(3000)).status;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(healed).toBe(200);
      const sums = await rest.settle();
      expect(sums.balanced).toBe(true);
      const stored = new Set((await rest.raw(await tagIds(), t, t + 9_000_000)).map((row) => row[1]));
      expect(acked.filter((time) => !stored.has(time))).toEqual([]);
    },
  );
});

describe("clock", () => {
  it.skipIf(!hasPeer("faketime"))(
    "F15: jumps of ±1 h, +1 y and to 1970 keep the order, lose and purge nothing, and are told",
    { timeout: 120_000 },
    async () => {
      const dir = dataDir();
      const file = join(dir, "faketime");
      writeFileSync(file, "+0");
      const library = execFileSync(
        "sh",
        ["-c", "find / -name 'libfaketimeMT.so.1' -not -path '/proc/*' 2>/dev/null | head -1"],
        { encoding: "utf8" },
      ).trim();
      const env = {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_NO_CACHE: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      };
      await start({ dataDir: join(dir, "data"), env, flags: ["--segment-mib", "0.1", "--log-hours", "0.5"] });
      const times: number[] = [];
      const base = nowUs();
      let n = 0;
      for (const jump of ["+0", "+3600", "+0", "-3600", "+0", "+31536000", "+0", "-1700000000", "+0"]) {
        writeFileSync(file, jump);
        await new Promise((resolve) => setTimeout(resolve, 400));
        for (let i = 0; i < 5; i++) {
          // The source's own clock is right throughout.
          const time = base + ++n;
          expect((await rest.ingest("c", columns("a", [time], [n]))).status).toBe(200);
          times.push(time);
        }
      }
      await rest.settle();
      const status = await rest.system();
      expect(status.events.map((event) => event.code)).toContain("clock_jump");
      expect(status.log.firstLsn).toBe(1);
      const rows = await rest.raw(await tagIds(), base - 1e15, base + 1e15);
      expect(rows).toHaveLength(times.length);
      // While our clock stood far behind, the right source times looked too far ahead and were kept beside ours.
      expect(rows.map((row) => row[2]).sort((a, b) => Number(a) - Number(b))).toEqual(times.map((_, i) => i + 1));
    },
  );
});

describe("repeats and order", () => {
  it("F19: a whole stretch sent twice and shuffled changes nothing; F20: late rows are stored once and seen in the aggregates", {
    timeout: 60_000,
  }, async () => {
    await start({ dataDir: dataDir(), flags: ["--run-seconds", "0.3"] });
    const t = nowUs() - 3_600_000_000;
    const batches = Array.from({ length: 60 }, (_, n) => {
      const times = Array.from({ length: 200 }, (_, i) => t + (n * 200 + i) * 10_000);
      return columns(
        "a",
        times,
        times.map((time) => Math.round(Math.sin(time / 1e8) * 1000) / 10),
      );
    });
    for (const batch of batches) expect((await rest.ingest("c", batch)).status).toBe(200);
    const before = await rest.settle();
    const ids = await tagIds();
    const buckets = () =>
      rest.get<{ count: number[]; avg: number[]; min: number[]; max: number[]; last: number[] }>(
        `/api/v1/history/buckets?tag=${ids[0]}&from=${t}&to=${t + 3_600_000_000}&bucketUs=60000000`,
      );
    const one = await buckets();
    const shuffled = batches.map((_, i) => batches[(i * 37) % batches.length]);
    for (const batch of shuffled) expect((await rest.ingest("c", batch)).status).toBe(200);
    const after = await rest.settle();
    expect(after).toMatchObject({ stored: before.stored, duplicates: before.offered, balanced: true });
    const { avg, ...exact } = await buckets();
    expect(exact).toMatchObject({ count: one.count, min: one.min, max: one.max, last: one.last });
    // Sums of floating point numbers depend on their order in the last digits.
    for (const [i, value] of avg.entries()) expect(value).toBeCloseTo(one.avg[i], 9);
    await rest.ingest("c", columns("a", [t + 5], [1000]));
    await rest.settle();
    const late = await buckets();
    expect(late.count[0]).toBe(one.count[0] + 1);
    const raw = (await rest.raw(ids, t, t + 60_000_000 - (t % 60_000_000))).map((row) => row[2] as number);
    expect(late.count[0]).toBe(raw.length);
    expect(late.avg[0]).toBeCloseTo(raw.reduce((a, b) => a + b, 0) / raw.length, 9);
  });
});

describe("readers and load", () => {
  it("F32: a stopped reader costs no memory and no one else's data; it resumes from its cursor", {
    timeout: 120_000,
  }, async () => {
    await start({ dataDir: dataDir() });
    const t = nowUs() - 60_000_000;
    // From a time: when their subscription stands is no matter.
    const good = new Stream(server!.url, secret, { types: ["points.recorded"], from: t });
    const stopped = new Stream(server!.url, secret, { types: ["points.recorded"], from: t });
    undo.push(
      () => good.close(),
      () => stopped.close(),
    );
    await rest.ingest("c", columns("a", [t], [0]));
    await stopped.until(() => stopped.points().length === 1, "the first point");
    stopped.socket.pause();
    const rssBefore = (await rest.system()).process.rssBytes;
    const rows = 2000;
    const rounds = 300;
    for (let n = 0; n < rounds; n++) {
      const times = Array.from({ length: rows }, (_, i) => t + 1 + n * rows + i);
      await rest.ingest("c", columns("a", times, times));
    }
    await good.until(() => good.points().length === 1 + rows * rounds, "all points at the good reader", 60_000);
    const growth = (await rest.system()).process.rssBytes - rssBefore;
    expect(growth).toBeLessThan(250e6);
    stopped.socket.resume();
    await stopped.until(
      () => stopped.points().length === 1 + rows * rounds || stopped.closed !== null,
      "the stopped reader",
      60_000,
    );
    const rest2 = stopped.points().length;
    if (stopped.closed !== null) {
      const again = new Stream(server!.url, secret, { types: ["points.recorded"], cursor: stopped.cursor });
      undo.push(() => again.close());
      await again.until(() => rest2 + again.points().length === 1 + rows * rounds, "the rest after resuming", 60_000);
    }
  });

  it("F29: poison is kept with its reason and stops nothing", async () => {
    await start({ dataDir: dataDir() });
    const poison = [
      Uint8Array.from([1, 2, 3]),
      '{"points":[',
      "[".repeat(100_000),
      '{"points":[{"tag":"a","value":1}],"points":[]}',
      '{"__proto__":{"x":1},"tag":"a","value":1}',
      new Uint8Array(1000).fill(255),
    ];
    for (const body of poison) {
      const answer = await rest.ingest("c", body);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.body.code).toMatch(/^[a-z_]+$/);
    }
    expect((await rest.ingest("c", columns("a", [nowUs()], [1]))).status).toBe(200);
    const sums = await rest.settle();
    expect(sums).toMatchObject({ stored: 1, balanced: true });
    const { items } = await rest.get<{ items: { code: string; action: string }[] }>("/api/v1/rejected");
    expect(items.length).toBeGreaterThanOrEqual(poison.length);
    for (const item of items) expect(item.action.length).toBeGreaterThan(10);
  });

  it("F34: load is shed before memory runs out; what was acknowledged is there", { timeout: 120_000 }, async () => {
    await start({ dataDir: dataDir(), flags: ["--memory-mib", "230"] });
    const t = nowUs() - 600_000_000;
    let acked = 0;
    let shed = 0;
    for (let n = 0; n < 120; n++) {
      const answers = await Promise.all(
        [0, 1, 2, 3].map((k) => {
          const times = Array.from({ length: 5000 }, (_, i) => t + n * 5000 + i);
          return rest.ingest(`c${k}`, columns(`tag ${k}`, times, times));
        }),
      );
      for (const { status, body } of answers) {
        if (status === 200) acked += 5000;
        else {
          expect(body.code).toBe("overloaded");
          shed++;
        }
      }
    }
    expect((await rest.system()).process.rssBytes).toBeLessThan(700 * 2 ** 20);
    expect(shed).toBeGreaterThan(0);
    expect((await rest.settle()).stored).toBe(acked);
  });
});
