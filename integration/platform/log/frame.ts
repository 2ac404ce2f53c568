// Hot path. One record as bytes. Little-endian, header 48 bytes, payload padded with zeros to 8, so that every payload stands 8-byte
// aligned in the file and in memory (decodeColumns then makes views instead of copies).
//
//   0 length u32      bytes of payload            28 salt u32      the same in all frames of a segment, by chance
//   4 crc u32         see below                   32 recordedTime f64
//   8 lsn u64                                     40 back u32      lsn − lsn of the record before; 0: there is none
//  16 generation u32                              44 unsynced u32  lsn − newest lsn known durable when this was written
//  20 tenant u32                                  48 payload
//  24 partition u16, 26 type u8, 27 version u8
//
// The crc (zlib's) runs over bytes 8 … 48 + length and starts from the length, so that it vouches for that too. `salt` lets a scan
// find the next frame behind damage, and keeps bytes inside a payload that look like a frame from being taken for one.
// `back` tells lost frames from burnt numbers. `unsynced` proves which earlier frames had been synced: damage there is rot, not a
// write that was under way.
import { crc32 } from "node:zlib";
import type { Frame, Lsn, RecordTypeCode } from "@lineshaft/contract/ports";

export const frameHeaderBytes = 48;
export const frameVersion = 1;
/** Larger payloads are refused, so that a scan need not believe any length. */
export const payloadBytesMax = 64 * 1024 * 1024;

/** Bytes of a frame in the file: header, payload, padding. */
export const frameBytes = (payloadLength: number): number => (frameHeaderBytes + payloadLength + 7) & ~7;

const twoTo32 = 4_294_967_296;

/**
 * Writes all of the frame at `at` (a multiple of 8) but what `sealFrame` adds. `view` covers the same bytes as `target`. `previousLsn`
 * 0: there is no record before.
 */
export function writeFrame(
  target: Uint8Array,
  view: DataView,
  at: number,
  frame: Frame,
  salt: number,
  previousLsn: Lsn,
): void {
  const { payload, lsn } = frame;
  const length = payload.length;
  view.setUint32(at, length, true);
  view.setUint32(at + 8, lsn >>> 0, true);
  view.setUint32(at + 12, Math.floor(lsn / twoTo32), true);
  view.setUint32(at + 16, frame.generation, true);
  view.setUint32(at + 20, frame.tenant, true);
  view.setUint16(at + 24, frame.partition, true);
  view.setUint8(at + 26, frame.type);
  view.setUint8(at + 27, frameVersion);
  view.setUint32(at + 28, salt, true);
  view.setFloat64(at + 32, frame.recordedTime, true);
  view.setUint32(at + 40, previousLsn === 0 ? 0 : Math.min(lsn - previousLsn, twoTo32 - 1), true);
  target.set(payload, at + frameHeaderBytes);
  const end = at + frameHeaderBytes + length;
  target.fill(0, end, at + frameBytes(length));
}

/** Completes a frame just before it is written to the disk: what is durable by now, and the crc. Returns the offset of the next frame. */
export function sealFrame(target: Uint8Array, view: DataView, at: number, durableLsn: Lsn): number {
  const length = view.getUint32(at, true);
  view.setUint32(at + 44, Math.min(lsnAt(view, at) - durableLsn, twoTo32 - 1), true);
  view.setUint32(at + 4, crc32(target.subarray(at + 8, at + frameHeaderBytes + length), length), true);
  return at + frameBytes(length);
}

/** Payload length at `at`, or -1 where no frame header can be. `salt` null: not known yet. */
export function peekLength(view: DataView, at: number, salt: number | null): number {
  if (at + frameHeaderBytes > view.byteLength) return -1;
  const length = view.getUint32(at, true);
  if (length > payloadBytesMax || view.getUint8(at + 27) !== frameVersion) return -1;
  if (salt !== null && view.getUint32(at + 28, true) !== salt) return -1;
  return length;
}

/** Does the crc of the whole frame at `at` hold? The frame must lie within `bytes`. */
export function crcHolds(bytes: Uint8Array, view: DataView, at: number, length: number): boolean {
  return crc32(bytes.subarray(at + 8, at + frameHeaderBytes + length), length) === view.getUint32(at + 4, true);
}

export const lsnAt = (view: DataView, at: number): Lsn =>
  view.getUint32(at + 12, true) * twoTo32 + view.getUint32(at + 8, true);

/** The record of a checked frame; the payload is a view. */
export function readFrame(bytes: Uint8Array, view: DataView, at: number, length: number): Frame {
  return {
    lsn: lsnAt(view, at),
    generation: view.getUint32(at + 16, true),
    tenant: view.getUint32(at + 20, true),
    partition: view.getUint16(at + 24, true),
    type: view.getUint8(at + 26) as RecordTypeCode,
    recordedTime: view.getFloat64(at + 32, true),
    payload: bytes.subarray(at + frameHeaderBytes, at + frameHeaderBytes + length),
  };
}

/** LSN of the record before (0: none), and the newest LSN that was durable when this frame was written. */
export function readLinks(view: DataView, at: number): { previousLsn: Lsn; durableLsn: Lsn } {
  const lsn = lsnAt(view, at);
  const back = view.getUint32(at + 40, true);
  return { previousLsn: back === 0 ? 0 : lsn - back, durableLsn: lsn - view.getUint32(at + 44, true) };
}
