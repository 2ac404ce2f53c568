import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lineDiff, withContext } from "./line-diff.ts";

const told = (older: string, newer: string): string[] =>
  lineDiff(older, newer).map(({ kind, text }) => `${{ same: " ", removed: "-", added: "+" }[kind]}${text}`);

describe("the difference of two texts", () => {
  it.each([
    ["nothing to something", "", "a\nb\n", ["+a", "+b"]],
    ["a changed line", "a\nb\nc\n", "a\nx\nc\n", [" a", "-b", "+x", " c"]],
    ["a moved block", "a\nb\nc\n", "c\na\nb\n", ["+c", " a", " b", "-c"]],
    ["the same", "a\n", "a\n", [" a"]],
  ])("%s", (_, older, newer, expected) => expect(told(older, newer)).toEqual(expected));

  it("leads from the one to the other, whatever they are", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 }).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(text, text, (older, newer) => {
        const lines = lineDiff(older, newer);
        const side = (drop: string): string =>
          lines
            .filter(({ kind }) => kind !== drop)
            .map((line) => line.text)
            .join("\n");
        expect([side("added"), side("removed")]).toEqual([older, newer]);
        const numbers = lines.flatMap(({ before }) => (before === null ? [] : [before]));
        expect(numbers).toEqual(numbers.map((_, i) => i + 1));
      }),
    );
  });

  it("is told whole where the texts have little in common, and never hangs", () => {
    const many = (prefix: string): string => Array.from({ length: 4000 }, (_, i) => prefix + i).join("\n");
    expect(lineDiff(many("a"), many("b"))).toHaveLength(8000);
  });

  it("shows a few lines around, and says where it left some out", () => {
    const older = Array.from({ length: 20 }, (_, i) => `line ${i}`).join("\n");
    const shown = withContext(lineDiff(older, older.replace("line 9\n", "line nine\n")), 1);
    expect(shown.map((line) => line?.text ?? "…")).toEqual(["…", "line 8", "line 9", "line nine", "line 10", "…"]);
  });
});
