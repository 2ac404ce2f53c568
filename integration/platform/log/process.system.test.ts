import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { hasPeer, mountPowerCut } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lockDataDir, nodeDisk } from "./index.ts";
import { openOn, readAll } from "./testing.ts";

const fixture = join(import.meta.dirname, "process.fixture.ts");
const runs = process.env.LINESHAFT_LONG ? 20 : process.env.CI ? 3 : 1;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "lineshaft-log-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

interface Run {
  child: ChildProcess;
  lines: string[];
  /** Resolves once a line begins with `text`, or rejects when the process has ended. */
  seen(text: string): Promise<void>;
  ended: Promise<NodeJS.Signals | number | null>;
}

function start(command: string[], env: Record<string, string> = {}): Run {
  const child = spawn(command[0], command.slice(1), {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout ?? process.stdin });
  output.on("line", (line) => lines.push(line));
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) => {
    child.on("close", (code, signal) => resolve(signal ?? code));
  });
  const seen = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (lines.some((l) => l.startsWith(text))) resolve();
      };
      look();
      output.on("line", look);
      void ended.then(() => reject(new Error(`The process ended before "${text}": ${lines.join(" | ")}`)));
    });
  return { child, lines, seen, ended };
}

const writer = (...args: string[]): string[] => [process.execPath, fixture, dir, ...args];
const writerIn = (data: string): string[] => [process.execPath, fixture, data];
const acknowledged = (lines: string[]): [number, number][] =>
  lines.filter((l) => l.startsWith("ack ")).map((l) => l.split(" ").slice(1).map(Number) as [number, number]);

async function served(data = dir): Promise<Map<number, number>> {
  const { log } = await openOn(nodeDisk(), { dir: join(data, "log") });
  const frames = await readAll(log);
  await log.close();
  return new Map(frames.map((f) => [f.lsn, f.payload.length]));
}

