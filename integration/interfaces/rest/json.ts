// Hot path. JSON from outside: one pass over the bytes finds what JSON.parse would let through or lose (depth, duplicate
// and reserved keys, integers beyond 2^53), then JSON.parse does the rest.
import { isUtf8 } from "node:buffer";
import { ingestLimits, ProblemError } from "@lineshaft/contract/api";

const quote = 34;
const comma = 44;
const minus = 45;
const zero = 48;
const nine = 57;
const colon = 58;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const letterU = 117;
const openBrace = 123;
const closeBrace = 125;

/** Keys that would reach the prototype of an object (A29). */
const reservedKeys = new Set(["__proto__", "constructor", "prototype"]);
const largestSafe = Buffer.from("9007199254740991");
/** Objects with more keys than this compare them through Sets: of their hashes, and of their texts once two have the same hash. */
const linearKeys = 12;
const utf8Bom = [0xef, 0xbb, 0xbf];

export interface ParsedJson {
  value: unknown;
  /** Some text was written with \u escapes: only then may it hold NUL or a lone surrogate. */
  escapes: boolean;
}

/**
 * Parses untrusted JSON. Integers beyond ±2^53 come out as `{"int64": "<digits>"}`, so that no digit is lost; numbers that
 * overflow come out as ±Infinity. Throws ProblemError json_invalid, json_encoding, json_too_deep, json_duplicate_key,
 * reserved_key.
 */
export function parseJson(input: Uint8Array, depthMax: number = ingestLimits.jsonDepth): ParsedJson {
  const { bytes, scan } = scanned(input, depthMax);
  return parsed(bytes, scan);
}

