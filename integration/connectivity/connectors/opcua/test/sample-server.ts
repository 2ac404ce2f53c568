import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(import.meta.resolve("node-opcua-samples/bin/simple_server.cjs"));

/** The users that its source names. */
export const sampleUser = { name: "user1", password: "password1" };
/** A fan, new at random every 10 ms. */
export const fanSpeed = "ns=1;s=FanSpeed";

/** The sample server of the node-opcua project as it is delivered, in a process of its own; its certificates lie in `folder`. */
export class SampleServer {
  readonly #folder: string;
  #child: ChildProcess;
  readonly port: number;

  private constructor(folder: string, child: ChildProcess, port: number) {
    this.#folder = folder;
    this.#child = child;
    this.port = port;
  }

  static async start(folder: string): Promise<SampleServer> {
    const { child, said } = await launch(folder, 0);
    const port = Number(/server on port\s*:\s*(\d+)/.exec(said)?.[1]);
    const pki = /Certificate rejected folder\s+(.*)\/rejected/.exec(said)?.[1] ?? folder;
    // Where the helpers of these tests look for it.
    copyFileSync(join(pki, "server_certificate1.pem"), join(folder, "server.pem"));
    return new SampleServer(folder, child, port);
  }

  get url(): string {
    return `opc.tcp://127.0.0.1:${this.port}`;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }

  /** Again on the same port, with the same certificate; resolves when it listens. */
  async restart(): Promise<void> {
    await this.kill();
    this.#child = (await launch(this.#folder, this.port)).child;
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }
}

async function launch(folder: string, port: number): Promise<{ child: ChildProcess; said: string }> {
  const loopback = new URL("./loopback-only.ts", import.meta.url).href;
  const child = spawn(process.execPath, ["--import", loopback, program, "--port", String(port), "--silent"], {
    env: { ...process.env, XDG_CONFIG_HOME: folder, FORCE_COLOR: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const listening = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on("line", (line) => {
      if (lines.length < 1_000) lines.push(line);
      if (line.includes("now waiting for connections")) listening.resolve();
    });
  child.once("exit", (code) =>
    listening.reject(new Error(`The sample server ended with ${code}: ${lines.join("\n")}`)),
  );
  await listening.promise;
  return { child, said: lines.join("\n") };
}
