import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { freePort } from "./ports.ts";
import { type ProcessFigures, processFigures } from "./process.ts";
import { sleep } from "./stats.ts";

const binary = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"].find((path) => existsSync(path));

export const mosquittoInstalled = (): boolean => binary !== undefined;

/**
 * A real mosquitto without a bound on what it queues for a subscriber: by default it drops what exceeds 1,000 messages and hands only 20 out at a time, which would measure
 * its configuration.
 */
export class Mosquitto {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  static async start(dir: string): Promise<Mosquitto> {
    const folder = join(dir, "mosquitto");
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    const file = join(folder, "mosquitto.conf");
    const lines = [`listener ${port} 127.0.0.1`, "allow_anonymous true", "persistence false"];
    writeFileSync(file, [...lines, "max_queued_messages 0", "max_inflight_messages 5000", "user root", ""].join("\n"));
    const child = spawn(binary ?? "mosquitto", ["-c", file], { stdio: "ignore" });
    process.once("exit", () => child.kill("SIGKILL"));
    for (let tries = 0; tries < 200; tries++) {
      if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}.`);
      if (await answers(port)) return new Mosquitto(port, child);
      await sleep(20);
    }
    child.kill("SIGKILL");
    throw new Error("mosquitto does not answer.");
  }

  figures(): ProcessFigures {
    return processFigures(this.#child.pid as number) ?? { cpuSeconds: 0, rssBytes: 0, rssMaxBytes: 0 };
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
