import { createServer, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { secondUs, valueAt } from "@lineshaft/contract/api";
import { Aedes } from "aedes";
import modbus from "modbus-serial";
import { lineKinds, PlantLine } from "../../plant/index.ts";
import type { PlantRow, Waiting } from "../end.ts";
import { Feed } from "../feed.ts";

/** Twenty minutes into a shift: everything runs. */
export const startUs = Date.UTC(2026, 10, 22, 5, 20) * 1000;

export const waiting: Waiting = {
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
  alarm: (ms, ring) => {
    const timer = setTimeout(ring, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** The line whose connection is named so, played by hand. */
export function feedOf(connection: string, fromUs = startUs): Feed {
  const kind = kindOf(connection);
  return new Feed({
    lineAt: (us) => new PlantLine(kind, 1, us),
    fromUs,
    stampUs: (us) => us,
    disturb: (columns) => columns,
  });
}

/** What the model says about one machine: the truth that has to arrive. */
export function truth(connection: string, machine: string, seconds: number): PlantRow[] {
  const line = new PlantLine(kindOf(connection), 1, startUs);
  const columns = line.advance(startUs + seconds * secondUs);
  return Array.from({ length: columns.rows }, (_, i) => ({
    signal: line.signals[columns.tag[i]],
    timeUs: columns.time[i],
    value: valueAt(columns, i),
  })).filter(({ signal }) => signal.address.startsWith(`${machine}.`));
}

/** Rows without those that repeat the value before: what a publisher by exception tells. */
export function changesOf(rows: readonly PlantRow[]): PlantRow[] {
  const last = new Map<string, unknown>();
  return rows.filter(({ signal, value }) => {
    const same = last.has(signal.address) && last.get(signal.address) === value;
    last.set(signal.address, value);
    return !same;
  });
}

function kindOf(connection: string): (typeof lineKinds)[number] {
  const kind = lineKinds.find((each) => each.connection === connection);
  if (kind === undefined) throw new Error(`There is no line ${connection}.`);
  return kind;
}

export interface Broker {
  url: string;
  aedes: Aedes;
  /** Takes it away with all its connections. */
  close(): Promise<void>;
}

/** A broker that is not ours, on a free port of loopback or on a given one. */
export async function startBroker(port = 0): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const server: Server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The broker has no port.");
  let closed = false;
  return {
    url: `mqtt://127.0.0.1:${address.port}`,
    aedes,
    close: async () => {
      if (closed) return;
      closed = true;
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Resolves when `done` is true; looks often. */
export async function until(done: () => boolean, ms = 15_000): Promise<void> {
  const end = Date.now() + ms;
  while (!done()) {
    if (Date.now() > end) throw new Error(`It did not happen within ${ms} ms: ${done}`);
    await delay(5);
  }
}

/** A Modbus client of a server that is away for a moment. */
export async function connectAgain(port: number): Promise<InstanceType<typeof modbus.default>> {
  for (let tries = 0; ; tries++) {
    const client = new modbus.default();
    try {
      await client.connectTCP("127.0.0.1", { port });
      client.setID(1);
      return client;
    } catch (error) {
      if (tries === 200) throw error;
      await delay(20);
    }
  }
}
