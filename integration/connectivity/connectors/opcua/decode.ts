// Hot path: one call a change. From OPC UA's built-in types (Part 6, 5.1.2) to values, nothing rounded; no import of the protocol library.
import { type Micros, type Value, valueToJson } from "@lineshaft/contract/api";

/** A Date of the library's: whole ms, and what the wire had below them as picoseconds. */
interface WireDate {
  getTime(): number;
  picoseconds?: number;
}

/** DataValue (Part 4, 7.11) as the library decodes it. */
export interface WireDataValue {
  value: WireVariant | null | undefined;
  statusCode: { value: number };
  sourceTimestamp: WireDate | null | undefined;
  sourcePicoseconds: number;
  serverTimestamp: WireDate | null | undefined;
  serverPicoseconds: number;
}

/** Variant: a number of a built-in type, 0 scalar, 1 array or 2 matrix. */
export interface WireVariant {
  dataType: number;
  arrayType: number;
  value: unknown;
  dimensions?: number[] | null;
  /** The status of a value whose bytes could not be read (`tolerance.ts`). */
  unreadable?: number;
}

export interface DecodedValue {
  value: Value;
  /** Set for integers, whose type would else be lost. */
  type?: "int64";
  /** 0, or the status that the value gets in place of the server's, because it cannot be had. */
  fault: number;
}

const builtIn = [
  ..."Null Boolean SByte Byte Int16 UInt16 Int32 UInt32 Int64 UInt64 Float Double String DateTime Guid ByteString".split(
    " ",
  ),
  ..."XmlElement NodeId ExpandedNodeId StatusCode QualifiedName LocalizedText ExtensionObject DataValue Variant".split(
    " ",
  ),
  "DiagnosticInfo",
];
const BadEncodingLimitsExceeded = 0x80080000;
const BadDataEncodingUnsupported = 0x80390000;
/** Structures nest, and a server may lie (A42). */
const depthMax = 32;
const textMax = 1_048_576;
const int64Max = 2n ** 63n - 1n;

/** The built-in type's name, with brackets for arrays: `Double`, `Int32[]`. */
export function dataTypeName(variant: WireVariant | null | undefined): string {
  if (variant === null || variant === undefined) return "Null";
  return (builtIn[variant.dataType] ?? "Null") + (variant.arrayType === 0 ? "" : "[]");
}

/** The source's time, else the server's; NaN where it gave neither. µs: the wire's 100 ns are cut. */
export function timeOf(data: WireDataValue): Micros {
  const source = micros(data.sourceTimestamp, data.sourcePicoseconds);
  return Number.isNaN(source) ? micros(data.serverTimestamp, data.serverPicoseconds) : source;
}

function micros(date: WireDate | null | undefined, picoseconds: number): Micros {
  if (date === null || date === undefined) return NaN;
  const ms = date.getTime();
  // "No time" travels as 1601 (Part 6, 5.2.2.5), and nobody has measured before 1970.
  return ms > 0 ? ms * 1000 + Math.floor(picoseconds / 1_000_000) : NaN;
}

/** One element of a one-element array is that element: who binds `[3]` of an array wants a number. */
export function decode(variant: WireVariant | null | undefined, unwrap = false): DecodedValue {
  if (variant === null || variant === undefined || variant.dataType === 0)
    return { value: null, fault: variant?.unreadable ?? 0 };
  if (variant.arrayType === 0) return scalar(variant.dataType, variant.value);
  const array = variant.value;
  if (!isArrayLike(array)) return { value: null, fault: 0 };
  if (unwrap && array.length === 1) return scalar(variant.dataType, array[0]);
  return text(variant, (out) => writeArray(out, variant, 0));
}

function scalar(dataType: number, value: unknown): DecodedValue {
  if (value === null || value === undefined) return { value: null, fault: 0 };
  switch (dataType) {
    case 1:
      return { value: value === true, fault: 0 };
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
      return { value: Number(value), type: "int64", fault: 0 };
    case 8:
    case 9: {
      const whole = wide(dataType, value);
      // The upper half of UInt64 has no int64; as text it is still exact.
      return whole > int64Max ? { value: String(whole), fault: 0 } : { value: whole, type: "int64", fault: 0 };
    }
    case 10:
    case 11:
      return { value: Number(value), fault: 0 };
    case 13: {
      const time = micros(value as WireDate, (value as WireDate).picoseconds ?? 0);
      return Number.isNaN(time) ? { value: null, fault: 0 } : { value: time, type: "int64", fault: 0 };
    }
    case 15:
      return { value: new Uint8Array(value as Uint8Array), fault: 0 };
    case 19:
      return { value: (value as { value: number }).value, type: "int64", fault: 0 };
    case 21:
      return { value: (value as { text?: string | null }).text ?? null, fault: 0 };
    case 24:
      return decode(value as WireVariant);
    case 12:
    case 14:
    case 16:
    case 17:
    case 18:
    case 20:
      return { value: String(value), fault: 0 };
    default:
      return text(value, (out) => write(out, value, dataType, 0));
  }
}

/** [high, low] words, as the library keeps 64 bits. */
function wide(dataType: number, value: unknown): bigint {
  if (!Array.isArray(value)) return BigInt(value as number);
  const [high, low] = value as [number, number];
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return dataType === 8 ? BigInt.asIntN(64, bits) : bits;
}

// ── Arrays and structures as JSON text ──────────────────────────────────────────────────────────────────────────────

