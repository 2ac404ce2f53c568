import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

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
 * Builds the console into ui/dist, if its sources are others than at the last build. Throws when the bundler does: a console that
 * does not fit its platform is worse than a start that says why it failed.
 */
export async function buildConsole(): Promise<void> {
  const stamp = await stampOf(sources);
  if ((await readFile(stampFile, "utf8").catch(() => null)) === stamp) return;
  const { build } = await import("vite");
  // A caller's NODE_ENV, a test runner's say, would bring React's development build: twice the size and slow.
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  try {
    await build({ configFile: join(ui, "vite.config.ts"), mode: "production", logLevel: "warn" });
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  }
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
