/**
 * opcua-browse: all 110,000 variables of a server, in 110 folders, by the connector's browse, as a console or an import walks it: level by level, each item with
 * type, unit, description and whether it can be read. The server is a process of its own.
 */
import { join } from "node:path";
import type { Connector, ConnectorContext } from "@lineshaft/contract/ports";
import { systemClock } from "../host/clock.ts";
import { opcua } from "../integration/connectivity/connectors/opcua/index.ts";
import { Helper } from "./lib/child.ts";
import type { BrowseJob, BrowseMessage } from "./lib/opcua-browse-main.ts";
import { plainConnection } from "./lib/opcua-connection.ts";
import type { Bench } from "./lib/report.ts";
import { round } from "./lib/stats.ts";

const folders = 110;
const variablesPerFolder = 1_000;

export const opcuaBrowse: Bench = {
  name: "opcua-browse",
  about: `${folders * variablesPerFolder} variables of an OPC UA server browsed, with type, unit and description`,
  unit: "s",
  better: "lower",
  floor: 120,
  target: 20,
  async run({ dir, say }) {
    const plant = new Helper<BrowseJob, BrowseMessage>("opcua-browse-main.ts", { folders, variablesPerFolder });
    const stateDir = join(dir, "state");
    const context: ConnectorContext = {
      clock: systemClock,
      secret: () => null,
      stateDir,
      share: (_, make) => make(),
      log: () => {},
    };
    const { port } = await plant.next("ready");
    const connector = opcua.create(plainConnection(port) as never, context);
    const { signal } = new AbortController();
    try {
      await connector.connect(signal);
      const before = { rss: process.memoryUsage.rss(), cpu: process.cpuUsage(), ms: performance.now() };
      let peak = before.rss;
      const look = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage.rss());
      }, 50);
      const found = await walk(connector, "", signal);
      clearInterval(look);
      const seconds = (performance.now() - before.ms) / 1000;
      const { user, system } = process.cpuUsage(before.cpu);
      if (found.variables !== folders * variablesPerFolder)
        throw new Error(`${found.variables} of ${folders * variablesPerFolder} variables were found.`);
      plant.send({ command: "end" });
      const { cpuSeconds, calls } = await plant.next("done");
      const addedMB = Math.round((peak - before.rss) / 1e6);
      say(
        `${found.variables} variables, ${found.typed} with type and unit; ${addedMB} MB added at most; ${calls} calls`,
      );
      return {
        value: round(seconds),
        ...found,
        calls,
        rssAddedMB: addedMB,
        cpuSeconds: { connector: round((user + system) / 1e6), server: cpuSeconds },
      };
    } finally {
      await connector.close();
      plant.end();
    }
  },
};

/** Nothing is kept but counts: what is added is the connector's own. */
async function walk(
  connector: Connector,
  address: string,
  signal: AbortSignal,
): Promise<{ variables: number; typed: number }> {
  const sums = { variables: 0, typed: 0 };
  const below: string[] = [];
  for await (const item of connector.browse?.(address, signal) ?? []) {
    if (item.readable) sums.variables += 1;
    if (item.readable && item.dataType === "Double" && item.unit === "Cel") sums.typed += 1;
    if (item.expandable) below.push(item.address);
  }
  for (const child of below) {
    const found = await walk(connector, child, signal);
    sums.variables += found.variables;
    sums.typed += found.typed;
  }
  return sums;
}
