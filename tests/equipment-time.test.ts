import type { Equipment } from "@lineshaft/contract/api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";
import { Stream } from "./support/stream.ts";

const dir = tempDir();
let server: ServerProcess;
let rest: Rest;
beforeAll(async () => {
  server = await ServerProcess.start({ dataDir: dir.path });
  rest = new Rest(server.url, server.adminSecret ?? "");
});
afterAll(async () => {
  await server.kill();
  dir.remove();
});

test("equipment is renamed from an earlier time on; what was so then is answered, and told over the stream", async () => {
  const created = await rest.request<{ item: Equipment }>("POST", "/api/v1/equipment", { level: "site", name: "Hall" });
  const { id, revision } = created.body.item;
  const change = <T>(body: object, from = revision) =>
    rest.request<T>("PATCH", `/api/v1/equipment/${id}`, body, { "if-match": `"${from}"` });
  const stream = new Stream(server.url, server.adminSecret ?? "", { types: ["registry.changed"] });
  await stream.until(() => stream.messages.length > 0, "the subscription");

  const minuteUs = 60_000_000;
  const nowUs = Date.now() * 1000;
  const validFrom = new Date((nowUs - 30 * minuteUs) / 1000).toISOString();
  const renamed = await change<{ item: Equipment; receipt: { lsn: number } }>({ name: "Hall A", validFrom });
  expect(renamed).toMatchObject({
    status: 200,
    body: { item: { name: "Hall A" }, receipt: { lsn: expect.any(Number) } },
  });
  const at = (time: number | string): Promise<Equipment> =>
    rest.get(`/api/v1/equipment/${id}?at=${encodeURIComponent(time)}`);
  expect(await at(nowUs - 40 * minuteUs)).toMatchObject({ name: "Hall", path: "Hall" });
  expect(await at(validFrom)).toMatchObject({ name: "Hall A", path: "Hall A" });
  await stream.until(() => stream.messages.some(({ lsn }) => lsn === renamed.body.receipt.lsn), "the change");
  const { data } = stream.messages.find(({ lsn }) => lsn === renamed.body.receipt.lsn) ?? {};
  expect(data?.after).toMatchObject({ name: "Hall A", validFromUs: Date.parse(validFrom) * 1000 });
  stream.close();

  const next = renamed.body.item.revision;
  expect(await change({ name: "B", validFrom: nowUs + 60 * minuteUs }, next)).toMatchObject({
    status: 422,
    body: { code: "valid_from_future" },
  });
  expect(await change({ name: "B", validFrom: "yesterday" }, next)).toMatchObject({ body: { code: "time_invalid" } });
  expect(await change({ validFrom }, next)).toMatchObject({ status: 422, body: { code: "request_invalid" } });
  expect(await change({ model: "none@1.0.0" }, next)).toMatchObject({ status: 404 });
});
