// What people and broken programs send: each refusal has a code, is kept for the rejected page, and the rest of its batch is stored.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";
import { Stream } from "./support/stream.ts";

const dir = tempDir();
let server: ServerProcess;
let rest: Rest;
const now = () => Date.now() * 1000;

beforeAll(async () => {
  server = await ServerProcess.start({ dataDir: dir.path });
  rest = new Rest(server.url, server.adminSecret!);
});
afterAll(async () => {
  await server.kill();
  dir.remove();
});

const newestRejected = async () =>
  (await rest.get<{ items: { code: string; points: number; connection: string | null }[] }>("/api/v1/rejected?limit=1"))
    .items[0];

describe("what changes without a word", () => {
  it("F30: int64 becomes double: each value stays what it came as, and the change is an event", async () => {
    const stream = new Stream(server.url, server.adminSecret!, { types: ["registry.changed"], from: 0 });
    const send = (value: unknown) =>
      rest.ingest("drift", JSON.stringify({ points: [{ tag: "speed", time: now(), value }] }));
    const types = () =>
      stream.messages
        .map(({ data }) => data as { entity?: string; after?: { types: unknown[] } } | undefined)
        .flatMap((change) => (change?.entity === "sourceType" ? (change.after?.types ?? []) : []));
    expect(await send({ int64: "9007199254740993" })).toMatchObject({ status: 200 });
    expect(await send(1.5)).toMatchObject({ status: 200 });
    await stream.until(() => types().length === 1, "the change of the type");
    expect(types()).toMatchObject([{ address: "speed", before: "int64", type: "double" }]);
    stream.close();
    const { items } = await rest.get<{ items: { id: number }[] }>("/api/v1/tags?connection=drift");
    const points = await rest.get<{ value: unknown[] }>(`/api/v1/history/raw?tag=${items[0].id}&from=0&to=${now()}`);
    expect(points.value).toEqual([{ int64: "9007199254740993" }, 1.5]);
  });
});

describe("clocks", () => {
  it("F17: a second that a source's clock lives twice loses nothing, refuses nothing, and runs backwards nowhere", async () => {
    const second = Date.UTC(2026, 10, 20, 23, 59, 59) * 1000;
    const pass = (values: number[]) =>
      rest.ingest(
        "leap",
        values.map((value, i) => ({ tag: "angle", time: second + i * 250_000, value })),
      );
    expect(await pass([10, 11, 12, 13])).toMatchObject({ status: 200, body: { rejected: 0 } });
    // The clock was put back by a second: the same instants, other values, and one that says the same again.
    expect(await pass([20, 11, 22, 23, 24])).toMatchObject({ status: 200, body: { rejected: 0 } });
    await rest.settle();
    const { items } = await rest.get<{ items: { id: number }[] }>("/api/v1/tags?connection=leap");
    const points = await rest.get<{ time: number[]; value: number[] }>(
      `/api/v1/history/raw?tag=${items[0].id}&from=${second}&to=${second + 2_000_000}`,
    );
    expect(points.value).toEqual([10, 20, 11, 12, 22, 13, 23, 24]);
    expect(points.time).toEqual([...points.time].sort((a, b) => a - b));
    const { sums } = await rest.get<{ sums: { duplicates: number; stored: number } }>("/api/v1/connections/leap");
    expect(sums).toMatchObject({ stored: 8, duplicates: 1 });
  });
});

describe("whole bodies", () => {
  it.each([
    ["not JSON", '{"points":', 400, "json_invalid"],
    ["too deep", `${"[".repeat(40)}${"]".repeat(40)}`, 400, "json_too_deep"],
    ["a key twice", '{"points":[],"points":[]}', 400, "json_duplicate_key"],
    ["a reserved key", '{"points":[{"tag":"a","value":1,"__proto__":{}}]}', 400, "reserved_key"],
    ["NUL in it", '{"points":[{"tag":"a\\u0000","value":1}]}\u0000', 400, "json_encoding"],
    ["another shape", '{"rows":1}', 422, "request_invalid"],
  ])("%s: refused with its code and kept", async (_, body, status, code) => {
    const answer = await rest.ingest("bad", body);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.body.detail.length).toBeGreaterThan(10);
    expect(answer.body.action.length).toBeGreaterThan(10);
    await rest.settle();
    expect(await newestRejected()).toMatchObject({ code, points: 1 });
  });

  it("a binary frame cut at any place is refused, and the next one is taken", async () => {
    const { ColumnsBuilder, encodeColumns } = await import("@lineshaft/contract/api");
    const builder = new ColumnsBuilder();
    builder.add(0, now(), 1.5);
    const frame = encodeColumns(builder.build(), ["binary"]);
    const post = (bytes: Uint8Array) =>
      rest.request<{ code?: string }>("POST", "/api/v1/ingest/bad", bytes, {
        "content-type": "application/vnd.lineshaft.columns",
      });
    for (let n = 1; n < frame.length; n += 7) expect((await post(frame.slice(0, n))).body.code).toBe("columns_invalid");
    expect((await post(frame)).status).toBe(200);
  });

  it("17 MiB are refused before they are read; another media type too", async () => {
    const big = await rest.ingest("bad", new Uint8Array(17 * 1024 * 1024)).catch(() => null);
    if (big !== null) expect(big).toMatchObject({ status: 413, body: { code: "body_too_large" } });
    const xml = await rest.request<{ code: string }>("POST", "/api/v1/ingest/bad", "<x/>", {
      "content-type": "text/xml",
    });
    expect(xml).toMatchObject({ status: 415, body: { code: "media_type_unsupported" } });
  });
});

