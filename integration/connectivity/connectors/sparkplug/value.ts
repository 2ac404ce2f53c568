// Hot path: one call per metric. From the wire to a value, by the data type of the birth certificate.
import { type Value, valueToJson } from "@lineshaft/contract/api";
import { dataType, valueField } from "./data-type.ts";
import type { Cell, DataSet } from "./payload.ts";

/** A value, or why there is none. One object is filled again and again. */
export interface ReadValue {
  value: Value;
  /** A whole number within ±2^53 whose type is an integer all the same. */
  integer: boolean;
  fault: string | null;
}

/** Text made of arrays and data sets ends here, like every value (ingest: 65,536 bytes). */
const textBytesMax = 65_536;
const long = (lo: number, hi: number): bigint => (BigInt(hi) << 32n) | BigInt(lo);

function integer(out: ReadValue, value: number | bigint): void {
  out.value = value;
  out.integer = true;
}

function mismatch(out: ReadValue, type: number, field: number): void {
  out.fault = `A value of data type ${type} does not travel in field ${field}.`;
}

/** Signed integers: two's complement in 8, 16 or 32 bits, or sign-extended to 32 or 64 (both are seen in the field). */
function signed(out: ReadValue, bits: 8 | 16 | 32, lo: number, hi: number): void {
  const span = 2 ** bits;
  if (hi === 0 && lo < span) integer(out, lo < span / 2 ? lo : lo - span);
  else if ((hi === 0 || hi === 0xffffffff) && lo >= 4294967296 - span / 2) integer(out, lo - 4294967296);
  else out.fault = `The value lies outside a ${bits}-bit integer.`;
}

function unsigned(out: ReadValue, bits: 8 | 16 | 32, lo: number, hi: number): void {
  if (hi === 0 && lo < 2 ** bits) integer(out, lo);
  else out.fault = `The value lies outside an unsigned ${bits}-bit integer.`;
}

/** Reads one value that travelled in `field` as what `type` says. Type 0 stands for "not declared": then the field decides. */
export function readValue(
  out: ReadValue,
  type: number,
  field: number,
  number: number,
  lo: number,
  hi: number,
  object: string | Uint8Array | object | null,
): void {
  out.integer = false;
  out.fault = null;
  out.value = null;
  const whole = field === valueField.int || field === valueField.long;
  switch (type) {
    case dataType.float:
    case dataType.double:
      if (field === valueField.double || field === valueField.float) out.value = number;
      else mismatch(out, type, field);
      return;
    case dataType.boolean:
      if (field === valueField.boolean || (field === valueField.int && number <= 1)) out.value = number !== 0;
      else mismatch(out, type, field);
      return;
    case dataType.int32:
      if (whole) signed(out, 32, lo, hi);
      else mismatch(out, type, field);
      return;
    case dataType.int8:
    case dataType.int16:
      if (whole) signed(out, type === dataType.int8 ? 8 : 16, lo, hi);
      else mismatch(out, type, field);
      return;
    case dataType.uint8:
    case dataType.uint16:
    case dataType.uint32:
      if (whole) unsigned(out, type === dataType.uint8 ? 8 : type === dataType.uint16 ? 16 : 32, lo, hi);
      else mismatch(out, type, field);
      return;
    case dataType.int64:
    case dataType.dateTime:
      if (!whole) mismatch(out, type, field);
      else if (hi < 0x200000) integer(out, number);
      else {
        const exact = BigInt.asIntN(64, long(lo, hi));
        const rounded = Number(exact);
        integer(out, Number.isSafeInteger(rounded) ? rounded : exact);
      }
      return;
    case dataType.uint64:
      if (!whole) mismatch(out, type, field);
      else if (hi < 0x200000) integer(out, number);
      // Beyond int64 no number of ours holds it exactly: its digits do.
      else if (hi < 0x80000000) integer(out, long(lo, hi));
      else out.value = long(lo, hi).toString();
      return;
    case dataType.string:
    case dataType.text:
    case dataType.uuid:
      if (typeof object === "string") out.value = object;
      else mismatch(out, type, field);
      return;
    case dataType.bytes:
    case dataType.file:
      if (object instanceof Uint8Array) out.value = object;
      else mismatch(out, type, field);
      return;
    case dataType.dataSet:
      if (field === valueField.dataSet) bounded(out, dataSetText(object as DataSet, out));
      else mismatch(out, type, field);
      return;
    case dataType.unknown:
      readUndeclared(out, field, number, lo, hi, object);
      return;
    default:
      if (type < dataType.int8Array || type > dataType.dateTimeArray) out.fault = `Data type ${type} is not known.`;
      else if (object instanceof Uint8Array) bounded(out, arrayText(type, object));
      else mismatch(out, type, field);
  }
}

