import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { secondUs } from "@lineshaft/contract/api";
import { OPCUACertificateManager } from "node-opcua-certificate-manager";
import {
  AttributeIds,
  type ClientSession,
  type DataValue,
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
  UserTokenType,
} from "node-opcua-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OpcUaServer, plantNamespace } from "./opcua-server.ts";
import { changesOf, feedOf, startUs, truth, until, waiting } from "./test/rig.ts";

const bottling = "northfield-bottling-1";
const feed = feedOf(bottling);
const partsFeed = feedOf("eastgate-parts-2");
const stateDir = mkdtempSync(join(tmpdir(), "simulation-opcua-"));
let server: OpcUaServer;
let client: OPCUAClient;
let session: ClientSession;
let ns = 0;

const makeClient = (options: { securityMode?: MessageSecurityMode; securityPolicy?: SecurityPolicy } = {}) =>
  OPCUAClient.create({
    endpointMustExist: false,
    keepSessionAlive: false,
    clientCertificateManager: new OPCUACertificateManager({
      rootFolder: join(stateDir, "client-pki"),
      automaticallyAcceptUnknownCertificate: true,
    }),
    connectionStrategy: { maxRetry: 20, initialDelay: 50, maxDelay: 200 },
    ...options,
  });

beforeAll(async () => {
  server = await OpcUaServer.start({
    port: 0,
    machines: [
      { name: "Packer1", signals: feed.signalsOf("Packer1") },
      { name: "MC1", signals: partsFeed.signalsOf("MC1") },
    ],
    historized: "Packer1.PV.GripperVacuum",
    stateDir,
    user: { name: "operator", password: "simulated" },
    waiting,
    say: (text) => expect.fail(text),
  });
  feed.attach("Packer1", server);
  partsFeed.attach("MC1", server);
  feed.advance(startUs + secondUs);
  partsFeed.advance(startUs + secondUs);
  client = makeClient();
  await client.connect(server.url);
  session = await client.createSession();
  ns = (await session.readNamespaceArray()).indexOf(plantNamespace);
});
afterAll(async () => {
  await session?.close();
  await client?.disconnect();
  await server?.close();
  rmSync(stateDir, { recursive: true, force: true });
});

const read = async (address: string): Promise<DataValue> =>
  session.read({ nodeId: `ns=${ns};s=${address}`, attributeId: AttributeIds.Value });

async function namesBelow(nodeId: string): Promise<Map<string, string>> {
  const { references } = await session.browse(nodeId);
  return new Map((references ?? []).map((r) => [r.browseName.name ?? "", r.nodeId.toString()]));
}

describe("the address space", () => {
  it("has the machines with their building blocks below Machines", async () => {
    const machineryNs = (await session.readNamespaceArray()).indexOf("http://opcfoundation.org/UA/Machinery/");
    const machines = await namesBelow(`ns=${machineryNs};i=1001`);
    expect([...machines.keys()]).toEqual(expect.arrayContaining(["Packer1", "MC1"]));
    const packer = await namesBelow(machines.get("Packer1") ?? "");
    expect([...packer.keys()].sort()).toEqual([
      "Counters",
      "Identification",
      "MachineryItemState",
      "MachineryOperationMode",
      "Monitoring",
      "PackML",
      "Production",
    ]);
    const item = await namesBelow(packer.get("MachineryItemState") ?? "");
    const current = await session.read({ nodeId: item.get("CurrentState") ?? "", attributeId: AttributeIds.Value });
    expect(current.value.value.text).toBe("Executing");
    const packml = await namesBelow(packer.get("PackML") ?? "");
    const base = await namesBelow(packml.get("BaseStateMachine") ?? "");
    const machine = await namesBelow(base.get("MachineState") ?? "");
    const execute = await namesBelow(machine.get("ExecuteState") ?? "");
    const states = await Promise.all(
      [base, machine, execute].map((node) =>
        session.read({ nodeId: node.get("CurrentState") ?? "", attributeId: AttributeIds.Value }),
      ),
    );
    expect(states.map(({ value }) => value.value.text)).toEqual(["Cleared", "Running", "Execute"]);
  });

  it("tells units with UN/CEFACT codes, or UCUM where there is no code", async () => {
    const celsius = await namesBelow(`ns=${ns};s=MC1.CoolantTemperature`);
    const eu = await session.read({ nodeId: celsius.get("EngineeringUnits") ?? "", attributeId: AttributeIds.Value });
    expect(eu.value.value).toMatchObject({
      unitId: 4_408_652,
      namespaceUri: "http://www.opcfoundation.org/UA/units/un/cefact",
    });
    const speed = await namesBelow(`ns=${ns};s=Packer1.Status.CurMachSpeed`);
    const own = await session.read({ nodeId: speed.get("EngineeringUnits") ?? "", attributeId: AttributeIds.Value });
    expect(own.value.value).toMatchObject({ unitId: -1, namespaceUri: "http://unitsofmeasure.org" });
    expect(own.value.value.description.text).toBe("{bottles}/h");
  });

  it("writes nothing outside its own folder, and says who it is", async () => {
    expect(readdirSync(stateDir).sort()).toEqual(["client-pki", "opcua-server-pki", "opcua-user-pki"]);
    const endpoints = await client.getEndpoints();
    expect(endpoints.every(({ endpointUrl }) => endpointUrl?.startsWith(server.url))).toBe(true);
    const policies = new Set(endpoints.map(({ securityPolicyUri }) => securityPolicyUri?.split("#")[1]));
    expect([...policies].sort()).toEqual(["Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss", "Basic256Sha256", "None"]);
  });
});

