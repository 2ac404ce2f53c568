import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestRow } from "@lineshaft/testkit";
import { afterAll, expect, test } from "vitest";
import { hourUs, Plant, series, sleep, t0 } from "./testing.ts";

/** A disk of its own, so small that it fills. Null where we may not mount one. */
function smallDisk(): string | null {
  const path = mkdtempSync(join(tmpdir(), "lineshaft-small-"));
  return spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", path]).status === 0 ? path : null;
}

const disk = smallDisk();

afterAll(() => {
  if (disk === null) return;
  spawnSync("umount", [disk]);
  rmSync(disk, { recursive: true, force: true });
});

/** Values that do not compress. */
const noisy = (fromUs: number): TestRow[] =>
  series(1, fromUs, 20_000, 1000).map((row, k) => ({ ...row, value: Math.sin(k + fromUs) }));

test.skipIf(disk === null)(
  "F9: on a full disk history waits, holds its sources back, serves, restarts, and goes on when there is space",
  async () => {
    const dir = join(disk!, "history");
    const ballast = join(disk!, "ballast");
    const plant = new Plant(dir, { headRows: 20_000, runsPerMerge: 2 });
    const told = (type: string): number => plant.events.filter((event) => event.type === type).length;
    const until = async (what: string, holds: () => boolean): Promise<void> => {
      for (let k = 0; !holds(); k++) {
        if (k === 500) throw new Error(`In vain: ${what}`);
        await sleep(5);
      }
    };
    let hours = 0;
    const offer = (): void => plant.offer(noisy(t0 + ++hours * hourUs));
    const fill = (): void => {
      for (let bytes = 1 << 20; bytes >= 4096; bytes /= 2) {
        try {
          for (;;) appendFileSync(ballast, Buffer.alloc(bytes));
        } catch {}
      }
    };
    const temporaries = (): string[] =>
      [...readdirSync(dir), ...readdirSync(join(dir, "copies"))].filter((name) => name.includes(".tmp"));

    await plant.start();
    try {
      await plant.run(noisy(t0));
      for (const round of [1, 2]) {
        plant.events.length = 0;
        fill();
        offer();
        await plant.feed();
        await until("history says that space is short", () => told("spaceShort") === 1);
        expect((await plant.read()).rows).toEqual(plant.expected());
        // One head waits for the disk, one is full: the next batch waits.
        offer();
        let state = "waiting";
        const feeding = plant.feed().then(
          () => (state = "fed"),
          (error: Error) => (state = error.message),
        );
        for (let second = 0; second < 20; second++) {
          plant.history.tick();
          await sleep(5);
        }
        expect(state).toBe("waiting");
        expect(plant.history.status.state).not.toBe("unavailable");
        expect(told("compacted") + told("unavailable") + told("quarantined")).toBe(0);
        await until("what did not fit is removed", () => temporaries().length === 0);
        if (round === 2) {
          await plant.stop();
          await feeding;
          expect(state).not.toBe("fed");
          await plant.start();
          expect((await plant.read()).rows).toEqual(plant.expected(plant.history.status.persistedLsn));
        }
        expect(statSync(ballast).size).toBeGreaterThan(1 << 20);
        rmSync(ballast);
        if (round === 2) await plant.feed();
        for (let second = 0; second < 10; second++) {
          plant.history.tick();
          await sleep(5);
        }
        await feeding;
        await plant.store.compact();
        expect(round === 1 ? told("spaceFound") : 1).toBe(1);
        expect(plant.history.status).toMatchObject({ state: "ready", persistedLsn: plant.log.length });
        expect((await plant.read()).rows).toEqual(plant.expected());
      }
    } finally {
      await plant.stop();
    }
  },
);