/** Without a data type the field that it travelled in says most of it. */
function readUndeclared(
  out: ReadValue,
  field: number,
  number: number,
  lo: number,
  hi: number,
  object: string | Uint8Array | object | null,
): void {
  switch (field) {
    case valueField.int:
    case valueField.long:
      readValue(out, dataType.int64, field, number, lo, hi, object);
      return;
    case valueField.float:
    case valueField.double:
      out.value = number;
      return;
    case valueField.boolean:
      out.value = number !== 0;
      return;
    case valueField.string:
    case valueField.bytes:
      out.value = object as string | Uint8Array;
      return;
    case valueField.dataSet:
      readValue(out, dataType.dataSet, field, number, lo, hi, object);
      return;
    default:
      out.fault = "The metric has no value.";
  }
}

function bounded(out: ReadValue, text: string | null): void {
  if (out.fault !== null) return;
  if (text === null) out.fault = "The bytes do not make up an array of this type.";
  else if (Buffer.byteLength(text) > textBytesMax) out.fault = `As text it has more than ${textBytesMax} bytes.`;
  else out.value = text;
}

const jsonOf = (value: Value): string =>
  typeof value === "bigint" ? value.toString() : JSON.stringify(valueToJson(value));

export function cellValue(out: ReadValue, type: number, cell: Cell): void {
  readValue(out, type, cell.field, cell.number, cell.lo, cell.hi, cell.text);
}

function dataSetText(set: DataSet, out: ReadValue): string {
  const cell: ReadValue = { value: null, integer: false, fault: null };
  const rows: string[] = [];
  for (const row of set.rows) {
    const cells = row.map((value, i) => {
      if (value.field === valueField.none) return "null";
      cellValue(cell, set.types[i], value);
      if (cell.fault !== null) out.fault ??= `Column "${set.columns[i]}": ${cell.fault}`;
      return jsonOf(cell.value);
    });
    rows.push(`[${cells.join(",")}]`);
  }
  return `{"columns":${JSON.stringify(set.columns)},"types":[${set.types.join(",")}],"rows":[${rows.join(",")}]}`;
}

type Element = [bytes: number, read: (view: DataView, at: number) => Value];
const elements: Readonly<Record<number, Element>> = {
  [dataType.int8Array]: [1, (v, at) => v.getInt8(at)],
  [dataType.int16Array]: [2, (v, at) => v.getInt16(at, true)],
  [dataType.int32Array]: [4, (v, at) => v.getInt32(at, true)],
  [dataType.int64Array]: [8, (v, at) => v.getBigInt64(at, true)],
  [dataType.uint8Array]: [1, (v, at) => v.getUint8(at)],
  [dataType.uint16Array]: [2, (v, at) => v.getUint16(at, true)],
  [dataType.uint32Array]: [4, (v, at) => v.getUint32(at, true)],
  [dataType.uint64Array]: [8, (v, at) => v.getBigUint64(at, true)],
  [dataType.floatArray]: [4, (v, at) => v.getFloat32(at, true)],
  [dataType.doubleArray]: [8, (v, at) => v.getFloat64(at, true)],
  [dataType.dateTimeArray]: [8, (v, at) => v.getBigInt64(at, true)],
};

/** 6.4.16.8: packed little-endian elements; booleans as a count and bits from the highest on; strings ended by NUL. Null: not such an array. */
export function arrayText(type: number, bytes: Uint8Array): string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // More elements than this never fit into the text anyway.
  if (bytes.length > 8 * textBytesMax) return null;
  if (type === dataType.booleanArray) {
    if (bytes.length < 4) return null;
    const count = view.getUint32(0, true);
    if (Math.ceil(count / 8) !== bytes.length - 4) return null;
    const bits = Array.from({ length: count }, (_, i) => ((bytes[4 + (i >> 3)] >> (7 - (i & 7))) & 1) === 1);
    return JSON.stringify(bits);
  }
  if (type === dataType.stringArray) {
    if (bytes.length > 0 && bytes[bytes.length - 1] !== 0) return null;
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      return JSON.stringify(text.split("\0").slice(0, -1));
    } catch {
      return null;
    }
  }
  const [width, read] = elements[type];
  if (bytes.length % width !== 0) return null;
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += width) parts.push(jsonOf(read(view, at)));
  return `[${parts.join(",")}]`;
}
