import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { root } from "./server.ts";

/** A helper process (generator, consumer) that gets a job, reports by messages and ends with a result. */
export class Helper<Job extends object, Message extends { event: string }> {
  readonly #child: ChildProcess;
  readonly #seen: Message[] = [];
  readonly #waiting: { event: string; resolve(message: Message): void; reject(error: Error): void }[] = [];
  #ended: Error | null = null;

  constructor(module: string, job: Job, onMessage?: (message: Message) => void) {
    this.#child = fork(join(root, "bench", "lib", module), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (message) => {
      const given = message as Message;
      onMessage?.(given);
      const at = this.#waiting.findIndex(({ event }) => event === given.event);
      if (at >= 0) this.#waiting.splice(at, 1)[0].resolve(given);
      else if (given.event !== "progress") this.#seen.push(given);
    });
    this.#child.once("exit", (code, signal) => {
      this.#ended = new Error(`${module} ended with ${signal ?? code}.`);
      for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
    });
    this.#child.send(job);
  }

  /** The next message of this kind. */
  next<E extends Message["event"]>(event: E): Promise<Extract<Message, { event: E }>> {
    const at = this.#seen.findIndex((message) => message.event === event);
    if (at >= 0) return Promise.resolve(this.#seen.splice(at, 1)[0] as Extract<Message, { event: E }>);
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, resolve: resolve as (message: Message) => void, reject });
    });
  }

  send(command: { command: string; count?: number }): void {
    // One that is just ending hears no more.
    if (this.#child.connected) this.#child.send(command, () => undefined);
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}
