import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, sourceFiles } from "../scripts/lib/overlay.ts";
import { ServerProcess } from "./support/server-process.ts";

// Every block of a page that is marked `<!-- runs -->` is run, in order and in one shell, against a server of our own. `<!-- runs 5s -->`
// marks a block that goes on for ever: it is stopped then, and must have printed something.
interface Block {
  script: string;
  seconds: number | null;
}

const marked = /<!-- runs(?: (\d+)s)? -->\n```sh\n([\s\S]*?)```/g;
const documentedAddress = "127.0.0.1:8750";

function blocksOf(text: string): Block[] {
  return [...text.matchAll(marked)].map(([, seconds, script]) => ({
    script,
    seconds: seconds === undefined ? null : Number(seconds),
  }));
}

const pages = ["README.md", ...readdirSync(join(root, "docs/how-to")).map((name) => `docs/how-to/${name}`)]
  .map((page) => ({ page, blocks: blocksOf(readFileSync(join(root, page), "utf8")) }))
  .filter(({ blocks }) => blocks.length > 0);

describe("the commands in the documents work as written", () => {
  let server: ServerProcess;
  let data: string;

  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), "lineshaft-docs-"));
    server = await ServerProcess.start({ dataDir: data, flags: ["--mqtt-port", "0"] });
  });
  afterAll(async () => {
    await server?.kill("SIGTERM");
    rmSync(data, { recursive: true, force: true });
  });

  test("some pages have commands", () => {
    expect(pages.map(({ page }) => page)).toEqual(
      expect.arrayContaining(["README.md", "docs/how-to/first-batch.md", "docs/how-to/stream-and-resume.md"]),
    );
  });

  test.each(pages)("$page", ({ blocks }) => {
    const here = (text: string): string => text.replaceAll(documentedAddress, server.url.slice("http://".length));
    // An endless block goes in as a variable, so that `timeout` can stop it whole.
    const env: Record<string, string> = { LINESHAFT_KEY: server.adminSecret ?? "", OUT: data };
    const script = blocks.map(({ script, seconds }, i) => {
      if (seconds === null) return here(script);
      env[`BLOCK_${i}`] = here(script);
      return `timeout ${seconds} bash -c "$BLOCK_${i}" > "$OUT/endless" || true; test -s "$OUT/endless"`;
    });
    // Views follow the log a moment behind; a reader who types is slower than they are, so between blocks we wait for them.
    env.LINESHAFT_URL = server.url;
    const settle = `"${process.execPath}" host/main.ts verify --settle > "$OUT/settled"`;
    const run = spawnSync("bash", ["-c", `set -aeuo pipefail\n${script.join(`\n${settle}\n`)}`], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, ...env },
      timeout: 60_000,
    });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
    expect(run.stdout).not.toContain("urn:lineshaft:problem:");
  });
});

test("links between the documents lead somewhere", () => {
  const files = new Set(sourceFiles());
  const folders = new Set(
    [...files].flatMap((file) => file.split("/").map((_, i, parts) => parts.slice(0, i).join("/"))),
  );
  const broken: string[] = [];
  for (const page of [...files].filter((file) => file.endsWith(".md"))) {
    const text = readFileSync(join(root, page), "utf8").replaceAll(/```[\s\S]*?```/g, "");
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target) || target.startsWith("#")) continue;
      const path = join(page, "..", target.split("#")[0]).replace(/\/$/, "");
      if (!files.has(path) && !folders.has(path)) broken.push(`${page}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});
