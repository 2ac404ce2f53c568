import { statfs } from "node:fs/promises";

/** Is there no room for what was to be written? DuckDB tells it in its text only. */
export function isNoSpace(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return (
    code === "ENOSPC" ||
    code === "EDQUOT" ||
    /No space left on device|Disk quota exceeded/.test(String(message ?? error))
  );
}

export async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