/** The same with a turn of the others between its two halves; for bodies that take some ten milliseconds. */
export async function parseLargeJson(input: Uint8Array): Promise<ParsedJson> {
  const { bytes, scan } = scanned(input, ingestLimits.jsonDepth);
  await turn();
  const value = parsed(bytes, scan);
  await turn();
  return value;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function scanned(input: Uint8Array, depthMax: number): { bytes: Buffer; scan: Scan } {
  let bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  if (utf8Bom.every((byte, i) => bytes[i] === byte)) bytes = bytes.subarray(3);
  if (bytes.length === 0) throw new ProblemError("json_invalid", "The body is empty.");
  if (!isUtf8(bytes)) throw new ProblemError("json_encoding", "The body is not valid UTF-8.");
  const nul = bytes.indexOf(0);
  if (nul !== -1) throw new ProblemError("json_encoding", `The body holds a NUL at byte ${nul}.`);
  return { bytes, scan: scanJson(bytes, depthMax) };
}

function parsed(bytes: Buffer, scan: Scan): ParsedJson {
  const text = (scan.large.length === 0 ? bytes : quoteLarge(bytes, scan.large)).toString("utf8");
  try {
    return { value: JSON.parse(text) as unknown, escapes: scan.escapes };
  } catch (error) {
    const position = scan.large.length === 0 ? /position (\d+)/.exec(String(error))?.[1] : undefined;
    const where = position === undefined ? "" : ` The mistake is at character ${position}.`;
    throw new ProblemError("json_invalid", `The body is not JSON.${where}`, { cause: error });
  }
}

/** Text that cannot be written in UTF-8 or be shown: NUL, lone surrogates (A17). */
export function isCleanText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** Throws `json_encoding` when a text or key anywhere in the value is not clean. */
export function assertCleanTexts(value: unknown): void {
  if (typeof value === "string") {
    if (!isCleanText(value)) throw new ProblemError("json_encoding", "A text holds NUL or a lone surrogate.");
  } else if (Array.isArray(value)) {
    for (const item of value) assertCleanTexts(item);
  } else if (value !== null && typeof value === "object") {
    for (const [key, item] of Object.entries(value)) {
      assertCleanTexts(key);
      assertCleanTexts(item);
    }
  }
}

interface Scan {
  escapes: boolean;
  /** Start and end of integers beyond ±2^53, in pairs. */
  large: number[];
}

// Not a grammar check: on malformed input it only has to end and stay inside; JSON.parse refuses it afterwards.
function scanJson(bytes: Buffer, depthMax: number): Scan {
  const large: number[] = [];
  const isObject = new Uint8Array(depthMax + 1);
  const keys = new KeyStack(bytes);
  let escapes = false;
  let depth = 0;
  let expectKey = false;
  const n = bytes.length;
  let i = 0;
  while (i < n) {
    const c = bytes[i];
    if ((c >= zero && c <= nine) || c === minus) {
      const start = i++;
      let integer = true;
      for (; i < n; i++) {
        const d = bytes[i];
        if (d >= zero && d <= nine) continue;
        // . e E + -
        if (d !== 46 && d !== 101 && d !== 69 && d !== 43 && d !== 45) break;
        integer = false;
      }
      if (integer && i - start >= 16 && isLarge(bytes, start, i)) large.push(start, i);
      continue;
    }
    i++;
    if (c === comma) {
      expectKey = isObject[depth] === 1;
    } else if (c === quote) {
      const start = i;
      let escaped = false;
      let hash = 0;
      for (; i < n; i++) {
        const d = bytes[i];
        if (d === quote) break;
        if (d === backslash) {
          escaped = true;
          i++;
          if (bytes[i] === letterU) escapes = true;
        }
        hash = (Math.imul(hash, 31) + d) | 0;
      }
      if (expectKey) {
        keys.add(start, Math.min(i, n), hash, escaped);
        expectKey = false;
      }
      i++;
    } else if (c === openBrace || c === openBracket) {
      if (++depth > depthMax)
        throw new ProblemError(
          "json_too_deep",
          `The JSON is nested more than ${depthMax} levels deep at byte ${i - 1}.`,
        );
      isObject[depth] = c === openBrace ? 1 : 0;
      expectKey = c === openBrace;
      if (expectKey) keys.open();
    } else if (c === closeBrace || c === closeBracket) {
      if (depth > 0) {
        if (isObject[depth] === 1) keys.close();
        depth--;
      }
      expectKey = false;
    } else if (c === colon) {
      expectKey = false;
    }
  }
  return { escapes, large };
}

function isLarge(bytes: Buffer, start: number, end: number): boolean {
  const from = bytes[start] === minus ? start + 1 : start;
  const digits = end - from;
  if (digits !== largestSafe.length) return digits > largestSafe.length;
  return bytes.compare(largestSafe, 0, largestSafe.length, from, end) > 0;
}

/** `12345678901234567` becomes `{"int64":"12345678901234567"}`: the exact form that the contract has anyway. */
function quoteLarge(bytes: Buffer, large: number[]): Buffer {
  const open = Buffer.from('{"int64":"');
  const close = Buffer.from('"}');
  const parts: Buffer[] = [];
  let at = 0;
  for (let k = 0; k < large.length; k += 2) {
    parts.push(bytes.subarray(at, large[k]), open, bytes.subarray(large[k], large[k + 1]), close);
    at = large[k + 1];
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}

/** The keys of the objects that are open at the moment, as places in the bytes. */
class KeyStack {
  readonly #bytes: Buffer;
  readonly #start: number[] = [];
  readonly #end: number[] = [];
  readonly #hash: number[] = [];
  readonly #base: number[] = [];
  readonly #hashes: (Set<number> | null)[] = [];
  readonly #texts: (Set<string> | null)[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  open(): void {
    this.#base.push(this.#start.length);
    this.#hashes.push(null);
    this.#texts.push(null);
  }

  close(): void {
    const base = this.#base.pop();
    this.#hashes.pop();
    this.#texts.pop();
    if (base !== undefined) this.#start.length = this.#end.length = this.#hash.length = base;
  }

  add(start: number, end: number, hash: number, escaped: boolean): void {
    const length = end - start;
    const first = this.#bytes[start];
    if (escaped || ((length === 9 || length === 11) && (first === 95 || first === 99 || first === 112))) {
      const text = this.#text(start, end);
      if (reservedKeys.has(text))
        throw new ProblemError("reserved_key", `The key "${text}" is reserved (byte ${start}).`);
    }
    const top = this.#base.length - 1;
    if (top < 0) return;
    const texts = this.#texts[top];
    if (texts !== null) {
      const text = this.#text(start, end);
      if (texts.has(text)) this.#refuse(start, end);
      texts.add(text);
      return;
    }
    const base = this.#base[top];
    // Written with an escape, a key has another hash than the same key without.
    if (escaped) {
      this.#compareTexts(top);
      this.add(start, end, hash, escaped);
      return;
    }
    if (this.#start.length - base < linearKeys) {
      for (let k = base; k < this.#start.length; k++)
        if (this.#hash[k] === hash && this.#same(k, start, end)) this.#refuse(start, end);
    } else {
      const hashes = this.#hashes[top] ?? new Set(this.#hash.slice(base));
      this.#hashes[top] = hashes;
      if (hashes.has(hash)) {
        this.#compareTexts(top);
        this.add(start, end, hash, escaped);
        return;
      }
      hashes.add(hash);
    }
    this.#start.push(start);
    this.#end.push(end);
    this.#hash.push(hash);
  }

  #compareTexts(top: number): void {
    const texts = new Set<string>();
    for (let k = this.#base[top]; k < this.#start.length; k++) texts.add(this.#text(this.#start[k], this.#end[k]));
    this.#texts[top] = texts;
  }

  #same(k: number, start: number, end: number): boolean {
    return this.#bytes.compare(this.#bytes, this.#start[k], this.#end[k], start, end) === 0;
  }

  #text(start: number, end: number): string {
    const raw = this.#bytes.toString("utf8", start, end);
    if (!raw.includes("\\")) return raw;
    try {
      return JSON.parse(`"${raw}"`) as string;
    } catch {
      return raw;
    }
  }

  #refuse(start: number, end: number): never {
    const key = this.#text(start, Math.min(end, start + 80));
    throw new ProblemError("json_duplicate_key", `The key "${key}" stands twice in one object (byte ${start}).`);
  }
}
