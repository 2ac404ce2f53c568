import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowseItem } from "@lineshaft/contract/ports";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bench } from "./test/bench.ts";
import { TestServer } from "./test/server.ts";

const folder = mkdtempSync(join(tmpdir(), "opcua-companion-"));
let server: TestServer;
let bench: Bench;

beforeAll(async () => {
  const companions = ["Di", "IA", "Machinery", "PackML"].map((name) => `Opc.Ua.${name}.NodeSet2.xml`);
  server = await TestServer.start({ folder, companions });
  bench = await Bench.make(server.url, folder);
  await bench.connect();
}, 60_000);
afterAll(async () => {
  await bench.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function children(address: string): Promise<Map<string, BrowseItem>> {
  const found = new Map<string, BrowseItem>();
  for await (const item of bench.connector.browse?.(address, new AbortController().signal) ?? [])
    found.set(item.name, item);
  return found;
}

test("a machine that describes itself by Machinery says which values are its state, mode and identity, also by a maker's own type", async () => {
  const { space } = server;
  const index = space.getNamespaceIndex("http://opcfoundation.org/UA/Machinery/");
  const own = space.getOwnNamespace();
  const machines = space.rootFolder.objects.getFolderElementByName("Machines", index);
  expect(machines, "the entry point of OPC 40001-1").not.toBe(null);
  const press = own.addObject({ organizedBy: machines!, browseName: "Press" });
  const itemState = space.findObjectType("MachineryItemState_StateMachineType", index)!;
  itemState.instantiate({ browseName: "MachineryItemState", componentOf: press });
  // The maker has derived a type of its own.
  const derived = own.addObjectType({
    browseName: "PressModeType",
    subtypeOf: space.findObjectType("MachineryOperationModeStateMachineType", index)!,
  });
  derived.instantiate({ browseName: "MachineryOperationMode", componentOf: press });
  const identification = space.findObjectType("MachineIdentificationType", index)!;
  identification.instantiate({ browseName: "Identification", componentOf: press });

  const below = await children("");
  const [found] = [await children(below.get("Machines")!.address)].map((items) => items.get("Press"));
  const parts = await children(found!.address);
  expect(parts.get("MachineryItemState")?.hint).toEqual({ type: "MachineryItemState_StateMachineType" });
  expect(parts.get("MachineryOperationMode")?.hint).toEqual({ type: "MachineryOperationModeStateMachineType" });
  expect(parts.get("Identification")?.hint).toEqual({ type: "MachineIdentificationType" });
  const state = await children(parts.get("MachineryItemState")!.address);
  expect(state.get("CurrentState")).toMatchObject({ readable: true, hint: { kind: "itemState" } });
  const mode = await children(parts.get("MachineryOperationMode")!.address);
  expect(mode.get("CurrentState")?.hint?.kind).toBe("operationMode");
  const identity = await children(parts.get("Identification")!.address);
  expect(identity.get("SerialNumber")).toMatchObject({ hint: { kind: "identifier" } });
});

test("a PackML unit says which values are its mode and speed", async () => {
  const { space } = server;
  const index = space.getNamespaceIndex("http://opcfoundation.org/UA/PackML/");
  const status = space.findObjectType("PackMLStatusObjectType", index)!;
  const filler = space.getOwnNamespace().addObject({ organizedBy: space.rootFolder.objects, browseName: "Filler" });
  status.instantiate({ browseName: "Status", componentOf: filler });
  const parts = await children((await children("")).get("Filler")!.address);
  expect(parts.get("Status")?.hint).toEqual({ type: "PackMLStatusObjectType" });
  const values = await children(parts.get("Status")!.address);
  expect(values.get("UnitModeCurrent")?.hint?.kind).toBe("operationMode");
  expect(values.get("CurMachSpeed")?.hint?.kind).toBe("processValue");
  expect(values.get("StateRequested")?.hint).toBe(undefined);
});

test("an analog item is a process value wherever it stands", async () => {
  const { address } = server.addAnalog("temperature", "CEL");
  const found = await children("");
  expect(found.get("temperature")).toMatchObject({ address, hint: { type: "AnalogItemType", kind: "processValue" } });
});
