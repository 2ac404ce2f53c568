import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Certificate,
  type Certificates,
  type Configuration,
  type Connection,
  minuteUs,
  type Plan,
} from "@lineshaft/contract/api";
import { readConfiguration } from "@lineshaft/platform/configuration";
import type { Logger } from "pino";
import { type Answer, type RestClient, restClient } from "./api-call.ts";
import { loadKinds } from "./configuration.ts";
import { type Addresses, addressesOf, joined, readdressed } from "./demo-configuration.ts";
import { type PlantSheet, type Simulation, startSimulation } from "./simulation.ts";

export interface DemoOptions {
  root: string;
  dataDir: string;
  url: string;
  /** null: there is no broker, and the machines that speak MQTT stay silent. */
  mqttUrl: string | null;
  /** For the plant's gateways, and for whoever sets the platform up for it. */
  keys: { source: string; engineer: string };
  log: Logger;
}

export interface Demo {
  /** Resolves when the plant is connected; rejects when it cannot be. */
  live: Promise<PlantSheet>;
  /** The set-up is not gone on with: the server is about to stop. */
  leaveIt(): void;
  stop(): Promise<void>;
}

/** Before the machines have told where they listen: the ports that their protocols have by custom. */
const customaryPorts = { opcua: 4840, modbus: 502 };
/** What the plant's edge node can keep. */
const backlogMinutesMax = 30;

/**
 * The demo plant, and what an engineer does to connect it: applies its configuration, then puts in where the machines listen, and trusts their certificate
 * after comparing the thumbprint. All of it by the public API; the plant itself is configured nowhere else.
 */
export function startDemo(options: DemoOptions): Demo {
  const { root, dataDir, url, mqttUrl, keys, log } = options;
  const over = new AbortController();
  const leaving = over.signal;
  const rest = restClient(url, keys.engineer);
  const folder = join(root, "simulation", "configuration");
  const file = join(dataDir, "demo.json");
  let simulation: Simulation | null = null;
  const live = (async () => {
    // Before the first message: what a broker has no reader for is not kept.
    if (!remembered(file).complete) await configure(rest, await readPlant(folder, customaryPorts), file);
    const backlogMinutes = await silentMinutes(rest);
    leaving.throwIfAborted();
    const stateDir = join(dataDir, "simulation");
    const keyring = { key: keys.source, officeKey: keys.engineer };
    simulation = startSimulation({ root, url, ...keyring, mqttUrl, backlogMinutes, stateDir, leaving, log });
    const sheet = await simulation.ready;
    await configure(rest, await readPlant(folder, sheet.ports), file);
    return sheet;
  })();
  // Nobody waits for it: if people removed these connections, their server never shows itself.
  const trusted = live.then(({ opcuaThumbprint }) => trust(rest, opcuaThumbprint, leaving));
  trusted.catch((error: Error) => {
    if (!leaving.aborted) log.error({ err: error }, "The demo plant cannot be connected");
  });
  return {
    live,
    leaveIt: () => over.abort(),
    stop: async () => simulation?.stop(),
  };
}

/** How long the edge node has not been heard, which keeps what it cannot send; at most as long as it can. */
async function silentMinutes(rest: RestClient): Promise<number> {
  const { items } = body(await rest.send<{ items: Connection[] }>("GET", "/connections?limit=1000"));
  const nodes = items.filter(({ kind }) => kind === "sparkplug-broker");
  const heardUs = Math.max(0, ...nodes.map(({ lastBatchUs }) => lastBatchUs ?? 0));
  return Math.max(0, Math.min(backlogMinutesMax, (Date.now() * 1000 - heardUs) / minuteUs));
}

async function readPlant(folder: string, ports: PlantSheet["ports"]): Promise<Configuration> {
  const env: Record<string, string> = { PLANT_OPCUA_PORT: `${ports.opcua}`, PLANT_MODBUS_PORT: `${ports.modbus}` };
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  const sources = files.map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
  const { configuration, problems } = readConfiguration(sources, {
    env: (name) => env[name],
    kinds: await loadKinds(),
  });
  if (configuration === null) throw new Error(`The plant's configuration is wrong: ${JSON.stringify(problems)}`);
  return configuration;
}

/** What earlier starts on this data directory did. */
interface Memory {
  /** Everything was applied once: what is not there now was removed by somebody. */
  complete: boolean;
  addresses: Addresses;
}

const conflictsMax = 10;

async function configure(rest: RestClient, plant: Configuration, file: string): Promise<void> {
  const before = remembered(file);
  const addresses = addressesOf(plant, before.addresses);
  // Beforehand: if we end in between, the next start still knows that these addresses are ours.
  remember(file, { ...before, addresses });
  for (let conflicts = 0; ; ) {
    const current = body(await rest.send<Configuration>("GET", "/configuration"));
    const wanted = readdressed(before.complete ? current : joined(current, plant), addresses);
    const plan = body(await rest.send<Plan>("POST", "/configuration/plan", { body: wanted }));
    if (Object.values(plan.counts).every((count) => count === 0)) break;
    const { revision } = plan;
    const applied = await rest.send("PUT", "/configuration", { body: wanted, revision });
    if (!("problem" in applied)) break;
    // Somebody changes something at the same time: theirs first.
    if (applied.problem.code !== "revision_conflict" || ++conflicts > conflictsMax) body(applied);
  }
  remember(file, { complete: true, addresses });
}

function remembered(file: string): Memory {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Memory;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { complete: false, addresses: {} };
    throw error;
  }
}

function remember(file: string, memory: Memory): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(memory, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** A server is unknown at first, and its certificate waits as rejected. It is trusted if it is the one whose thumbprint stands on the machine. */
async function trust(rest: RestClient, thumbprint: string, signal: AbortSignal): Promise<void> {
  const store = "/connection-kinds/opcua/certificates";
  const has = (list: Certificate[]): boolean => list.some((one) => one.thumbprint === thumbprint);
  for (;;) {
    const { trusted, rejected } = body(await rest.send<Certificates>("GET", store));
    if (has(trusted)) return;
    if (has(rejected)) body(await rest.send("POST", `${store}/${thumbprint}/trust`));
    else await sleep(100, undefined, { signal });
  }
}

function body<T>(answer: Answer<T>): T {
  if ("problem" in answer) throw new Error(`${answer.problem.detail} ${JSON.stringify(answer.problem.errors ?? [])}`);
  return answer.body;
}
