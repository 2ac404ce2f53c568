/**
 * modbus: registers that one thread reads through the connector from 100 devices in another process, as fast as the devices answer: each device has
 * 1,250 registers in 10 reads, all reported at each poll, into a sink that only counts. One request is in flight at a device, as most allow.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type {
  Connector,
  ConnectorBatch,
  ConnectorContext,
  ConnectorSink,
  Offer,
  TagBinding,
} from "@lineshaft/contract/ports";
import { systemClock } from "../host/clock.ts";
import type { ModbusConfig } from "../integration/connectivity/connectors/modbus/config.ts";
import { modbus as modbusType } from "../integration/connectivity/connectors/modbus/index.ts";
import { Helper } from "./lib/child.ts";
import type { DevicesJob, DevicesMessage } from "./lib/modbus-main.ts";
import type { Bench } from "./lib/report.ts";

const devices = 100;
const registersPerDevice = 1250;
/** Of these, in 32-bit floats. */
const floats = 100;
/** Shorter than a poll takes: the devices' answers are the only clock. */
const periodMs = 10;

/** The defaults of the configuration, but for the period and what is reported. */
const deviceConfig: Omit<ModbusConfig, "port"> = {
  host: "127.0.0.1",
  unitId: 1,
  addressing: "oneBased",
  wordOrder: "ABCD",
  periodMs,
  report: "always",
  heartbeatMs: 60_000,
  connectTimeoutMs: 3000,
  timeoutMs: 5000,
  timeoutsUntilLost: 3,
  violationsUntilError: 5,
  inFlight: 1,
  maxRegisters: 125,
  maxCoils: 2000,
  maxGapRegisters: 8,
  maxGapCoils: 64,
  neverRead: [],
  probe: "holding:0",
};

const context: ConnectorContext = {
  clock: systemClock,
  secret: () => null,
  stateDir: "",
  share: (_, make) => make(),
  log: () => {},
};

/** Takes everything at once and counts. */
class CountingSink implements ConnectorSink {
  rows = 0;
  bad = 0;
  batches = 0;

  offer({ columns }: ConnectorBatch): Promise<Offer> {
    this.rows += columns.rows;
    this.batches++;
    if (columns.status !== null) for (const code of columns.status) if (code !== 0) this.bad++;
    const { rows } = columns;
    return Promise.resolve({
      ...{ kind: "durable", lsn: this.batches, offered: rows, accepted: rows, suspect: 0 },
      ...{ duplicates: 0, rejected: 0, faults: [] },
    });
  }

  credit(): { rows: number; bytes: number } {
    return { rows: 1_000_000, bytes: 1 << 28 };
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  reject(): Promise<void> {
    return Promise.reject(new Error("The connector rejected a message."));
  }

  gap(): Promise<void> {
    return Promise.resolve();
  }

  stale(): Promise<void> {
    return Promise.resolve();
  }
}

function bindings(): TagBinding[] {
  const made: TagBinding[] = [];
  for (let at = 0; at < registersPerDevice; ) {
    const float = at < 2 * floats;
    made.push({ address: float ? `holding:${at}:float32:CDAB` : `holding:${at}` });
    at += float ? 2 : 1;
  }
  return made;
}

export const modbus: Bench = {
  name: "modbus",
  about: `registers read from ${devices} Modbus devices, one request in flight each, through the connector into a counting sink`,
  unit: "registers/s",
  better: "higher",
  floor: 100_000,
  target: 600_000,
  async run({ seconds, say }) {
    const helper = new Helper<DevicesJob, DevicesMessage>("modbus-main.ts", { devices });
    const stop = new AbortController();
    const sink = new CountingSink();
    const connectors: Connector[] = [];
    try {
      const { ports } = await helper.next("ready");
      const tags = bindings();
      for (const port of ports) {
        const config: ModbusConfig = { ...deviceConfig, port };
        connectors.push(modbusType.create(config, context));
      }
      await Promise.all(connectors.map((connector) => connector.connect(stop.signal)));
      const failed: unknown[] = [];
      const readings = connectors.map((connector) =>
        connector.read(tags, null, sink, stop.signal).catch((error: unknown) => {
          if (!stop.signal.aborted) failed.push(error);
        }),
      );
      await sleep(Math.min(2000, seconds * 200));
      const before = { rows: sink.rows, batches: sink.batches, cpu: process.cpuUsage(), ms: performance.now() };
      await sleep(seconds * 1000);
      const elapsed = (performance.now() - before.ms) / 1000;
      const { user, system } = process.cpuUsage(before.cpu);
      const polls = sink.batches - before.batches;
      stop.abort();
      await Promise.all(readings);
      if (failed.length > 0) throw failed[0];
      helper.send({ command: "stop" });
      const done = await helper.next("done");
      const registers = polls * registersPerDevice;
      const cpuSeconds = (user + system) / 1e6;
      const value = Math.round(registers / elapsed);
      say(`${Math.round(polls / elapsed)} polls/s, ${(cpuSeconds / elapsed).toFixed(2)} cores for the connector`);
      return {
        value,
        rowsPerSecond: Math.round((sink.rows - before.rows) / elapsed),
        requestsPerSecond: Math.round((polls * registersPerDevice) / 125 / elapsed),
        badRows: sink.bad,
        connectorCpuSecondsPerMillionRegisters: Math.round((cpuSeconds / registers) * 1e8) / 100,
        devicesCpuSeconds: done.cpuSeconds,
        rssMB: Math.round(process.memoryUsage().rss / 1e6),
      };
    } finally {
      stop.abort();
      await Promise.all(connectors.map((connector) => connector.close()));
      helper.end();
    }
  },
};
