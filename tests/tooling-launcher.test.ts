import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { root } from "../scripts/lib/overlay.ts";

// A clone in miniature: the real launcher, a lockfile, and an `npm` of our own that notes each call.
let clone: string;

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "lineshaft-launcher-"));
  mkdirSync(join(clone, "scripts"));
  mkdirSync(join(clone, "bin"));
  copyFileSync(join(root, "scripts", "launch.mjs"), join(clone, "scripts", "launch.mjs"));
  writeFileSync(join(clone, "package-lock.json"), "{}");
  writeFileSync(join(clone, "ok.ts"), 'const args: string[] = process.argv.slice(2);\nconsole.log("ran", ...args);\n');
  npmThat("mkdir -p node_modules; sleep 0.5");
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

function npmThat(does: string): void {
  writeFileSync(join(clone, "bin", "npm"), `#!/bin/sh\necho "$@" >> "${clone}/npm-calls"\n${does}\n`);
  chmodSync(join(clone, "bin", "npm"), 0o755);
}

const npmCalls = (): number =>
  existsSync(join(clone, "npm-calls")) ? readFileSync(join(clone, "npm-calls"), "utf8").trim().split("\n").length : 0;

function environment(): NodeJS.ProcessEnv {
  const { npm_execpath: _, ...env } = process.env;
  return { ...env, PATH: `${join(clone, "bin")}${delimiter}${env.PATH}` };
}

const launch = (...args: string[]) =>
  spawnSync(process.execPath, ["scripts/launch.mjs", ...args], { cwd: clone, env: environment(), encoding: "utf8" });

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, ["scripts/launch.mjs", ...args], { cwd: clone, env: environment() });
}

const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.on("exit", resolve));

function firstOutput(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => child.stdout?.once("data", (chunk) => resolve(String(chunk))));
}

describe("the launcher", () => {
  test("installs once, then runs at once; its standard output is the command's alone", () => {
    const first = launch("ok.ts", "a", "b");
    expect([first.status, first.stdout]).toEqual([0, "ran a b\n"]);
    expect(launch("ok.ts").status).toBe(0);
    expect(npmCalls()).toBe(1);
  });

  test("installs again when the lockfile has changed", () => {
    launch("ok.ts");
    writeFileSync(join(clone, "package-lock.json"), '{"changed":true}');
    launch("ok.ts");
    expect(npmCalls()).toBe(2);
  });

  test("three starts at once on a fresh clone: one installs, the others wait, all run", async () => {
    expect(await Promise.all([1, 2, 3].map(() => ended(start("ok.ts"))))).toEqual([0, 0, 0]);
    expect(npmCalls()).toBe(1);
    expect(existsSync(join(clone, ".lineshaft-install.lock"))).toBe(false);
  });

  test("a failed install starts nothing, says so, and is tried anew", () => {
    npmThat("mkdir -p node_modules; exit 7");
    const failed = launch("ok.ts");
    expect([failed.status, failed.stdout]).toEqual([7, ""]);
    expect(failed.stderr).toContain("Nothing was started");
    npmThat("mkdir -p node_modules");
    expect(launch("ok.ts").status).toBe(0);
    expect(npmCalls()).toBe(2);
  });

  test("an install that was killed leaves no lock that blocks, and counts as none", async () => {
    npmThat("mkdir -p node_modules; sleep 5");
    const child = start("ok.ts");
    await expect.poll(npmCalls, { timeout: 5000 }).toBe(1);
    child.kill("SIGKILL");
    await ended(child);
    expect(existsSync(join(clone, ".lineshaft-install.lock"))).toBe(true);
    npmThat("mkdir -p node_modules");
    expect(launch("ok.ts").status).toBe(0);
    expect(existsSync(join(clone, ".lineshaft-install.lock"))).toBe(false);
  });

  test("without npm it says what is missing", () => {
    rmSync(join(clone, "bin", "npm"));
    const alone = spawnSync(process.execPath, ["scripts/launch.mjs", "ok.ts"], {
      cwd: clone,
      env: { PATH: join(clone, "bin") },
      encoding: "utf8",
    });
    expect(alone.status).toBe(1);
    expect(alone.stderr).toContain("npm could not be started");
  });

  test("exit codes and signals pass through", async () => {
    writeFileSync(join(clone, "code.ts"), "process.exit(42);\n");
    expect(launch("code.ts").status).toBe(42);
    writeFileSync(
      join(clone, "wait.ts"),
      'process.on("SIGTERM", () => process.exit(3));\nsetInterval(() => {}, 1000);\nconsole.log("up");\n',
    );
    const graceful = start("wait.ts");
    await firstOutput(graceful);
    graceful.kill("SIGTERM");
    expect(await ended(graceful)).toBe(3);
    writeFileSync(join(clone, "killed.ts"), 'process.kill(process.pid, "SIGKILL");\n');
    expect(launch("killed.ts").status).toBe(137);
  });

  test("when npm is killed, what it started ends too", async () => {
    writeFileSync(
      join(clone, "wait.ts"),
      'process.on("SIGTERM", () => process.exit(0));\nsetInterval(() => {}, 1000);\nconsole.log(process.pid);\n',
    );
    const npm = spawn("sh", ["-c", `"${process.execPath}" scripts/launch.mjs wait.ts & wait`], {
      cwd: clone,
      env: { ...environment(), npm_lifecycle_event: "start" },
    });
    const server = Number(await firstOutput(npm));
    npm.kill("SIGKILL");
    const runs = (): boolean => {
      try {
        return process.kill(server, 0);
      } catch {
        return false;
      }
    };
    expect(runs()).toBe(true);
    await expect.poll(runs, { timeout: 5000 }).toBe(false);
  });
});
