import { closeSync, fdatasync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { round, Samples } from "./stats.ts";

const sync = promisify(fdatasync);

export interface SyncFigures {
  /** Milliseconds. */
  p50: number;
  p99: number;
  max: number;
  count: number;
}

/** fdatasync after appends of `bytes`, one after the other, for `seconds`: what this disk takes for a commit, whatever we do. */
export async function measureSync(dir: string, seconds: number, bytes = 64 * 1024): Promise<SyncFigures> {
  const path = join(dir, "fdatasync.probe");
  const fd = openSync(path, "w");
  const block = Buffer.alloc(bytes, 0x5a);
  const samples = new Samples();
  try {
    const end = performance.now() + seconds * 1000;
    let position = 0;
    while (performance.now() < end) {
      writeSync(fd, block, 0, bytes, position);
      position += bytes;
      const before = performance.now();
      await sync(fd);
      samples.add(performance.now() - before);
    }
  } finally {
    closeSync(fd);
    rmSync(path, { force: true });
  }
  return samples.summary();
}

/** Sequential write of `mebibytes` in 4 MiB blocks, synced at the end, in MB/s. */
export async function measureWrite(dir: string, mebibytes: number): Promise<number> {
  const path = join(dir, "write.probe");
  const fd = openSync(path, "w");
  const block = Buffer.alloc(4 * 1024 * 1024);
  // Not all zeros: a file system may leave holes.
  for (let i = 0; i < block.length; i += 4) block.writeInt32LE(Math.imul(i, 0x9e3779b1), i);
  try {
    const before = performance.now();
    for (let done = 0; done < mebibytes; done += 4) writeSync(fd, block);
    await sync(fd);
    const seconds = (performance.now() - before) / 1000;
    return round((mebibytes * 1.048576) / seconds, 0);
  } finally {
    closeSync(fd);
    rmSync(path, { force: true });
  }
}
