import { inflateRawSync } from "node:zlib";
import { ProblemError } from "@lineshaft/contract/api";

/** What an archive may hold and come to (A54). Only what is asked for is unpacked, and archives within are not opened. */
export const archiveLimits = { entries: 2_000, partBytes: 48 * 1024 * 1024 } as const;

interface Entry {
  method: number;
  packedBytes: number;
  bytes: number;
  offset: number;
}

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
const endBytes = 22;
const commentMax = 65_535;

/** A ZIP archive in memory. Nothing of it is written anywhere, so a name leads nowhere; those that mean to are refused all the same. */
export class Archive {
  readonly #bytes: Buffer;
  readonly #entries = new Map<string, Entry>();

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    try {
      this.#readDirectory();
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      throw broken("its directory points outside of it");
    }
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** The text of one entry. */
  text(name: string): string {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw broken(`${name} is missing`);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(this.#unpack(name, entry));
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      throw broken(`${name} cannot be read`);
    }
  }

  #readDirectory(): void {
    const bytes = this.#bytes;
    let end = bytes.length - endBytes;
    const lowest = Math.max(0, end - commentMax);
    while (end >= lowest && bytes.readUInt32LE(end) !== endSignature) end--;
    if (end < lowest) throw broken("it has no end, as if cut off");
    const count = bytes.readUInt16LE(end + 10);
    if (count > archiveLimits.entries)
      throw new ProblemError(
        "archive_limits",
        `The archive has ${count} entries; at most ${archiveLimits.entries} are read.`,
      );
    let at = bytes.readUInt32LE(end + 16);
    for (let i = 0; i < count; i++) {
      if (bytes.readUInt32LE(at) !== entrySignature) throw broken("its directory is damaged");
      const flags = bytes.readUInt16LE(at + 8);
      const nameBytes = bytes.readUInt16LE(at + 28);
      const name = bytes.toString("utf8", at + 46, at + 46 + nameBytes);
      const unixType = bytes.readUInt32LE(at + 38) >>> 28;
      if ((flags & 1) !== 0) throw broken("it is protected by a password");
      // 0o12 is a symbolic link (A54).
      if (unixType === 0o12 || name.startsWith("/") || /(^|[/\\])\.\.([/\\]|$)/.test(name) || this.#entries.has(name))
        throw broken(`the entry ${JSON.stringify(name.slice(0, 100))} is none that a spreadsheet program writes`);
      this.#entries.set(name, {
        method: bytes.readUInt16LE(at + 10),
        packedBytes: bytes.readUInt32LE(at + 20),
        bytes: bytes.readUInt32LE(at + 24),
        offset: bytes.readUInt32LE(at + 42),
      });
      at += 46 + nameBytes + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    }
  }

  #unpack(name: string, { method, packedBytes, bytes, offset }: Entry): Uint8Array {
    // The directory's word is not taken for it: the bound holds while unpacking.
    if (bytes > archiveLimits.partBytes) throw tooLarge(name);
    if (this.#bytes.readUInt32LE(offset) !== localSignature) throw broken(`${name} is not where it should be`);
    const from = offset + 30 + this.#bytes.readUInt16LE(offset + 26) + this.#bytes.readUInt16LE(offset + 28);
    const packed = this.#bytes.subarray(from, from + packedBytes);
    if (packed.length !== packedBytes) throw broken(`${name} is cut off`);
    if (method === 0) return packed;
    if (method !== 8) throw broken(`${name} is packed in a way that is not known`);
    try {
      return inflateRawSync(packed, { maxOutputLength: archiveLimits.partBytes });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(name);
      throw error;
    }
  }
}

const broken = (why: string): ProblemError =>
  new ProblemError("archive_invalid", `The archive cannot be read: ${why}.`);
const tooLarge = (name: string): ProblemError =>
  new ProblemError("archive_limits", `${name} would unpack to more than ${archiveLimits.partBytes} bytes.`);
