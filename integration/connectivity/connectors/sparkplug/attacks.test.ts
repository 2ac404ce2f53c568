import { RecordingSink } from "@lineshaft/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { dataType, valueField } from "./data-type.ts";
import { encodePayload, type MetricInput } from "./encode.ts";
import { sparkplug } from "./index.ts";
import { statusBadTypeMismatch } from "./rows.ts";
import { bdSeq, byAlias, configOf, context, double, MachineBench } from "./test/bench.ts";
import { recordingServer, until } from "./test/server.ts";
import { type ReadValue, readValue } from "./value.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});
const nbirth = "spBv1.0/G/NBIRTH/E";
const ndata = "spBv1.0/G/NDATA/E";

async function start() {
  const server = await recordingServer();
  cleanUp.push(() => server.close());
  const host = sparkplug.create(configOf([server.port]), context());
  cleanUp.push(() => host.close());
  const stop = new AbortController();
  cleanUp.push(() => stop.abort(new Error("over")));
  await host.connect(stop.signal);
  const sink = new RecordingSink();
  let ended: unknown = null;
  host.read([], null, sink, stop.signal).catch((error: unknown) => {
    ended = error;
  });
  await until(() => server.publishes("spBv1.0/STATE/hub").length === 1, "online");
  return { server, sink, ended: () => ended, asked: () => server.publishes("spBv1.0/G/NCMD/E").length };
}
const birth = (metrics: MetricInput[], timeMs = 1000): Uint8Array =>
  encodePayload({ timeMs, seq: 0, metrics: [bdSeq(0), ...metrics] });
const is = (sink: RecordingSink, tag: string, value: unknown): (() => boolean) => {
  return () => sink.rows.some((row) => row.tag === tag && row.value === value);
};

