import { describe, expect, it } from "vitest";
import { PayloadDecoder } from "../../integration/connectivity/connectors/sparkplug/decode.ts";
import { SparkplugPayload } from "../../integration/connectivity/connectors/sparkplug/payload.ts";
import {
  connectPacket,
  type Frame,
  jsonFrame,
  putDigits,
  putId,
  putTenths,
  putVarint,
  scalarFrame,
  sparkplugFrame,
} from "./mqtt-frames.ts";

interface Publish {
  topic: string;
  qos: number;
  id: number | null;
  payload: Buffer;
}

/** The remaining length, and where what it counts begins. */
function body(bytes: Buffer): Buffer {
  let length = 0;
  let at = 1;
  for (let shift = 1; ; shift *= 128) {
    length += (bytes[at] & 0x7f) * shift;
    if (bytes[at++] < 0x80) break;
  }
  expect(bytes.length - at).toBe(length);
  return bytes.subarray(at);
}

/** By the standard's text (3.3), independent of what writes it. */
function read(bytes: Buffer): Publish {
  expect(bytes[0] >> 4).toBe(3);
  const qos = (bytes[0] >> 1) & 3;
  const rest = body(bytes);
  const end = 2 + rest.readUInt16BE(0);
  const id = qos === 0 ? null : rest.readUInt16BE(end);
  return { topic: rest.toString("utf8", 2, end), qos, id, payload: rest.subarray(qos === 0 ? end : end + 2) };
}

const timeMs = 1_795_651_689_285;

describe("the senders' frames", () => {
  it("CONNECT with and without a credential", () => {
    const common = { clientId: "m1", keepAliveSeconds: 240 };
    const secured = connectPacket({ ...common, username: "m", password: "key" });
    expect(secured[0]).toBe(0x10);
    expect(body(secured).toString("latin1")).toBe("\0\x04MQTT\x04\xc2\0\xf0\0\x02m1\0\x01m\0\x03key");
    const without = connectPacket({ ...common, username: null, password: null });
    expect(body(without).toString("latin1")).toBe("\0\x04MQTT\x04\x02\0\xf0\0\x02m1");
  });

  it("a bare number", () => {
    const frame = scalarFrame("plant/m/value", 1);
    putId(frame.bytes, frame.idAt, 513);
    putTenths(frame.bytes, frame.valueDigitsAt[0], 2345);
    expect(read(frame.bytes)).toMatchObject({
      topic: "plant/m/value",
      qos: 1,
      id: 513,
      payload: Buffer.from("234.5"),
    });
    expect(read(scalarFrame("a", 0).bytes)).toMatchObject({ qos: 0, topic: "a" });
  });

  it("JSON with a time and values", () => {
    const frame = jsonFrame("plant/m/values", 1, 3);
    putDigits(frame.bytes, frame.timeDigitsAt, timeMs * 1000 + 7, 16);
    for (const [i, at] of frame.valueDigitsAt.entries()) putTenths(frame.bytes, at, 1000 + i);
    const { payload } = read(frame.bytes);
    expect(JSON.parse(String(payload))).toEqual({ t: timeMs * 1000 + 7, v0: 100, v1: 100.1, v2: 100.2 });
  });

  it("Sparkplug data by alias, each metric with its time", () => {
    for (const wideSeq of [false, true]) {
      const seq = wideSeq ? 200 : 100;
      const frame = sparkplugFrame("spBv1.0/g/DDATA/n/d", 1, { metrics: 50, firstAlias: 100, wideSeq });
      patch(frame, seq);
      const { payload } = read(frame.bytes);
      const decoded = new PayloadDecoder().decode(payload as Buffer, new SparkplugPayload());
      expect(decoded).toMatchObject({ timeMs, seq });
      const { metrics } = decoded;
      expect(metrics.count).toBe(50);
      expect([...metrics.alias.subarray(0, 50)]).toEqual(Array.from({ length: 50 }, (_, i) => 100 + i));
      expect(new Set(metrics.timeMs.subarray(0, 50))).toEqual(new Set([timeMs]));
      expect([...metrics.number.subarray(0, 5)]).toEqual([1, 1, 2 ** 28 + 5, 234.5, 234.5]);
      expect([...metrics.field.subarray(0, 5)]).toEqual([10, 10, 11, 13, 13]);
    }
  });
});

function patch({ bytes, timeVarintAt, stateAt, counterAt, doubleAt, seqAt }: Frame, seq: number): void {
  for (const at of timeVarintAt) putVarint(bytes, at, timeMs);
  for (const at of stateAt) bytes[at] = 1;
  for (const at of counterAt) putVarint(bytes, at, 2 ** 28 + 5);
  for (const at of doubleAt) bytes.writeDoubleLE(234.5, at);
  putVarint(bytes, seqAt, seq);
}
