import type { Value } from "@lineshaft/contract/api";

/**
 * Just enough protobuf for an edge node: writes the Sparkplug B payload (org.eclipse.tahu.protobuf, sparkplug_b.proto) and reads commands.
 * Its own, so that the platform's decoder is never tested against itself.
 */

/** The Sparkplug data types that this plant uses. */
export const dataType = { int32: 3, int64: 4, double: 10, boolean: 11, string: 12 } as const;
export type DataType = (typeof dataType)[keyof typeof dataType];

export interface Metric {
  /** In births only, where an alias exists. */
  name?: string;
  alias?: number;
  timeMs: number;
  type: DataType;
  /** In births and in commands the type is told; in DATA it is known. */
  tellType: boolean;
  value: Value;
  historical?: boolean;
  /** UCUM, as property `engUnit`. */
  unit?: string | null;
}

export interface Payload {
  timeMs: number;
  seq?: number;
  metrics: readonly Metric[];
}

const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;

class Writer {
  readonly bytes: number[] = [];

  /** Unsigned, of up to 64 bits. */
  uint(field: number, value: number | bigint): void {
    this.#varint((field << 3) | varint);
    this.#varint(value);
  }

  double(field: number, value: number): void {
    this.#varint((field << 3) | fixed64);
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value, true);
    this.#append(new Uint8Array(view.buffer));
  }

  text(field: number, value: string): void {
    this.block(field, Buffer.from(value, "utf8"));
  }

  block(field: number, bytes: ArrayLike<number>): void {
    this.#varint((field << 3) | lengthDelimited);
    this.#varint(bytes.length);
    this.#append(bytes);
  }

  #varint(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.bytes.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.bytes.push(Number(rest));
  }

  #append(bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length; i++) this.bytes.push(bytes[i]);
  }
}

export function encodePayload({ timeMs, seq, metrics }: Payload): Buffer {
  const writer = new Writer();
  writer.uint(1, timeMs);
  for (const metric of metrics) writer.block(2, encodeMetric(metric));
  if (seq !== undefined) writer.uint(3, seq);
  return Buffer.from(writer.bytes);
}

function encodeMetric(metric: Metric): number[] {
  const writer = new Writer();
  if (metric.name !== undefined) writer.text(1, metric.name);
  if (metric.alias !== undefined) writer.uint(2, metric.alias);
  writer.uint(3, metric.timeMs);
  if (metric.tellType) writer.uint(4, metric.type);
  if (metric.historical) writer.uint(5, 1);
  if (metric.value === null) writer.uint(7, 1);
  if (metric.unit) writer.block(9, encodeUnit(metric.unit));
  const { value, type } = metric;
  if (value !== null) encodeValue(writer, type, value);
  return writer.bytes;
}

function encodeUnit(unit: string): number[] {
  const value = new Writer();
  value.uint(1, dataType.string);
  value.text(8, unit);
  const set = new Writer();
  set.text(1, "engUnit");
  set.block(2, value.bytes);
  return set.bytes;
}

function encodeValue(writer: Writer, type: DataType, value: Exclude<Value, null>): void {
  switch (type) {
    case dataType.int32:
      // Signed integers travel as two's complement in the unsigned fields int_value and long_value.
      writer.uint(10, Number(value) >>> 0);
      break;
    case dataType.int64:
      writer.uint(11, BigInt(value as number | bigint));
      break;
    case dataType.double:
      writer.double(13, Number(value));
      break;
    case dataType.boolean:
      writer.uint(14, value ? 1 : 0);
      break;
    case dataType.string:
      writer.text(15, String(value));
      break;
  }
}

/** What a host may tell an edge node. */
export interface Command {
  name: string | null;
  boolean: boolean | null;
}

/** The metrics of an NCMD; null: not a Sparkplug payload. */
export function decodeCommand(bytes: Uint8Array): Command[] | null {
  const commands: Command[] = [];
  const sound = eachField(bytes, (field, value) => {
    if (field !== 2 || !(value instanceof Uint8Array)) return true;
    const command: Command = { name: null, boolean: null };
    commands.push(command);
    return eachField(value, (inner, content) => {
      if (inner === 1 && content instanceof Uint8Array) command.name = Buffer.from(content).toString("utf8");
      if (inner === 14 && typeof content === "number") command.boolean = content !== 0;
      return true;
    });
  });
  return sound ? commands : null;
}

/** Visits each field; false when the bytes are no protobuf or a visit says so. Values of more than 53 bits are rounded: no command needs them. */
function eachField(bytes: Uint8Array, visit: (field: number, value: number | Uint8Array) => boolean): boolean {
  let at = 0;
  const varintAt = (): number => {
    let value = 0;
    for (let factor = 1; at < bytes.length && factor < 2 ** 70; factor *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  while (at < bytes.length) {
    const key = varintAt();
    const wire = key % 8;
    let value: number | Uint8Array;
    if (wire === varint) value = varintAt();
    else {
      const length = wire === lengthDelimited ? varintAt() : wire === fixed64 ? 8 : wire === fixed32 ? 4 : Number.NaN;
      if (!(at + length <= bytes.length)) return false;
      value = bytes.subarray(at, at + length);
      at += length;
    }
    if (Number.isNaN(value) || !visit(Math.floor(key / 8), value)) return false;
  }
  return true;
}
