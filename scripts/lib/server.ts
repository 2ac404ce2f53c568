import { spawn } from "node:child_process";

export interface StartedServer {
  url: string;
  /** As shown once, at the first start on a data directory; null later. In the demo, the demo's login. */
  adminSecret: string | null;
  /** SIGTERM, then the exit code once it has ended; SIGKILL after 10 s. */
  stop(): Promise<number | null>;
}

const readyMs = 60_000;

/** Starts `host/main.ts <command>` of the tree at `dir` on a free loopback port; resolves once its doors are open. */
export function startServer(dir: string, command: "up" | "demo", args: string[] = []): Promise<StartedServer> {
  const child = spawn(process.execPath, ["host/main.ts", command, "--port", "0", ...args], {
    cwd: dir,
    env: { ...process.env, LINESHAFT_READY_JSON: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const stop = async (): Promise<number | null> => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    const code = await ended;
    clearTimeout(timer);
    return code;
  };
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (why: string): void => {
      child.kill("SIGKILL");
      reject(new Error(`\`host/main.ts ${command}\` in ${dir} ${why}:\n${output}`));
    };
    const timer = setTimeout(() => fail(`was not ready after ${readyMs / 1000} s`), readyMs);
    const collect = (chunk: Buffer): void => {
      output = (output + chunk).slice(-50_000);
      const line = output.split("\n").find((text) => text.startsWith('{"event":"ready"') && text.endsWith("}"));
      if (line === undefined) return;
      clearTimeout(timer);
      const { url, adminSecret } = JSON.parse(line) as { url: string; adminSecret: string | null };
      resolve({ url, adminSecret, stop });
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    void ended.then((code) => {
      clearTimeout(timer);
      fail(`ended with code ${code}`);
    });
  });
}
