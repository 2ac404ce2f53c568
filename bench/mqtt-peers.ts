/**
 * mqtt-peers: the messages of `mqtt-external` through the same kind of mosquitto into what else one would take: Node-RED (MQTT → function → file) and a plain mqtt.js client,
 * and mosquitto_sub where it is installed, each appending a line a message to a file and each alone in its turn. They acknowledge before the line is written and
 * sync nothing; ours is synced, queryable and followed live. The value is our rate over Node-RED's.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { Mosquitto } from "./lib/mosquitto.ts";
import { connectPacket, scalarFrame } from "./lib/mqtt-frames.ts";
import { MqttSender, mqttSenderDefaults, type Percentiles } from "./lib/mqtt-sender.ts";
import { installNodeRed, startNodeRed } from "./lib/node-red.ts";
import { processFigures } from "./lib/process.ts";
import type { Bench, BenchContext } from "./lib/report.ts";
import { root } from "./lib/server.ts";
import { round, SharedClock, sleep } from "./lib/stats.ts";
import { mqttExternal, outstandingMax } from "./mqtt.ts";

interface MqttPeerResult {
  messagesPerSecond: number;
  messages: number;
  cpuSeconds: number;
  rssMaxMB: number;
  brokerAckMs: Percentiles;
  acknowledged: string;
}

type Start = (brokerPort: number, file: string) => ChildProcess | Promise<ChildProcess>;
const stallMs = 60_000;
const mosquittoSub = ["/usr/bin/mosquitto_sub", "/usr/sbin/mosquitto_sub"].find((path) => existsSync(path));

/** Counts the lines of a file that grows. */
class Lines {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(1024 * 1024);
  #at = 0;
  count = 0;

  constructor(file: string) {
    this.#fd = openSync(file, "a+");
  }

  look(): number {
    for (;;) {
      const length = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#at);
      if (length === 0) return this.count;
      this.#at += length;
      for (let i = this.#buffer.indexOf(10); i >= 0 && i < length; i = this.#buffer.indexOf(10, i + 1)) this.count++;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Messages to the subscriber until one has come through: it is there. */
async function untilSubscribed(port: number, lines: Lines): Promise<number> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.write(connectPacket({ clientId: "probe", username: null, password: null, keepAliveSeconds: 60 }));
  const { bytes } = scalarFrame("probe", 0);
  try {
    for (const end = performance.now() + 60_000; performance.now() < end; await sleep(200)) {
      socket.write(bytes);
      if (lines.look() === 0) continue;
      await sleep(1000);
      return lines.look();
    }
    throw new Error("The peer does not subscribe.");
  } finally {
    socket.destroy();
  }
}

async function measure(context: BenchContext, name: string, start: Start): Promise<MqttPeerResult> {
  const mosquitto = await Mosquitto.start(context.dir);
  const file = join(context.dir, `${name}.txt`);
  const lines = new Lines(file);
  const child = await start(mosquitto.port, file);
  const clockOffsetUs = new SharedClock().offsetUs;
  const { port } = mosquitto;
  const sender = new MqttSender({
    ...mqttSenderDefaults,
    port,
    clockOffsetUs,
    seconds: context.seconds,
    outstandingMax,
  });
  try {
    const probes = await untilSubscribed(port, lines);
    await sender.ready();
    const figures = () => processFigures(child.pid as number) ?? { cpuSeconds: 0, rssMaxBytes: 0 };
    const cpuBefore = figures().cpuSeconds;
    const before = performance.now();
    sender.go();
    const relay = setInterval(() => sender.taken(lines.look() - probes), 20);
    const sent = await sender.done().finally(() => clearInterval(relay));
    let [last, movedAt] = [0, performance.now()];
    while (lines.look() - probes < sent.sent) {
      if (lines.count !== last) [last, movedAt] = [lines.count, performance.now()];
      if (performance.now() - movedAt > stallMs)
        throw new Error(`${name} has written ${lines.count - probes} of ${sent.sent} messages.`);
      await sleep(5);
    }
    const seconds = (performance.now() - before) / 1000;
    return {
      messagesPerSecond: Math.round(sent.sent / seconds),
      messages: sent.sent,
      cpuSeconds: round(figures().cpuSeconds - cpuBefore),
      rssMaxMB: Math.round(figures().rssMaxBytes / 1e6),
      brokerAckMs: sent.ackMs,
      acknowledged: "before it is written; never synced",
    };
  } finally {
    sender.end();
    child.kill("SIGKILL");
    mosquitto.end();
    lines.close();
  }
}

export const mqttPeers: Bench = {
  name: "mqtt-peers",
  about: "mqtt-external over Node-RED with the same messages in the same run, with plain subscribers beside it",
  unit: "×",
  better: "higher",
  floor: null,
  target: null,
  async run(context) {
    const ours = await mqttExternal.run(context);
    const found: Record<string, MqttPeerResult | string> = {};
    const add = async (name: string, start: () => Start | null): Promise<void> => {
      try {
        const peer = start();
        found[name] = peer === null ? "skipped: not installed" : await measure(context, name, peer);
      } catch (error) {
        // A peer that cannot be had, or fails, takes nothing from the others.
        found[name] = `failed: ${(error as Error).message}`;
      }
      context.say(`${name}: ${JSON.stringify(found[name])}`);
    };
    await add("nodeRed", () => {
      const program = installNodeRed(context.cacheDir);
      return (port, file) => startNodeRed(program, context.dir, port, file);
    });
    await add("mqttJs", () => (port, file) => {
      const program = join(root, "bench", "lib", "mqtt-js-main.ts");
      return spawn(process.execPath, [program, String(port), file], { stdio: ["ignore", "ignore", "inherit"] });
    });
    await add("mosquittoSub", () => {
      if (mosquittoSub === undefined) return null;
      return (port, file) => {
        const out = openSync(file, "a");
        const options = ["-h", "127.0.0.1", "-p", String(port), "-t", "#", "-q", "1", "-F", "%U %t %p"];
        const child = spawn(mosquittoSub, options, { stdio: ["ignore", out, "inherit"] });
        closeSync(out);
        return child;
      };
    });
    const { nodeRed } = found;
    const value = typeof nodeRed === "object" ? round(ours.value / nodeRed.messagesPerSecond) : 0;
    const { cpuSeconds, consumerMs, brokerAckMs } = ours;
    return { value, lineshaft: { messagesPerSecond: ours.value, cpuSeconds, consumerMs, brokerAckMs }, ...found };
  },
};
