// Second copies of files: the same bytes, compressed page by page. DuckDB's pages are written to be read fast; zstd takes them to a quarter for
// about a fiftieth of the CPU time that the compaction cost which made them.
import { open, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { crc32, zstdCompress, zstdDecompress } from "node:zlib";
import { DamagedFile, type FileMeta, loadContent, loadTrailer, pageBytes, verify, writeTrailer } from "./trailer.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const copyMagic = 0x3143534c; // "LSC1"
export const copySuffix = ".zst";

interface Block {
  /** In the copy, and checked there: a scrub need not decompress. */
  bytes: number;
  crc: number;
  /** In the original. */
  rawBytes: number;
  rawCrc: number;
}

/** Stands at the end of a copy. What the original says about itself is repeated, to be read without decompressing. */
interface CopyTrailer {
  meta: FileMeta;
  blocks: Block[];
}

/**
 * Makes a copy that is synced, read back and checked when this resolves; checks the original against its own checksums on the way (`DamagedFile`).
 * Leaves nothing behind when it fails. Gives the copy's size.
 */
export async function writeCopy(from: string, to: string): Promise<number> {
  try {
    const bytes = await write(from, to);
    await eachBlock(to, true, () => Promise.resolve());
    return bytes;
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}

async function write(from: string, to: string): Promise<number> {
  const { trailer, dataBytes, bytes } = await loadTrailer(from);
  const original = await open(from, "r");
  try {
    const copy = await open(to, "w");
    try {
      const blocks: Block[] = [];
      let at = 0;
      for (let from = 0; from < bytes; ) {
        // The trailer is a block of its own.
        const rawBytes = from < dataBytes ? Math.min(pageBytes, dataBytes - from) : bytes - from;
        const raw = Buffer.allocUnsafe(rawBytes);
        const { bytesRead } = await original.read(raw, 0, rawBytes, from);
        const rawCrc = crc32(raw);
        if (bytesRead !== rawBytes || (from < dataBytes && rawCrc !== trailer.pages[blocks.length]))
          throw new DamagedFile(`Bytes ${from} to ${from + rawBytes - 1} are not as they were written.`);
        const block = await compress(raw);
        await copy.write(block, 0, block.length, at);
        blocks.push({ bytes: block.length, crc: crc32(block), rawBytes, rawCrc });
        at += block.length;
        from += rawBytes;
      }
      return await writeTrailer(copy, at, copyMagic, { meta: trailer.meta, blocks } satisfies CopyTrailer);
    } finally {
      await copy.close();
    }
  } finally {
    await original.close();
  }
}

/** What the original says about itself. */
export async function readCopyMeta(copy: string): Promise<FileMeta> {
  const { content } = await loadContent(copy, copyMagic);
  return (content as CopyTrailer).meta;
}

/** Compares every byte of a copy with its checksums; throws `DamagedFile`. */
export async function verifyCopy(copy: string): Promise<void> {
  await eachBlock(copy, false, () => Promise.resolve());
}

/** Writes the original again, byte for byte, synced, read back and checked; leaves nothing behind when it fails. */
export async function restoreCopy(copy: string, to: string): Promise<FileMeta> {
  try {
    const file = await open(to, "w");
    try {
      let at = 0;
      await eachBlock(copy, true, async (raw) => {
        await file.write(raw, 0, raw.length, at);
        at += raw.length;
      });
      await file.datasync();
    } finally {
      await file.close();
    }
    return await verify(to);
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}

async function eachBlock(copy: string, raw: boolean, use: (raw: Uint8Array) => Promise<void>): Promise<void> {
  const { content, dataBytes } = await loadContent(copy, copyMagic);
  const { blocks } = content as CopyTrailer;
  const file = await open(copy, "r");
  try {
    let at = 0;
    for (const { bytes, crc, rawBytes, rawCrc } of blocks) {
      const block = Buffer.allocUnsafe(bytes);
      const { bytesRead } = await file.read(block, 0, bytes, at);
      if (bytesRead !== bytes || crc32(block) !== crc)
        throw new DamagedFile(`Bytes ${at} to ${at + bytes - 1} of the copy are not as they were written.`);
      at += bytes;
      if (!raw) continue;
      const original = await decompress(block, { maxOutputLength: rawBytes });
      if (crc32(original) !== rawCrc) throw new DamagedFile("The copy does not hold what it was made from.");
      await use(original);
    }
    if (at !== dataBytes) throw new DamagedFile("The copy has not the length it had.");
  } finally {
    await file.close();
  }
}
