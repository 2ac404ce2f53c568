import { expect, test } from "vitest";
import { causeOf, itemStateOf, itemStates, operationModeOf, operationModes, stateCode, unknownState } from "./facts.ts";

test("a state code tells its parts again, and unknown is 0", () => {
  for (const itemState of [null, ...itemStates])
    for (const mode of [null, ...operationModes])
      for (const cause of [0, 1, 77, 2 ** 24]) {
        const code = stateCode(itemState, mode, cause);
        expect([itemStateOf(code), operationModeOf(code), causeOf(code)]).toEqual([itemState, mode, cause]);
        expect(code).toBeGreaterThanOrEqual(0);
      }
  expect(stateCode(null)).toBe(unknownState);
});
