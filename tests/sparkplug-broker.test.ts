import { type LastValue, statusBadNoCommunication } from "@lineshaft/contract/api";
import { newClient } from "sparkplug-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { declare, deviceKey, lastValue, until } from "./support/mqtt.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";
import { Stream } from "./support/stream.ts";

type EdgeNode = ReturnType<typeof newClient>;
type Payload = Parameters<EdgeNode["publishNodeBirth"]>[0];

/** Sparkplug B from end to end: a real server with its broker, and Eclipse Tahu's edge node. */
describe("an edge node that we did not write, at the embedded broker", () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  let secret = "";
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
      (found) => found?.value === (typeof wanted === "function" ? wanted() : wanted) && found?.status === 0,
    );

  /** What the node said of its cycle with the last of its births: a host may ask for one more at any time. */
  const newestBirth = (): number => -births;
  let axisUnit = "°";
  const unit = (text: string) => ({ engUnit: { type: "String" as const, value: text } });
  type Tag = { id: number; address: string; unit: string | null; sourceUnit: string | null; revision: number };
  const tagOf = async (address: string): Promise<Tag> => {
    const { items } = await rest.get<{ items: Tag[] }>("/api/v1/tags?connection=cells");
    return items.find((tag) => tag.address === address) as Tag;
  };
  const hasUnit = (address: string, wanted: Partial<Tag>): Promise<unknown> =>
    until(
      `${address} has the unit ${JSON.stringify(wanted)}`,
      () => tagOf(address),
      (tag) => tag.unit === wanted.unit && tag.sourceUnit === wanted.sourceUnit,
    );

  const birth = (): void => {
    births++;
    const timestamp = now();
    node?.publishNodeBirth({
      timestamp,
      metrics: [
        { name: "Node Control/Rebirth", type: "Boolean", value: false, timestamp },
        { name: "cycle", type: "Int32", value: -births, timestamp, properties: unit("s") },
        { name: "big", type: "UInt64", value: 4_503_599_627_370_497, timestamp },
      ],
    });
    node?.publishDeviceBirth("robot", {
      timestamp,
      metrics: [
        { name: "axis/1", type: "Double", value: 0.25, timestamp, properties: unit(axisUnit) },
        { name: "program", type: "String", value: "home", timestamp },
      ],
    });
  };

  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", "0"] });
    secret = server.adminSecret ?? "";
    rest = new Rest(server.url, secret);
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

  test("and units, which are no part of the configuration", async () => {
    await hasUnit("Northfield/cell-1//cycle", { unit: "s", sourceUnit: "s" });
    await hasUnit("Northfield/cell-1/robot/axis/1", { unit: "°", sourceUnit: "°" });
    const { connections } = await rest.get<{ connections: object[] }>("/api/v1/configuration");
    expect(connections).toEqual([{ ...cells, tags: [] }]);
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
    await server.kill("SIGKILL");
    server = await ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", port] });
    rest = new Rest(server.url, secret);
    await until(
      "another birth",
      () => births,
      (n) => n > 1,
    );
    await is("/cycle", newestBirth);
    await is("robot/axis/1", 0.25);
    await hasUnit("Northfield/cell-1//cycle", { unit: "s", sourceUnit: "s" });
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
    await is("/cycle", newestBirth);
    await until(
      "the gap of the lost message",
      () => rest.get<{ items: { reason: string }[] }>("/api/v1/gaps"),
      ({ items }) => items.some(({ reason }) => reason.includes("missing")),
    );
  });

  test("F30: the node changes a unit, which is an event", async () => {
    axisUnit = "rad";
    birth();
    const address = "Northfield/cell-1/robot/axis/1";
    await hasUnit(address, { unit: "rad", sourceUnit: "rad" });
    const stream = new Stream(server.url, secret, { types: ["registry.changed"], from: 0 });
    const changed = (): unknown[] =>
      stream.messages
        .map(({ data }) => data as { entity?: string; after?: { units: { before: string | null }[] } } | undefined)
        .flatMap((change) => (change?.entity === "sourceUnit" ? (change.after?.units ?? []) : []))
        .filter(({ before }) => before !== null);
    await stream.until(() => changed().length > 0, "the change of the unit");
    expect(changed()).toMatchObject([{ address, before: "°", unit: "rad" }]);
    stream.close();
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

  test("what somebody decides of a unit wins, and alone is part of the configuration", async () => {
    const decided = { address: "Northfield/cell-1/robot/axis/1", unit: "deg" };
    const { id, revision } = await tagOf(decided.address);
    await rest.request("PATCH", `/api/v1/tags/${id}`, { unit: "deg" }, { "if-match": `"${revision}"` });
    await hasUnit(decided.address, { unit: "deg", sourceUnit: "rad" });
    const { connections } = await rest.get<{ connections: object[] }>("/api/v1/configuration");
    expect(connections).toEqual([{ ...cells, tags: [decided] }]);
  });
});
