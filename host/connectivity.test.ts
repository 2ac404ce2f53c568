import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectionSpec } from "@lineshaft/contract/api";
import type { Offer, Sink } from "@lineshaft/contract/ports";
import { deadPort, realClock } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RunningConnectivity, runConnectivity, secretsIn } from "./connectivity.ts";

/** A sink that takes everything: what comes in is not asked for here. */
const sink: Sink = {
  offer: async (_, { columns }): Promise<Offer> => {
    const { rows } = columns;
    return {
      kind: "durable",
      lsn: 1,
      offered: rows,
      accepted: rows,
      suspect: 0,
      duplicates: 0,
      rejected: 0,
      faults: [],
    };
  },
  credit: () => ({ rows: 1000, bytes: 1e6 }),
  reject: async () => 1,
  gap: async () => 1,
};

describe("the host runs what the registry holds", () => {
  let dataDir: string;
  let running: RunningConnectivity;
  let specs: (ConnectionSpec & { id: number; tenant: number })[];
  let revision: number;
  let port: number;
  const logged: string[] = [];

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), "host-connectivity-"));
    port = await deadPort();
    specs = [];
    revision = 1;
    logged.length = 0;
    const registry = {
      get setUpRevision() {
        return revision;
      },
      connectionSpecs: () => specs,
      settled: async () => undefined,
    };
    running = await runConnectivity({
      registry,
      sink,
      clock: realClock,
      dataDir,
      sourceCursor: () => null,
      log: (_, text) => void logged.push(text),
    });
  });
  afterEach(async () => {
    await running.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const modbus = (tenant: number): (typeof specs)[number] => ({
    id: 1,
    tenant,
    name: "filler",
    kind: "modbus",
    config: { host: "127.0.0.1", port },
    tags: [],
  });
  const decide = async (next: typeof specs): Promise<void> => {
    specs = next;
    revision++;
    await running.follow();
  };
  const becomes = async (tenant: number, state: string | undefined): Promise<void> => {
    for (let i = 0; i < 400 && running.status(tenant, "filler")?.health.state !== state; i++) await sleep(10);
    expect(running.status(tenant, "filler")?.health.state).toBe(state);
  };

  test("each tenant's apart, started and stopped as the registry changes", async () => {
    await decide([modbus(1)]);
    await becomes(1, "waiting");
    expect(running.status(2, "filler")).toBe(null);
    expect(running.status(1, "filler")).toMatchObject({ health: { fault: "unreachable" } });
    expect(await running.diagnose(1, "filler")).toMatchObject({ name: "filler", kind: "modbus" });
    await decide([modbus(2)]);
    expect(running.status(1, "filler")).toBe(null);
    await becomes(2, "waiting");
    await expect(running.restart(1, "filler")).rejects.toMatchObject({ code: "not_found" });
    await decide([{ ...modbus(2), kind: "http" }]);
    expect(running.status(2, "filler")).toBe(null);
  });

  test("every kind can be described as a form and checked without being saved", async () => {
    const kinds = running.kinds();
    expect(kinds.map(({ kind }) => kind)).toContain("modbus");
    expect(JSON.parse(JSON.stringify(kinds))).toEqual(kinds);
    const steps = [];
    for await (const step of running.check(1, "modbus", { host: "127.0.0.1", port }, AbortSignal.timeout(5000)))
      steps.push(step);
    expect(steps[0]).toMatchObject({ ok: true });
    expect(steps.at(-1)).toMatchObject({ ok: false, hint: expect.any(String) });
  });

  test("a secret is a file; a name that leads elsewhere is none", () => {
    mkdirSync(join(dataDir, "secrets"));
    writeFileSync(join(dataDir, "secrets", "plc"), "s3cr3t\n");
    writeFileSync(join(dataDir, "other"), "not yours");
    const secret = secretsIn([undefined, join(dataDir, "nowhere"), join(dataDir, "secrets")]);
    expect([secret("plc"), secret("none"), secret("../other"), secret("")]).toEqual(["s3cr3t", null, null, null]);
  });
});