describe("edge nodes that mean no good (A28)", () => {
  it("A28: an NBIRTH with a million metrics is kept with its reason; nothing of it becomes a tag, and the next birth is taken", async () => {
    const { server, sink } = await start();
    // Two bytes each: a metric without any field.
    const million = Buffer.alloc(2_000_000, Buffer.from([0x12, 0x00]));
    const before = process.memoryUsage().rss;
    server.send(nbirth, million);
    await until(() => sink.rejected.length === 1, "it is refused");
    expect(sink.rejected[0]).toMatchObject({ code: "spb_limits", detail: expect.stringContaining("NBIRTH of G/E") });
    server.send(nbirth, birth([double("t", 1, 20)]));
    await until(is(sink, "G/E//t", 20), "the next birth");
    expect(sink.rows).toHaveLength(2);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });

  it("A28: a payload cut at each byte: each is taken or refused, the birth stands, and the node is asked at most once", async () => {
    const { server, sink, ended, asked } = await start();
    server.send(nbirth, birth([double("t", 1, 20)]));
    const whole = encodePayload({
      timeMs: 2000,
      seq: 1,
      metrics: [
        { ...double("t", 1, 21), properties: { engUnit: { type: dataType.string, value: "mm" } } },
        { name: "s", type: dataType.dataSet, value: { columns: ["x"], types: [10], rows: [[1]] } },
      ],
    });
    for (let end = 0; end < whole.length; end++) server.send(ndata, whole.subarray(0, end));
    server.send(nbirth, birth([double("t", 1, 22)], 3000));
    await until(is(sink, "G/E//t", 22), "the birth behind them");
    expect(ended()).toBeNull();
    expect(sink.rejected.length).toBeGreaterThan(whole.length / 2);
    expect(new Set(sink.rejected.map(({ code }) => code))).toEqual(new Set(["spb_payload_invalid"]));
    expect(asked()).toBeLessThanOrEqual(1);
  });

  it("A28: type confusion: whatever travels in whatever field is exactly what its type says, or nothing", () => {
    const out: ReadValue = { value: null, integer: false, fault: null };
    const wire: [field: number, number: number, object: string | Uint8Array | object | null][] = [
      [valueField.int, 7, null],
      [valueField.long, 7, null],
      [valueField.float, 1.5, null],
      [valueField.double, 1.5, null],
      [valueField.boolean, 1, null],
      [valueField.string, NaN, "7"],
      [valueField.bytes, NaN, Buffer.from([7, 0, 0, 0, 0, 0, 0, 0])],
      [valueField.dataSet, NaN, { columns: [], types: [], rows: [] }],
      [valueField.extension, NaN, null],
      [valueField.none, NaN, null],
    ];
    const numbers: readonly number[] = [dataType.float, dataType.double];
    const texts: readonly number[] = [dataType.string, dataType.text, dataType.uuid];
    for (let type = 1; type <= 40; type++) {
      for (const [field, number, object] of wire) {
        readValue(out, type, field, number, 7, 0, object);
        const { value, fault } = out;
        if (fault !== null) expect(value, `type ${type} in field ${field}`).toBeNull();
        else if (numbers.includes(type)) expect([type, value]).toEqual([type, 1.5]);
        else if (texts.includes(type)) expect([type, value]).toEqual([type, "7"]);
        else if (type === dataType.boolean) expect([type, field, value]).toEqual([type, field, true]);
        else if (type <= dataType.uint64 || type === dataType.dateTime) expect([type, value]).toEqual([type, 7]);
        else if (type === dataType.bytes || type === dataType.file) expect(value).toBeInstanceOf(Uint8Array);
        else expect(typeof value, `type ${type} in field ${field}`).toBe("string");
      }
    }
  });

  it("A28: a metric that changes its type without a birth is a bad row each time, and stands again with the next good one", async () => {
    const { server, sink } = await start();
    server.send(nbirth, birth([double("t", 1, 20)]));
    const confused: MetricInput[] = [
      { alias: 1, type: dataType.string, value: "hot", omitType: true },
      { alias: 1, type: dataType.int64, value: 5, omitType: true },
      { alias: 1, type: dataType.bytes, value: Buffer.from("x"), omitType: true },
    ];
    const send = (metric: MetricInput, i: number): void =>
      server.send(ndata, encodePayload({ timeMs: 2000 + i, seq: i + 1, metrics: [metric] }));
    [...confused, byAlias(1, 23)].forEach(send);
    await until(is(sink, "G/E//t", 23), "the good one");
    const rows = sink.rows.filter(({ tag }) => tag === "G/E//t");
    expect(rows.map(({ value, status }) => [value, status])).toEqual([
      [20, 0],
      ...confused.map(() => [null, statusBadTypeMismatch]),
      [23, 0],
    ]);
  });

  it("A28: aliases that no birth has, sent as fast as can be: the node is asked once in ten seconds, and memory has its bound", () => {
    const bench = new MachineBench();
    bench.send(nbirth, [bdSeq(0), double("n", 1, 10)], 0);
    let seq = 1;
    for (let ms = 0; ms < 60_000; ms += 20) {
      bench.send(ndata, [byAlias(1000 + (seq % 500), 1)], seq++ % 256);
      bench.wait(20);
    }
    const asked = bench.effects.filter(({ kind }) => kind === "rebirth").length;
    expect(asked).toBeGreaterThanOrEqual(2);
    expect(asked).toBeLessThanOrEqual(7);
    expect(bench.state.waitingBytes).toBeLessThanOrEqual(1024 * 1024);
  });

  it("A28: sequence numbers that jump without end: asked once in ten seconds, every value is kept", () => {
    const bench = new MachineBench();
    bench.send(nbirth, [bdSeq(0), double("n", 1, 10)], 0);
    for (let i = 1; i <= 1500; i++) {
      bench.send(ndata, [byAlias(1, i)], (i * 7) % 256);
      bench.wait(40);
    }
    expect(bench.effects.filter(({ kind }) => kind === "rebirth").length).toBeLessThanOrEqual(7);
    bench.wait(30_000);
    expect(new Set(bench.values()).size).toBe(1500);
  });
});
