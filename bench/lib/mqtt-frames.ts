// Hot path: messages are encoded once and then only patched, so that the sender leaves the cores to what is measured.
/**
 * MQTT 3.1.1 packets of the bench's machines. A `Frame` is a PUBLISH with its variable parts at known places: packet identifier, time, values,
 * Sparkplug's sequence number.
 */

const utf8 = new TextEncoder();

/** Bytes one after the other, with their places. */
class Bytes {
  readonly #parts: number[] = [];

  get length(): number {
    return this.#parts.length;
  }

  put(...bytes: number[]): this {
    for (const byte of bytes) this.#parts.push(byte);
    return this;
  }

  all(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#parts.push(byte);
    return this;
  }

  /** Base 128, lowest first: MQTT's remaining length and protobuf's varint alike. */
  varint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#parts.push((rest % 0x80) | 0x80);
    this.#parts.push(rest);
    return this;
  }

  text(text: string): this {
    const bytes = utf8.encode(text);
    return this.put(bytes.length >> 8, bytes.length & 0xff).all(bytes);
  }

  done(): Buffer {
    return Buffer.from(this.#parts);
  }
}

export interface ConnectOptions {
  clientId: string;
  username: string | null;
  password: string | null;
  keepAliveSeconds: number;
}

export function connectPacket({ clientId, username, password, keepAliveSeconds }: ConnectOptions): Buffer {
  const credential = username !== null;
  const body = new Bytes().text("MQTT").put(4, credential ? 0xc2 : 0x02);
  body.put(keepAliveSeconds >> 8, keepAliveSeconds & 0xff).text(clientId);
  if (credential) body.text(username).text(password ?? "");
  return packet(0x10, body);
}

export const disconnectPacket = Buffer.from([0xe0, 0]);

function packet(first: number, body: Bytes): Buffer {
  return new Bytes().put(first).varint(body.length).all(body.done()).done();
}

/** A PUBLISH to be patched; places are offsets into `bytes`, −1 or none where there is no such part. */
export interface Frame {
  bytes: Buffer;
  /** Datapoints in it. */
  points: number;
  idAt: number;
  /** 16 decimal digits of µs. */
  timeDigitsAt: number;
  /** Numbers `ddd.d`. */
  valueDigitsAt: number[];
  /** Six bytes of varint: milliseconds. */
  timeVarintAt: number[];
  doubleAt: number[];
  /** One byte of varint below 128. */
  stateAt: number[];
  /** Five bytes of varint from 2^28 on. */
  counterAt: number[];
  seqAt: number;
}

interface Places extends Omit<Frame, "bytes" | "idAt"> {
  body: Buffer;
}

const nowhere: Omit<Places, "body" | "points"> = {
  timeDigitsAt: -1,
  valueDigitsAt: [],
  timeVarintAt: [],
  doubleAt: [],
  stateAt: [],
  counterAt: [],
  seqAt: -1,
};

function publish(topic: string, qos: 0 | 1, { body, ...places }: Places): Frame {
  const head = new Bytes().text(topic);
  const idInHead = head.length;
  if (qos === 1) head.put(0, 1);
  const payloadInBody = head.length;
  const bytes = packet(qos === 1 ? 0x32 : 0x30, head.all(body));
  const start = bytes.length - head.length;
  const shift = (at: number): number => (at < 0 ? at : start + payloadInBody + at);
  return {
    bytes,
    points: places.points,
    idAt: qos === 1 ? start + idInHead : -1,
    timeDigitsAt: shift(places.timeDigitsAt),
    valueDigitsAt: places.valueDigitsAt.map(shift),
    timeVarintAt: places.timeVarintAt.map(shift),
    doubleAt: places.doubleAt.map(shift),
    stateAt: places.stateAt.map(shift),
    counterAt: places.counterAt.map(shift),
    seqAt: shift(places.seqAt),
  };
}

