import type { BrowseItem } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { nothingSeen, rowsOf, type Seen, walk, withLevel } from "./browsing.ts";

const folder = (address: string): BrowseItem => ({ address, name: address, readable: false, expandable: true });
const variable = (address: string): BrowseItem => ({ address, name: address, readable: true, expandable: false });
const tree: Record<string, BrowseItem[]> = {
  "": [folder("Line"), folder("Server")],
  Line: [folder("Press"), variable("Line.State")],
  Press: [variable("Press.Temp"), variable("Press.Count"), folder("Line")],
  Server: [variable("Clock")],
};
const whole: Seen = Object.entries(tree).reduce(
  (seen, [from, items]) => withLevel(seen, from, items, false),
  nothingSeen,
);
const told = (open: string[], search = ""): string[] =>
  rowsOf(whole, new Set(open), search).map(({ item, depth }) => " ".repeat(depth) + item.name);

describe("browsing", () => {
  it("shows what is open, and ends loops where they begin", () => {
    expect(told([])).toEqual(["Line", "Server"]);
    expect(told(["\n\nLine".slice(1), "\nLine\nPress", "\nLine\nPress\nLine"])).toEqual([
      "Line",
      " Press",
      "  Press.Temp",
      "  Press.Count",
      "  Line",
      " Line.State",
      "Server",
    ]);
  });

  it("finds what was seen, with the way to it", () => {
    expect(told([], "temp")).toEqual(["Line", " Press", "  Press.Temp"]);
    expect(told([], "nothing like it")).toEqual([]);
  });

  it("walks a subtree level by level, each once, up to a bound", async () => {
    const asked: string[] = [];
    const level = async (address: string): Promise<BrowseItem[]> => {
      asked.push(address);
      return tree[address] ?? [];
    };
    const progress: number[] = [];
    const found = await walk("Line", 100, level, ({ readable }) => progress.push(readable));
    expect(found.items.map(({ address }) => address)).toEqual(["Line.State", "Press.Temp", "Press.Count"]);
    expect([asked, progress, found.more]).toEqual([["Line", "Press"], [1, 3], false]);
    expect((await walk("", 2, level, () => {})).more).toBe(true);
  });
});
