import { type LastValue, statusBadNoCommunication } from "@lineshaft/contract/api";
import { newClient } from "sparkplug-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { declare, deviceKey, lastValue, until } from "./support/mqtt.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

type EdgeNode = ReturnType<typeof newClient>;
type Payload = Parameters<EdgeNode["publishNodeBirth"]>[0];

/** Sparkplug B from end to end: a real server with its broker, and Eclipse Tahu's edge node. */
describe("an edge node that we did not write, at the embedded broker", () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  let node: EdgeNode | null = null;
  let births = 0;
  let commands: Payload[] = [];
  let timeMs = 0;
  /** Times of now, each later than the one before: the start after a kill marks what stood then, at the last proof of life. */
  const now = (): number => {
    timeMs = Math.max(timeMs + 1, Date.now());
    return timeMs;
  };
  const cells = { name: "cells", kind: "sparkplug-broker", config: { hostId: "lineshaft", groups: ["Northfield"] } };
  const value = (metric: string): Promise<LastValue | null> => lastValue(rest, "cells", `Northfield/cell-1/${metric}`);
  const is = (metric: string, wanted: unknown): Promise<unknown> =>
    until(
      `${metric} is ${wanted}`,
      () => value(metric),
      (found) => found?.value === wanted && found?.status === 0,
    );

  const birth = (): void => {
    births++;
    const timestamp = now();
    node?.publishNodeBirth({
      timestamp,
      metrics: [
        { name: "Node Control/Rebirth", type: "Boolean", value: false, timestamp },
        { name: "cycle", type: "Int32", value: -births, timestamp },
        { name: "big", type: "UInt64", value: 4_503_599_627_370_497, timestamp },
      ],
    });
    node?.publishDeviceBirth("robot", {
      timestamp,
      metrics: [
        { name: "axis/1", type: "Double", value: 0.25, timestamp },
        { name: "program", type: "String", value: "home", timestamp },
      ],
    });
  };

  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", "0"] });
    rest = new Rest(server.url, server.adminSecret ?? "");
    await declare(rest, [cells]);
    await until(
      "the host application is present",
      () =>
        rest.request<{ connector?: { servers: { announced: boolean }[] } }>(
          "GET",
          "/api/v1/connections/cells/diagnosis",
        ),
      ({ body }) => body.connector?.servers[0].announced === true,
    );
    const key = await deviceKey(rest, "cell 1", { scopes: ["Northfield"] });
    node = newClient({
      serverUrl: server.mqttUrl,
      username: key.id,
      password: key.secret,
      groupId: "Northfield",
      edgeNode: "cell-1",
      clientId: "cell-1",
      version: "spBv1.0",
      publishDeath: true,
      mqttOptions: { reconnectPeriod: 200 },
    });
    node.on("error", () => undefined);
    node.on("birth", birth);
    node.on("ncmd", (payload) => {
      commands.push(payload);
      birth();
    });
  });
  afterAll(async () => {
    node?.stop();
    await server.kill("SIGTERM");
    dir.remove();
  });

  test("its birth certificates bring tags of their type", async () => {
    await is("/cycle", -1);
    await is("/big", 4_503_599_627_370_497);
    await is("robot/axis/1", 0.25);
    await is("robot/program", "home");
    const page = await rest.get<{ items: { address: string }[] }>("/api/v1/tags?connection=cells");
    expect(page.items.map(({ address }) => address)).toContain("Northfield/cell-1//Node Control/Rebirth");
  });

  test("data follow it", async () => {
    const timestamp = now();
    node?.publishNodeData({ timestamp, metrics: [{ name: "cycle", type: "Int32", value: 17, timestamp }] });
    node?.publishDeviceData("robot", {
      timestamp,
      metrics: [{ name: "axis/1", type: "Double", value: 1.5, timestamp }],
    });
    await is("/cycle", 17);
    await is("robot/axis/1", 1.5);
    expect((await value("robot/axis/1"))?.time).toBe(timestamp * 1000);
  });

  test("the server is killed: the node finds it again, and what it knew is true again", async () => {
    const port = new URL(server.mqttUrl).port;
    const secret = server.adminSecret ?? "";
    await server.kill("SIGKILL");
    server = await ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", port] });
    rest = new Rest(server.url, secret);
    await until(
      "another birth",
      () => births,
      (n) => n > 1,
    );
    await is("/cycle", -births);
    await is("robot/axis/1", 0.25);
  });

  test("F21: a message is lost: a gap is recorded, and the node is asked for a new birth, which it gives", async () => {
    commands = [];
    const before = births;
    // The client counts the sequence itself; the number that nobody sends is the lost message.
    (node as unknown as { seq: number }).seq += 1;
    const timestamp = now();
    node?.publishNodeData({ timestamp, metrics: [{ name: "cycle", type: "Int32", value: 99, timestamp }] });
    await until(
      "the rebirth request",
      () => commands.length,
      (n) => n === 1,
    );
    expect(births).toBe(before + 1);
    await is("/cycle", -births);
    const { items } = await rest.get<{ items: { reason: string }[] }>("/api/v1/gaps");
    expect(items.some(({ reason }) => reason.includes("missing"))).toBe(true);
  });

  test("it leaves: its values stay, marked as without communication", async () => {
    node?.publishDeviceDeath("robot", { timestamp: now() });
    const gone = ({ status }: LastValue): boolean => status === statusBadNoCommunication;
    const robot = await until(
      "the device is gone",
      () => value("robot/axis/1"),
      (found) => found !== null && gone(found),
    );
    expect(robot?.value).toBe(0.25);
    node?.stop();
    await until(
      "the node is gone",
      () => value("/cycle"),
      (found) => found !== null && gone(found),
    );
  });
});