describe("real processes", () => {
  test.each(["K2", "K3", "K4", "K5", "K6"])(
    "F6 kill −9 at %s: nothing acknowledged is lost, and the next start takes over",
    async (point) => {
      const seen = new Map<number, number>();
      for (let run = 1; run <= runs; run++) {
        const { lines, ended } = start(writer(), { LINESHAFT_CRASH: `${point}:${3 * run}` });
        expect(await ended).toBe("SIGKILL");
        for (const [lsn, length] of acknowledged(lines)) {
          expect(seen.has(lsn), `LSN ${lsn} was given twice`).toBe(false);
          seen.set(lsn, length);
        }
        const kept = await served();
        const oldest = Math.min(...kept.keys());
        for (const [lsn, length] of seen) if (lsn >= oldest) expect(kept.get(lsn), `LSN ${lsn}`).toBe(length);
      }
      expect(seen.size).toBeGreaterThan(0);
    },
    120_000,
  );

  test.skipIf(!hasPeer("fuse"))(
    "F7 power cut on a real file system: nothing acknowledged is lost",
    async () => {
      const fs = await mountPowerCut(dir, { tear: "torn", seed: 42 });
      try {
        const data = join(fs.path, "data");
        const seen = new Map<number, number>();
        for (let run = 1; run <= 2 * runs; run++) {
          const { child, lines, ended, seen: line } = start(writerIn(data));
          await line("open");
          await new Promise((resolve) => setTimeout(resolve, 20 * run));
          child.kill("SIGKILL");
          await ended;
          await fs.cut();
          for (const [lsn, length] of acknowledged(lines)) {
            expect(seen.has(lsn), `LSN ${lsn} was given twice`).toBe(false);
            seen.set(lsn, length);
          }
          const kept = await served(data);
          const oldest = Math.min(...kept.keys());
          for (const [lsn, length] of seen) if (lsn >= oldest) expect(kept.get(lsn), `LSN ${lsn}`).toBe(length);
        }
        expect(seen.size).toBeGreaterThan(0);
      } finally {
        await fs.unmount();
      }
    },
    120_000,
  );

  test.skipIf(!hasPeer("strace"))(
    "F8 fdatasync fails in the real process: no acknowledgement after it, the process stays up",
    async () => {
      const inject = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fdatasync",
        "-e",
        "inject=fdatasync:error=EIO:when=6",
      ];
      // One pool thread, because strace counts calls by thread.
      const { lines, ended } = start([...inject, ...writer("20")], { UV_THREADPOOL_SIZE: "1" });
      expect(await ended).toBe(0);
      const failed = lines.findIndex((l) => l.startsWith("storage_unavailable"));
      expect(failed).toBeGreaterThan(1);
      expect(lines).toContain("event storage_failed");
      expect(acknowledged(lines.slice(failed))).toEqual([]);
      const kept = await served();
      const before = acknowledged(lines);
      expect(before.length).toBeGreaterThan(0);
      for (const [lsn, length] of before) expect(kept.get(lsn)).toBe(length);
    },
    60_000,
  );

  test.skipIf(!hasPeer("strace"))(
    "F10 fdatasync takes 500 ms in the real process: told once, all are acknowledged",
    async () => {
      const inject = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fdatasync",
        "-e",
        "inject=fdatasync:delay_exit=500000:when=3+",
      ];
      const { lines, ended } = start([...inject, ...writer("4")], { UV_THREADPOOL_SIZE: "1" });
      expect(await ended).toBe(0);
      expect(lines.filter((l) => l === "event slow_commit").length).toBe(1);
      expect(acknowledged(lines).length).toBe(1 + 2 + 3 + 1);
    },
    60_000,
  );

  test("F42 a second owner of the data directory is refused and told who has it; kill −9 frees it at once", async () => {
    const { child, seen, ended } = start(writer());
    await seen("open");
    expect(() => lockDataDir(dir)).toThrow(
      expect.objectContaining({ code: "data_dir_locked", message: expect.stringContaining(`process ${child.pid}`) }),
    );
    const second = start(writer());
    expect(await second.ended).toBe(3);
    expect(second.lines[0]).toMatch(/^data_dir_locked /);
    child.kill("SIGKILL");
    await ended;
    const lock = lockDataDir(dir);
    expect(() => lockDataDir(dir)).toThrow(expect.objectContaining({ code: "data_dir_locked" }));
    lock.release();
    lockDataDir(dir).release();
  }, 60_000);

  test("F42 a note left by a process whose id is now another's frees nobody and blocks nobody", async () => {
    await writeFile(join(dir, "owner.json"), JSON.stringify({ pid: process.pid, bootId: "another", startTicks: "1" }));
    lockDataDir(dir).release();
  });

  const mayMount = process.getuid?.() === 0 && existsSync("/bin/mount");
  test.skipIf(!mayMount)(
    "F9 a file system of 2 MB fills: nothing acknowledged is lost, a restart on the full disk works, it heals",
    async () => {
      const small = join(dir, "small");
      execFileSync("mkdir", [small]);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", small]);
      try {
        const at = { dir: join(small, "log"), segmentBytes: 300_000, space: { refuseAt: 1 } };
        const { log } = await openOn(nodeDisk(), at);
        const ballast = join(small, "ballast");
        await writeFile(ballast, Buffer.alloc(500_000));
        const kept: number[] = [];
        const payload = Buffer.alloc(9_000, 1);
        const record = { tenant: 1, partition: 0, type: 1, payload } as const;
        for (let full = false; !full; ) {
          const { lsn, durable } = log.append(record);
          await durable.then(
            () => kept.push(lsn),
            (error: { code: string }) => {
              expect(error.code).toBe("disk_full");
              full = true;
            },
          );
        }
        expect(kept.length).toBeGreaterThan(100);
        await log.close();
        const again = await openOn(nodeDisk(), at);
        const points = async () => (await readAll(again.log)).filter((f) => f.type === 1).map((f) => f.lsn);
        expect(await points()).toEqual(kept);
        await rm(ballast);
        for (let healed = false; !healed; ) {
          again.clock.advanceMs(1_000);
          await new Promise((resolve) => setTimeout(resolve, 20));
          const { lsn, durable } = again.log.append(record);
          healed = await durable.then(
            () => kept.push(lsn) > 0,
            () => false,
          );
        }
        expect(await points()).toEqual(kept);
        await again.log.close();
      } finally {
        execFileSync("umount", [small]);
      }
    },
    60_000,
  );
});
