import type { Configuration, Property } from "@lineshaft/contract/api";
import { expect, it } from "vitest";
import { firstTrue, typesFor, withConditions } from "./conditions.ts";
import { verdictWith } from "./meaning.ts";

const state: Property = { name: "state", kind: "itemState", mapping: { preset: "packml" } };
const model = (version: string, ...properties: Property[]) => ({ name: "mill", version, properties });
const speed: Property = { name: "speed", kind: "processValue" };
const configuration: Configuration = {
  version: 1,
  models: [model("1.0.0", state, speed), model("1.0.1", speed)],
  equipment: [
    { path: "a/m1", level: "workUnit", model: "mill@1.0.0" },
    { path: "a/m2", level: "workUnit", model: "mill@1.0.0" },
    { path: "a", level: "site" },
  ],
};
const conditions = [{ when: "speed > 1.0", itemState: "Executing" as const }];

it("new conditions make a new version of the model, and these machines get it", () => {
  const { models = [], equipment = [] } = withConditions(configuration, ["a/m1", "a"], "state", conditions);
  expect(models.slice(0, 2)).toEqual(configuration.models);
  expect(models[2]).toEqual(model("1.0.2", { name: "state", kind: "itemState", conditions }, speed));
  expect(equipment.map((one) => one.model)).toEqual(["mill@1.0.2", "mill@1.0.0", undefined]);
  const again = withConditions({ ...configuration, models, equipment }, ["a/m1"], "state", []);
  expect(again.models?.[3]).toEqual(model("1.0.3", { name: "state", kind: "itemState" }, speed));
});

it("may name what has a value at any time", () => {
  const pulse: Property = { name: "piece", kind: "pulse" };
  const door: Property = { name: "door", kind: "processValue", type: "boolean" };
  expect(typesFor("state", [state, speed, door, pulse, { ...state, name: "mode", conditions }])).toEqual({
    speed: "double",
    door: "boolean",
  });
});

it("the first that is true holds, unless one before it has no answer", () => {
  expect(firstTrue(["a", "b", "c"], [false, true, true])).toBe("b");
  expect(firstTrue(["a", "b"], [null, true])).toBeNull();
  expect(firstTrue(["a"], undefined)).toBeNull();
});

it("a table with conditions in it is judged row by row, as far as they are answered", () => {
  const mapping = {
    states: [
      { value: 7, itemState: "OutOfService" as const },
      { when: "value > 5.0", itemState: "Executing" as const },
      { value: 6, itemState: "NotExecuting" as const },
    ],
    otherwise: { itemState: "unknown" as const },
  };
  const judged = (value: number, truths?: (boolean | null)[]) => verdictWith(mapping, value, truths);
  expect(judged(7)).toEqual({ itemState: "OutOfService" });
  expect([judged(6), judged(6, [null])]).toEqual(["server", "unsaid"]);
  expect(judged(6, [true])).toEqual({ itemState: "Executing" });
  expect(judged(6, [false])).toEqual({ itemState: "NotExecuting" });
  expect(judged(1, [false])).toEqual({ itemState: "unknown" });
});
