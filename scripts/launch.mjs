// The one entry to every command, in plain JavaScript so that any Node >= 18 runs it on a fresh clone with nothing installed:
// it installs by the lockfile when that is missing or has changed, finds a Node >= 24, and hands over to it.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const say = (text) => process.stderr.write(`lineshaft: ${text}\n`);
const fail = (code, ...lines) => {
  for (const line of lines) say(line);
  process.exit(code);
};

if (process.argv.length < 3)
  fail(2, "usage: node scripts/launch.mjs <file.ts> [arguments]; see the scripts in package.json.");

// ── install ─────────────────────────────────────────────────────────────────────────────────────────────────────────
// The stamp lies inside node_modules and is written last, so an install that was cut off, or node_modules copied from
// another platform, counts as none.
const stampPath = join(root, "node_modules", ".lineshaft-installed");
const wanted = `${process.platform}-${process.arch} ${createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex")}\n`;
const installed = () => existsSync(stampPath) && readFileSync(stampPath, "utf8") === wanted;

if (!installed()) {
  const unlock = takeInstallLock();
  process.once("exit", unlock);
  if (!installed()) install();
  unlock();
}

function install() {
  say("installing what package-lock.json names (npm ci without install scripts, about half a minute) …");
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  // Whatever NODE_ENV or a user's npmrc says: the development tools and the bundled Node are needed.
  args.push("--include=dev", "--include=optional", "--engine-strict=false");
  // Below an `npm start` npm names its own script; on Windows npm is a .cmd file, which needs a shell.
  const npmScript = process.env.npm_execpath;
  const byScript = npmScript?.endsWith(".js") && existsSync(npmScript);
  const ci = spawnSync(byScript ? process.execPath : "npm", byScript ? [npmScript, ...args] : args, {
    cwd: root,
    // npm's own chatter goes to stderr, so that a command's standard output stays its own.
    stdio: ["ignore", 2, 2],
    shell: !byScript && process.platform === "win32",
  });
  if (ci.error)
    fail(1, `npm could not be started (${ci.error.message}). Install npm, which comes with Node, and try again.`);
  if (ci.signal)
    fail(128 + constants.signals[ci.signal], "the installation was interrupted; the same command starts it anew.");
  if (ci.status !== 0) {
    fail(
      ci.status ?? 1,
      "npm ci failed; its message above says why. Nothing was started.",
      "It needs a package registry: behind a proxy set HTTPS_PROXY, with a private CA set NODE_EXTRA_CA_CERTS.",
    );
  }
  writeFileSync(stampPath, wanted);
}

/** One install at a time: others wait for the holder, and take over from one that died. Returns the release. */
function takeInstallLock() {
  const path = join(root, ".lineshaft-install.lock");
  for (let waits = 0; ; waits++) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return () => readHolder(path) === process.pid && rmSync(path, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") fail(1, `cannot write to ${root}: ${error.message}`);
    }
    const holder = readHolder(path);
    if (!alive(holder) && waits > 0) {
      // Whoever renames it first removes it; should it be a successor's fresh lock by then, that one goes back.
      const aside = `${path}.${process.pid}`;
      try {
        renameSync(path, aside);
        if (readHolder(aside) === holder) rmSync(aside);
        else renameSync(aside, path);
      } catch {
        // Another waiter was first.
      }
    } else {
      if (waits === 0) say("another command is installing; waiting for it …");
      // Process ids come round again, in containers soon: no install takes this long.
      if (waits > 3600) fail(1, `gave up waiting after 15 minutes. If nothing is installing, delete ${path}.`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
    }
  }
}

/** Process id in a lock file; 0 while it is being written or when it has gone. */
function readHolder(path) {
  try {
    return Number(readFileSync(path, "utf8")) || 0;
  } catch {
    return 0;
  }
}

function alive(pid) {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

// ── hand over ───────────────────────────────────────────────────────────────────────────────────────────────────────
const bundled = join(root, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
const node = Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : bundled;
if (!existsSync(node)) {
  const how = {
    darwin: "On macOS: `brew install node@24`, or the installer from the Node.js site.",
    win32: "On Windows: `winget install OpenJS.NodeJS.LTS`, or the installer from the Node.js site.",
  };
  fail(
    1,
    `needs Node 24 or newer. This is ${process.version}, and a Node of its own comes with Lineshaft for linux-x64 only.`,
    how[process.platform] ?? "Install Node 24 from your distribution or from the Node.js site.",
    "Then run the same command again.",
  );
}

process.env.PATH = [dirname(node), join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
const child = spawn(node, process.argv.slice(2), { cwd: root, stdio: "inherit" });
child.on("error", (error) =>
  fail(1, `cannot run ${node}: ${error.message}. On a system without glibc install Node 24 from it.`),
);
// A supervisor signals only us, so pass it on. A terminal's Ctrl-C reaches the whole group by itself: passed on too, the
// server would see it twice and take the second for "at once".
for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  });
}
// Killed with SIGTERM, npm dies without telling us: then its death is the signal, or the server would go on unseen.
if (process.env.npm_lifecycle_event) {
  const npm = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 500);
}
child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
