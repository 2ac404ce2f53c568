import { type BrowseItem, ConnectionError } from "@lineshaft/contract/ports";
import { dataTypeNames } from "./data-type.ts";
import type { EdgeNode, MetricEntry, MetricTable } from "./node.ts";

/** One level: "" the edge nodes, below a node its devices and its own metrics, below a device its metrics. */
export function* browseNodes(nodes: Iterable<EdgeNode>, address: string): Generator<BrowseItem> {
  for (const node of nodes) {
    const path = `${node.group}/${node.node}`;
    if (address === "") {
      const heard = node.phase === "unknown" ? "no birth has been heard yet" : node.phase;
      yield { address: path, name: path, readable: false, expandable: true, description: `Edge node, ${heard}` };
    } else if (address === path) {
      for (const [name, device] of node.devices) {
        const description = `Device, ${device.online ? "online" : "offline"}`;
        yield { address: `${path}/${name}`, name, readable: false, expandable: true, description };
      }
      yield* metricsOf(node.self);
      return;
    } else if (address.startsWith(`${path}/`)) {
      const device = node.devices.get(address.slice(path.length + 1));
      if (device === undefined) continue;
      yield* metricsOf(device);
      return;
    }
  }
  if (address !== "")
    throw new ConnectionError("misconfigured", `There is no edge node or device "${address}".`, "Refresh its parent.");
}

function* metricsOf(table: MetricTable): Generator<BrowseItem> {
  for (const [name, entry] of table.metrics) yield* itemsOf(name, entry);
}

/** The members of a template stand for it: they are the tags. */
function* itemsOf(name: string, { address, type, unit, members }: MetricEntry): Generator<BrowseItem> {
  if (members === null) {
    const dataType = dataTypeNames[type];
    yield { address, name, readable: true, expandable: false, dataType, ...(unit === null ? {} : { unit }) };
  } else for (const [member, entry] of members) yield* itemsOf(`${name}/${member}`, entry);
}
