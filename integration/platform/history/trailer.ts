import { type FileHandle, open, stat } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { type Micros, ProblemError } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import type { RollupSection } from "./rollup.ts";
import type { Presence } from "./rows.ts";

/** Format of history's files; files of format N − 1 are read. */
export const historyFormat = 1;

/**
 * What a file says about itself. It stands behind the DuckDB pages in the same file, so it is there exactly when the data are, and there
 * is no manifest that could be lost.
 */
export interface FileMeta {
  format: number;
  /** run: a closed head. part: all its rows lie in `partition`. side: late rows that are too few to rewrite their parts. */
  kind: "run" | "part" | "side";
  partition: { fromUs: Micros; toUs: Micros } | null;
  /** The rows came from frames with LSNs in these ranges (ends included), ascending. */
  covers: [Lsn, Lsn][];
  rows: number;
  /** Least and greatest sourceTime of a row. */
  fromUs: Micros;
  toUs: Micros;
  /** The same of original times; null where no row has one. */
  originals: { fromUs: Micros; toUs: Micros } | null;
  presence: Presence;
  /** Greatest raw tag of a row. */
  tagTo: number;
  /** See `strideOf` in duck.ts. */
  strideUs: number;
  corrections: number;
  /** Rows by hour: start of the hour in µs, rows; ascending. */
  hours: [Micros, number][];
  /** Where its roll-ups lie; null where it has none. */
  rollups: { minute: RollupSection | null; hour: RollupSection | null };
  /** Files whose rows it and its `outputs` took over. */
  supersedes: string[];
  /** All files that the same compaction wrote, itself included. */
  outputs: string[];
}

interface Trailer {
  meta: FileMeta;
  /** CRC-32 of each `pageBytes` of the data before the trailer. */
  pages: number[];
}

export const pageBytes = 1 << 20;
const footerBytes = 32;
const fileMagic = 0x3148534c; // "LSH1"

export class DamagedFile extends Error {
  override name = "DamagedFile";
}

/** Is the file itself at fault? Too many open files or too little memory say nothing about it. */
export function isDamage(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return error instanceof DamagedFile || code === "ENOENT" || code === "EIO";
}

/** Bytes that stand between the DuckDB pages and the trailer: files that are appended, then a few bytes. */
export interface Appendix {
  section: RollupSection;
  files: string[];
  tail: Uint8Array;
}

/**
 * Completes a finished DuckDB file: appends the roll-ups (telling each section its place), the trailer, and syncs. The file must not be open
 * elsewhere. Gives its size.
 */
export async function seal(path: string, meta: FileMeta, appendices: readonly Appendix[] = []): Promise<number> {
  const file = await open(path, "r+");
  try {
    let { size } = await file.stat();
    for (const { section, files, tail } of appendices) {
      section.at = Math.ceil(size / 8) * 8;
      size = section.at;
      for (const from of files) size = await appendFile(file, size, from);
      await file.write(tail, 0, tail.length, size);
      size += tail.length;
    }
    const pages: number[] = [];
    const page = Buffer.allocUnsafe(pageBytes);
    for (let at = 0; at < size; at += pageBytes) {
      const { bytesRead } = await file.read(page, 0, Math.min(pageBytes, size - at), at);
      pages.push(crc32(page.subarray(0, bytesRead)));
    }
    return await writeTrailer(file, size, fileMagic, { meta, pages } satisfies Trailer);
  } finally {
    await file.close();
  }
}

/** Ends a file with `content` as JSON behind its checksum, and syncs it. Gives the file's size. */
export async function writeTrailer(file: FileHandle, at: number, magic: number, content: object): Promise<number> {
  const json = Buffer.from(JSON.stringify(content));
  const footer = Buffer.alloc(footerBytes);
  footer.writeUInt32LE(magic, 0);
  footer.writeUInt32LE(json.length, 4);
  footer.writeUInt32LE(crc32(json), 8);
  footer.writeDoubleLE(at, 16);
  footer.writeUInt32LE(crc32(footer.subarray(0, 24)), 24);
  await file.write(Buffer.concat([json, footer]), 0, json.length + footerBytes, at);
  await file.datasync();
  return at + json.length + footerBytes;
}

async function appendFile(to: FileHandle, at: number, path: string): Promise<number> {
  const from = await open(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(pageBytes);
    for (;;) {
      const { bytesRead } = await from.read(buffer, 0, pageBytes);
      if (bytesRead === 0) return at;
      await to.write(buffer, 0, bytesRead, at);
      at += bytesRead;
    }
  } finally {
    await from.close();
  }
}

/** The file's own description; throws `DamagedFile` when trailer and size do not fit together. */
export async function readTrailer(path: string): Promise<{ meta: FileMeta; bytes: number }> {
  const { trailer, bytes } = await loadTrailer(path);
  return { meta: trailer.meta, bytes };
}

/** Throws also when a later version wrote it: such a file is not damaged, and must not be treated so. */
export async function loadTrailer(path: string): Promise<{ trailer: Trailer; dataBytes: number; bytes: number }> {
  const { content, dataBytes, bytes } = await loadContent(path, fileMagic);
  const trailer = content as Trailer;
  const { format } = trailer.meta;
  if (format !== historyFormat)
    throw new ProblemError("data_dir_version", `${path} has format ${format}; this version reads ${historyFormat}.`);
  return { trailer, dataBytes, bytes };
}

/** What `writeTrailer` wrote, with the bytes before it. */
export async function loadContent(
  path: string,
  magic: number,
): Promise<{ content: unknown; dataBytes: number; bytes: number }> {
  const { size } = await stat(path);
  if (size < footerBytes) throw new DamagedFile("The file is shorter than its trailer.");
  const file = await open(path, "r");
  try {
    const footer = Buffer.alloc(footerBytes);
    await file.read(footer, 0, footerBytes, size - footerBytes);
    if (footer.readUInt32LE(0) !== magic) throw new DamagedFile("The file does not end with a trailer.");
    if (footer.readUInt32LE(24) !== crc32(footer.subarray(0, 24)) || footer.readUInt32LE(28) !== 0)
      throw new DamagedFile("The footer's checksum is wrong.");
    const jsonBytes = footer.readUInt32LE(4);
    const dataBytes = footer.readDoubleLE(16);
    if (dataBytes + jsonBytes + footerBytes !== size) throw new DamagedFile("The file has not the length it had.");
    const json = Buffer.alloc(jsonBytes);
    await file.read(json, 0, jsonBytes, dataBytes);
    if (footer.readUInt32LE(8) !== crc32(json)) throw new DamagedFile("The trailer's checksum is wrong.");
    return { content: JSON.parse(json.toString()), dataBytes, bytes: size };
  } finally {
    await file.close();
  }
}

/** Reads the whole file and compares each page with its checksum; throws `DamagedFile` naming the first bytes that differ. */
export async function verify(path: string): Promise<FileMeta> {
  const { trailer, dataBytes } = await loadTrailer(path);
  const file = await open(path, "r");
  try {
    const page = Buffer.allocUnsafe(pageBytes);
    for (let k = 0; k < trailer.pages.length; k++) {
      const at = k * pageBytes;
      const { bytesRead } = await file.read(page, 0, Math.min(pageBytes, dataBytes - at), at);
      if (crc32(page.subarray(0, bytesRead)) !== trailer.pages[k])
        throw new DamagedFile(`Bytes ${at} to ${at + bytesRead - 1} are not as they were written.`);
    }
    return trailer.meta;
  } finally {
    await file.close();
  }
}
