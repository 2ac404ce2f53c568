/**
 * onboard: seconds from applying one configuration file with 200 new machines of 50 tags each (a Modbus connection and a work unit a machine) until the live consumer has a
 * value of every one of the 10,000 tags. Meanwhile 500 machines go on with 10,000 MQTT messages a second on time: `p99Ratio` is the p99 of their acknowledgements
 * in the half of the run from the apply on, over that of the half before it; the longest that one of them waited is `othersAckMs.during.max`. Every message of
 * theirs must arrive.
 */
import { claimed, startBroker } from "./lib/broker.ts";
import { Helper } from "./lib/child.ts";
import { measureSync } from "./lib/disk.ts";
import type { DevicesJob, DevicesMessage } from "./lib/modbus-main.ts";
import { loadOf, MqttRig } from "./lib/mqtt-rig.ts";
import type { Bench } from "./lib/report.ts";
import { round, sleep } from "./lib/stats.ts";
import { scalarTemplates } from "./mqtt.ts";

const machines = 200;
const tagsPerMachine = 50;
const messagesPerSecond = 10_000;
const giveUpMs = 180_000;

/** The work units of the new machines, and a connection with its tags for each. */
function newMachines(ports: readonly number[]) {
  const line = "Plant/Hall/Line";
  const name = (i: number): string => `press-${String(i).padStart(3, "0")}`;
  const addresses = Array.from({ length: tagsPerMachine }, (_, k) => `holding:${k}`);
  return {
    equipment: [
      { path: "Plant", level: "site" },
      { path: "Plant/Hall", level: "area" },
      { path: line, level: "workCenter" },
      ...ports.map((_, i) => ({ path: `${line}/${name(i)}`, level: "workUnit" })),
    ],
    connections: ports.map((port, i) => ({
      name: name(i),
      kind: "modbus",
      config: { host: "127.0.0.1", port, periodMs: 1000 },
      tags: addresses.map((address, k) => ({ address, name: `register-${k}`, equipment: `${line}/${name(i)}` })),
    })),
  };
}

export const onboard: Bench = {
  name: "onboard",
  about: `${machines} machines of ${tagsPerMachine} tags by one configuration until all have values, while others stream`,
  unit: "s",
  better: "lower",
  floor: 60,
  target: 5,
  async run(context) {
    const { seconds, quick, dir, say } = context;
    const disk = await measureSync(dir, quick ? 1 : 3);
    const devices = new Helper<DevicesJob, DevicesMessage>("modbus-main.ts", { devices: machines });
    const { server, account } = await startBroker(context);
    let rig: MqttRig | null = null;
    try {
      const { ports } = await devices.next("ready");
      const connection = { name: "others", kind: "mqtt-broker", config: { templates: scalarTemplates } };
      rig = await MqttRig.ready(server, {
        connection,
        attached: claimed,
        sender: { ...account, ratePerSecond: messagesPerSecond },
      });
      const { sender, consumer } = rig;
      rig.go();
      // Their tags are registered, and the machine is warm.
      await sleep(2000);
      sender.phase();
      const windowMs = Math.max(5000, seconds * 500);
      await sleep(windowMs);
      const before = consumer.tags;
      const { equipment, connections } = newMachines(ports);
      sender.phase();
      const start = performance.now();
      await server.api.configure({ version: 1, equipment, connections: [connection, ...connections] });
      const appliedSeconds = round((performance.now() - start) / 1000);
      while (consumer.tags < before + machines * tagsPerMachine) {
        if (performance.now() - start > giveUpMs)
          throw new Error(`Only ${consumer.tags - before} tags have values after ${giveUpMs / 1000} s.`);
        await sleep(5);
      }
      const value = round((performance.now() - start) / 1000);
      await sleep(Math.max(1000, windowMs - value * 1000));
      sender.stop();
      const sent = await sender.done();
      if (sent.lost > 0) throw new Error(`${sent.lost} connections of the others were lost.`);
      await rig.stored("others", sent.points);
      const consumed = await rig.consumed();
      const [quiet, during] = sent.phases;
      const p99Ratio = round(during.p99 / quiet.p99);
      say(`applied after ${appliedSeconds} s; others' ack ms ${JSON.stringify({ quiet, during })}`);
      return {
        value,
        appliedSeconds,
        p99Ratio,
        othersAckMs: { quiet, during },
        othersPerSecond: Math.round(sent.sent / sent.seconds),
        ...loadOf(server, rig, sent, consumed),
        fdatasyncMs: disk,
      };
    } finally {
      rig?.end();
      devices.end();
      await server.stop();
    }
  },
};
