import type { IdentifierRule, LookUp, Recorded } from "@lineshaft/contract/api";
import { expect, it } from "vitest";
import { rulesOf, told } from "./identifier-model.ts";

const rule = (part: Partial<IdentifierRule>): IdentifierRule => ({
  ...{ equipmentId: 1, dimension: "material", property: "recipe", prefix: null, padTo: null, none: null, lookUp: null },
  ...{ fromUs: 0, toUs: null },
  ...part,
});
const recorded = (id: string, item: IdentifierRule): Recorded<IdentifierRule> => ({
  id,
  revision: 1,
  changedUs: 0,
  item,
});

it("takes, of each dimension, the rule of the nearest place that holds at the time", () => {
  const places = ["", "site", "site/line", "site/line/m1"];
  const equipment = new Map(places.map((path, i) => [i + 1, { path }]));
  const rules = [
    recorded("line", rule({ equipmentId: 3 })),
    recorded("all", rule({})),
    recorded("mould", rule({ equipmentId: 4, dimension: "tool", property: "mould" })),
    recorded("order", rule({ equipmentId: 2, dimension: "order" })),
    recorded("later", rule({ equipmentId: 4, fromUs: 100 })),
  ];
  const ids = (path: string, property: string, at: number) =>
    rulesOf(rules, equipment, path, property, at)
      .map(({ id }) => id)
      .sort();
  expect(ids("site/line/m1", "recipe", 50)).toEqual(["line", "order"]);
  expect(ids("site/line/m1", "recipe", 100)).toEqual(["later", "order"]);
  expect(ids("site/line/m1", "mould", 100)).toEqual(["mould"]);
  // A place that only begins alike is not above.
  expect(ids("site/line2/m1", "recipe", 100)).toEqual(["all", "order"]);
});

it("tells what a value stands for at its time, nothing, or that nobody knows it", () => {
  const by = rule({ prefix: "R", padTo: 2, none: "0", lookUp: "recipes" });
  const rows: LookUp["rows"] = [
    { value: "07", id: "CAP-28", fromUs: 0, toUs: 100 },
    { value: "07", id: "CAP-30", fromUs: 100, toUs: null },
  ];
  const lookUp: LookUp = { dimension: "material", rows };
  expect(["R7", "0", "", "R8"].map((value) => told(by, lookUp, value, 99))).toEqual([
    { read: "07", id: "CAP-28" },
    { read: null, id: null },
    { read: null, id: null },
    { read: "08", id: null },
  ]);
  expect(told(by, lookUp, "07", 100).id).toBe("CAP-30");
  expect(told(rule({}), null, " 4711\u0000", 0)).toEqual({ read: "4711", id: "4711" });
});
