import { readdirSync, readFileSync } from "node:fs";
import type { WireRecord } from "@lineshaft/contract/api";
import { ConnectionError } from "@lineshaft/contract/ports";
import { describe, expect, test } from "vitest";
import { connectorKinds, type ReplayedRow, replayCapture } from "./index.ts";

/**
 * Captured traffic with what it has to be decoded to: beside each connector `captures/<name>.jsonl` with `<name>.config.json` and
 * `<name>.expected.jsonl`. A new one is made with `lineshaft record` and `lineshaft replay`, and read by a person before it is kept.
 */
const folders = new URL("connectors/", import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, folders), "utf8");
const lines = <T>(path: string): T[] =>
  text(path)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
const captures = readdirSync(folders, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => /\/captures\/[^/]+\.jsonl$/.test(path) && !path.endsWith(".expected.jsonl"));

async function replayed(kind: string, config: Record<string, unknown>, records: WireRecord[]): Promise<ReplayedRow[]> {
  const rows: ReplayedRow[] = [];
  for await (const row of replayCapture(await connectorKinds[kind](), config, records)) rows.push(row);
  return rows;
}

describe("captured traffic", () => {
  test("is there", () => expect(captures.length).toBeGreaterThan(1));

  test.each(captures)("%s is decoded to what it meant", async (path) => {
    const [kind] = path.split("/");
    const base = path.replace(/\.jsonl$/, "");
    const config = JSON.parse(text(`${base}.config.json`)) as Record<string, unknown>;
    expect(await replayed(kind, config, lines(path))).toEqual(lines(`${base}.expected.jsonl`));
  });

  test("that is damaged is rejected with its reason, or nothing; never anything else", async () => {
    const path = "mqtt/captures/parts-machine";
    const config = JSON.parse(text(`${path}.config.json`)) as Record<string, unknown>;
    const [good] = lines<WireRecord>(`${path}.jsonl`).filter(({ note }) => note?.startsWith("PUBLISH") === true);
    const bytes = Buffer.from(good.b64, "base64");
    const cut = { ...good, b64: bytes.subarray(0, bytes.length - 5).toString("base64") };
    expect(await replayed("mqtt", config, [cut, { ...good, dir: "out" }])).toEqual([]);
    const spoiled = Buffer.from(bytes);
    spoiled[bytes.length - 1] = 0x21;
    const rows = await replayed("mqtt", config, [{ ...good, b64: spoiled.toString("base64") }]);
    expect(rows).toMatchObject([{ rejected: expect.any(String), detail: expect.any(String) }]);
  });

  test("of a kind whose traffic alone tells no values cannot be decoded, and says so", async () => {
    await expect(replayed("modbus", { host: "x" }, [])).rejects.toBeInstanceOf(ConnectionError);
    await expect(replayed("mqtt", {}, [])).rejects.toMatchObject({ fault: "misconfigured" });
  });
});
