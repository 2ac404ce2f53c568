import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface ServerOptions {
  dataDir: string;
  command?: "up" | "demo";
  /** Extra flags, e.g. ["--segment-mib", "1"]. */
  flags?: string[];
  env?: Record<string, string>;
  /** A program in front of Node, e.g. ["strace", "-f", …] or ["faketime", …]. */
  wrap?: string[];
  port?: number;
}

/** A real `lineshaft up` as a child process on a free loopback port. */
export class ServerProcess {
  readonly child: ChildProcess;
  url = "";
  /** Of the embedded broker, where it is switched on. */
  mqttUrl = "";
  /** pid of the Node process itself, also under a wrapper. */
  pid = 0;
  adminSecret: string | null = null;
  /** Of the demo, once its plant is connected: the fault menu. */
  readonly plant: Promise<{ url: string; token: string }>;
  #plantIs: (faults: { url: string; token: string }) => void = () => undefined;
  stderr = "";
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  private constructor(options: ServerOptions) {
    const command = [
      ...(options.wrap ?? []),
      process.execPath,
      join(root, "host/main.ts"),
      options.command ?? "up",
      "--data",
      options.dataDir,
      "--port",
      String(options.port ?? 0),
      "--applications",
      "none",
      ...(options.flags ?? []),
    ];
    this.child = spawn(command[0], command.slice(1), {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LINESHAFT_READY_JSON: "1", LINESHAFT_CONSOLE: "none", ...options.env },
    });
    this.plant = new Promise((resolve) => {
      this.#plantIs = resolve;
    });
    this.exited = new Promise((resolve) => this.child.once("exit", (code, signal) => resolve({ code, signal })));
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk.toString()).slice(-20_000);
    });
  }

  /** Resolves when the server is ready; rejects with what it printed when it ends before. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    const lines = createInterface({ input: server.child.stdout! });
    const ready = new Promise<void>((resolve) => {
      lines.on("line", (line) => {
        if (!line.startsWith("{")) return;
        const message = JSON.parse(line) as {
          event?: string;
          url: string;
          mqtt: string | null;
          pid: number;
          adminSecret: string | null;
          faults: { url: string; token: string };
        };
        if (message.event === "plant") server.#plantIs(message.faults);
        if (message.event !== "ready") return;
        server.url = message.url;
        server.mqttUrl = message.mqtt ?? "";
        server.pid = message.pid;
        server.adminSecret = message.adminSecret;
        resolve();
      });
    });
    const ended = server.exited.then(({ code, signal }) => {
      throw new Error(`The server ended before it was ready (${signal ?? code}):\n${server.stderr}`);
    });
    await Promise.race([ready, ended]);
    ended.catch(() => undefined);
    return server;
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    if (this.child.exitCode === null && this.child.signalCode === null)
      process.kill(this.pid || this.child.pid!, signal);
    return this.exited;
  }
}

/** A data directory that goes away with the test. */
export function tempDir(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "lineshaft-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}
