import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectorPeer, connectorContract, type PeerAddress, type Spoiling } from "@lineshaft/testkit";
import { DataType, StatusCodes } from "node-opcua-client";
import { afterAll, beforeAll } from "vitest";
import { opcua } from "./index.ts";
import { TestServer, testUser } from "./test/server.ts";
import { trustServer } from "./test/state.ts";

const folder = mkdtempSync(join(tmpdir(), "opcua-contract-"));
let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start({ folder });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** One server for all tests; each has variables of its own. */
async function peer(stateDir: string): Promise<ConnectorPeer> {
  await trustServer(folder, stateDir);
  const tags = ["speed", "count", "pressure"].map((name) => server.add(name));
  const config = ({ host, port }: PeerAddress, password = "machine-password") => ({
    endpointUrl: `opc.tcp://${host}:${port}`,
    identity: { kind: "user", userName: testUser.name, password },
    publishingMs: 50,
    samplingMs: 0,
    keepAliveMs: 500,
  });
  const set = (tag: string, value: number, timeUs: number, status = StatusCodes.Good) =>
    server.set(tag, DataType.Int32, value, timeUs / 1000, status);
  return {
    address: { host: "127.0.0.1", port: server.port },
    config,
    refusedConfig(fault, address) {
      if (fault === "unauthorised") return config(address, "wrong-password");
      // Nothing but policy None would be left, and that is not permitted.
      if (fault === "misconfigured") return { ...config(address), securityPolicy: "none" };
      return null;
    },
    tags,
    bind: (address) => ({ address }),
    set: async (tag, value, timeUs) => set(tag, value, timeUs),
    async spoil(tag, how: Spoiling) {
      if (how === "badQuality") set(tag, 51, Date.now() * 1000, StatusCodes.BadSensorFailure);
      else server.remove(tag);
    },
    acknowledged: () => server.acknowledged,
    stop: async () => {},
  };
}

connectorContract(opcua, {
  start: peer,
  secrets: { "machine-password": testUser.password, "wrong-password": "wrong-horse" },
  // GetEndpoints goes over a connection of its own (Part 4, 5.4.2).
  socketsPerConnect: 2,
  waivers: {
    "outside-type-bad": "A Variant carries its own type with each value, so that no value can lie outside of it.",
  },
});
