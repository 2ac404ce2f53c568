import { expect, test } from "vitest";
import { manifestOf } from "./applications.ts";

test.each([
  ["reads and publishes by default", { worker: "worker.ts" }, { worker: "worker.ts", role: "application" }],
  ["says what it needs", { worker: "w.ts", role: "engineer" }, { worker: "w.ts", role: "engineer" }],
])("an application %s", (_, lineshaft, manifest) => {
  expect(manifestOf(JSON.stringify({ lineshaft }))).toEqual(manifest);
});

test.each([
  ["has no worker", {}, /lineshaft\.worker/],
  ["would administer", { worker: "w.ts", role: "admin" }, /must be one of viewer, .*engineer\.$/],
  ["invents a role", { worker: "w.ts", role: "king" }, /must be one of/],
])("an application that %s is not started", (_, lineshaft, why) => {
  expect(manifestOf(JSON.stringify({ lineshaft }))).toMatch(why);
});
