import {
  itemStates,
  type Mapping,
  meaningCode,
  meaningOf,
  operationModes,
  type StateMeaning,
  type StateRow,
  type StateValue,
  statePresets,
} from "@lineshaft/contract/api";
import { expect, test } from "vitest";
import { codeAt, compileMapping, outside, textKey } from "./mapping.ts";

/** Small and reproducible: mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let n = Math.imul(state ^ (state >>> 15), 1 | state);
    n = (n + Math.imul(n ^ (n >>> 7), 61 | n)) ^ n;
    return Math.floor((((n ^ (n >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

const values: readonly StateValue[] = [
  ...[0, -0, 1, 2, 3, 6, 128, 255, 256, 257, 4096, -1, -7, 0.5, 1.5, 99.99, 1e12, 2 ** 53],
  ...[-(2 ** 51), -(2 ** 51) - 1, -(2 ** 52), Number.MAX_VALUE, -Number.MAX_VALUE],
  ...[true, false, 5n, -3n, 2n ** 60n, "", "0", "1", "true", "Execute", "execute", "ACTIVE", "Executing", "Störung"],
];

test("a value means to the console what derivation makes of it", () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = randomOf(seed);
    const of = <T>(list: readonly T[]): T => list[random(list.length)];
    const meaning = (): StateMeaning => ({
      ...(random(4) === 0 ? {} : { itemState: of([...itemStates, "unknown" as const]) }),
      ...(random(3) === 0 ? { operationMode: of(operationModes) } : {}),
      ...(random(3) === 0 ? { cause: random(33_554_432) } : {}),
    });
    const number = (): number => of([0, 1, 2, 3, 5, 100, 256, 0.5, -1, -(2 ** 52), 1e12, 128 + random(20)]);
    const row = (): StateRow => {
      const value = of(values);
      if (random(10) === 0) return { when: `value > ${random(5)}.0`, ...meaning() };
      if (random(2) === 0 && typeof value !== "bigint" && value !== "") return { value, ...meaning() };
      return {
        ...(random(4) === 0 ? {} : { from: number() }),
        ...(random(4) === 0 ? {} : { to: number() }),
        ...meaning(),
      };
    };
    const mapping: Mapping = {
      ...(random(2) === 0 ? { preset: of(statePresets) } : {}),
      ...(random(5) === 0 ? {} : { states: Array.from({ length: random(8) }, row) }),
      ...(random(3) === 0 ? { otherwise: meaning() } : {}),
    };
    const rule = compileMapping(mapping);
    for (const value of values) {
      const found = meaningOf(mapping, value);
      const key = typeof value === "string" ? textKey(value) : Number(value) + 0;
      const what = `seed ${seed}: ${String(value)} under ${JSON.stringify(mapping)}`;
      // The console knows no conditions; what it does say with one in the table is true nevertheless.
      if (found === "condition") continue;
      expect(found === null ? outside : meaningCode(found), what).toBe(codeAt(rule, key));
    }
  }
});