class LimitError extends Error {}

/** Text under construction, with its bound. */
class Text {
  #parts: string[] = [];
  #length = 0;

  add(part: string): this {
    this.#length += part.length;
    if (this.#length > textMax) throw new LimitError();
    this.#parts.push(part);
    return this;
  }

  toString(): string {
    return this.#parts.join("");
  }
}

function text(source: unknown, fill: (out: Text) => Text): DecodedValue {
  if (isOpaque(source)) return { value: null, fault: BadDataEncodingUnsupported };
  const out = new Text();
  try {
    fill(out);
  } catch (error) {
    if (error instanceof LimitError) return { value: null, fault: BadEncodingLimitsExceeded };
    throw error;
  }
  return { value: out.toString(), fault: 0 };
}

/** A structure whose type the server did not explain: bytes without a meaning. */
function isOpaque(source: unknown): boolean {
  const value = (source as Partial<WireVariant> | null)?.value;
  return (
    nameOf(source) === "OpaqueStructure" ||
    nameOf(value) === "OpaqueStructure" ||
    nameOf((value as unknown[] | null)?.[0]) === "OpaqueStructure"
  );
}

function nameOf(value: unknown): string | undefined {
  return typeof value === "object" && value !== null ? value.constructor?.name : undefined;
}

function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value);
}

function writeArray(out: Text, variant: WireVariant, depth: number): Text {
  const elements = variant.value as ArrayLike<unknown>;
  const dimensions = variant.dimensions ?? [];
  const product = dimensions.reduce((n, d) => n * d, 1);
  // Dimensions that do not fit their elements are ignored (Part 6, 5.2.2.16).
  const shape = dimensions.length > 1 && product === elements.length ? dimensions : [elements.length];
  let at = 0;
  const level = (axis: number): void => {
    out.add("[");
    for (let i = 0; i < shape[axis]; i++) {
      if (i > 0) out.add(",");
      if (axis < shape.length - 1) level(axis + 1);
      else write(out, elements[at++], variant.dataType, depth + 1);
    }
    out.add("]");
  };
  level(0);
  return out;
}

/** `dataType` 0: an unknown one, told by its JavaScript shape (fields of structures). */
function write(out: Text, value: unknown, dataType: number, depth: number): Text {
  if (depth > depthMax) throw new LimitError();
  if (value === null || value === undefined) return out.add("null");
  if (dataType === 8 || dataType === 9) return out.add(String(wide(dataType, value)));
  switch (typeof value) {
    case "number":
      // As everywhere at our edge: what JSON cannot say becomes an object.
      return out.add(JSON.stringify(valueToJson(value)));
    case "boolean":
      return out.add(String(value));
    case "bigint":
      return out.add(String(value));
    case "string":
      return out.add(JSON.stringify(value));
    case "object":
      return writeObject(out, value, dataType, depth);
    default:
      return out.add("null");
  }
}

function writeObject(out: Text, value: object, dataType: number, depth: number): Text {
  if (value instanceof Uint8Array && (dataType === 15 || dataType === 0))
    return out.add(JSON.stringify(Buffer.from(value).toString("base64")));
  if (isArrayLike(value)) {
    out.add("[");
    for (let i = 0; i < value.length; i++) {
      if (i > 0) out.add(",");
      write(out, value[i], dataType, depth + 1);
    }
    return out.add("]");
  }
  if ("getTime" in value) {
    const time = micros(value as WireDate, (value as WireDate).picoseconds ?? 0);
    return out.add(Number.isNaN(time) ? "null" : String(time));
  }
  switch (nameOf(value)) {
    case "Variant": {
      const inner = value as WireVariant;
      if (inner.unreadable !== undefined) throw new LimitError();
      return inner.arrayType === 0
        ? write(out, inner.value, inner.dataType, depth + 1)
        : writeArray(out, inner, depth + 1);
    }
    case "LocalizedText":
      return out.add(JSON.stringify((value as { text?: string | null }).text ?? null));
    case "NodeId":
    case "ExpandedNodeId":
    case "QualifiedName":
      return out.add(JSON.stringify(String(value)));
    case "OpaqueStructure":
      return out.add("null");
  }
  if ("hasOverflowBit" in value) return out.add(String((value as { value?: unknown }).value ?? 0));
  return writeStructure(out, value, depth);
}

/** The fields of a structure by their names and with their types, where its schema is known. */
function writeStructure(out: Text, value: object, depth: number): Text {
  const fields = fieldTypes(value);
  out.add("{");
  let first = true;
  for (const [key, field] of Object.entries(value)) {
    if (key === "schema" || key.startsWith("_") || typeof field === "function") continue;
    out.add(`${first ? "" : ","}${JSON.stringify(key)}:`);
    first = false;
    write(out, field, fields.get(key) ?? 0, depth + 1);
  }
  return out.add("}");
}

function fieldTypes(value: object): Map<string, number> {
  const types = new Map<string, number>();
  let schema = (value as { schema?: StructureSchema }).schema;
  for (let depth = 0; schema !== undefined && schema !== null && depth < depthMax; depth++) {
    for (const field of schema.fields ?? []) types.set(field.name, Math.max(builtIn.indexOf(field.fieldType), 0));
    schema = schema._baseSchema ?? undefined;
  }
  return types;
}

interface StructureSchema {
  fields?: { name: string; fieldType: string }[];
  _baseSchema?: StructureSchema | null;
}
