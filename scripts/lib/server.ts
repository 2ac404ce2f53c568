import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface StartedServer {
  url: string;
  /** As shown once at the first start; empty when the data directory had one already. */
  adminSecret: string;
  /** SIGTERM, then the exit code once it has ended; SIGKILL after 10 s. */
  stop(): Promise<number | null>;
}

/** Starts `host/main.ts <command>` of the tree at `dir` on a free loopback port and waits until it is ready. */
export async function startServer(dir: string, command: "up" | "demo", args: string[] = []): Promise<StartedServer> {
  const port = await freePort();
  const child = spawn(process.execPath, ["host/main.ts", command, "--port", String(port), ...args], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output = (output + chunk).slice(-100_000);
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const stop = async (): Promise<number | null> => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    const code = await ended;
    clearTimeout(timer);
    return code;
  };
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + 30_000;
  while (!(await answers(`${url}/readyz`))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`\`host/main.ts ${command}\` in ${dir} did not become ready:\n${output}`);
    }
    await delay(100);
  }
  return { url, adminSecret: /\b(ls_admin_\S+)/.exec(output)?.[1] ?? "", stop };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => null);
  return response?.status === 200;
}

/** A TCP port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