/** A bare number. */
export function scalarFrame(topic: string, qos: 0 | 1): Frame {
  return publish(topic, qos, { ...nowhere, body: Buffer.from("100.0"), points: 1, valueDigitsAt: [0] });
}

/** `{"t":µs,"v0":…,"v1":…}` */
export function jsonFrame(topic: string, qos: 0 | 1, values: number): Frame {
  let text = `{"t":${"0".repeat(16)}`;
  const valueDigitsAt: number[] = [];
  for (let i = 0; i < values; i++) {
    text += `,"v${i}":`;
    valueDigitsAt.push(text.length);
    text += "100.0";
  }
  return publish(topic, qos, {
    ...nowhere,
    body: Buffer.from(`${text}}`),
    points: values,
    timeDigitsAt: 5,
    valueDigitsAt,
  });
}

/** Two fifths states, one fifth counters, two fifths doubles, like the factory mix. */
export function metricKind(i: number): "state" | "counter" | "analog" {
  return i % 5 < 2 ? "state" : i % 5 === 2 ? "counter" : "analog";
}
/** Sparkplug data types of these. */
export const metricTypes = { state: 3, counter: 4, analog: 10 } as const;
export const counterMin = 2 ** 28;

/** DDATA by aliases from `firstAlias` on, each metric with its own time. `wideSeq`: the sequence number is 128 or more, so it has two bytes. */
export function sparkplugFrame(
  topic: string,
  qos: 0 | 1,
  options: { metrics: number; firstAlias: number; wideSeq: boolean },
): Frame {
  const { metrics, firstAlias, wideSeq } = options;
  const places = { timeVarintAt: [1], doubleAt: [], stateAt: [], counterAt: [] } as Record<
    "timeVarintAt" | "doubleAt" | "stateAt" | "counterAt",
    number[]
  >;
  const time = [0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
  const body = new Bytes().put(1 << 3, ...time);
  for (let i = 0; i < metrics; i++) {
    const metric = new Bytes().put(2 << 3).varint(firstAlias + i);
    metric.put(3 << 3);
    const timeAt = metric.length;
    metric.put(...time);
    let at = "stateAt" as keyof typeof places;
    let valueAt = metric.length + 1;
    switch (metricKind(i)) {
      case "state":
        metric.put(10 << 3, 0);
        break;
      case "counter":
        at = "counterAt";
        metric.put(11 << 3).varint(counterMin);
        break;
      case "analog":
        at = "doubleAt";
        metric.put((13 << 3) | 1, 0, 0, 0, 0, 0, 0, 0, 0);
    }
    body.put((2 << 3) | 2).varint(metric.length);
    valueAt += body.length;
    places.timeVarintAt.push(body.length + timeAt);
    places[at].push(valueAt);
    body.all(metric.done());
  }
  body.put(3 << 3);
  const seqAt = body.length;
  body.varint(wideSeq ? 128 : 0);
  return publish(topic, qos, { ...nowhere, ...places, body: body.done(), points: metrics, seqAt });
}

export function putId(out: Buffer, at: number, id: number): void {
  out[at] = id >> 8;
  out[at + 1] = id & 0xff;
}

export function putDigits(out: Buffer, at: number, value: number, digits: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = Math.floor(rest / 10);
    out[i] = 48 + rest - next * 10;
    rest = next;
  }
}

/** `ddd.d` from tenths between 1000 and 9999. */
export function putTenths(out: Buffer, at: number, tenths: number): void {
  putDigits(out, at, Math.floor(tenths / 10), 3);
  out[at + 4] = 48 + (tenths % 10);
}

export function putVarint(out: Buffer, at: number, value: number): void {
  let rest = value;
  let i = at;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out[i++] = (rest % 0x80) | 0x80;
  out[i] = rest;
}

/** A message at QoS 1 that is sent once, e.g. a birth. */
export function payloadFrame(topic: string, payload: Uint8Array): Frame {
  return publish(topic, 1, { ...nowhere, body: Buffer.from(payload), points: 0 });
}
