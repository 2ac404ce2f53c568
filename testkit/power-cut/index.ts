import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface PowerCutOptions {
  /** `drop` (default): a cut loses everything unsynced. `torn`: parts of it survive, as the seed will have it. */
  tear?: "drop" | "torn";
  seed?: number;
  /**
   * `strict` (default): names become durable only by a sync of their directory. `journal`: a sync of any file makes all earlier name
   * changes durable, as ext4, XFS and Btrfs behave; for DuckDB, which does not sync directories.
   */
  names?: "strict" | "journal";
}

export interface PowerCutMount {
  /** Where programs work. */
  path: string;
  /** What the disk holds at this moment; flip bits here. */
  durablePath: string;
  /** Resolves when the power was cut and is back. Kill the programs first, as a cut would; their open files give EIO. */
  cut(): Promise<void>;
  /** Writes everything out and ends. */
  unmount(): Promise<void>;
}

/**
 * A file system for real processes under `dir` that loses at `cut()` what was not synced. Needs FUSE (peer `fuse` of peers.ts). SQLite
 * (WAL too) and DuckDB run on it; 60 MB/s and more.
 */
export async function mountPowerCut(dir: string, options: PowerCutOptions = {}): Promise<PowerCutMount> {
  const backing = join(dir, "disk");
  const path = join(dir, "mount");
  await Promise.all([mkdir(backing, { recursive: true }), mkdir(path, { recursive: true })]);
  // Debian's python3-fusepy belongs to Debian's Python, which another one may hide on the PATH.
  const child = spawn("/usr/bin/python3", [join(import.meta.dirname, "power_cut_fs.py"), backing, path], {
    env: {
      ...process.env,
      POWER_CUT_TEAR: options.tear ?? "drop",
      POWER_CUT_SEED: String(options.seed ?? 1),
      POWER_CUT_NAMES: options.names ?? "strict",
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = new Lines(child);
  await lines.next("mounted");
  return {
    path,
    durablePath: join(backing, "tree"),
    async cut() {
      const done = lines.next("cut ");
      child.kill("SIGUSR1");
      await done;
    },
    async unmount() {
      const ended = lines.ended;
      child.stdin?.end();
      await ended;
    },
  };
}

/** Waits for lines that the file system prints. */
class Lines {
  readonly ended: Promise<void>;
  #waiting: { prefix: string; resolve: () => void; reject: (error: Error) => void } | null = null;

  constructor(child: ChildProcess) {
    if (child.stdout === null) throw new Error("The file system's output is not a pipe.");
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (this.#waiting === null || !line.startsWith(this.#waiting.prefix)) return;
      this.#waiting.resolve();
      this.#waiting = null;
    });
    this.ended = new Promise((resolve) => {
      child.on("close", (code) => {
        this.#waiting?.reject(new Error(`The power-cut file system ended with ${code}.`));
        resolve();
      });
    });
  }

  next(prefix: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { prefix, resolve, reject };
    });
  }
}
