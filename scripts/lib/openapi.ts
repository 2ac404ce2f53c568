import { bin, type Ran, runNode } from "./run.ts";

/** Lints the generated OpenAPI document, without asking anybody for updates or telling anybody about it. */
export function lintOpenApi(): Promise<Ran> {
  return runNode(
    [bin("@redocly/cli", "redocly"), "lint", "docs/reference/openapi.json", "--config", "docs/redocly.yaml"],
    {
      env: { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", NO_COLOR: "1" },
    },
  );
}
