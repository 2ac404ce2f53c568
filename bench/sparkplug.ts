/**
 * ingest-sparkplug: 200 edge nodes with two devices of 50 metrics each send DDATA by alias, every metric with its own time, to the embedded broker and its Sparkplug host.
 * The value is that of QoS 1, which the standard does not ask for: a message is acknowledged when it is durable. Beside it the standard's QoS 0, where the sequence
 * numbers tell what is missing (`gaps`). The clock stops when all of it is consumed live and settled in history.
 *
 * ingest-sparkplug-oee: the same at QoS 1, with each device a mapped machine that has a calendar, an order and an ideal cycle, and the OEE application running.
 */
import type { StateRow } from "@lineshaft/contract/api";
import { claimed, startBroker } from "./lib/broker.ts";
import { metricKind } from "./lib/mqtt-frames.ts";
import type { MqttRigOptions } from "./lib/mqtt-rig.ts";
import { devicesPerNode } from "./lib/mqtt-sender.ts";
import { equipmentIds, putIdealCycle, putOrder, workRoundTheClock } from "./lib/oee-plant.ts";
import type { Bench, BenchContext, BenchResult } from "./lib/report.ts";
import type { ServerProcess } from "./lib/server.ts";
import { sleep } from "./lib/stats.ts";
import { stream } from "./mqtt.ts";

const nodes = 200;
const connection = { name: "line", kind: "sparkplug-broker", config: {} };

async function run(context: BenchContext, qos: 0 | 1): Promise<BenchResult> {
  const profileDir = qos === 1 ? context.profileDir : null;
  const { server, account } = await startBroker({ ...context, profileDir }, `data-${qos}`);
  try {
    // At QoS 0 nothing but TCP's buffers would bound what is under way: here, what the consumer has got.
    return await stream(context, server, {
      connection,
      attached: claimed,
      sender: {
        ...account,
        traffic: "sparkplug",
        clients: nodes,
        qos,
        seconds: context.seconds,
        outstandingMax: qos === 0 ? 2_000 : null,
      },
    });
  } finally {
    await server.stop();
  }
}

export const ingestSparkplug: Bench = {
  name: "ingest-sparkplug",
  about:
    "datapoints/s in Sparkplug payloads of 50 metrics at QoS 1: acknowledged durable, consumed live, settled in history",
  unit: "dp/s",
  better: "higher",
  floor: 150_000,
  target: 500_000,
  async run(context) {
    const qos1 = await run(context, 1);
    return { ...qos1, qos0: await run(context, 0) };
  },
};

interface Machine {
  path: string;
  /** Before the names of its metrics. */
  address: string;
}

const machines = Array.from({ length: nodes * devicesPerNode }, (_, i): Machine => {
  const node = `machine-${String(Math.floor(i / devicesPerNode)).padStart(5, "0")}`;
  const device = `device-${i % devicesPerNode}`;
  return { path: `Plant/Hall/${node} ${device}`, address: `bench/${node}/${device}` };
});

/** Each device is a machine: its first state half producing, its first counter its good parts. */
function mapped(): Pick<MqttRigOptions, "connection" | "configuration"> {
  const metric = (kind: "state" | "counter") => {
    const i = [0, 1, 2, 3, 4].find((each) => metricKind(each) === kind);
    return `${kind}-${i}`;
  };
  const states: StateRow[] = [
    { from: 0, to: 64, itemState: "Executing" },
    { from: 64, to: 128, itemState: "NotExecuting" },
  ];
  const properties = [
    { name: "state", kind: "itemState" },
    { name: "good", kind: "counter", counts: "good" },
  ];
  const tags = machines.flatMap(({ path: equipment, address }) => [
    { address: `${address}/${metric("state")}`, equipment, bind: [{ property: "state", mapping: { states } }] },
    { address: `${address}/${metric("counter")}`, equipment, bind: [{ property: "good" }] },
  ]);
  return {
    connection: { ...connection, tags },
    configuration: {
      models: [{ name: "machine", version: "1.0.0", properties }],
      equipment: [
        { path: "Plant", level: "site" },
        { path: "Plant/Hall", level: "area" },
        ...machines.map(({ path }) => ({ path, level: "workUnit", model: "machine@1.0.0" })),
      ],
    },
  };
}

async function workOn(server: ServerProcess): Promise<void> {
  const { api } = server;
  const ids = await equipmentIds(api);
  const own = machines.map(({ path }) => ids.get(path) as number);
  await workRoundTheClock(api, ids.get("Plant") as number);
  for (let at = 0; at < own.length; at += 20)
    await Promise.all(
      own.slice(at, at + 20).map((equipmentId) => putIdealCycle(api, { equipmentId, material: "M", cycleUs: 1e6 })),
    );
  await putOrder(api, own, { material: "M", fromUs: (Date.now() - 3_600_000) * 1000, toUs: null });
}

/** The site's order must have a result in the end, with what the machines made. */
async function published(server: ServerProcess): Promise<number> {
  const ids = await equipmentIds(server.api);
  const site = ids.get("Plant");
  for (const end = performance.now() + 60_000; performance.now() < end; await sleep(100)) {
    const { items } = await server.api.get<{ items: { values: Record<string, number | null> }[] }>(
      `/results?application=oee&period=order&periodKey=A&equipmentId=${site}`,
    );
    const made = items[0]?.values.producedQuantity ?? 0;
    if (made > 0) return made;
  }
  throw new Error("The OEE of the order was not published.");
}

export const ingestSparkplugOee: Bench = {
  name: "ingest-sparkplug-oee",
  about: "the same with every device a machine of an order, derived and under OEE: datapoints/s",
  unit: "dp/s",
  better: "higher",
  floor: 120_000,
  target: 400_000,
  async run(context) {
    const { server, account } = await startBroker(context, "data-oee", ["--applications", "oee"]);
    try {
      const result = await stream(context, server, {
        ...mapped(),
        attached: claimed,
        prepare: workOn,
        sender: { ...account, traffic: "sparkplug", clients: nodes, qos: 1, seconds: context.seconds },
      });
      return { ...result, machines: machines.length, producedInOrder: await published(server) };
    } finally {
      await server.stop();
    }
  },
};
