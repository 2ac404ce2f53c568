/**
 * `npm run docs` writes the generated reference pages; `--check` compares them with the sources and fails when one is stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { problemCatalogue, routes } from "@lineshaft/contract/api";
import { metricsTable } from "../integration/governance/metrics.ts";
import { openApiDocument } from "../integration/interfaces/rest/openapi.ts";
import { apiPage } from "./lib/api-page.ts";
import { cliPage } from "./lib/cli-page.ts";
import { errorsPage } from "./lib/errors-page.ts";
import { metricsPage } from "./lib/metrics-page.ts";
import { root } from "./lib/overlay.ts";

const pages: Record<string, () => string | Promise<string>> = {
  "errors.md": () => errorsPage(problemCatalogue),
  "api.md": () => apiPage(routes),
  "openapi.json": () => `${JSON.stringify(openApiDocument(), null, 2)}\n`,
  "metrics.md": () => metricsPage(metricsTable),
  "cli.md": cliPage,
};

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const complaints: string[] = [];
for (const [name, write] of Object.entries(pages)) {
  const page = `docs/reference/${name}`;
  try {
    const wanted = await write();
    if (!values.check) {
      mkdirSync(join(root, "docs", "reference"), { recursive: true });
      writeFileSync(join(root, page), wanted);
    } else if (wanted !== read(join(root, page))) {
      complaints.push(`${page} is no longer what the sources say. Run \`npm run docs\` and commit.`);
    }
  } catch (error) {
    complaints.push(`${page} cannot be generated: ${(error as Error).message}`);
  }
}
for (const complaint of complaints) console.error(complaint);
if (complaints.length > 0) process.exitCode = 1;

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
