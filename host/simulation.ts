import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";

/** The demo plant: a process of its own that speaks to the server as any source does. Ends with us, also when we are killed. */
export function startSimulation(root: string, url: string, key: string, log: Logger): { stop(): Promise<void> } {
  const entry = join(root, "simulation", "main.ts");
  if (!existsSync(entry)) {
    log.warn("There is no simulation in this installation; the demo stays empty.");
    return { stop: async () => undefined };
  }
  // Its standard input is a pipe from us: when that closes, it stops.
  const child: ChildProcess = spawn(process.execPath, [entry, "--url", url], {
    stdio: ["pipe", "inherit", "inherit"],
    env: { ...process.env, LINESHAFT_KEY: key },
  });
  child.on("exit", (code) => {
    if (!stopping) log.warn({ code }, "The simulation ended.");
  });
  let stopping = false;
  return {
    stop: () =>
      new Promise((resolve) => {
        stopping = true;
        if (child.exitCode !== null) return resolve();
        child.once("exit", () => resolve());
        child.kill("SIGTERM");
        setTimeout(() => child.kill("SIGKILL"), 2000).unref();
      }),
  };
}
