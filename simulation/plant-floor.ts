import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Micros, minuteUs, secondUs } from "@lineshaft/contract/api";
import type { Options } from "./options.ts";
import { type LineKind, lineKinds, PlantLine, type Signal } from "./plant/index.ts";
import { edgeNode, historizedAddress, machinesOn, mqttPrefix, type Protocol, pressRegisters } from "./plant/wiring.ts";
import type { Disturbances } from "./protocols/disturbance.ts";
import type { ProtocolEnd, Waiting } from "./protocols/end.ts";
import { Feed, play } from "./protocols/feed.ts";
import type { PlantClock } from "./source.ts";

export interface FloorOptions {
  options: Options;
  clock: PlantClock;
  waiting: Waiting;
  disturbances: Disturbances;
  /** Model time when the plant was switched on: the backlog reaches back from here. */
  startedUs: Micros;
  /** The password of everything that dials the broker; empty: none. */
  mqttKey: string;
  opcUaUser: { name: string; password: string } | null;
  nowMs(): number;
  say(text: string): void;
}

/** Where the servers of this plant listen; absent: that protocol is off. */
export interface Ports {
  opcua?: number;
  modbus?: number;
}

interface Machine {
  name: string;
  signals: readonly Signal[];
}

/** All machines that speak a protocol of their own, fed from the model. Protocol libraries are loaded only for what is on. */
export class PlantFloor {
  readonly ports: Ports = {};
  /** Of the OPC UA server's certificate: what an engineer compares before trusting it. */
  opcuaThumbprint: string | undefined;
  readonly speakers = new Map<string, ProtocolEnd>();
  readonly #floor: FloorOptions;
  readonly #feeds = new Map<string, Feed>();
  readonly #ends: ProtocolEnd[] = [];
  /** A temporary folder is ours to remove. */
  #temporaryDir: string | null = null;

  private constructor(floor: FloorOptions) {
    this.#floor = floor;
  }

  static async open(floor: FloorOptions): Promise<PlantFloor> {
    const opened = new PlantFloor(floor);
    try {
      await opened.#open();
    } catch (error) {
      await opened.close();
      throw error;
    }
    return opened;
  }

  run(signal: AbortSignal): Promise<void> {
    const { clock, waiting } = this.#floor;
    return this.#feeds.size === 0 ? Promise.resolve() : play([...this.#feeds.values()], clock.nowUs, waiting, signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.#ends.map((end) => end.close()));
    if (this.#temporaryDir !== null) rmSync(this.#temporaryDir, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    const { options, waiting, say, nowMs, clock, opcUaUser, mqttKey } = this.#floor;
    const starters: { start(): void }[] = [];
    const sparkplug = this.#machines("sparkplug");
    if (sparkplug.length > 0) {
      const { SparkplugNode } = await import("./protocols/sparkplug-node.ts");
      const node = new SparkplugNode({
        url: options.mqttUrl,
        key: mqttKey,
        group: edgeNode.group,
        edgeNode: edgeNode.name,
        devices: sparkplug,
        primaryHost: options.primaryHost,
        nowMs,
        waiting,
        say,
      });
      if (options.backlogUs > 0) node.switchOn();
      starters.push(node);
      this.#speaks(node, sparkplug);
      this.speakers.set(edgeNode.name, node);
    }
    this.#playBacklog();
    const json = this.#machines("mqtt");
    if (json.length > 0) {
      const { MqttJsonGateway } = await import("./protocols/mqtt-json.ts");
      const gateway = new MqttJsonGateway({
        url: options.mqttUrl,
        key: mqttKey,
        prefix: mqttPrefix,
        machines: json,
        nowMs,
        waiting,
        say,
      });
      starters.push(gateway);
      this.#speaks(gateway, json);
    }
    const [press] = this.#machines("modbus");
    if (press) {
      const { ModbusServer } = await import("./protocols/modbus-server.ts");
      const port = options.modbusPort;
      const server = await ModbusServer.start({ port, machine: press.name, map: pressRegisters, waiting });
      this.ports.modbus = server.port;
      this.#speaks(server, [press]);
    }
    const opcUa = this.#machines("opcua");
    if (opcUa.length > 0) {
      const { OpcUaServer } = await import("./protocols/opcua-server.ts");
      const server = await OpcUaServer.start({
        port: options.opcuaPort,
        machines: opcUa,
        historized: historizedAddress,
        stateDir: this.#stateDir(),
        user: opcUaUser,
        waiting,
        say,
      });
      this.ports.opcua = server.port;
      this.opcuaThumbprint = server.thumbprint;
      this.#speaks(server, opcUa);
    }
    // Controllers ran before anybody listened: so births and first reads find every value.
    const now = clock.nowUs();
    for (const feed of this.#feeds.values()) {
      feed.tellAll();
      feed.advance(now);
    }
    for (const each of starters) each.start();
  }

  /** What the edge node has kept; the others join later, and know of nothing before. */
  #playBacklog(): void {
    const { clock, options, startedUs } = this.#floor;
    const now = clock.nowUs();
    for (const feed of this.#feeds.values())
      for (let at = startedUs - options.backlogUs; at < now; at = Math.min(now, at + minuteUs)) feed.advance(at);
  }

  #machines(protocol: Protocol): Machine[] {
    const machines: Machine[] = [];
    for (const [line, names] of machinesOn(protocol, this.#floor.options.protocols)) {
      const feed = this.#feedOf(line);
      for (const name of names) machines.push({ name, signals: feed.signalsOf(name) });
    }
    return machines;
  }

  #speaks(end: ProtocolEnd, machines: readonly Machine[]): void {
    this.#ends.push(end);
    for (const { name } of machines) {
      this.speakers.set(name, end);
      for (const feed of this.#feeds.values()) if (feed.signalsOf(name).length > 0) feed.attach(name, end);
    }
  }

  #feedOf(line: string): Feed {
    const known = this.#feeds.get(line);
    if (known) return known;
    const { clock, options, disturbances, startedUs } = this.#floor;
    const kind = kindOf(line);
    const feed = new Feed({
      lineAt: (fromUs: Micros) => new PlantLine(kind, options.seed, fromUs),
      fromUs: startedUs - Math.max(secondUs, options.backlogUs),
      stampUs: clock.stampUs,
      disturb: (columns, signals) => disturbances.apply(columns, signals),
    });
    this.#feeds.set(line, feed);
    return feed;
  }

  #stateDir(): string {
    const { stateDir } = this.#floor.options;
    if (stateDir !== null) return stateDir;
    this.#temporaryDir ??= mkdtempSync(join(tmpdir(), "lineshaft-simulation-"));
    return this.#temporaryDir;
  }
}

function kindOf(line: string): LineKind {
  const kind = lineKinds.find(({ connection }) => connection === line);
  if (kind === undefined) throw new Error(`The wiring names a line ${line} that the plant does not have.`);
  return kind;
}
