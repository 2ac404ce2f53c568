import { ProblemError } from "@lineshaft/contract/api";
import SqliteDatabase from "better-sqlite3";

/** How long a part of a long transaction may hold up the thread. */
const portionMs = 5;

export type Sql = SqliteDatabase.Database;

/** One step of a schema. Steps are only ever appended; the position in the list + 1 is the version. */
export type Migration = string;

/**
 * A SQLite file with one owner: WAL, exclusive lock (so no shared memory is needed and a second process is refused),
 * schema brought up to date. Writes go through `write`, one transaction each.
 */
export interface OwnedDatabase {
  readonly sql: Sql;
  /**
   * Runs `work` in one transaction and syncs it. Nothing of it remains when it throws. The world's faults become
   * `disk_full` or `storage_unavailable`; after an I/O error nothing is written any more, because what a failed sync left behind is unknown.
   */
  write<T>(work: () => T): T;
  /** The same without waiting for the disk: survives a killed process, may be undone by a power cut. For what can be redone. */
  writeRelaxed<T>(work: () => T): T;
  /**
   * One transaction over several turns of the event loop: `work` yields between its parts, `pause` gives the others their turn. Until it ends, `busy` is a promise of
   * its end, other writes are refused (`overloaded`), and reads see what is not decided yet: whoever can waits for `busy` first.
   */
  writeInPortions<T>(work: Generator<void, T>, pause: () => Promise<void>): Promise<T>;
  readonly busy: Promise<void> | null;
  /** All writes so far survive a power cut when this returns. */
  sync(): void;
  close(): void;
}

/**
 * `durability` is what `write` promises: `synced` survives a power cut, `relaxed` a killed process only. `pageBytes`: of a new file; larger where most rows would not fit a
 * page of the usual size. `cacheBytes`: pages that are kept in memory, as they come into use.
 */
export function openDatabase(options: {
  path: string;
  migrations: readonly Migration[];
  durability: "synced" | "relaxed";
  pageBytes?: number;
  cacheBytes?: number;
}): OwnedDatabase {
  const { path, migrations, durability, pageBytes = 4096, cacheBytes = 8 * 1024 * 1024 } = options;
  const synchronous = durability === "synced" ? "FULL" : "NORMAL";
  const sql = connect(path, { synchronous, pageBytes, cacheBytes });
  try {
    migrate(sql, path, migrations);
  } catch (error) {
    sql.close();
    throw error;
  }

  let failed: unknown = null;
  let busy: Promise<void> | null = null;
  /** Within a part of the transaction that goes over several turns. */
  let inPortion = false;
  const guarded = <T>(work: () => T): T => {
    if (failed !== null) throw unavailable(path, failed);
    try {
      return work();
    } catch (error) {
      const fault = storageFault(path, error);
      if (fault?.code === "storage_unavailable") failed = error;
      throw fault ?? error;
    }
  };
  const run = <T>(work: () => T): T => {
    if (inPortion) return work();
    if (busy !== null)
      throw new ProblemError("overloaded", "A configuration is being saved at this moment.", { retryAfterSeconds: 1 });
    return guarded(() => sql.transaction(work).immediate());
  };
  /** One part; true when the work is done. */
  const portion = <T>(work: Generator<void, T>): IteratorResult<void, T> => {
    inPortion = true;
    try {
      const end = performance.now() + portionMs;
      for (;;) {
        const step = work.next();
        if (step.done === true || performance.now() >= end) return step;
      }
    } finally {
      inPortion = false;
    }
  };
  const runInPortions = async <T>(work: Generator<void, T>, pause: () => Promise<void>): Promise<T> => {
    guarded(() => sql.exec("BEGIN IMMEDIATE"));
    try {
      for (;;) {
        const step = guarded(() => portion(work));
        if (step.done === true) {
          guarded(() => sql.exec("COMMIT"));
          return step.value;
        }
        await pause();
      }
    } catch (error) {
      if (sql.inTransaction) sql.exec("ROLLBACK");
      throw error;
    }
  };

  return {
    sql,
    write: run,
    get busy() {
      return busy;
    },
    writeInPortions: (work, pause) => {
      if (busy !== null || sql.inTransaction)
        throw new ProblemError("overloaded", "A configuration is being saved at this moment.", {
          retryAfterSeconds: 1,
        });
      const done = runInPortions(work, pause).finally(() => {
        busy = null;
      });
      busy = done.then(
        () => undefined,
        () => undefined,
      );
      return done;
    },
    writeRelaxed: <T>(work: () => T): T => {
      // How a transaction is synced is settled when it begins.
      if (durability === "relaxed" || sql.inTransaction) return run(work);
      sql.pragma("synchronous=NORMAL");
      try {
        return run(work);
      } finally {
        sql.pragma("synchronous=FULL");
      }
    },
    // The checkpoint syncs the write-ahead log first.
    sync: () => {
      try {
        sql.pragma("wal_checkpoint(PASSIVE)");
      } catch (error) {
        throw storageFault(path, error) ?? error;
      }
    },
    close: () => {
      sql.close();
    },
  };
}

