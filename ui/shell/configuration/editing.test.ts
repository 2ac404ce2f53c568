import type { Configuration } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { fromLocalTime, toLocalTime } from "../equipment/local-time.ts";
import {
  changedTag,
  differences,
  movedEquipment,
  withBindings,
  withConnection,
  withEquipment,
  withoutConnection,
  withoutEquipment,
} from "./editing.ts";
import { withPresentPaths } from "./going-back.ts";

const plant: Configuration = {
  version: 1,
  equipment: [
    { path: "West", level: "site" },
    { path: "West/Line", level: "workCenter" },
    { path: "West/Line/Press", level: "workUnit", model: "press@1.0.0" },
    { path: "West/Line 2", level: "workCenter" },
  ],
  connections: [
    {
      name: "plc",
      kind: "modbus",
      scope: "West/Line",
      tags: [
        { address: "a", equipment: "West/Line/Press", bind: [{ property: "state" }] },
        { address: "b", bind: [{ property: "good", equipment: "West/Line/Press" }] },
      ],
    },
  ],
};

describe("editing a configuration", () => {
  it("replaces a connection in its place, adds a new one at the end, and takes one away", () => {
    const more = withConnection(plant, { name: "new", kind: "opcua" });
    expect(more.connections?.map(({ name }) => name)).toEqual(["plc", "new"]);
    expect(withConnection(more, { name: "plc", kind: "http" }).connections?.[0]).toEqual({ name: "plc", kind: "http" });
    expect(withoutConnection(more, "plc").connections?.map(({ name }) => name)).toEqual(["new"]);
  });

  it("adds equipment once", () => {
    const entries = [
      { path: "West", level: "site" as const },
      { path: "East", level: "site" as const },
    ];
    expect(withEquipment(plant, entries).equipment?.length).toBe(5);
  });

  it("moves equipment with all below it and every reference to it, and nothing beside it", () => {
    const moved = movedEquipment(plant, "West/Line", "East/Hall");
    expect(moved.equipment?.map(({ path, was }) => [path, was])).toEqual([
      ["West", undefined],
      ["East/Hall", "West/Line"],
      ["East/Hall/Press", "West/Line/Press"],
      ["West/Line 2", undefined],
    ]);
    expect(moved.connections?.[0]).toMatchObject({
      scope: "East/Hall",
      tags: [{ equipment: "East/Hall/Press" }, { bind: [{ equipment: "East/Hall/Press" }] }],
    });
  });

  it("takes equipment out with all below it; its tags lose their place and what they meant there", () => {
    const left = withoutEquipment(plant, "West/Line");
    expect(left.equipment?.map(({ path }) => path)).toEqual(["West", "West/Line 2"]);
    expect(left.connections?.[0].tags).toEqual([{ address: "a" }, { address: "b" }]);
  });

  it("says what a tag means, also of one that stood in no list", () => {
    const bound = changedTag(plant, "plc", "c", (tag) => withBindings(tag, [{ property: "temp" }]));
    expect(bound.connections?.[0].tags?.[2]).toEqual({ address: "c", bind: [{ property: "temp" }] });
    expect(withBindings({ address: "c", bind: [{ property: "temp" }] }, [])).toEqual({ address: "c" });
  });

  it("tells the innermost differences", () => {
    expect(differences({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: 3, c: 2 }, d: [1, 2] })).toEqual([
      { path: "a.b", from: 1, to: 3 },
      { path: "d", from: [1], to: [1, 2] },
    ]);
  });

  it("keeps an instant through the field for local times", () => {
    const text = "2026-03-29T12:30:15+02:00";
    expect(new Date(fromLocalTime(toLocalTime(text)) ?? "").getTime()).toBe(new Date(text).getTime());
    expect([fromLocalTime(""), toLocalTime(undefined)]).toEqual([undefined, ""]);
  });
});

describe("going back", () => {
  const at = (...paths: string[]): Configuration => ({
    version: 1,
    equipment: paths.map((path) => ({ path, level: "area" as const })),
  });

  it("renames back what was renamed, and what stands below follows", async () => {
    const asked: string[] = [];
    const resolve = async (path: string): Promise<string | null> => {
      asked.push(path);
      return { "A/New": "A/Newer", "A/Gone": null }[path] ?? null;
    };
    const earlier = at("A", "A/New", "A/New/Part", "A/Gone");
    const found = await withPresentPaths(earlier, at("A", "A/Newer", "A/Newer/Part"), resolve);
    expect(found.equipment?.map(({ path, was }) => [path, was])).toEqual([
      ["A", undefined],
      ["A/New", "A/Newer"],
      ["A/New/Part", undefined],
      ["A/Gone", undefined],
    ]);
    expect(asked).toEqual(["A/New", "A/Gone"]);
  });

  it("takes no name from what is to stay", async () => {
    const found = await withPresentPaths(at("Old", "Both"), at("Both"), async () => "Both");
    expect(found).toEqual(at("Old", "Both"));
  });
});
