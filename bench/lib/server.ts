import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { SystemStatus } from "@lineshaft/contract/api";
import { Api, createAdminKey } from "./api.ts";
import { type ProcessFigures, processFigures } from "./process.ts";
import { type Stalls, stallsBetween } from "./stalls.ts";
import { sleep } from "./stats.ts";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Beside its data. */
const stallsFile = (dataDir: string): string => `${dataDir}.stalls.jsonl`;

export interface ServerOptions {
  dataDir: string;
  /** Writes CPU profiles of the server and its workers here when it stops. */
  profileDir?: string | null;
  /** More flags of `lineshaft up`. */
  args?: string[];
  port?: number;
}

/** A real `lineshaft up` in its own process, with an API key at hand. */
export class ServerProcess {
  readonly url: string;
  readonly api: Api;
  readonly dataDir: string;
  readonly #child: ChildProcess;
  readonly #mqttUrl: string | null;

  private constructor(child: ChildProcess, { url, mqtt }: Ready, key: string, dataDir: string) {
    this.#child = child;
    this.url = url;
    this.#mqttUrl = mqtt;
    this.api = new Api(url, key);
    this.dataDir = dataDir;
  }

  static async start(options: ServerOptions): Promise<ServerProcess> {
    const { dataDir, profileDir = null, args = [], port = 0 } = options;
    mkdirSync(dataDir, { recursive: true });
    const env: NodeJS.ProcessEnv = { ...process.env, LINESHAFT_READY_JSON: "1", LINESHAFT_LOG_LEVEL: "warn" };
    const meter = pathToFileURL(join(root, "bench", "lib", "stall-meter.ts")).href;
    const profile = profileDir === null ? "" : ` --cpu-prof --cpu-prof-dir=${profileDir}`;
    env.NODE_OPTIONS = `--import=${meter}${profile}`;
    env.LINESHAFT_STALLS = stallsFile(dataDir);
    const child = spawn(
      process.execPath,
      // The shedding of load is tested elsewhere; here it would only blur what is measured.
      ["host/main.ts", "up", "--data", dataDir, "--port", String(port), "--applications", "none", ...memory, ...args],
      { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] },
    );
    running.add(child);
    child.once("exit", () => running.delete(child));
    const ready = await readyLine(child);
    const { url, adminSecret } = ready;
    // The secret is shown once; a bench that starts again on its data finds the key beside them.
    const keyFile = join(dataDir, "bench.key");
    if (!existsSync(keyFile)) {
      if (adminSecret === null)
        throw new Error(`${dataDir} has no ${keyFile} and its admin secret is not shown again.`);
      writeFileSync(keyFile, await createAdminKey(url, adminSecret), { mode: 0o600 });
    }
    return new ServerProcess(child, ready, readFileSync(keyFile, "utf8"), dataDir);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Port of the embedded MQTT broker; it is there with `--mqtt-port`. */
  get mqttPort(): number {
    if (this.#mqttUrl === null) throw new Error("The server was started without its MQTT broker.");
    return Number(new URL(this.#mqttUrl).port);
  }

  /** How long its main thread was busy at a stretch between two instants, in ms since 1970. */
  stalls(fromMs: number, toMs: number): Stalls {
    return stallsBetween(stallsFile(this.dataDir), fromMs, toMs);
  }

  figures(): ProcessFigures {
    return processFigures(this.pid) ?? { cpuSeconds: 0, rssBytes: 0, rssMaxBytes: 0 };
  }

  system(): Promise<SystemStatus> {
    return this.api.get<SystemStatus>("/system");
  }

  /** Waits until history holds all that was acknowledged up to `lsn` and no verdict is pending. */
  async settled(lsn: number, timeoutMs = 300_000): Promise<SystemStatus> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const status = await this.system();
      if (status.history.appliedLsn >= lsn && status.sums.pending === 0) return status;
      if (performance.now() > deadline) {
        const { history, sums } = status;
        throw new Error(`Not settled after ${timeoutMs} ms: ${JSON.stringify({ lsn, history, sums })}`);
      }
      await sleep(20);
    }
  }

  kill9(): Promise<void> {
    return this.#end("SIGKILL");
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  #end(signal: NodeJS.Signals): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return resolve();
      this.#child.once("exit", () => resolve());
      this.#child.kill(signal);
    });
  }
}

const memory = ["--memory-mib", "16000"];
const running = new Set<ChildProcess>();
// A bench that fails must not leave its server behind.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

interface Ready {
  url: string;
  mqtt: string | null;
  adminSecret: string | null;
}

function readyLine(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code, signal) =>
      reject(new Error(`The server ended (${signal ?? code}) before it was ready.`)),
    );
    if (child.stdout === null) return reject(new Error("The server has no standard output."));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (!line.startsWith("{")) return;
      const ready = JSON.parse(line) as Ready & { event?: string };
      if (ready.event === "ready") resolve(ready);
    });
  });
}
