import type { Connector } from "@lineshaft/contract/ports";
import { RecordingSink, realClock } from "@lineshaft/testkit";
import type { MqttClient } from "mqtt";
import { Value as Schema } from "typebox/value";
import { afterEach, describe, expect, it } from "vitest";
import { principal, type TestBroker, testBroker, until } from "../../kit/mqtt/test/broker.ts";
import { type MqttConfig, MqttConfigSchema } from "./config.ts";
import { mqtt } from "./index.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});
const everything = { realm: "", clientIds: ["*"], publish: ["#"], subscribe: ["#"] };

async function start(
  change: Record<string, unknown>,
): Promise<{ broker: TestBroker; machine: MqttClient; connector: Connector; sink: RecordingSink }> {
  const broker = await testBroker([principal("hub", everything), principal("press", everything)]);
  cleanUp.push(() => broker.close());
  const server = { host: "127.0.0.1", port: broker.port, user: "hub", password: "pw" };
  const config = Schema.Default(MqttConfigSchema, { server, ...change }) as MqttConfig;
  const connector = mqtt.create(config, {
    clock: realClock,
    secret: (name) => (name === "pw" ? "hub" : null),
    stateDir: "/dev/null/none",
    share: (_, make) => make(),
    log: () => {},
  });
  cleanUp.push(() => connector.close());
  const machine = await broker.connect("press");
  const sink = new RecordingSink();
  const stop = new AbortController();
  cleanUp.push(() => stop.abort(new Error("over")));
  await connector.connect(stop.signal);
  void connector.read([], null, sink, stop.signal).catch(() => undefined);
  await until(
    () => ((connector.diagnose().source as { subscriptions: string[] }).subscriptions.length ?? 0) > 0,
    "subscribed",
  );
  return { broker, machine, connector, sink };
}

describe("from messages to rows", () => {
  it("several templates and forms; the first that fits is used", async () => {
    const { machine, sink } = await start({
      templates: [
        {
          topic: "plant/{line}/{machine}/state",
          tag: "{line}.{machine}",
          payload: "json",
          timePath: "timestamp",
          values: [{ path: "value", name: "state" }],
        },
        { topic: "plant/{line}/{machine}/{item}" },
        { topic: "bulk/{machine}", payload: "columns", timePath: "t", timeUnit: "ms" },
      ],
    });
    await machine.publishAsync("plant/1/press/state", '{"value":3,"timestamp":1795000000000}', { qos: 1 });
    await machine.publishAsync("plant/1/press/temp", "21.5", { qos: 2 });
    await machine.publishAsync("bulk/press", '{"t":[1,2],"v":[10,20]}', { qos: 1 });
    await until(() => sink.rows.length === 4, "rows");
    expect(sink.rows.map(({ tag, time, value }) => [tag, time, value])).toEqual([
      ["1.press/state", 1795000000000000, 3],
      ["plant/1/press/temp", Number.NaN, 21.5],
      ["bulk/press/v", 1000, 10],
      ["bulk/press/v", 2000, 20],
    ]);
    expect(sink.breaches).toEqual([]);
  });

  it("poison is kept with its reason and acknowledged; the stream goes on", async () => {
    const { machine, sink } = await start({ templates: [{ topic: "p/{m}", payload: "json" }] });
    await machine.publishAsync("p/x", "{", { qos: 1 });
    await machine.publishAsync("p/x", '{"v":1}', { qos: 1 });
    await until(() => sink.rows.length === 1, "the row behind it");
    expect(sink.rejected).toMatchObject([{ code: "mqtt_payload_invalid", detail: expect.stringContaining('"p/x"') }]);
    expect(sink.rows).toMatchObject([{ tag: "p/x/v", value: 1 }]);
  });

  it("retained: taken as of unknown age without a time of its own, or ignored", async () => {
    const { machine, sink, broker } = await start({ templates: [{ topic: "other/{m}" }] });
    await machine.publishAsync("r/x", "1", { qos: 1, retain: true });
    for (const retained of ["take", "ignore"]) {
      const server = {
        host: "127.0.0.1",
        port: broker.port,
        user: "press",
        password: "pw",
        clientId: `second-${retained}`,
      };
      const config = Schema.Default(MqttConfigSchema, {
        server,
        templates: [{ topic: "r/{m}", retained }],
      }) as MqttConfig;
      const context = {
        clock: realClock,
        secret: () => "press",
        stateDir: "/dev/null/none",
        share: <T>(_: string, make: () => T) => make(),
        log: () => {},
      };
      const second = mqtt.create(config, context);
      cleanUp.push(() => second.close());
      const stop = new AbortController();
      cleanUp.push(() => stop.abort(new Error("over")));
      await second.connect(stop.signal);
      const own = new RecordingSink();
      void second.read([], null, own, stop.signal).catch(() => undefined);
      await until(() => (second.diagnose().messages as number) === 1, "the retained message");
      if (retained === "take") await until(() => own.rows.length === 1, "its row");
      expect(own.rows.map((r) => [r.value, r.status])).toEqual(retained === "take" ? [[1, 0x40900000]] : []);
    }
    expect(sink.rows).toEqual([]);
  });

  it("the same instant in two messages goes into two batches, so that a repeat is seen as one", async () => {
    const { machine, sink } = await start({
      templates: [{ topic: "p/{m}", payload: "json", timePath: "t", timeUnit: "ms", values: [{ path: "v" }] }],
    });
    await Promise.all([1, 2, 3].map(() => machine.publishAsync("p/x", '{"t":5,"v":1}', { qos: 1 })));
    await until(() => sink.rows.length === 3, "three rows");
    for (const { columns } of sink.batches) expect(columns.rows).toBe(1);
  });

  it("learns from live topics without storing them", async () => {
    const { machine, sink, connector } = await start({ learn: ["shop/#"] });
    for (const m of ["a", "b"]) await machine.publishAsync(`shop/${m}/temp`, "1", { qos: 1 });
    await until(() => connector.diagnose().unmatched === 2, "both seen");
    const found = [];
    for await (const item of connector.browse!("", new AbortController().signal)) found.push(item.address);
    expect(found).toEqual(["shop/{level2}/temp"]);
    expect(sink.rows).toEqual([]);
  });
});
