import { dataType } from "./data-type.ts";

/** A metric as one writes it by hand: commands, and test data. The type decides the field that the value travels in. */
export interface MetricInput {
  name?: string;
  alias?: number;
  timeMs?: number;
  type?: number;
  value?: number | bigint | boolean | string | Uint8Array | DataSetInput | TemplateInput | null;
  historical?: boolean;
  transient?: boolean;
  properties?: Record<string, { type: number; value: number | bigint | boolean | string }>;
  /** Leaves the data type out, as DATA messages do; `type` then only chooses the field. */
  omitType?: boolean;
}
export interface DataSetInput {
  columns: string[];
  types: number[];
  rows: (number | bigint | boolean | string)[][];
}
export interface TemplateInput {
  definition: boolean;
  reference?: string;
  version?: string;
  members: MetricInput[];
  parameters?: { name: string; type: number; value: number | bigint | boolean | string }[];
}
export interface PayloadInput {
  timeMs?: number;
  seq?: number;
  metrics?: MetricInput[];
}

class Writer {
  readonly #bytes: number[] = [];

  varint(value: number | bigint): this {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.#bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#bytes.push(Number(rest));
    return this;
  }

  number(field: number, value: number | bigint | boolean): this {
    return this.varint(field << 3).varint(typeof value === "boolean" ? Number(value) : value);
  }

  bytes(field: number, value: Uint8Array): this {
    this.varint((field << 3) | 2).varint(value.length);
    for (const byte of value) this.#bytes.push(byte);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  fixed(field: number, value: number, width: 4 | 8): this {
    const view = new DataView(new ArrayBuffer(width));
    if (width === 4) view.setFloat32(0, value, true);
    else view.setFloat64(0, value, true);
    this.varint((field << 3) | (width === 4 ? 5 : 1));
    for (let i = 0; i < width; i++) this.#bytes.push(view.getUint8(i));
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

export function encodePayload(payload: PayloadInput): Uint8Array {
  const out = new Writer();
  if (payload.timeMs !== undefined) out.number(1, payload.timeMs);
  for (const metric of payload.metrics ?? []) out.bytes(2, encodeMetric(metric));
  if (payload.seq !== undefined) out.number(3, payload.seq);
  return out.done();
}

function encodeMetric(metric: MetricInput): Uint8Array {
  const out = new Writer();
  const { name, alias, timeMs, type, value } = metric;
  if (name !== undefined) out.text(1, name);
  if (alias !== undefined) out.number(2, alias);
  if (timeMs !== undefined) out.number(3, timeMs);
  if (type !== undefined && metric.omitType !== true) out.number(4, type);
  if (metric.historical === true) out.number(5, true);
  if (metric.transient === true) out.number(6, true);
  if (value === null) out.number(7, true);
  if (metric.properties !== undefined) out.bytes(9, encodeProperties(metric.properties));
  if (value === undefined || value === null) return out.done();
  if (value instanceof Uint8Array) out.bytes(16, value);
  else if (typeof value !== "object") encodeCell(out, 10, type ?? dataType.double, value);
  else if ("rows" in value) out.bytes(17, encodeDataSet(value));
  else out.bytes(18, encodeTemplate(value));
  return out.done();
}

function encodeCell(out: Writer, first: number, type: number, value: number | bigint | boolean | string): void {
  if (typeof value === "string") out.text(first + 5, value);
  else if (typeof value === "boolean") out.number(first + 4, value);
  else if (type === dataType.float) out.fixed(first + 2, Number(value), 4);
  else if (type === dataType.double) out.fixed(first + 3, Number(value), 8);
  else if (type === dataType.int64 || type === dataType.uint64 || type === dataType.dateTime)
    out.number(first + 1, value);
  // 6.4.16: signed integers travel as two's complement in an unsigned field.
  else out.number(first, BigInt.asUintN(32, BigInt(value)));
}

function encodeProperties(properties: NonNullable<MetricInput["properties"]>): Uint8Array {
  const out = new Writer();
  for (const key of Object.keys(properties)) out.text(1, key);
  for (const { type, value } of Object.values(properties)) {
    const property = new Writer().number(1, type);
    encodeCell(property, 3, type, value);
    out.bytes(2, property.done());
  }
  return out.done();
}

function encodeDataSet(set: DataSetInput): Uint8Array {
  const out = new Writer().number(1, set.columns.length);
  for (const column of set.columns) out.text(2, column);
  for (const type of set.types) out.number(3, type);
  for (const row of set.rows) {
    const cells = new Writer();
    row.forEach((value, i) => {
      const cell = new Writer();
      encodeCell(cell, 1, set.types[i], value);
      cells.bytes(1, cell.done());
    });
    out.bytes(4, cells.done());
  }
  return out.done();
}

function encodeTemplate(template: TemplateInput): Uint8Array {
  const out = new Writer();
  if (template.version !== undefined) out.text(1, template.version);
  for (const member of template.members) out.bytes(2, encodeMetric(member));
  for (const { name, type, value } of template.parameters ?? []) {
    const parameter = new Writer().text(1, name).number(2, type);
    encodeCell(parameter, 3, type, value);
    out.bytes(3, parameter.done());
  }
  if (template.reference !== undefined) out.text(4, template.reference);
  return out.number(5, template.definition).done();
}