function connect(
  path: string,
  { synchronous, pageBytes, cacheBytes }: { synchronous: "FULL" | "NORMAL"; pageBytes: number; cacheBytes: number },
): Sql {
  let sql: Sql | null = null;
  try {
    sql = new SqliteDatabase(path, { timeout: 0 });
    // The lock mode comes first: an exclusive WAL database keeps its index in memory, not in a shared mapping.
    sql.pragma("locking_mode=EXCLUSIVE");
    sql.pragma(`page_size=${pageBytes}`);
    sql.pragma("journal_mode=WAL");
    sql.pragma(`synchronous=${synchronous}`);
    sql.pragma("foreign_keys=ON");
    // Below zero it is KiB.
    sql.pragma(`cache_size=${-Math.ceil(cacheBytes / 1024)}`);
    // Takes the exclusive lock now, not at the first write.
    sql.exec("BEGIN IMMEDIATE; COMMIT");
    return sql;
  } catch (error) {
    sql?.close();
    if (sqliteCode(error).startsWith("SQLITE_BUSY"))
      throw new ProblemError("data_dir_locked", `${path} is open in another process.`, { cause: error });
    throw storageFault(path, error) ?? error;
  }
}

function migrate(sql: Sql, path: string, migrations: readonly Migration[]): void {
  sql.exec("CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY) STRICT");
  const current = sql.prepare("SELECT coalesce(max(version), 0) FROM migrations").pluck().get() as number;
  if (current > migrations.length)
    throw new ProblemError(
      "data_dir_version",
      `${path} has format ${current}; this version reads up to ${migrations.length}.`,
    );
  for (let version = current + 1; version <= migrations.length; version++) {
    sql
      .transaction(() => {
        sql.exec(migrations[version - 1]);
        sql.prepare("INSERT INTO migrations VALUES (?)").run(version);
      })
      .immediate();
  }
}

function sqliteCode(error: unknown): string {
  return error instanceof SqliteDatabase.SqliteError ? error.code : "";
}

/** The catalogue's error for a fault of the disk; null for everything else (which is a fault of the program). */
function storageFault(path: string, error: unknown): ProblemError | null {
  const code = sqliteCode(error);
  if (code === "SQLITE_FULL")
    return new ProblemError("disk_full", `${path} could not grow: the disk is full.`, { cause: error });
  const broken = ["SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CANTOPEN", "SQLITE_READONLY"];
  return broken.some((prefix) => code.startsWith(prefix)) ? unavailable(path, error) : null;
}

function unavailable(path: string, cause: unknown): ProblemError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new ProblemError("storage_unavailable", `${path} cannot be used: ${text}.`, { cause });
}
