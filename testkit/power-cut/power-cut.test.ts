import { execFileSync } from "node:child_process";
import { constants } from "node:fs";
import { mkdtemp, open, readdir, readFile, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hasPeer } from "../peers.ts";
import { mountPowerCut, type PowerCutMount, type PowerCutOptions } from "./index.ts";

async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, constants.O_RDONLY);
  await handle.sync();
  await handle.close();
}

async function writeSynced(path: string, content: string | Buffer): Promise<void> {
  const handle = await open(path, "w");
  await handle.writeFile(content);
  await handle.datasync();
  await handle.close();
}

/** Runs a script in a Node of its own, so that nothing stays open when the power goes. */
const inProcess = (script: string, ...args: string[]): string =>
  execFileSync(process.execPath, ["--no-warnings", "--input-type=module", "-e", script, ...args], { encoding: "utf8" });

// Without FUSE (peer `fuse`) these are skipped; `npm test` with CI=true installs it.
describe.skipIf(!hasPeer("fuse"))("the power-cut file system", () => {
  let dir: string;
  let mounted: PowerCutMount | null = null;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "lineshaft-power-"));
  });
  afterEach(async () => {
    await mounted?.unmount();
    mounted = null;
    await rm(dir, { recursive: true });
  });
  const mount = async (options?: PowerCutOptions): Promise<PowerCutMount> => {
    mounted = await mountPowerCut(dir, options);
    return mounted;
  };

  test("synced bytes survive, later ones and overwritten ones come back as they were", async () => {
    const fs = await mount();
    const file = join(fs.path, "a");
    await writeSynced(file, "A".repeat(10_000));
    await syncDir(fs.path);
    const handle = await open(file, "r+");
    await handle.write("B".repeat(5_000), 5_000);
    await handle.write("C".repeat(5_000), 20_000);
    expect((await readFile(file)).toString()).toBe(
      `${"A".repeat(5_000)}${"B".repeat(5_000)}${"\0".repeat(10_000)}${"C".repeat(5_000)}`,
    );
    await fs.cut();
    await expect(handle.write("D")).rejects.toMatchObject({ code: "EIO" });
    await handle.close().catch(() => {});
    expect((await readFile(file)).toString()).toBe("A".repeat(10_000));
  });

  test("a truncated file is whole again, a lengthened one short", async () => {
    const fs = await mount();
    const file = join(fs.path, "a");
    await writeSynced(file, "0123456789");
    await syncDir(fs.path);
    const handle = await open(file, "r+");
    await handle.truncate(4);
    await handle.truncate(8);
    await handle.close();
    expect((await readFile(file)).toString()).toBe("0123\0\0\0\0");
    await fs.cut();
    expect((await readFile(file)).toString()).toBe("0123456789");
  });

  test("new, renamed and removed names need a sync of their directory", async () => {
    const fs = await mount();
    await writeSynced(join(fs.path, "old"), "old");
    await writeSynced(join(fs.path, "gone"), "gone");
    await syncDir(fs.path);
    await writeSynced(join(fs.path, "new"), "new");
    await rename(join(fs.path, "old"), join(fs.path, "renamed"));
    await unlink(join(fs.path, "gone"));
    await fs.cut();
    expect((await readdir(fs.path)).sort()).toEqual(["gone", "old"]);
    await writeSynced(join(fs.path, "new"), "new");
    await rename(join(fs.path, "new"), join(fs.path, "old"));
    await unlink(join(fs.path, "gone"));
    await syncDir(fs.path);
    await fs.cut();
    expect(await readdir(fs.path)).toEqual(["old"]);
    expect((await readFile(join(fs.path, "old"))).toString()).toBe("new");
  });

  test("with a journal a synced file brings its own name and all earlier changes with it", async () => {
    const fs = await mount({ names: "journal" });
    await writeFile(join(fs.path, "unsynced"), "x");
    await writeSynced(join(fs.path, "synced"), "y");
    await writeFile(join(fs.path, "later"), "z");
    await fs.cut();
    expect((await readdir(fs.path)).sort()).toEqual(["synced", "unsynced"]);
    expect((await stat(join(fs.path, "unsynced"))).size).toBe(0);
  });

  test("torn: a seed decides what survives of unsynced data, sector by sector, and repeats", async () => {
    const outcomes: string[] = [];
    for (const seed of [1, 1, 2, 3, 4, 5, 6, 7, 8]) {
      const fs = await mount({ tear: "torn", seed });
      await writeSynced(join(fs.path, "a"), "A".repeat(8_192));
      await syncDir(fs.path);
      await writeFile(join(fs.path, "a"), "B".repeat(8_192), { flag: "r+" });
      await fs.cut();
      const content = (await readFile(join(fs.path, "a"))).toString();
      expect(content.length).toBe(8_192);
      outcomes.push(content.replace(/(.)\1{511}/g, "$1"));
      await unlink(join(fs.path, "a"));
      await fs.unmount();
      mounted = null;
    }
    expect(outcomes[0]).toBe(outcomes[1]);
    expect(outcomes.every((o) => /^[AB]{16}$/.test(o))).toBe(true);
    expect(new Set(outcomes).size).toBeGreaterThan(3);
  });

  test("unmounting in good order loses nothing", async () => {
    const fs = await mount();
    await writeFile(join(fs.path, "a"), "kept");
    await fs.unmount();
    mounted = null;
    expect((await readFile(join(fs.durablePath, "a"))).toString()).toBe("kept");
  });

  test.each(["FULL", "OFF"])(
    "SQLite in WAL mode (mmap included), synchronous=%s, killed and cut",
    async (synchronous) => {
      const fs = await mount({ tear: "torn", seed: 7 });
      const file = join(fs.path, "a.db");
      const write = `
      import { DatabaseSync } from "node:sqlite";
      const db = new DatabaseSync(process.argv[1]);
      db.exec("PRAGMA journal_mode=WAL; PRAGMA mmap_size=1000000; PRAGMA synchronous=FULL; CREATE TABLE t (x INTEGER PRIMARY KEY, y BLOB)");
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      db.exec("PRAGMA synchronous=${synchronous}");
      for (let i = 1; i <= 50; i++) db.exec("INSERT INTO t VALUES (" + i + ", randomblob(3000))");
      process.stdout.write(String(db.prepare("SELECT count(*) AS n FROM t").get().n));
      process.kill(process.pid, "SIGKILL");`;
      let said = "";
      try {
        inProcess(write, file);
      } catch (error) {
        said = String((error as { stdout: string }).stdout);
      }
      expect(said).toBe("50");
      await syncDir(fs.path);
      await fs.cut();
      const read = `
      import { DatabaseSync } from "node:sqlite";
      const db = new DatabaseSync(process.argv[1]);
      const { n } = db.prepare("SELECT count(*) AS n FROM t").get();
      process.stdout.write(db.prepare("PRAGMA integrity_check").get().integrity_check + " " + n);
      db.close();`;
      const [integrity, rows] = inProcess(read, file).split(" ");
      expect(integrity).toBe("ok");
      if (synchronous === "FULL") expect(Number(rows)).toBe(50);
      else expect(Number(rows)).toBeLessThan(50);
    },
  );
});
