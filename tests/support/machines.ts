import { ServerTCP } from "modbus-serial";
import type { TestServer } from "../../integration/connectivity/connectors/opcua/test/server.ts";

/** Machines on loopback as a plant has them, small enough to read: what the console is to connect. */

export interface Device {
  port: number;
  close(): Promise<void>;
}

/** An energy meter: holding:10 a temperature, holding:12 a counter that counts what was read, holding:14 a power. */
export async function modbusMeter(): Promise<Device> {
  let count = 0;
  const registers: Record<number, () => number> = { 10: () => 215, 12: () => ++count % 60_000, 14: () => 4_200 };
  const on = new ServerTCP(
    { getHoldingRegister: async (address: number) => registers[address]?.() ?? 0 },
    { host: "127.0.0.1", port: 0, unitID: 1 },
  );
  const port = await new Promise<number>((resolve) =>
    on.on("initialized", () => {
      const server = (on as unknown as { _server: { address(): { port: number } } })._server;
      resolve(server.address().port);
    }),
  );
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
