import { setTimeout as sleep } from "node:timers/promises";
import { connectLineshaft, type Platform } from "@lineshaft/client";
import type { FactRecord, FactRecordItem, FactToRecord, OtherEvent } from "@lineshaft/contract/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

const now = Date.now() * 1000 - 60e6;
const secret = "a-secret-for-this-test-only";

async function all(platform: Platform): Promise<FactRecord[]> {
  const records: FactRecord[] = [];
  for await (const record of platform.recordedFacts()) records.push(record);
  return records;
}

/** What MES and test benches record, on a real server. The oracle is a plain list of what was acknowledged. */
describe("recorded facts", { timeout: 60_000 }, () => {
  const dir = tempDir();
  const acknowledged = new Set<string>();
  let server: ServerProcess;
  let rest: Rest;
  let mes: Platform;
  let machine = 0;

  const begin = async (crash?: string): Promise<void> => {
    const env = { LINESHAFT_ADMIN_SECRET: secret, ...(crash === undefined ? {} : { LINESHAFT_CRASH: crash }) };
    server = await ServerProcess.start({ dataDir: dir.path, env });
    rest = new Rest(server.url, secret);
  };
  const made = (serial: string, more: Partial<FactRecordItem<"unitProduced">> = {}): FactRecordItem => ({
    ...{ kind: "unitProduced", id: `made-${serial}`, equipmentId: machine, serial, verdict: "good", toUs: now },
    ...more,
  });
  const record = async (...items: FactToRecord[]): Promise<void> => {
    const answer = await mes.recordFacts(items);
    expect(answer.faults).toEqual([]);
    for (const { id } of items) acknowledged.add(id);
  };
  const connect = async (role: string): Promise<Platform> => {
    const { body } = await rest.request<{ secret: string }>("POST", "/api/v1/keys", { name: role, role });
    return connectLineshaft({ url: server.url, key: body.secret });
  };

  beforeAll(async () => {
    // The second record that the view would take in kills the process.
    await begin("K7:2");
    const site = await rest.request<{ item: { id: number } }>("POST", "/api/v1/equipment", {
      ...{ name: "site", level: "site" },
    });
    machine = site.body.item.id;
    mes = await connect("recorder");
  });
  afterAll(async () => {
    mes.close();
    await server.kill("SIGTERM");
    dir.remove();
  });

  test("F6: kill −9 between acknowledgement and view loses nothing, and nothing comes twice", async () => {
    await record(made("A"));
    const sent: string[] = [];
    const dead = server.exited.then(() => true);
    for (let i = 0; !(await Promise.race([dead, sleep(0, false)])); i++) {
      sent.push(`made-B${i}`);
      await record(made(`B${i}`)).catch(() => undefined);
    }
    expect((await server.exited).signal).toBe("SIGKILL");
    mes.close();
    await begin();
    mes = await connect("recorder");
    const engineer = await connect("engineer");
    const kept = await all(engineer);
    const ids = kept.map(({ item }) => item.id);
    for (const id of acknowledged) expect(ids).toContain(id);
    expect(new Set(ids).size).toBe(ids.length);
    // What was not answered is sent again, whether it was kept or not.
    for (const id of sent) await record(made(id.slice(5)));
    expect(await all(engineer)).toHaveLength(1 + sent.length);
    engineer.close();
  });

  test("are followed on the stream, with 100,000 parts of one unit told in part", async () => {
    const viewer = await connect("viewer");
    const heard: OtherEvent[] = [];
    const stop = new AbortController();
    const { lsn } = await mes.recordFacts([made("first")]);
    const reading = (async () => {
      for await (const event of viewer.subscribe(
        { types: ["fact.recorded"], from: now - 3600e6 },
        { signal: stop.signal },
      ))
        heard.push(event as OtherEvent);
    })();
    const boxes = Array.from({ length: 100 }, (_, i) =>
      made(`box-${i}`, { parents: Array.from({ length: 1000 }, (_, j) => ({ serial: `part-${i}-${j}` })) }),
    );
    await record(made("pallet", { parents: boxes.map(({ id }) => ({ serial: id.slice(5) })) }), ...boxes);
    const pallet = await viewer.unit("pallet");
    expect(pallet.madeOf.more).toBe(true);
    expect(pallet.madeOf.items).toHaveLength(1000);
    const part = await viewer.unit("part-99-999");
    expect(part.wentInto.items.map(({ serial }) => serial)).toEqual(["box-99", "pallet"]);
    const known = await viewer.unit("first", String(lsn));
    expect(known.produced.items).toHaveLength(1);
    await expect(viewer.unit("pallet", String(lsn))).rejects.toMatchObject({ code: "not_found" });
    await expect.poll(() => JSON.stringify(heard).includes("made-box-99"), { timeout: 10_000 }).toBe(true);
    stop.abort();
    await reading;
    viewer.close();
  });
});
