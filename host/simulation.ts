import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Logger } from "pino";

export interface SimulationOptions {
  root: string;
  /** Where the platform is reached, and the key that the plant's gateways send with. */
  url: string;
  key: string;
  /** An engineer's key, for the people of the plant, who set up and book. */
  officeKey: string;
  /** The broker that its MQTT devices dial; null: none. */
  mqttUrl: string | null;
  /** How long nobody has heard the edge node, which keeps what it could not send. */
  backlogMinutes: number;
  /** What the plant's machines keep through a restart: certificates. */
  stateDir: string;
  /** Aborted when the end of the simulation is nothing to tell. */
  leaving: AbortSignal;
  log: Logger;
}

/** What a plant tells the engineer who connects it: its addresses, what stands on its certificate, and who may disturb it. */
export interface PlantSheet {
  ports: { opcua: number; modbus: number };
  opcuaThumbprint: string;
  faults: { url: string; token: string };
}

export interface Simulation {
  /** Resolves when the whole plant listens; rejects when it ends before. */
  ready: Promise<PlantSheet>;
  stop(): Promise<void>;
}

const killAfterMs = 5000;
/** On an empty platform the plant's gateways begin with this much of their past: so the shift that is on is there from its begin. */
const historyMinutes = 8 * 60;

/**
 * The demo plant: a process of its own that speaks to the server as any plant does. Ends with us, also when we are killed: its standard input is a pipe
 * from us.
 */
export function startSimulation(options: SimulationOptions): Simulation {
  const { root, url, key, officeKey, mqttUrl, backlogMinutes, stateDir, leaving, log } = options;
  const token = process.env.LINESHAFT_SIMULATION_TOKEN ?? randomBytes(24).toString("base64url");
  const args = ["--url", url, "--state-dir", stateDir, "--backlog-minutes", `${backlogMinutes}`];
  args.push("--history-minutes", `${historyMinutes}`);
  if (mqttUrl === null) args.push("--protocols", "http,opcua,modbus");
  else
    args.push("--protocols", "http,mqtt,sparkplug,opcua,modbus", "--mqtt-url", mqttUrl, "--primary-host", "lineshaft");
  // A plant has little to compute; so the nodesets of its OPC UA server cost 90 MB less.
  const node = ["--optimize-for-size", join(root, "simulation", "main.ts")];
  const child: ChildProcess = spawn(process.execPath, [...node, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, LINESHAFT_KEY: key, LINESHAFT_OFFICE_KEY: officeKey, LINESHAFT_SIMULATION_TOKEN: token },
  });
  const ready = new Promise<PlantSheet>((resolve, reject) => {
    if (child.stdout !== null)
      createInterface(child.stdout).on("line", (line) => {
        // The protocol libraries print what they like.
        if (!line.startsWith('{"simulation":"ready"')) return log.debug(`simulation: ${line}`);
        const { ports, opcuaThumbprint } = JSON.parse(line) as ReadyLine;
        resolve({ ports, opcuaThumbprint, faults: { url: `http://127.0.0.1:${ports.faults}/faults`, token } });
      });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      reject(new Error(`The simulation ended (${signal ?? code}).`));
      if (!leaving.aborted) log.warn({ code, signal }, "The simulation ended.");
    });
  });
  // Whoever waits for it sees the error; nobody has to.
  ready.catch(() => undefined);
  return {
    ready,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once("exit", () => resolve());
        child.kill("SIGTERM");
        setTimeout(() => child.kill("SIGKILL"), killAfterMs).unref();
      }),
  };
}

interface ReadyLine {
  ports: { opcua: number; modbus: number; faults: number };
  opcuaThumbprint: string;
}
