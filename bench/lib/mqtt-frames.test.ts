import { parser } from "mqtt-packet";
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

/** The packet as a library reads it. */
function read(bytes: Buffer): Record<string, unknown> {
  const found: Record<string, unknown>[] = [];
  const reader = parser({ protocolVersion: 4 });
  reader.on("packet", (packet) => found.push(packet as unknown as Record<string, unknown>));
  expect(reader.parse(bytes)).toBe(0);
  expect(found).toHaveLength(1);
  return found[0];
}

const timeMs = 1_795_651_689_285;

describe("the senders' frames", () => {
  it("CONNECT with and without a credential", () => {
    const common = { clientId: "machine-00001", keepAliveSeconds: 240 };
    expect(read(connectPacket({ ...common, username: "m", password: "key" }))).toMatchObject({
      ...{ cmd: "connect", protocolVersion: 4, clean: true, keepalive: 240, clientId: "machine-00001", username: "m" },
      password: Buffer.from("key"),
    });
    expect(read(connectPacket({ ...common, username: null, password: null })).username).toBeUndefined();
  });

  it("a bare number", () => {
    const frame = scalarFrame("plant/m/value", 1);
    putId(frame.bytes, frame.idAt, 513);
    putTenths(frame.bytes, frame.valueDigitsAt[0], 2345);
    expect(read(frame.bytes)).toMatchObject({
      topic: "plant/m/value",
      qos: 1,
      messageId: 513,
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