describe("single rows", () => {
  it("bad ones are refused with their code, the others are stored", async () => {
    const t = now();
    const points = [
      { tag: "ok", time: t, value: 1 },
      { tag: "ok", time: "yesterday", value: 1 },
      { tag: "ok", time: t, value: { what: "ever" } },
      { tag: "nul\u0000name", time: t, value: 1 },
      { tag: "x".repeat(10_240), time: t, value: 1 },
      { tag: "ok", time: t + 1, value: 2, status: -1 },
      { tag: '"quotes" \' and 🏭', time: t, value: "kept" },
      { tag: "1970", time: 0, value: 1 },
      { tag: "2100", time: "2100-01-01T00:00:00Z", value: 1 },
      { value: 1 },
      "what?",
    ];
    const answer = await rest.ingest("rows", JSON.stringify({ points }));
    expect(answer).toMatchObject({ status: 200, body: { offered: 11, rejected: 7 } });
    expect(
      answer.body.faults.map((fault) => [fault.row, fault.code]).sort((a, b) => Number(a[0]) - Number(b[0])),
    ).toEqual([
      [1, "time_invalid"],
      [2, "value_invalid"],
      [3, "name_invalid"],
      [4, "name_invalid"],
      [5, "status_invalid"],
      [9, expect.any(String)],
      [10, expect.any(String)],
    ]);
    await rest.settle();
    const { items } = await rest.get<{ items: { id: number; address: string }[] }>("/api/v1/tags?connection=rows");
    expect(items.map((tag) => tag.address).sort()).toEqual(['"quotes" \' and 🏭', "1970", "2100", "ok"].sort());
    const old = items.find((tag) => tag.address === "1970")!;
    const value = (await rest.get<{ items: { time: number; status: number }[] }>(`/api/v1/values?tag=${old.id}`))
      .items[0];
    expect(value.status >>> 30, "quality Uncertain").toBe(1);
    expect(value.time).toBeGreaterThan(t);
  });

  it("numbers that JSON cannot hold exactly are exact or refused", async () => {
    const t = now();
    const answer = await rest.ingest(
      "numbers",
      `[{"tag":"a","time":${t},"value":9223372036854775807},{"tag":"b","time":${t},"value":9223372036854775808},{"tag":"c","time":${t},"value":1e999},{"tag":"d","time":${t},"value":0.1}]`,
    );
    expect(answer.body).toMatchObject({ offered: 4, accepted: 2, rejected: 2 });
    expect(answer.body.faults.map((fault) => fault.code)).toEqual(["number_out_of_range", "number_out_of_range"]);
    const { items } = await rest.get<{ items: { id: number }[] }>("/api/v1/tags?connection=numbers");
    const values = await rest.get<{ items: { value: unknown }[] }>(
      `/api/v1/values?${items.map((tag) => `tag=${tag.id}`).join("&")}`,
    );
    expect(values.items.map((item) => item.value)).toEqual(
      expect.arrayContaining([{ int64: "9223372036854775807" }, 0.1]),
    );
  });

  it("a unit that is not UCUM is refused on the tag, not on the points", async () => {
    const { body } = await rest.request<{ item: { id: number; revision: number } }>("POST", "/api/v1/tags", {
      connection: "units",
      address: "t",
      unit: "Cel",
    });
    const change = await rest.request<{ code: string }>(
      "PATCH",
      `/api/v1/tags/${body.item.id}`,
      { unit: "bananas" },
      { "if-match": `"${body.item.revision}"` },
    );
    expect(change).toMatchObject({ status: 422, body: { code: "unit_unknown" } });
  });

  it("F25: a million new tags: the quota holds, memory stays flat, the log tells it once", {
    timeout: 240_000,
  }, async () => {
    const rss = async (): Promise<number> => (await rest.system()).process.rssBytes;
    const t = now();
    const million = async (from: number): Promise<{ accepted: number; rejected: number }> => {
      const of = { accepted: 0, rejected: 0 };
      for (let n = 0; n < 20; n++) {
        const names = Array.from({ length: 50_000 }, (_, i) => `flood ${from + n * 50_000 + i}`);
        const body = { names, tag: names.map((_, i) => i), time: names.map(() => t), value: names.map(() => 1) };
        const answer = await rest.ingest("flood", body);
        expect(answer.status).toBe(200);
        of.accepted += answer.body.accepted;
        of.rejected += answer.body.rejected;
      }
      return of;
    };
    const before = await rss();
    expect(await million(0)).toEqual({ accepted: 200_000, rejected: 800_000 });
    const full = await rss();
    // What the 200,000 tags take that the quota lets in, and what the collector has not taken back yet.
    expect(full - before).toBeLessThan(600e6);
    for (const from of [1e6, 2e6]) expect(await million(from)).toEqual({ accepted: 0, rejected: 1_000_000 });
    expect((await rest.settle(60_000)).balanced).toBe(true);
    expect((await rss()) - full).toBeLessThan(150e6);
    expect(server.stderr.split("\n").filter((line) => line.includes("quota_tags")).length).toBeLessThanOrEqual(5);
    expect(await newestRejected()).toMatchObject({ code: "quota_tags", connection: "flood" });
  });
});
