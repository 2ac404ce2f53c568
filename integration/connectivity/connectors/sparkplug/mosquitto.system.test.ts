import { hasPeer, RecordingSink } from "@lineshaft/testkit";
import { connectAsync } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { startMosquitto } from "../../kit/mqtt/test/mosquitto.ts";
import { encodePayload, type MetricInput } from "./encode.ts";
import { sparkplug } from "./index.ts";
import { bdSeq, byAlias, configOf, context, double } from "./test/bench.ts";
import { until } from "./test/server.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});
const never = new AbortController().signal;

describe.skipIf(!hasPeer("mosquitto"))("mosquitto and an edge node on mqtt.js", () => {
  it("birth, data, command, and the death by will when the node's connection breaks", async () => {
    const mosquitto = await startMosquitto();
    cleanUp.push(() => mosquitto.stop());
    const host = sparkplug.create(configOf([mosquitto.port]), context());
    cleanUp.push(() => host.close());
    await host.connect(never);
    const sink = new RecordingSink();
    const stop = new AbortController();
    cleanUp.push(() => stop.abort(new Error("over")));
    void host.read([], null, sink, stop.signal).catch(() => undefined);
    const node = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`, {
      clientId: "edge",
      reconnectPeriod: 0,
      will: {
        topic: "spBv1.0/G/NDEATH/E",
        payload: Buffer.from(encodePayload({ timeMs: 1, metrics: [bdSeq(0)] })),
        qos: 1,
        retain: false,
      },
    });
    let primary = "";
    let asked = 0;
    node.on("message", (topic, payload) => {
      if (topic === "spBv1.0/STATE/hub") primary = payload.toString();
      else asked++;
    });
    await node.subscribeAsync(["spBv1.0/STATE/hub", "spBv1.0/G/NCMD/E"], { qos: 1 });
    await until(() => primary.includes("true"), "the host is online, retained");
    const send = (topic: string, seq: number, metrics: MetricInput[]): Promise<unknown> =>
      node.publishAsync(topic, Buffer.from(encodePayload({ timeMs: 1000 + seq, seq, metrics })));
    await send("spBv1.0/G/NDATA/E", 3, [byAlias(1, 1)]);
    await until(() => asked === 1, "asked for a birth");
    await send("spBv1.0/G/NBIRTH/E", 0, [bdSeq(0), double("t", 1, 20)]);
    await send("spBv1.0/G/NDATA/E", 1, [byAlias(1, 21)]);
    await until(() => sink.rows.length === 4, "rows");
    expect(sink.rows.map((r) => r.value)).toEqual([0, 20, 1, 21]);
    node.stream.destroy();
    await until(() => sink.staled.length === 1, "stale by the will");
    expect(sink.staled[0].names).toEqual(["G/E//bdSeq", "G/E//t"]);
  });
});
