import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { secondUs, valueAt } from "@lineshaft/contract/api";
import { connectAsync } from "mqtt";
import { OPCUACertificateManager } from "node-opcua-certificate-manager";
import { OPCUAClient } from "node-opcua-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lineKinds, PlantLine } from "./plant/index.ts";
import { type Broker, changesOf, connectAgain, startBroker, until } from "./protocols/test/rig.ts";
import { type ReadMetric, readPayload } from "./protocols/test/sparkplug-reader.ts";

let broker: Broker;
let child: ChildProcess;
let ports: { opcua: number; modbus: number; faults: number };
let ended: Promise<unknown>;
const metrics: { verb: string; device: string; metric: ReadMetric }[] = [];
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  broker = await startBroker();
  const host = await connectAsync(broker.url, { reconnectPeriod: 0 });
  closing.push(() => host.endAsync(true));
  host.on("message", (topic, payload) => {
    const [, , verb, , device] = topic.split("/");
    for (const metric of readPayload(payload).metrics) metrics.push({ verb, device, metric });
  });
  await host.subscribeAsync("spBv1.0/#");
  const args = ["--protocols", "mqtt,sparkplug,opcua,modbus", "--mqtt-url", broker.url, "--seed", "5"];
  child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, LINESHAFT_SIMULATION_TOKEN: "let-it-break" },
  });
  ended = once(child, "exit");
  if (child.stdout === null) throw new Error("The simulation has no standard output.");
  for await (const line of createInterface(child.stdout)) {
    if (!line.startsWith('{"simulation"')) continue;
    ports = JSON.parse(line).ports;
    break;
  }
});
afterAll(async () => {
  child.kill("SIGKILL");
  while (closing.length > 0) await closing.pop()?.();
  await broker.close();
});

describe("the simulation as a process", () => {
  it("sends by Sparkplug what a model with its seed says for these instants", async () => {
    const data = () => metrics.filter(({ verb, device }) => verb === "DDATA" && device === "Filler1");
    await until(() => data().length > 60, 30_000);
    const aliases = new Map<number | undefined, string>();
    for (const { verb, metric } of metrics)
      if (verb === "DBIRTH" && metric.name) aliases.set(metric.alias, metric.name.replaceAll("/", "."));
    const got = data().map(({ metric }) => [
      aliases.get(metric.alias),
      metric.timeMs,
      Number(metric.value) || metric.value,
    ]);
    const from = Math.min(...data().map(({ metric }) => metric.timeMs ?? 0)) * 1000;
    const line = new PlantLine(lineKinds[0], 5, from - 5 * secondUs);
    const columns = line.advance(from + 60 * secondUs);
    const rows = Array.from({ length: columns.rows }, (_, i) => ({
      signal: line.signals[columns.tag[i]],
      timeUs: columns.time[i],
      value: valueAt(columns, i),
    }));
    const expected = changesOf(rows.filter(({ signal }) => signal.address.startsWith("Filler1.")))
      .filter(({ timeUs }) => Math.floor(timeUs / 1000) >= from / 1000)
      .map(({ signal, timeUs, value }) => [signal.address.slice(8), Math.floor(timeUs / 1000), Number(value) || value]);
    const number = (value: unknown) => (value === 0n ? 0 : value);
    expect(got.map(([a, t, v]) => [a, t, number(v)])).toEqual(expected.slice(0, got.length));
  });

  it("lives on OPC UA and Modbus, and its fault API resets the press's counters", async () => {
    const pki = mkdtempSync(join(tmpdir(), "simulation-client-"));
    closing.push(async () => rmSync(pki, { recursive: true }));
    const client = OPCUAClient.create({
      endpointMustExist: false,
      clientCertificateManager: new OPCUACertificateManager({ rootFolder: pki }),
    });
    await client.connect(`opc.tcp://127.0.0.1:${ports.opcua}`);
    const session = await client.createSession();
    const ns = (await session.readNamespaceArray()).indexOf("urn:lineshaft:simulation:plant");
    const vacuum = await session.read({ nodeId: `ns=${ns};s=Packer1.PV.GripperVacuum` });
    expect(vacuum.value.value).toBeLessThan(0);
    expect(Math.abs(Date.now() - (vacuum.sourceTimestamp?.getTime() ?? 0))).toBeLessThan(5_000);
    await session.close();
    await client.disconnect();
    const press = await connectAgain(ports.modbus);
    expect((await press.readHoldingRegisters(0, 1)).data[0]).toBeGreaterThanOrEqual(65_000);
    const ordered = await fetch(`http://127.0.0.1:${ports.faults}/faults`, {
      method: "POST",
      headers: { authorization: "Bearer let-it-break" },
      body: JSON.stringify({ machine: "Press1", fault: "restart", seconds: 0.2 }),
    });
    expect(ordered.status).toBe(202);
    const again = await connectAgain(ports.modbus);
    expect((await again.readHoldingRegisters(0, 1)).data[0]).toBeLessThan(10);
    await new Promise<void>((resolve) => again.close(() => resolve()));
  });

  it("takes leave when it is told to, with NDEATH and exit code 0", async () => {
    const began = metrics.length;
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    await until(() => metrics.slice(began).some(({ verb }) => verb === "NDEATH"));
  });
});
