/** Modbus Application Protocol header: transaction u16, protocol u16 = 0, length u16, unit u8. */
const headerBytes = 7;
/** A PDU has at most 253 bytes (V1.1b3, 4.1); the length field also counts the unit. */
const longestLength = 254;
/** Unit, function and one byte (an exception's code) at least. */
const shortestLength = 3;
/** The longest frame, and so the most that is ever kept of a broken one. */
export const longestFrame = headerBytes - 1 + longestLength;

/** A read request: all that an answer is compared with. */
export interface ReadRequest {
  transaction: number;
  unit: number;
  /** 1–4. */
  function: number;
  start: number;
  count: number;
}

export function encodeRequest(request: ReadRequest): Uint8Array {
  const { transaction, unit, function: code, start, count } = request;
  const high = (n: number): number => n >>> 8;
  const low = (n: number): number => n & 0xff;
  return Uint8Array.of(
    high(transaction),
    low(transaction),
    0,
    0,
    0,
    6,
    unit,
    code,
    high(start),
    low(start),
    high(count),
    low(count),
  );
}

/** Bytes of values that a well-formed answer carries. */
export function answerBytes({ function: code, count }: { function: number; count: number }): number {
  return code <= 2 ? (count + 7) >>> 3 : 2 * count;
}

/** One frame, its parts as views into the bytes. */
export interface Frame {
  transaction: number;
  unit: number;
  /** Function code and data. */
  pdu: Uint8Array;
}

export type Reply =
  | { kind: "data"; bytes: Uint8Array }
  | { kind: "exception"; code: number }
  /** The peer answered, but not to what was asked. */
  | { kind: "violation"; violation: Violation };
/** What was wrong about an answer. */
export const violations = ["transaction", "unit", "function", "length"] as const;
export type Violation = (typeof violations)[number];

/** An answer, judged by its request. */
export function judgeReply(request: ReadRequest, { unit, pdu }: Frame): Reply {
  if (unit !== request.unit) return { kind: "violation", violation: "unit" };
  if (pdu[0] === (request.function | 0x80)) {
    if (pdu.length !== 2) return { kind: "violation", violation: "length" };
    return { kind: "exception", code: pdu[1] };
  }
  if (pdu[0] !== request.function) return { kind: "violation", violation: "function" };
  const bytes = answerBytes(request);
  if (pdu[1] !== bytes || pdu.length !== 2 + bytes) return { kind: "violation", violation: "length" };
  return { kind: "data", bytes: pdu.subarray(2) };
}

/** The stream cannot be cut into frames any more. */
export class FramingError extends Error {
  override name = "FramingError";
}

/** Cuts a byte stream into frames. Keeps at most one unfinished frame. */
export class FrameReader {
  readonly #rest = new Uint8Array(longestFrame);
  #kept = 0;

  /** Calls `onFrame` for each whole frame; the views are valid until the caller's buffer is reused. Throws FramingError. */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    let at = 0;
    while (this.#kept > 0 && at < chunk.length) {
      // Finish the header first, then as much as it announces.
      const wanted = this.#kept < headerBytes ? headerBytes : frameBytes(this.#rest, 0);
      const part = Math.min(wanted - this.#kept, chunk.length - at);
      this.#rest.set(chunk.subarray(at, at + part), this.#kept);
      this.#kept += part;
      at += part;
      if (this.#kept < headerBytes || this.#kept < frameBytes(this.#rest, 0)) continue;
      const frame = this.#rest.slice(0, this.#kept);
      this.#kept = 0;
      onFrame(frameAt(frame, 0, frame.length));
    }
    while (chunk.length - at >= headerBytes) {
      const bytes = frameBytes(chunk, at);
      if (chunk.length - at < bytes) break;
      onFrame(frameAt(chunk, at, bytes));
      at += bytes;
    }
    if (at === chunk.length) return;
    this.#rest.set(chunk.subarray(at), 0);
    this.#kept = chunk.length - at;
  }
}

/** Length of the frame at `at`, whose header is there. */
function frameBytes(bytes: Uint8Array, at: number): number {
  const protocol = (bytes[at + 2] << 8) | bytes[at + 3];
  const length = (bytes[at + 4] << 8) | bytes[at + 5];
  if (protocol !== 0) throw new FramingError(`MBAP protocol id ${protocol}, 0 is Modbus`);
  if (length < shortestLength || length > longestLength)
    throw new FramingError(`MBAP length ${length}, ${shortestLength} to ${longestLength} are possible`);
  return headerBytes - 1 + length;
}

function frameAt(bytes: Uint8Array, at: number, length: number): Frame {
  return {
    transaction: (bytes[at] << 8) | bytes[at + 1],
    unit: bytes[at + 6],
    pdu: bytes.subarray(at + headerBytes, at + length),
  };
}
