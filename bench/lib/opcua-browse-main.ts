/** The OPC UA server of the bench `opcua-browse`: folders with analog variables, all of them computed and none stored. */
import {
  attribute,
  type Plant,
  type RawReference,
  status,
} from "../../integration/connectivity/connectors/opcua/test/raw-nodes.ts";
import { RawServer } from "../../integration/connectivity/connectors/opcua/test/raw-server.ts";
import { builtIn, type WireValue, Writer } from "../../integration/connectivity/connectors/opcua/test/wire.ts";
import { cpuSecondsSince, endWith, tellParent } from "./helper-process.ts";

export interface BrowseJob {
  folders: number;
  variablesPerFolder: number;
}

export type BrowseMessage = { event: "ready"; port: number } | { event: "done"; cpuSeconds: number; calls: number };

const folderOf = (nodeId: string): number => Number(/^ns=1;s=Line (\d+)$/.exec(nodeId)?.[1] ?? Number.NaN);
const isVariable = (nodeId: string): boolean => /^ns=1;i=\d+$/.test(nodeId);

/** EUInformation in degree Celsius (Part 8, 5.6.4). */
const celsius = new Writer()
  .string("http://www.opcfoundation.org/UA/units/un/cefact")
  .u32(4_408_652)
  .localizedText("°C")
  .localizedText("degree Celsius")
  .build();

class Plain implements Plant {
  readonly #job: BrowseJob;

  constructor(job: BrowseJob) {
    this.#job = job;
  }

  readonly source = { added: () => {}, next: () => null };

  read(nodeId: string, attributeId: number): { value: WireValue } | number {
    if (nodeId === "i=11" && attributeId === attribute.browseName)
      return { value: { type: builtIn.qualifiedName, value: "Double" } };
    if (nodeId === "ns=1;s=Unit") return { value: { type: builtIn.structure, value: { typeId: 889, body: celsius } } };
    if (!isVariable(nodeId)) return status.badNodeIdUnknown;
    switch (attributeId) {
      case attribute.dataType:
        return { value: { type: builtIn.nodeId, value: "i=11" } };
      case attribute.valueRank:
        return { value: { type: builtIn.int32, value: -1 } };
      case attribute.accessLevel:
      case attribute.userAccessLevel:
        return { value: { type: builtIn.byte, value: 1 } };
      case attribute.historizing:
        return { value: { type: builtIn.boolean, value: false } };
      case attribute.description:
        return { value: { type: builtIn.localizedText, value: "Temperature of a zone" } };
    }
    return status.badAttributeIdInvalid;
  }

  children(nodeId: string): readonly RawReference[] {
    const { folders, variablesPerFolder } = this.#job;
    if (nodeId === "i=85")
      return Array.from({ length: folders }, (_, i) => ({
        nodeId: `ns=1;s=Line ${i}`,
        name: `Line ${i}`,
        nodeClass: "object",
        typeDefinition: "i=61",
      }));
    const folder = folderOf(nodeId);
    if (Number.isNaN(folder)) return [];
    return Array.from({ length: variablesPerFolder }, (_, i) => ({
      nodeId: `ns=1;i=${folder * variablesPerFolder + i + 1}`,
      name: `Zone ${i}`,
      nodeClass: "variable",
      typeDefinition: "i=2368",
    }));
  }

  property(nodeId: string, name: string): string | null {
    return name === "EngineeringUnits" && isVariable(nodeId) ? "ns=1;s=Unit" : null;
  }
}

let calls = 0;
process.once("message", async (job) => {
  const server = await RawServer.start({
    plant: new Plain(job as BrowseJob),
    intercept: () => {
      calls += 1;
      return false;
    },
  });
  const cpu = process.cpuUsage();
  process.on("message", () =>
    endWith({ event: "done", cpuSeconds: cpuSecondsSince(cpu), calls } satisfies BrowseMessage),
  );
  tellParent({ event: "ready", port: server.port } satisfies BrowseMessage);
});
process.on("disconnect", () => process.exit(1));
