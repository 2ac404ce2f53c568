import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import type { Disk, DiskFile } from "@lineshaft/contract/ports";

const flags = {
  read: constants.O_RDONLY,
  readWrite: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT,
} as const;

/** The machine's own disk. Syncs are `fdatasync`, of directories `fsync`. */
export function nodeDisk(): Disk {
  return {
    open: async (path, mode) => nodeFile(await fs.open(path, flags[mode])),
    list: (dir) => unlessMissing(fs.readdir(dir), []),
    makeDir: async (dir) => {
      await fs.mkdir(dir, { recursive: true });
    },
    rename: (from, to) => fs.rename(from, to),
    remove: (path) => fs.unlink(path),
    syncDir: async (dir) => {
      const handle = await fs.open(dir, constants.O_RDONLY);
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    readFile: (path) => unlessMissing<Uint8Array | null>(fs.readFile(path), null),
    space: async (dir) => {
      const s = await fs.statfs(dir);
      // As df counts: blocks that only root may use are neither free nor part of the whole.
      return { freeBytes: s.bavail * s.bsize, totalBytes: (s.blocks - s.bfree + s.bavail) * s.bsize };
    },
  };
}

function nodeFile(handle: fs.FileHandle): DiskFile {
  return {
    size: async () => (await handle.stat()).size,
    async read(position, length) {
      // Its own ArrayBuffer: offset 0, so what is aligned in the file is aligned in memory.
      const bytes = Buffer.allocUnsafeSlow(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    },
    async write(position, buffers) {
      const total = buffers.reduce((sum, b) => sum + b.length, 0);
      let { bytesWritten: done } = await handle.writev(buffers, position);
      // A short write is no error; the next one says why (ENOSPC) or goes on.
      while (done < total) {
        const rest = after(buffers, done);
        const { bytesWritten } = await handle.writev(rest, position + done);
        if (bytesWritten === 0) throw Object.assign(new Error("The disk took no more bytes."), { code: "ENOSPC" });
        done += bytesWritten;
      }
    },
    truncate: (length) => handle.truncate(length),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

function after(buffers: Uint8Array[], skip: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let left = skip;
  for (const b of buffers) {
    if (left < b.length) rest.push(b.subarray(left));
    left = Math.max(0, left - b.length);
  }
  return rest;
}

async function unlessMissing<T>(work: Promise<T>, missing: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return missing;
    throw error;
  }
}
