/**
 * `npm run docs` writes the generated reference pages; `--check` compares them with the sources and fails when one is stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { problemCatalogue, routes } from "@lineshaft/contract/api";
import { apiPage } from "./lib/api-page.ts";
import { cliPage } from "./lib/cli-page.ts";
import { errorsPage } from "./lib/errors-page.ts";
import { root } from "./lib/overlay.ts";

const pages: Record<string, () => string | Promise<string>> = {
  "errors.md": () => errorsPage(problemCatalogue),
  "api.md": () => apiPage(routes),
  "cli.md": cliPage,
};

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const stale: string[] = [];
for (const [name, write] of Object.entries(pages)) {
  const path = join(root, "docs", "reference", name);
  const wanted = await write();
  if (values.check) {
    if (wanted !== read(path)) stale.push(`docs/reference/${name}`);
  } else {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, wanted);
  }
}
if (stale.length > 0) {
  console.error(`${stale.join(", ")}: no longer what the sources say. Run \`npm run docs\` and commit.`);
  process.exitCode = 1;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
