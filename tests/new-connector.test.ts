import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cruise } from "../scripts/lib/cruise.ts";
import { type Overlay, overlay } from "../scripts/lib/overlay.ts";
import { bin, runNode } from "../scripts/lib/run.ts";
import { scaffoldConnector } from "../scripts/lib/scaffold.ts";

describe("npm run new connector", () => {
  let copy: Overlay;
  let written: string[];
  beforeAll(() => {
    copy = overlay();
    written = scaffoldConnector(copy.dir, "wire-talk");
  });
  afterAll(() => copy.remove());

  test("writes a folder and one line", () => {
    expect(written.filter((file) => !file.startsWith("integration/connectivity/connectors/wire-talk/"))).toEqual([
      "integration/connectivity/index.ts",
    ]);
    const list = readFileSync(join(copy.dir, "integration/connectivity/index.ts"), "utf8");
    expect(list).toContain('"wire-talk": async () => (await import("./connectors/wire-talk/index.ts")).wireTalk,');
    for (const file of written.filter((name) => name.includes("wire-talk")))
      expect(readFileSync(join(copy.dir, file), "utf8"), file).not.toMatch(/echo/i);
  });

  test("the folder passes the contract suite", async () => {
    const { code, output } = await runNode([
      bin("vitest", "vitest"),
      "run",
      "--root",
      copy.dir,
      "connectors/wire-talk",
    ]);
    expect(code, output).toBe(0);
    expect(output).toMatch(/28 passed/);
  });

  test("it keeps the wall", () => {
    expect(cruise(copy.dir).violations.filter(({ from }) => from.includes("wire-talk"))).toEqual([]);
  });

  test("refuses what is no kind, and what is there", () => {
    expect(() => scaffoldConnector(copy.dir, "Wire_Talk")).toThrow(/kebab-case/);
    expect(() => scaffoldConnector(copy.dir, "../host")).toThrow(/kebab-case/);
    expect(() => scaffoldConnector(copy.dir, "modbus")).toThrow(/already/);
  });
});
