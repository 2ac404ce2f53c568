/** A plain reader of sparkplug_b.proto for tests, field by field after the schema, independent of the writer under test. */
export interface ReadMetric {
  name?: string;
  alias?: number;
  timeMs?: number;
  type?: number;
  historical: boolean;
  isNull: boolean;
  value: number | bigint | boolean | string | null;
  unit?: string;
}

export interface ReadPayload {
  timeMs?: number;
  seq?: number;
  metrics: ReadMetric[];
}

type Field = [number: number, value: bigint | Buffer];

function fields(bytes: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(next());
    const wire = key & 7;
    if (wire === 0) found.push([key >> 3, next()]);
    else {
      const length = wire === 2 ? Number(next()) : wire === 1 ? 8 : 4;
      if (at + length > bytes.length) throw new Error("A field reaches beyond its message.");
      found.push([key >> 3, bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return found;
}

export function readPayload(bytes: Buffer): ReadPayload {
  const payload: ReadPayload = { metrics: [] };
  for (const [number, value] of fields(bytes)) {
    if (number === 1) payload.timeMs = Number(value);
    else if (number === 2) payload.metrics.push(readMetric(value as Buffer));
    else if (number === 3) payload.seq = Number(value);
    else throw new Error(`Payload field ${number} was not expected.`);
  }
  return payload;
}

function readMetric(bytes: Buffer): ReadMetric {
  const metric: ReadMetric = { historical: false, isNull: false, value: null };
  for (const [number, value] of fields(bytes)) {
    if (number === 1) metric.name = String(value);
    else if (number === 2) metric.alias = Number(value);
    else if (number === 3) metric.timeMs = Number(value);
    else if (number === 4) metric.type = Number(value);
    else if (number === 5) metric.historical = value === 1n;
    else if (number === 7) metric.isNull = value === 1n;
    else if (number === 9) metric.unit = readUnit(value as Buffer);
    else if (number === 10) metric.value = Number(BigInt.asIntN(32, value as bigint));
    else if (number === 11) metric.value = BigInt.asIntN(64, value as bigint);
    else if (number === 13) metric.value = (value as Buffer).readDoubleLE(0);
    else if (number === 14) metric.value = value === 1n;
    else if (number === 15) metric.value = String(value);
    else throw new Error(`Metric field ${number} was not expected.`);
  }
  return metric;
}

function readUnit(bytes: Buffer): string {
  const set = fields(bytes);
  if (String(set[0][1]) !== "engUnit") throw new Error("A property other than engUnit was not expected.");
  const text = fields(set[1][1] as Buffer).find(([number]) => number === 8);
  return String(text?.[1]);
}

/** An NCMD as a host sends it: `Node Control/Rebirth` = true. */
export function rebirthCommand(): Buffer {
  const name = Buffer.from("Node Control/Rebirth");
  const metric = Buffer.concat([Buffer.from([10, name.length]), name, Buffer.from([32, 11, 112, 1])]);
  return Buffer.concat([Buffer.from([8, 1, 18, metric.length]), metric]);
}
