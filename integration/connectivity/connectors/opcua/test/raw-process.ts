import { type ChildProcess, fork } from "node:child_process";
import type { RawMachineJob } from "./raw-server-main.ts";

/** A raw server with its machine in a process of its own: it can be killed, frozen, and started again on the same port. */
export class RawProcess {
  readonly #job: RawMachineJob;
  #child: ChildProcess;
  readonly port: number;

  private constructor(job: RawMachineJob, child: ChildProcess, port: number) {
    this.#job = job;
    this.#child = child;
    this.port = port;
  }

  static async start(job: RawMachineJob): Promise<RawProcess> {
    const { child, port } = await launch(job);
    return new RawProcess(job, child, port);
  }

  get url(): string {
    return `opc.tcp://127.0.0.1:${this.port}`;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }

  /** The same machine again, which has gone on counting meanwhile; resolves when it listens. */
  async restart(): Promise<void> {
    await this.kill();
    this.#child = (await launch({ ...this.#job, port: this.port })).child;
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }
}

async function launch(job: RawMachineJob): Promise<{ child: ChildProcess; port: number }> {
  const main = new URL("./raw-server-main.ts", import.meta.url);
  const child = fork(main, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.send(job);
  const port = await new Promise<number>((resolve, reject) => {
    child.once("message", (message) => resolve((message as { port: number }).port));
    child.once("exit", (code) => reject(new Error(`The OPC UA server ended with ${code}.`)));
  });
  return { child, port };
}
