import { ConnectionError, type ConnectorContext } from "@lineshaft/contract/ports";
import { RecordingSink } from "@lineshaft/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { dataType } from "./data-type.ts";
import { encodePayload, type MetricInput } from "./encode.ts";
import { sparkplug } from "./index.ts";
import { bdSeq, byAlias, configOf, context, double } from "./test/bench.ts";
import { type RecordingServer, recordingServer, until } from "./test/server.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});
const never = new AbortController().signal;

async function start(change: Partial<ConnectorContext> = {}, addresses: string[] = [], take?: "listed") {
  const server = await recordingServer();
  cleanUp.push(() => server.close());
  const host = sparkplug.create({ ...configOf([server.port]), ...(take && { take }) }, context(change));
  cleanUp.push(() => host.close());
  const stop = new AbortController();
  cleanUp.push(() => stop.abort(new Error("over")));
  await host.connect(never);
  const sink = new RecordingSink();
  const ended = host
    .read(
      addresses.map((address) => ({ address })),
      null,
      sink,
      stop.signal,
    )
    .catch((e: unknown) => e);
  await until(() => server.publishes("spBv1.0/STATE/hub").length === 1, "online");
  return { server, host, sink, ended, stop };
}
const birth = (server: RecordingServer, metrics: MetricInput[], timeMs = 1000): void =>
  server.send("spBv1.0/G/NBIRTH/E", encodePayload({ timeMs, seq: 0, metrics: [bdSeq(0), ...metrics] }));
const data = (server: RecordingServer, seq: number, metrics: MetricInput[]): void =>
  server.send("spBv1.0/G/NDATA/E", encodePayload({ timeMs: 5000, seq, metrics }));

describe("what has been born", () => {
  it("is browsed: edge nodes, devices, metrics with type and unit", async () => {
    const { server, host, sink } = await start();
    const level = async (address: string): Promise<unknown[]> => {
      const found: unknown[] = [];
      for await (const item of host.browse?.(address, never) ?? []) found.push(item);
      return found;
    };
    expect(await level("")).toEqual([]);
    birth(server, [{ ...double("Temp", 1, 20), properties: { engUnit: { type: dataType.string, value: "Cel" } } }]);
    server.send(
      "spBv1.0/G/DBIRTH/E/Press",
      encodePayload({ timeMs: 1000, seq: 1, metrics: [double("Line/Speed", 2, 1)] }),
    );
    await until(() => sink.rows.length === 3, "all rows");
    expect(await level("")).toMatchObject([{ address: "G/E", readable: false, expandable: true }]);
    expect(await level("G/E")).toMatchObject([
      { address: "G/E/Press", name: "Press", expandable: true },
      { address: "G/E//bdSeq", dataType: "int64" },
      { address: "G/E//Temp", name: "Temp", readable: true, expandable: false, dataType: "double", unit: "Cel" },
    ]);
    expect(await level("G/E/Press")).toMatchObject([{ address: "G/E/Press/Line/Speed", name: "Line/Speed" }]);
    await expect(level("G/F")).rejects.toMatchObject({ fault: "misconfigured" });
    await expect(level("G/E/Other")).rejects.toMatchObject({ fault: "misconfigured" });
  });
});

