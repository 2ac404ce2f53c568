import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

export const root = join(import.meta.dirname, "..", "..");

export interface Overlay {
  dir: string;
  remove(): void;
}

/** Files of the working tree that are, or would be, in git; paths relative to the root. */
export function sourceFiles(under: string[] = []): string[] {
  const list = (flags: string[]): string[] =>
    execFileSync("git", ["ls-files", "-z", ...flags, "--", ...under], { cwd: root, encoding: "utf8" })
      .split("\0")
      .filter(Boolean);
  const deleted = new Set(list(["--deleted"]));
  return list(["--cached", "--others", "--exclude-standard"]).filter((file) => !deleted.has(file));
}

/**
 * A copy of the source tree in a temporary directory, so that tests may plant and delete without touching the real one.
 * Packages are linked, except the workspaces' own: those point into the copy, so that an import of `@lineshaft/…` really
 * reads the copy.
 */
export function overlay(keep: (file: string) => boolean = () => true): Overlay {
  const dir = mkdtempSync(join(tmpdir(), "lineshaft-overlay-"));
  for (const file of sourceFiles()) {
    if (!keep(file)) continue;
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    cpSync(join(root, file), join(dir, file));
  }
  linkModules(join(root, "node_modules"), dir, join(dir, "node_modules"));
  // npm puts a workspace's own versions into its own node_modules.
  for (const folder of workspaceFolders()) {
    const nested = join(folder, "node_modules");
    if (existsSync(join(dir, folder)) && existsSync(join(root, nested))) {
      linkModules(join(root, nested), dir, join(dir, nested));
    }
  }
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

function workspaceFolders(): string[] {
  return sourceFiles()
    .filter((file) => file.endsWith("/package.json"))
    .map((file) => dirname(file));
}

function linkModules(from: string, dir: string, to: string): void {
  const names = readdirSync(from);
  mkdirSync(to, { recursive: true });
  for (const name of names) {
    if (name === ".cache" || name.startsWith(".vite")) continue;
    if (name !== "@lineshaft") {
      symlinkSync(join(from, name), join(to, name));
      continue;
    }
    mkdirSync(join(to, name));
    for (const workspace of readdirSync(join(from, name))) {
      const own = join(dir, relative(root, realpathSync(join(from, name, workspace))));
      if (existsSync(own)) symlinkSync(own, join(to, name, workspace));
    }
  }
}
