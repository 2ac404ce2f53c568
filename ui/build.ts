import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";

const ui = import.meta.dirname;
const root = join(ui, "..");
const stampFile = join(ui, "dist", "stamp");

/** What the console is made of: its own sources, what applications contribute, the SDK, the contract, and the versions of the tools. */
const sources = [
  join(ui, "kit"),
  join(ui, "shell"),
  join(ui, "public"),
  join(ui, "index.html"),
  join(ui, "vite.config.ts"),
  join(ui, "package.json"),
  join(root, "applications"),
  join(root, "client"),
  join(root, "contract", "api"),
  join(root, "package-lock.json"),
];

/**
 * Builds the console into ui/dist, if its sources are others than at the last build. Throws when the bundler does: a console that does not fit its platform is worse
 * than a start that says why it failed. The bundler has a process of its own: it takes some 400 MB, which a server that builds at its first start would keep.
 */
export async function buildConsole(): Promise<void> {
  const stamp = await stampOf(sources);
  if ((await readFile(stampFile, "utf8").catch(() => null)) === stamp) return;
  // A caller's NODE_ENV, a test runner's say, would bring React's development build: twice the size and slow.
  const env = { ...process.env, NODE_ENV: "production" };
  const builder = spawn(process.execPath, [import.meta.filename], { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  builder.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    builder.on("error", reject);
    builder.on("close", resolve);
  });
  if (code !== 0) throw new Error(`The console could not be built.\n${said.trimEnd()}`);
  if (said !== "") process.stderr.write(said);
  await writeFile(stampFile, stamp);
}

async function stampOf(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths)
    for (const file of await filesOf(path)) hash.update(`${relative(root, file)}\n`).update(await readFile(file));
  return hash.digest("hex");
}

async function filesOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOTDIR") return null;
      // Applications may be absent.
      if (error.code === "ENOENT") return [];
      throw error;
    },
  );
  if (entries === null) return [path];
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules") && !entry.name.includes(".test."))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Smaller files fit into a packet or two as they are. */
const compressFrom = 1400;

/** Beside each file of text the same compressed, so that no request has to: a plant's network is slower than its disks. */
async function compressBeside(dir: string): Promise<void> {
  for (const path of await filesOf(dir)) {
    if (!/\.(?:js|css|svg|html)$/.test(path)) continue;
    const bytes = await readFile(path);
    if (bytes.length >= compressFrom) await writeFile(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  }
}

if (import.meta.main) {
  const { build } = await import("vite");
  await build({ configFile: join(ui, "vite.config.ts"), mode: "production", logLevel: "warn" });
  await compressBeside(join(ui, "dist"));
}
