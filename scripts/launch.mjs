// The one entry to every command, in plain JavaScript so that any Node >= 18 runs it on a fresh clone with nothing installed:
// it installs by the lockfile when that is missing or has changed, finds a Node >= 24, and hands over to it.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stampPath = join(root, "node_modules", ".lineshaft-lock");
const lockHash = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const installed = existsSync(stampPath) && readFileSync(stampPath, "utf8") === lockHash;

if (!installed) {
  process.stderr.write("lineshaft: installing what package-lock.json names (npm ci, no install scripts) …\n");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // npm's own chatter goes to stderr, so that a command's standard output stays its own.
  const ci = spawnSync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (ci.status !== 0) {
    process.stderr.write("lineshaft: npm ci failed; its message above says why. Nothing was started.\n");
    process.exit(ci.status ?? 1);
  }
  writeFileSync(stampPath, lockHash);
}

const bundledNode = join(root, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
const runningIsNew = Number(process.versions.node.split(".")[0]) >= 24;
const node = runningIsNew ? process.execPath : bundledNode;
if (!existsSync(node)) {
  process.stderr.write(
    `lineshaft: needs Node 24 or newer; this is ${process.version} and no bundled Node exists for ${process.platform}-${process.arch}.\n` +
      "Install Node 24 from your distribution or nodejs.org, then run the same command again.\n",
  );
  process.exit(1);
}

let args = process.argv.slice(2);
// `--bin <name> …` runs a development tool from node_modules/.bin under the same Node.
if (args[0] === "--bin") args = [join(root, "node_modules", ".bin", args[1]), ...args.slice(2)];
const path = [dirname(node), join(root, "node_modules", ".bin"), process.env.PATH].join(
  process.platform === "win32" ? ";" : ":",
);
const child = spawn(node, args, { cwd: root, stdio: "inherit", env: { ...process.env, PATH: path } });
// A terminal signals the whole group by itself; a supervisor signals only us, so pass it on.
for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
