// Hot path: numbers straight from the bytes of an answer, without an object per value.
import { type ExactValue, type StatusCode, valueTypeCode } from "@lineshaft/contract/api";
import type { DataType, Target, WordOrder } from "./address.ts";
import { status } from "./status.ts";

/** Where decoded values go; `tag` is whatever the slot was made with. */
export interface ValueSink {
  /** A value that a float64 holds; `type` as in `valueTypeCode`. */
  number(tag: number, value: number, type: number): void;
  exact(tag: number, value: ExactValue, type: number): void;
  bad(tag: number, code: StatusCode): void;
}

const kinds = {
  bit: 0,
  flag: 1,
  registerBit: 2,
  uint16: 3,
  int16: 4,
  bcd16: 5,
  uint32: 6,
  int32: 7,
  bcd32: 8,
  float32: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
  string: 13,
} as const;

/** One value within the answer to one read. */
export interface Slot {
  tag: number;
  kind: number;
  /** Bytes from the begin of the values; bits for coils and discrete inputs. */
  offset: number;
  /** Registers. */
  count: number;
  /** Bit within the register. */
  bit: number;
  /** The word with the most significant byte comes last. */
  wordsReversed: boolean;
  /** The less significant byte of each register comes first. */
  bytesSwapped: boolean;
}

const kindOf = (type: DataType, bit: number | null): number =>
  type === "bool" ? (bit === null ? kinds.flag : kinds.registerBit) : kinds[type];

export function slotOf(target: Target, tag: number, blockStart: number): Slot {
  const isBit = target.table === "coil" || target.table === "discrete";
  const distance = target.start - blockStart;
  return {
    tag,
    kind: isBit ? kinds.bit : kindOf(target.type, target.bit),
    offset: isBit ? distance : 2 * distance,
    count: target.count,
    bit: target.bit ?? 0,
    ...swaps(target.wordOrder),
  };
}

function swaps(order: WordOrder): { wordsReversed: boolean; bytesSwapped: boolean } {
  return { wordsReversed: order === "CDAB" || order === "DCBA", bytesSwapped: order === "BADC" || order === "DCBA" };
}

const { boolean, int64, double, string } = valueTypeCode;
const two32 = 4294967296;
const int64Max = 2n ** 63n - 1n;
// Floats are put together in these; both machines' orders are right because words are written as numbers.
const words = new Uint32Array(2);
const float32 = new Float32Array(words.buffer, 0, 1);
const float64 = new Float64Array(words.buffer);
const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** The `index`-th most significant register of a value. */
function word(bytes: Uint8Array, slot: Slot, index: number): number {
  const at = slot.offset + 2 * (slot.wordsReversed ? slot.count - 1 - index : index);
  return slot.bytesSwapped ? (bytes[at + 1] << 8) | bytes[at] : (bytes[at] << 8) | bytes[at + 1];
}

/** Two registers from the `index`-th on, as an unsigned number. */
function doubleWord(bytes: Uint8Array, slot: Slot, index: number): number {
  return ((word(bytes, slot, index) << 16) | word(bytes, slot, index + 1)) >>> 0;
}

/** Four digits, or −1 when a nibble is none. */
function bcd(register: number): number {
  let value = 0;
  for (let shift = 12; shift >= 0; shift -= 4) {
    const digit = (register >>> shift) & 15;
    if (digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Decodes all slots of one read from the values of its answer. */
export function decode(slots: readonly Slot[], bytes: Uint8Array, out: ValueSink): void {
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i];
    const { tag, offset } = slot;
    switch (slot.kind) {
      case kinds.bit:
        out.number(tag, (bytes[offset >>> 3] >>> (offset & 7)) & 1, boolean);
        break;
      case kinds.flag:
        out.number(tag, word(bytes, slot, 0) === 0 ? 0 : 1, boolean);
        break;
      case kinds.registerBit:
        out.number(tag, (word(bytes, slot, 0) >>> slot.bit) & 1, boolean);
        break;
      case kinds.uint16:
        out.number(tag, word(bytes, slot, 0), int64);
        break;
      case kinds.int16:
        out.number(tag, (word(bytes, slot, 0) << 16) >> 16, int64);
        break;
      case kinds.uint32:
        out.number(tag, doubleWord(bytes, slot, 0), int64);
        break;
      case kinds.int32:
        out.number(tag, doubleWord(bytes, slot, 0) | 0, int64);
        break;
      case kinds.float32:
        words[0] = doubleWord(bytes, slot, 0);
        out.number(tag, float32[0], double);
        break;
      case kinds.float64:
        words[littleEndian ? 1 : 0] = doubleWord(bytes, slot, 0);
        words[littleEndian ? 0 : 1] = doubleWord(bytes, slot, 2);
        out.number(tag, float64[0], double);
        break;
      case kinds.bcd16:
      case kinds.bcd32: {
        const high = slot.count === 2 ? bcd(word(bytes, slot, 0)) : 0;
        const low = bcd(word(bytes, slot, slot.count - 1));
        if (high < 0 || low < 0) out.bad(tag, status.badDecodingError);
        else out.number(tag, high * 10_000 + low, int64);
        break;
      }
      case kinds.int64:
      case kinds.uint64:
        decode64(slot, bytes, out);
        break;
      default:
        out.exact(tag, text(slot, bytes), string);
    }
  }
}

function decode64(slot: Slot, bytes: Uint8Array, out: ValueSink): void {
  const unsigned = slot.kind === kinds.uint64;
  const high = unsigned ? doubleWord(bytes, slot, 0) : doubleWord(bytes, slot, 0) | 0;
  const low = doubleWord(bytes, slot, 2);
  const value = high * two32 + low;
  if (Number.isSafeInteger(value)) {
    out.number(slot.tag, value, int64);
    return;
  }
  const exact = BigInt(high) * BigInt(two32) + BigInt(low);
  // The platform's integers are int64: what is beyond comes as its digits, as from every connector.
  if (exact > int64Max) out.exact(slot.tag, String(exact), string);
  else out.exact(slot.tag, exact, int64);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const latin1 = new TextDecoder("latin1");

/** Text up to the first NUL, without blanks at its end: UTF-8, or Latin-1 where it is none. */
function text(slot: Slot, bytes: Uint8Array): string {
  const raw = new Uint8Array(2 * slot.count);
  let length = raw.length;
  for (let i = 0; i < raw.length; i++) {
    raw[i] = bytes[slot.offset + (slot.bytesSwapped ? i ^ 1 : i)];
    if (raw[i] === 0) {
      length = i;
      break;
    }
  }
  const used = raw.subarray(0, length);
  try {
    return utf8.decode(used).trimEnd();
  } catch {
    return latin1.decode(used).trimEnd();
  }
}