describe("from messages to rows", () => {
  it("times, units, types, quality, null, historical, transient", async () => {
    const { server, sink } = await start();
    birth(server, [
      { ...double("t", 1, 20, 1234), properties: { engUnit: { type: dataType.string, value: "°C" } } },
      { name: "i", alias: 2, type: dataType.int32, value: -5 },
      { name: "s", alias: 3, type: dataType.string, value: null },
      {
        name: "q",
        alias: 4,
        type: dataType.double,
        value: 1,
        properties: { Quality: { type: dataType.int32, value: 0 } },
      },
      {
        name: "st",
        alias: 5,
        type: dataType.double,
        value: 1,
        properties: { Quality: { type: dataType.int32, value: 500 } },
      },
      { name: "secret", alias: 6, type: dataType.double, value: 1, transient: true },
    ]);
    data(server, 1, [
      { ...byAlias(1, 21, 1100), historical: true },
      byAlias(1, 22, 6000),
      { alias: 2, value: 4294967290, type: dataType.uint32, omitType: true },
    ]);
    await until(() => sink.rows.length === 9, "all rows");
    const rows = sink.rows.map(({ tag, time, value, status }) => [tag, time, value, status]);
    expect(rows).toEqual([
      ["G/E//bdSeq", 1_000_000, 0, 0],
      ["G/E//t", 1_234_000, 20, 0],
      ["G/E//i", 1_000_000, -5, 0],
      ["G/E//s", 1_000_000, null, 0],
      ["G/E//q", 1_000_000, 1, 0x80000000],
      ["G/E//st", 1_000_000, 1, 0x80310000],
      ["G/E//t", 1_100_000, 21, 0],
      ["G/E//t", 6_000_000, 22, 0],
      ["G/E//i", 5_000_000, -6, 0],
    ]);
    expect(sink.batches[0].properties?.get("G/E//t")).toEqual({ unit: "°C", dataType: "double" });
    expect(sink.breaches).toEqual([]);
  });

  it("templates become tags of their members; definitions hold no value", async () => {
    const { server, sink } = await start();
    const motor = (reference: string | undefined, definition: boolean, rpm: number): MetricInput["value"] => ({
      definition,
      reference,
      members: [
        { name: "rpm", type: dataType.int32, value: rpm },
        { name: "on", type: dataType.boolean, value: true },
      ],
    });
    birth(server, [
      { name: "Motor", type: dataType.template, value: motor(undefined, true, 0) },
      { name: "M1", alias: 7, type: dataType.template, value: motor("Motor", false, 1500) },
    ]);
    data(server, 1, [
      {
        alias: 7,
        value: {
          definition: false,
          reference: "Motor",
          members: [{ name: "rpm", type: dataType.int32, value: 1600, omitType: true }],
        },
      },
    ]);
    await until(() => sink.rows.length === 4, "the members");
    expect(sink.rows.slice(1).map(({ tag, value }) => [tag, value])).toEqual([
      ["G/E//M1/rpm", 1500],
      ["G/E//M1/on", true],
      ["G/E//M1/rpm", 1600],
    ]);
  });

  it("type confusion is a bad row; bytes that are no Sparkplug are kept with their reason; the stream goes on", async () => {
    const { server, sink } = await start();
    birth(server, [double("t", 1, 20)]);
    data(server, 1, [{ alias: 1, type: dataType.string, value: "hot", omitType: true }]);
    server.send("spBv1.0/G/NDATA/E", Buffer.from("hello"));
    server.send("spBv1.0/somebody/else", Buffer.from("?"));
    data(server, 2, [byAlias(1, 23)]);
    await until(() => sink.rows.length === 4 && sink.rejected.length === 1, "everything");
    expect(sink.rows[2]).toMatchObject({ tag: "G/E//t", value: null, status: 0x80740000 });
    expect(sink.rows[3]).toMatchObject({ value: 23, status: 0 });
    expect(sink.rejected[0]).toMatchObject({
      code: "spb_payload_invalid",
      detail: expect.stringContaining("NDATA of G/E"),
    });
    expect(Buffer.from(sink.rejected[0].payload ?? []).toString()).toBe("hello");
  });

  it("an unknown alias is a fault with its reason once no rebirth explains it", async () => {
    const { server, sink, host } = await start();
    birth(server, [double("t", 1, 20)]);
    data(server, 1, [byAlias(1, 21), byAlias(9, 1)]);
    await until(() => server.publishes("spBv1.0/G/NCMD/E").length === 1, "asked");
    birth(server, [double("t", 1, 20)], 2000);
    await until(() => sink.batches.some((b) => (b.faults?.length ?? 0) > 0), "the fault");
    expect(sink.batches.flatMap((b) => b.faults ?? [])).toMatchObject([{ code: "spb_alias_unknown" }]);
    expect(sink.rows.at(-1)).toMatchObject({ tag: "G/E//t", value: 21 });
    expect(host.diagnose()).toMatchObject({ edgeNodes: 1, online: 1, unknown: 1 });
  });

  it("F21: a birth after a death says that a value holds again, though it was measured before", async () => {
    const { server, sink } = await start({}, ["G/E//t"], "listed");
    birth(server, [double("t", 1, 20, 900)], 1000);
    server.send("spBv1.0/G/NDEATH/E", encodePayload({ timeMs: 1500, metrics: [bdSeq(0)] }));
    await until(() => sink.staled.length === 1, "the death");
    birth(server, [double("t", 1, 20, 900)], 2000);
    birth(server, [double("t", 1, 20, 900)], 3000);
    await until(() => sink.rows.length === 5, "rows");
    expect(sink.rows.map(({ time, value, status }) => [time, value, status])).toEqual([
      [900_000, 20, 0],
      [1_000_000, 20, 0],
      [900_000, 20, 0],
      [2_000_000, 20, 0],
      // It was online: nothing is new.
      [900_000, 20, 0],
    ]);
  });

  it("a tag of which somebody has said more does not silence the others", async () => {
    const { server, sink } = await start({}, ["G/E//b"]);
    birth(server, [double("a", 1, 1), double("b", 2, 2)]);
    data(server, 1, [byAlias(1, 10), byAlias(2, 20)]);
    await until(() => sink.rows.length === 5, "rows");
    expect(sink.rows.map((r) => r.tag)).toEqual(["G/E//bdSeq", "G/E//a", "G/E//b", "G/E//a", "G/E//b"]);
  });

  it("only the tags of the configuration come where that is asked for", async () => {
    const { server, sink } = await start({}, ["G/E//b"], "listed");
    birth(server, [double("a", 1, 1), double("b", 2, 2)]);
    data(server, 1, [byAlias(1, 10), byAlias(2, 20)]);
    await until(() => sink.rows.length === 2, "rows");
    expect(sink.rows.map((r) => [r.tag, r.value])).toEqual([
      ["G/E//b", 2],
      ["G/E//b", 20],
    ]);
  });

  it("a lost server ends the reading as lost; its tags are stale; data after it wait for a rebirth", async () => {
    const { server, sink, host, ended } = await start();
    birth(server, [double("t", 1, 20)]);
    await until(() => sink.rows.length === 2, "born");
    server.drop();
    const error = await ended;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ fault: "lost" });
    expect(sink.staled).toMatchObject([{ names: ["G/E//bdSeq", "G/E//t"], status: 0x80310000 }]);
    await host.connect(never);
    const stop = new AbortController();
    cleanUp.push(() => stop.abort(new Error("over")));
    void host.read([], null, sink, stop.signal).catch(() => undefined);
    await until(() => server.publishes("spBv1.0/STATE/hub").length === 2, "online again");
    data(server, 9, [byAlias(1, 21)]);
    await until(() => server.publishes("spBv1.0/G/NCMD/E").length === 1, "asked");
    expect(sink.rows).toHaveLength(2);
    birth(server, [double("t", 1, 20)]);
    await until(() => sink.rows.length === 5, "released");
    expect(sink.rows.at(-1)).toMatchObject({ tag: "G/E//t", value: 21 });
  });
});
