import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dayUs, type Micros } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import type { StoredFile } from "./file-name.ts";
import { unite } from "./settle.ts";

/** What retention has removed. */
export interface Retired {
  /** Points before this are not kept; null: nothing was removed yet. */
  beforeUs: Micros | null;
  /** Records whose rows went, so that they are not taken for lost. */
  covers: [Lsn, Lsn][];
}

const fileName = "retired.json";

/** Without the note nothing more is lost than the knowledge that some records are gone on purpose. */
export async function readRetired(dir: string): Promise<Retired> {
  try {
    const { beforeUs, covers } = JSON.parse(await readFile(join(dir, fileName), "utf8")) as Retired;
    return { beforeUs, covers: unite(covers) };
  } catch {
    return { beforeUs: null, covers: [] };
  }
}

export async function writeRetired(dir: string, retired: Retired): Promise<void> {
  const temporary = join(dir, `${fileName}.tmp`);
  await rm(temporary, { force: true });
  await writeFile(temporary, JSON.stringify(retired), { flush: true });
  await rename(temporary, join(dir, fileName));
}

type Aged = Pick<StoredFile, "lsnTo"> & { meta: Pick<StoredFile["meta"], "rows" | "toUs"> };

/**
 * The files of the oldest day that lies as a whole before `beforeUs`, and the time up to which nothing is kept then; null: nothing to do. One day at
 * a time: the caller waits between two, so that a wall clock that jumps cannot empty the history.
 */
export function planRetirement<F extends Aged>(
  files: readonly F[],
  beforeUs: Micros,
): { files: F[]; beforeUs: Micros } | null {
  // The newest file also says how far history has come.
  const newest = files.reduce((lsn, file) => Math.max(lsn, file.lsnTo), 0);
  const old = files.filter((file) => file.meta.rows > 0 && file.meta.toUs < beforeUs && file.lsnTo < newest);
  if (old.length === 0) return null;
  const dayOf = (file: F): number => Math.floor(file.meta.toUs / dayUs);
  const day = Math.min(...old.map(dayOf));
  return { files: old.filter((file) => dayOf(file) === day), beforeUs: Math.min(beforeUs, (day + 1) * dayUs) };
}
