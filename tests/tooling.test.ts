import { hasPeer } from "@lineshaft/testkit";
import { describe, expect, test } from "vitest";
import { check } from "../scripts/check.ts";
import { withFigures } from "../scripts/lib/figures.ts";
import { sourceFiles } from "../scripts/lib/overlay.ts";
import { untidy } from "../scripts/lib/tidy.ts";

describe("tidy", () => {
  const planted = (file: string, text: string): string[] => untidy([file], () => text);

  // In pieces, so that this file is tidy itself.
  test.each([
    ["unfinished work", `// ${"TO"}${"DO"}: later`],
    ["a silenced type check", `// @ts-${"ig"}nore`],
    ["a path of one machine", `const dir = "/${"ho"}me/anna/x";`],
    ["the name of a package registry", `"https://${"regis"}try.npmjs.org/x"`],
    ["the name of a package registry", `"resolved": "https${"://"}example.org/x.tgz"`],
  ])("finds %s", (why, line) => {
    expect(planted("host/a.ts", `const fine = 1;\n${line}\n`)).toEqual([
      expect.stringContaining(`host/a.ts:2: ${why}`),
    ]);
  });

  test("a file over 400 lines must be a hot path, and say so first", () => {
    const long = "const a = 1;\n".repeat(401);
    expect(planted("host/a.ts", long)).toHaveLength(1);
    expect(planted("host/a.ts", `// Hot path.\n${long}`)).toEqual([]);
    expect(planted("host/a.test.ts", long)).toEqual([]);
    expect(planted("host/a.ts", "const a = 1;\n".repeat(400))).toEqual([]);
  });

  test("reads what is in git or would be", () => {
    expect(sourceFiles(["scripts"])).toContain("scripts/check.ts");
    expect(sourceFiles().some((file) => file.startsWith("node_modules/"))).toBe(false);
  });
});

describe("figures of the README", () => {
  const readme = "a\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nb\n";
  const results = "# Results\n\n- Machine: 2 cores\n\n| bench | value |\n|---|--:|\n| `x` | 1 |\n\n## Details\n";

  test("are the machine and the table of the results", () => {
    expect(withFigures(readme, results)).toBe(
      "a\n<!-- figures: begin -->\n\n- Machine: 2 cores\n\n| bench | value |\n|---|--:|\n| `x` | 1 |\n\n<!-- figures: end -->\nb\n",
    );
    expect(withFigures(withFigures(readme, results), results)).toBe(withFigures(readme, results));
  });

  test("are empty without results, and need their marks", () => {
    expect(withFigures(readme, null)).toBe("a\n<!-- figures: begin -->\n<!-- figures: end -->\nb\n");
    expect(() => withFigures("no marks", null)).toThrow("marks");
  });
});

test("an unknown step of the check is named, with those that exist, and is red", async () => {
  const { ok } = await check({ only: "nonsense" });
  expect(ok).toBe(false);
});

test("in CI the peers are there", () => {
  const all = (["chromium", "fuse", "strace", "faketime"] as const).every(hasPeer);
  expect(process.env.CI !== "true" || all).toBe(true);
});
