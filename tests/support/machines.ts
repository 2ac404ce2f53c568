import type { Value } from "@lineshaft/contract/api";
import { deadPort } from "@lineshaft/testkit";
import { ServerTCP } from "modbus-serial";
import { connectAsync } from "mqtt";
import type { TestServer } from "../../integration/connectivity/connectors/opcua/test/server.ts";
import { type DataType, dataType, encodePayload, type Metric } from "../../simulation/protocols/sparkplug-payload.ts";

/** Machines on loopback as a plant has them, small enough to read: what the console is to connect. */

export interface Device {
  port: number;
  close(): Promise<void>;
}

/** An energy meter: holding:10 a temperature, holding:12 a counter that counts what was read, holding:14 a power. */
export async function modbusMeter(): Promise<Device> {
  let count = 0;
  const registers: Record<number, () => number> = { 10: () => 215, 12: () => ++count % 60_000, 14: () => 4_200 };
  // The library takes 0 for its default port.
  const port = await deadPort();
  const on = new ServerTCP(
    { getHoldingRegister: async (address: number) => registers[address]?.() ?? 0 },
    { host: "127.0.0.1", port, unitID: 1 },
  );
  await new Promise<void>((resolve) => on.on("initialized", () => resolve()));
  return { port, close: () => new Promise((resolve) => on.close(() => resolve())) };
}

// Numbers of OPC UA's built-in types (Part 6, 5.1.2).
const int32 = 6;
const double = 11;

/** A filler below an OPC UA server's objects: values, and a drive as a part of it. Returns how to give the temperature a new value. */
export function addFiller(server: TestServer): (temperature: number) => void {
  const namespace = server.space.getOwnNamespace();
  const filler = namespace.addFolder(server.space.rootFolder.objects, { browseName: "Filler 1" });
  const variable = (folder: typeof filler, name: string, type: typeof int32 | typeof double, value: number) =>
    namespace.addVariable({
      organizedBy: folder,
      nodeId: `s=Filler1.${name}`,
      browseName: name,
      dataType: type === int32 ? "Int32" : "Double",
      value: { dataType: type, value },
    });
  const temperature = variable(filler, "Temperature", double, 64.5);
  variable(filler, "FillLevel", double, 0.502);
  variable(filler, "GoodCount", int32, 18_214);
  variable(filler, "State", int32, 1);
  const drive = namespace.addFolder(filler, { browseName: "Drive" });
  variable(drive, "Speed", double, 412);
  variable(drive, "Current", double, 6.25);
  return (value) => temperature.setValueFromSource({ dataType: double, value });
}

export interface EdgeNode {
  /** A new temperature of its press. */
  tell(celsius: number): void;
  close(): void;
}

/** An edge node that has been born with one device. */
export async function sparkplugNode(url: string, key: { id: string; secret: string }): Promise<EdgeNode> {
  const timeMs = Date.now();
  const topic = (verb: string, device = ""): string => `spBv1.0/Westgate/${verb}/Gateway 3${device}`;
  const metric = (name: string, alias: number | undefined, type: DataType, value: Value): Metric => ({
    name,
    ...(alias === undefined ? {} : { alias }),
    timeMs,
    type,
    tellType: true,
    value,
  });
  const bdSeq = metric("bdSeq", undefined, dataType.int64, 0n);
  const client = await connectAsync(url, {
    clientId: key.id,
    username: key.id,
    password: key.secret,
    reconnectPeriod: 0,
    will: { topic: topic("NDEATH"), payload: encodePayload({ timeMs, metrics: [bdSeq] }), qos: 1, retain: false },
  });
  const send = (verb: string, seq: number, metrics: Metric[], device?: string): Promise<unknown> =>
    client.publishAsync(topic(verb, device), encodePayload({ timeMs, seq, metrics }), { qos: 0 });
  await send("NBIRTH", 0, [bdSeq, metric("Node Control/Rebirth", 1, dataType.boolean, false)]);
  const metrics = [
    metric("Temperature", 2, dataType.double, 21.5),
    metric("Parts", 3, dataType.int64, 1204n),
    metric("State", 4, dataType.string, "Executing"),
  ];
  await send("DBIRTH", 1, metrics, "/Press 7");
  let seq = 1;
  return {
    tell: (celsius) => {
      seq = (seq + 1) % 256;
      void send("DDATA", seq, [metric("Temperature", 2, dataType.double, celsius)], "/Press 7");
    },
    close: () => void client.end(true),
  };
}
