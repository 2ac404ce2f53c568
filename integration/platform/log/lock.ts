import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ProblemError } from "@lineshaft/contract/api";
import Database from "better-sqlite3";

interface Owner {
  pid: number;
  bootId: string | null;
  startTicks: string | null;
}

/** Kept here, because a database that nobody refers to is closed by the garbage collector, and the lock with it. */
const held = new Set<Database.Database>();

/**
 * Makes this process the only owner of a data directory until `release` or its death, however it dies. Throws ProblemError
 * `data_dir_locked`, which names the owner.
 *
 * The lock is SQLite's on an empty database file: the operating system drops it with the process, and it holds between containers
 * that share the directory, where sockets and process ids do not. Nothing else in the process may open `lock.db`: closing it drops
 * the lock (POSIX). `owner.json` only serves the message.
 */
export function lockDataDir(dir: string): { release(): void } {
  mkdirSync(dir, { recursive: true });
  const lock = new Database(join(dir, "lock.db"), { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    throw new ProblemError("data_dir_locked", `${dir} is in use by ${describeOwner(dir)}.`, { cause: error });
  }
  held.add(lock);
  try {
    const owner: Owner = { pid: process.pid, bootId: bootId(), startTicks: startTicks(process.pid) };
    writeFileSync(join(dir, "owner.json"), JSON.stringify(owner));
  } catch {
    // On a full disk the next one is told less.
  }
  return {
    release() {
      held.delete(lock);
      if (lock.open) lock.close();
    },
  };
}

/** A process id is believed only if that very process still runs: ids are used again. */
function describeOwner(dir: string): string {
  try {
    const owner = JSON.parse(readFileSync(join(dir, "owner.json"), "utf8")) as Owner;
    const here = owner.bootId === bootId() && owner.startTicks === startTicks(owner.pid);
    return here ? `process ${owner.pid}` : `another machine or container (its process ${owner.pid})`;
  } catch {
    return "another process";
  }
}

function bootId(): string | null {
  return readOrNull("/proc/sys/kernel/random/boot_id")?.trim() ?? null;
}

/** When the process started, in clock ticks since boot: field 22 of proc(5)'s stat, counted behind the name in parentheses. */
function startTicks(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
