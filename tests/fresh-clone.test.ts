import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { SystemStatus } from "@lineshaft/contract/api";
import { describe, expect, test } from "vitest";
import { root } from "../scripts/lib/overlay.ts";

/** The environment of a stranger's shell: the system's own Node and npm, nothing of ours. */
function strangersEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(npm_|NODE_|VITEST|INIT_CWD|CI$|LINESHAFT_)/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  return { ...env, PATH: "/usr/local/bin:/usr/bin:/bin" };
}

// Installs from the package registry, so only where that is expected.
const wanted = process.env.CI === "true" || process.env.LINESHAFT_LONG === "1";

describe.skipIf(!wanted)("a stranger's fresh clone, with an old Node and npm", () => {
  test("npm start: ready, living plant within 10 s, and it stops when told", { timeout: 240_000 }, async () => {
    const dir = mkdtempSync(join(tmpdir(), "lineshaft-clone-"));
    execFileSync("git", ["clone", "--quiet", root, dir]);
    const started = spawn("npm", ["start"], {
      cwd: dir,
      env: { ...strangersEnvironment(), LINESHAFT_PORT: "0", LINESHAFT_READY_JSON: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    started.stderr.on("data", (chunk: Buffer) => {
      output = (output + chunk).slice(-20_000);
    });
    const exited = new Promise<number | null>((resolve) => started.once("exit", resolve));
    try {
      const ready = new Promise<{ url: string; adminSecret: string }>((resolve) => {
        createInterface({ input: started.stdout }).on("line", (line) => {
          if (line.startsWith('{"event":"ready"')) resolve(JSON.parse(line));
        });
      });
      const failed = exited.then((code) => Promise.reject(new Error(`npm start ended with ${code}:\n${output}`)));
      const { url, adminSecret } = await Promise.race([ready, failed]);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);

      const stored = async (): Promise<number> => {
        const response = await fetch(`${url}/api/v1/system`, { headers: { authorization: `Bearer ${adminSecret}` } });
        return ((await response.json()) as SystemStatus).sums.stored;
      };
      await expect.poll(stored, { timeout: 10_000, interval: 250 }).toBeGreaterThan(0);

      process.kill(started.pid as number, "SIGTERM");
      await exited;
      // Nothing is left behind: the port is closed.
      await expect.poll(() => fetch(`${url}/healthz`).catch(() => "gone"), { timeout: 10_000 }).toBe("gone");
    } finally {
      try {
        process.kill(-(started.pid as number), "SIGKILL");
      } catch {
        // It has ended, as it should.
      }
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
