/**
 * `npm run docs` writes the generated reference pages; `--check` compares them with the sources and fails when one is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { problemCatalogue, routes } from "@lineshaft/contract/api";
import { metricsTable } from "../integration/governance/metrics.ts";
import { openApiDocument } from "../integration/interfaces/rest/openapi.ts";
import { apiPage } from "./lib/api-page.ts";
import { cliPage } from "./lib/cli-page.ts";
import { errorsPage } from "./lib/errors-page.ts";
import { withFigures } from "./lib/figures.ts";
import { metricsPage } from "./lib/metrics-page.ts";
import { root } from "./lib/overlay.ts";

const pages: Record<string, () => string | Promise<string>> = {
  "docs/reference/errors.md": () => errorsPage(problemCatalogue),
  "docs/reference/api.md": () => apiPage(routes),
  "docs/reference/openapi.json": () => `${JSON.stringify(openApiDocument(), null, 2)}\n`,
  "docs/reference/metrics.md": () => metricsPage(metricsTable),
  "docs/reference/cli.md": cliPage,
  "README.md": () => withFigures(read("README.md") ?? "", read("bench/RESULTS.md")),
};

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const complaints: string[] = [];
for (const [page, write] of Object.entries(pages)) {
  try {
    const wanted = await write();
    if (wanted === read(page)) continue;
    if (values.check) complaints.push(`${page} is no longer what the sources say. Run \`npm run docs\` and commit.`);
    else writeFileSync(join(root, page), wanted);
  } catch (error) {
    complaints.push(`${page} cannot be generated: ${(error as Error).message}`);
  }
}
for (const complaint of complaints) console.error(complaint);
if (complaints.length > 0) process.exitCode = 1;

function read(page: string): string | null {
  try {
    return readFileSync(join(root, page), "utf8");
  } catch {
    return null;
  }
}