describe("values", () => {
  it("a subscription gets every change, with the source's time, and the same as the model says", async () => {
    const address = "Packer1.PV.GripperVacuum";
    const subscription = await session.createSubscription2({
      requestedPublishingInterval: 50,
      requestedMaxKeepAliveCount: 10,
      requestedLifetimeCount: 100,
      publishingEnabled: true,
    });
    const item = await subscription.monitor(
      { nodeId: `ns=${ns};s=${address}`, attributeId: AttributeIds.Value },
      { samplingInterval: 0, queueSize: 100, discardOldest: true },
      TimestampsToReturn.Both,
    );
    const got: [number, number][] = [];
    item.on("changed", ({ value, sourceTimestamp }: DataValue) =>
      got.push([sourceTimestamp?.getTime() ?? 0, value.value]),
    );
    await until(() => got.length === 1);
    for (let scan = 6; scan <= 75; scan++) feed.advance(startUs + (scan * secondUs) / 5);
    const expected = changesOf(truth(bottling, "Packer1", 15).filter(({ signal }) => signal.address === address))
      .filter(({ timeUs }) => timeUs > startUs + 0.9 * secondUs)
      .map(({ timeUs, value }) => [Math.floor(timeUs / 1000), value]);
    await until(() => got.length >= expected.length);
    await subscription.terminate();
    expect(got.slice(-expected.length)).toEqual(expected);
    const { value, sourceTimestamp } = await read("Packer1.Admin.ProdProcessedCount");
    const last = truth(bottling, "Packer1", 15).findLast(
      ({ signal }) => signal.address === "Packer1.Admin.ProdProcessedCount",
    );
    expect(value.value).toBe(last?.value);
    expect(sourceTimestamp?.getTime()).toBe(Math.floor((last?.timeUs ?? 0) / 1000));
  });

  it("texts keep their leading zeros, integers are integers", async () => {
    const program = await read("MC1.Program");
    expect([program.value.dataType, program.value.value]).toEqual([12, expect.stringMatching(/^O0\d+/)]);
    expect((await read("MC1.PartCount")).value.dataType).toBe(7);
    expect((await read("MC1.State")).value).toMatchObject({ dataType: 6, value: expect.any(Number) });
    expect((await read("MC1.DoorClosed")).value.dataType).toBe(1);
  });

  it("one variable has a past", async () => {
    const from = new Date(startUs / 1000);
    const to = new Date(startUs / 1000 + 10_000);
    const past = await session.readHistoryValue(`ns=${ns};s=Packer1.PV.GripperVacuum`, from, to);
    const values = (past.historyData as unknown as { dataValues: DataValue[] }).dataValues;
    const expected = truth(bottling, "Packer1", 10).filter(
      ({ signal }) => signal.address === "Packer1.PV.GripperVacuum",
    );
    expect(values.filter(({ value }) => value.value !== null).map(({ value }) => value.value)).toEqual(
      expect.arrayContaining(expected.slice(0, 20).map(({ value }) => value)),
    );
  });
});

describe("security", () => {
  it.each([SecurityPolicy.Basic256Sha256, SecurityPolicy.Aes256_Sha256_RsaPss])(
    "a user logs in by %s, and not with a wrong password",
    async (securityPolicy) => {
      const secure = makeClient({ securityMode: MessageSecurityMode.SignAndEncrypt, securityPolicy });
      await secure.connect(server.url);
      const user = { type: UserTokenType.UserName, userName: "operator" } as const;
      await expect(secure.createSession({ ...user, password: "guessed" })).rejects.toThrow();
      const mine = await secure.createSession({ ...user, password: "simulated" });
      expect((await mine.read({ nodeId: `ns=${ns};s=MC1.State` })).value.value).toBeGreaterThan(0);
      await mine.close();
      await secure.disconnect();
    },
  );
});

describe("faults", () => {
  it("after a cut the same session goes on; after a restart the server shows its last values to a new one", async () => {
    expect(server.fault("Packer1", "duplicate", 10)).toBeNull();
    const { port } = server;
    let lost = 0;
    client.on("connection_lost", () => lost++);
    expect(server.fault("Packer1", "cut", 200)).toEqual(["Packer1", "MC1"]);
    await until(() => lost === 1);
    await new Promise<void>((resolve) => client.once("connection_reestablished", () => resolve()));
    const before = await read("Packer1.Admin.ProdProcessedCount");
    await session.close();
    await client.disconnect();
    server.fault("Packer1", "restart", 50);
    client = makeClient();
    await client.connect(server.url);
    session = await client.createSession();
    expect(server.port).toBe(port);
    expect((await read("Packer1.Admin.ProdProcessedCount")).value.value).toBe(before.value.value);
  }, 20_000);
});
