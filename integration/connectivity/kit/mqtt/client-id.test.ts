import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ownClientId } from "./client-id.ts";

it("is made once for each folder, and said when it cannot be kept", () => {
  const folder = mkdtempSync(join(tmpdir(), "lineshaft-client-id-"));
  const told: string[] = [];
  const at = (stateDir: string): string => ownClientId({ stateDir, log: (_, text) => void told.push(text) });
  const first = at(join(folder, "a"));
  expect(first).toMatch(/^lineshaft-[0-9a-f]{12}$/);
  expect(at(join(folder, "a"))).toBe(first);
  expect(at(join(folder, "b"))).not.toBe(first);
  expect(told).toEqual([]);
  at("/dev/null/nowhere");
  expect(told).toHaveLength(1);
  rmSync(folder, { recursive: true });
});
