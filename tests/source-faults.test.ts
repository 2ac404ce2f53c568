import { type LastValue, type PointSeries, statusUncertainTime } from "@lineshaft/contract/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

/** What a source may get wrong about its own data, and what becomes of it on a real server. */
describe("a source that is wrong", () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  const hour = 3_600_000_000;
  const nowUs = (): number => Date.now() * 1000;

  const send = async (tag: string, ...points: object[]): Promise<number> => {
    const body = { points: points.map((point) => ({ tag, ...point })) };
    const { status, body: receipt } = await rest.ingest("press", body);
    expect(status, JSON.stringify(receipt)).toBe(200);
    const { items } = await rest.get<{ items: { id: number; address: string }[] }>("/api/v1/tags?connection=press");
    return items.find(({ address }) => address === tag)?.id ?? 0;
  };
  const stored = async (tag: number): Promise<PointSeries> => {
    await rest.settle();
    return rest.get(`/api/v1/history/raw?tag=${tag}&from=0&to=${nowUs() + 10 * hour}`);
  };

  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir: dir.path });
    rest = new Rest(server.url, server.adminSecret ?? "");
  });
  afterAll(async () => {
    await server.kill();
    dir.remove();
  });

  it("F16: a clock in the future keeps its own time beside ours, quality Uncertain; nothing is misplaced", async () => {
    const before = nowUs();
    const ahead = before + 4 * 60_000_000;
    const farAhead = before + hour;
    const tag = await send(
      "level",
      { time: ahead, value: 1 },
      { time: farAhead, value: 2 },
      { time: before - hour, value: 3 },
    );
    const after = nowUs();
    const { time, value, status, originalTime } = await stored(tag);
    const row = (which: number) => {
      const i = value.indexOf(which);
      return { time: time[i], status: status?.[i] ?? 0, originalTime: originalTime?.[i] ?? null };
    };
    expect(value).toHaveLength(3);
    // Within the bound a source is believed.
    expect(row(1)).toEqual({ time: ahead, status: 0, originalTime: null });
    expect(row(3)).toEqual({ time: before - hour, status: 0, originalTime: null });
    expect(row(2)).toMatchObject({ status: statusUncertainTime, originalTime: farAhead });
    expect(row(2).time).toBeGreaterThanOrEqual(before - 1_000_000);
    expect(row(2).time).toBeLessThanOrEqual(after + 1_000_000);
  });

  it("F16: a row beyond the bound does not keep later ones from being the newest", async () => {
    const now = nowUs();
    const tag = await send("speed", { time: now + 5 * hour, value: 1 });
    await send("speed", { time: nowUs(), value: 2 });
    await rest.settle();
    const { items } = await rest.get<{ items: LastValue[] }>(`/api/v1/values?tag=${tag}`);
    expect(items[0]).toMatchObject({ value: 2, status: 0 });
  });

  it("F30: a value that changes its type is kept as it came, never made into another", async () => {
    const start = nowUs() - 60_000_000;
    const exact = "9007199254740993";
    const kinds = [7, 7.5, "7.50", "", true, null, { int64: exact }, "007"];
    let tag = 0;
    for (const [i, value] of kinds.entries()) tag = await send("recipe", { time: start + i, value });
    const series = await stored(tag);
    expect(series.value).toEqual(kinds);
    // A number is a double, whatever the one before was; text that looks like a number stays text.
    expect(series.type).toEqual([0, 0, 3, 3, 2, 5, 1, 3]);
    const { items } = await rest.get<{ items: LastValue[] }>(`/api/v1/values?tag=${tag}`);
    expect(items[0]).toMatchObject({ value: "007", type: "string" });
    const query = `tag=${tag}&from=${start}&to=${start + 1000}&bucketUs=1000`;
    const { count } = await rest.get<{ count: number[] }>(`/api/v1/history/buckets?${query}`);
    expect(count.reduce((sum, n) => sum + n, 0)).toBe(kinds.length);
  });

  it("F30: another connection, or another unit, is another tag or a decision that people see; stored values stay", async () => {
    const tag = await send("pressure", { time: nowUs() - 5_000_000, value: 6 });
    const { body } = await rest.request<{ revision: number; unit: null }>("GET", `/api/v1/tags/${tag}`);
    const unit = (unitText: string, revision: number) =>
      rest.request<{ item: { revision: number; unit: string } }>(
        "PATCH",
        `/api/v1/tags/${tag}`,
        { unit: unitText },
        {
          "if-match": `"${revision}"`,
        },
      );
    const bar = await unit("bar", body.revision);
    expect(bar.body.item).toMatchObject({ unit: "bar" });
    const pascal = await unit("kPa", bar.body.item.revision);
    expect(pascal.status).toBe(200);
    expect((await stored(tag)).value).toEqual([6]);
    expect((await unit("bars", pascal.body.item.revision)).status).toBe(422);
  });
});
