import { describe, expect, it } from "vitest";
import { bound, boundProperty, matchingProperty, modelFrom, propertyName } from "./models.ts";

describe("models from tags", () => {
  it.each([
    ["Druck vorn (bar)", "druckVornBar"],
    ["ns=2;s=Press.OilTemp", "oilTemp"],
    ["holding:10", "p10"],
    ["Öldruck", "oldruck"],
  ])("%s is called %s", (text, name) => expect(propertyName(text)).toBe(name));

  it("guesses what a tag means, and keeps names apart", () => {
    const tags = [
      { address: "a.State" },
      { address: "b.GoodCount" },
      { address: "c.Temp", unit: "Cel" },
      { address: "d.Temp" },
    ];
    expect(modelFrom("press", tags).properties).toEqual([
      { name: "state", kind: "itemState" },
      { name: "goodCount", kind: "counter", counts: "good" },
      { name: "temp", kind: "processValue", unit: "Cel" },
      { name: "temp2", kind: "processValue" },
    ]);
  });

  it("matches a tag to a property by its name", () => {
    const properties = [{ name: "oilTemp", kind: "processValue" as const }];
    expect(matchingProperty({ address: "ns=2;s=Press.Oil_Temp" }, properties)).toBe("oilTemp");
    expect(matchingProperty({ address: "holding:1", name: "Oil temp" }, properties)).toBe("oilTemp");
    expect(matchingProperty({ address: "holding:1" }, properties)).toBe(null);
  });

  it("binds and unbinds without harm to dated meanings", () => {
    const dated = { property: "old", validTo: "2026-01-01T00:00:00Z" };
    const tag = bound({ address: "a", bind: [dated] }, "new");
    expect(tag.bind).toEqual([{ property: "new" }, dated]);
    expect([boundProperty(tag), bound(bound({ address: "a" }, "x"), "")]).toEqual(["new", { address: "a" }]);
  });
});
