import { expect, it } from "vitest";
import { tryConditions } from "./condition-trial.ts";

it("says of each sample what each condition says, and nothing where something is not known", () => {
  const { faults, truths } = tryConditions({
    conditions: ["spindle > 100.0 && !door", 'mode == "run"', "count % 2 == 1", "true"],
    types: { spindle: "double", door: "boolean", mode: "string", count: "int64" },
    samples: [
      { spindle: 1450, door: false, mode: "run", count: 3 },
      { spindle: 1450, door: 1, mode: "stop", count: 2.5 },
      { spindle: 20 },
      // Not of the declared types.
      { spindle: "fast", door: false, mode: 7 },
    ],
  });
  expect(faults).toEqual([]);
  expect(truths).toEqual([
    [true, true, true, true],
    [false, false, null, true],
    // As in CEL: false && unknown is false.
    [false, null, null, true],
    [null, null, null, true],
  ]);
});

it("names the place of a mistake, and goes on with the others", () => {
  const { faults, truths } = tryConditions({
    conditions: ["value > ", "value > 5.0", "speed > 1.0", "value + 1.0", ""],
    types: { value: "double" },
    samples: [{ value: true }, { value: 6 }],
  });
  expect(faults.map(({ row, at }) => [row, at])).toEqual([
    [0, 8],
    [2, 0],
    [3, 0],
    [4, 0],
  ]);
  expect(faults[1].message).toBe('There is no "speed" here; there is value.');
  expect(truths.map((row) => row[1])).toEqual([false, true]);
});
