import {
  type IdentifierDimension,
  type IdentifierRule,
  type IdentifierTransition,
  identifierDimensions,
  type LookUp,
  readIdentifier,
} from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toldIdentifiers } from "./identifiers.ts";

const press = 3;
const line = 2;
const site = 1;
const upwards = [press, line, site];
const plain = { prefix: null, padTo: null, none: null };

const rule = (more: Partial<IdentifierRule> = {}): IdentifierRule => ({
  ...{ equipmentId: press, dimension: "order", property: "orderNumber", lookUp: null, fromUs: 0, toUs: null },
  ...plain,
  ...more,
});
const tells = (...values: [t: number, value: string | null][]): IdentifierTransition[] =>
  values.map(([t, value]) => ({ property: "orderNumber", t, value }));
const lookUp = (...rows: [value: string, id: string, fromUs?: number, toUs?: number | null][]): LookUp => ({
  dimension: "order",
  rows: rows.map(([value, id, fromUs = 0, toUs = null]) => ({ value, id, fromUs, toUs })),
});
const told = (
  rules: IdentifierRule[],
  transitions: IdentifierTransition[],
  tables: Record<string, LookUp> = {},
): unknown[] =>
  toldIdentifiers(rules, upwards, (id) => tables[id] ?? null, transitions).map(({ fromUs, toUs, id }) => [
    fromUs,
    toUs === Number.MAX_SAFE_INTEGER ? null : toUs,
    id,
  ]);

describe("a value as a rule reads it", () => {
  it.each([
    ["4711", plain, "4711"],
    ["  0815 \u0000\u0000", plain, "0815"],
    ["", plain, null],
    [" \u0000", plain, null],
    ["0", plain, "0"],
    ["0", { ...plain, none: "0" }, null],
    ["PO-4711", { ...plain, prefix: "PO-" }, "4711"],
    ["4711", { ...plain, prefix: "PO-" }, "4711"],
    ["PO-", { ...plain, prefix: "PO-" }, null],
    ["4711", { ...plain, padTo: 8 }, "00004711"],
    ["PO- 4711", { ...plain, prefix: "PO-", padTo: 8 }, "00004711"],
    ["123456789", { ...plain, padTo: 8 }, "123456789"],
    ["A1", { ...plain, padTo: 8 }, "A1"],
  ])("%j %j → %j", (value, by, read) => {
    expect(readIdentifier(value, by)).toBe(read);
  });
});

describe("what a machine told", () => {
  it("holds until it tells something else, or that there is nothing", () => {
    expect(told([rule()], tells([0, null], [10, "A"], [20, "B"], [30, ""], [40, "B"]))).toEqual([
      [10, 20, "A"],
      [20, 30, "B"],
      [40, null, "B"],
    ]);
  });

  it("goes on over a gap that the same value ends; after any other gap it is not known", () => {
    expect(told([rule()], tells([10, "A"], [20, null], [50, "A"], [60, null], [90, "B"], [95, null]))).toEqual([
      [10, 60, "A"],
      [90, 95, "B"],
    ]);
    // In between the machine said that there was nothing.
    expect(told([rule()], tells([10, "A"], [20, null], [30, ""], [40, null], [50, "A"]))).toEqual([
      [10, 20, "A"],
      [50, null, "A"],
    ]);
  });

  it("is the same where only its spelling differs", () => {
    expect(told([rule({ padTo: 4 })], tells([10, "12"], [20, "0012"], [30, null], [40, " 12"]))).toEqual([
      [10, null, "0012"],
    ]);
  });

  it("is translated by the rows of its time; what no row knows stands for nothing", () => {
    const table = lookUp(["7", "CAP-28", 0, 30], ["7", "CAP-30", 40]);
    expect(told([rule({ lookUp: "recipes" })], tells([10, "7"], [50, "8"]), { recipes: table })).toEqual([
      [10, 30, "CAP-28"],
      [30, 40, null],
      [40, 50, "CAP-30"],
      [50, null, null],
    ]);
    expect(told([rule({ lookUp: "recipes" })], tells([10, "7"]))).toEqual([[10, null, null]]);
  });

  it("is taken by the nearest rule of its time, each dimension by its own", () => {
    const far = rule({ equipmentId: site, prefix: "X" });
    const near = rule({ fromUs: 20, toUs: 40, padTo: 3 });
    expect(told([far, near], tells([10, "X1"]))).toEqual([
      [10, 20, "1"],
      [20, 40, "X1"],
      [40, null, "1"],
    ]);
    expect(told([rule({ equipmentId: 9 })], tells([10, "A"]))).toEqual([]);
    const material = toldIdentifiers([rule({ dimension: "material" })], upwards, () => null, tells([10, "A"]));
    expect(material).toMatchObject([{ dimension: "material", property: "orderNumber", value: "A", id: "A" }]);
  });

  it("is at each instant what the nearest rule, the value in force and the row of that instant say", () => {
    const instant = fc.integer({ min: 0, max: 40 });
    const until = fc.option(fc.integer({ min: 1, max: 20 }));
    const property = fc.constantFrom("a", "b");
    const value = fc.constantFrom(null, "", "1", "01", "2");
    const transitions = fc
      .array(fc.record({ property, t: instant, value }), { maxLength: 12 })
      .map((all) => [...new Map(all.map((each) => [`${each.property}${each.t}`, each])).values()])
      .map((all) => all.sort((a, b) => a.t - b.t));
    const rules = fc
      .array(
        fc.record({
          equipmentId: fc.constantFrom(...upwards),
          dimension: fc.constantFrom("order" as const, "material" as const),
          ...{ property, fromUs: instant, for_: until, padTo: fc.constantFrom(null, 2) },
          lookUp: fc.constantFrom(null, "table"),
        }),
        { maxLength: 5 },
      )
      .map((all) => all.map(({ for_, ...each }) => ({ ...each, toUs: for_ === null ? null : each.fromUs + for_ })))
      .map((all) => all.map((each) => rule(each)).filter((each, i, list) => !list.slice(0, i).some(meets(each))));
    const rows = fc
      .array(
        fc.record({
          value: fc.constantFrom("1", "01", "2"),
          id: fc.constantFrom("A", "B"),
          fromUs: instant,
          for_: until,
        }),
      )
      .map((all) => all.map(({ for_, ...row }) => ({ ...row, toUs: for_ === null ? null : row.fromUs + for_ })))
      .map((all) =>
        all.filter((row, i) => !all.slice(0, i).some((other) => other.value === row.value && overlap(other, row))),
      );
    fc.assert(
      fc.property(transitions, rules, rows, (moves, some, of) => {
        const found = toldIdentifiers(some, upwards, () => ({ dimension: "order", rows: of }), moves);
        for (const dimension of identifierDimensions)
          for (let t = 0; t < 60; t++) {
            const now = found.filter((each) => each.dimension === dimension && each.fromUs <= t && t < each.toUs);
            expect(now.map(({ value, id }) => [value, id])).toEqual(atInstant(dimension, t, some, of, moves));
          }
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});

const overlap = (a: { fromUs: number; toUs: number | null }, b: typeof a): boolean =>
  a.fromUs < (b.toUs ?? Infinity) && b.fromUs < (a.toUs ?? Infinity);
const meets = (a: IdentifierRule) => (b: IdentifierRule) =>
  a.equipmentId === b.equipmentId && a.dimension === b.dimension && overlap(a, b);

/** The same in other words: looked up instant by instant, without stretches of time. */
function atInstant(
  dimension: IdentifierDimension,
  t: number,
  rules: readonly IdentifierRule[],
  rows: LookUp["rows"],
  transitions: readonly IdentifierTransition[],
): unknown[] {
  const holds = (each: { fromUs: number; toUs: number | null }): boolean =>
    each.fromUs <= t && t < (each.toUs ?? Infinity);
  const own = upwards.flatMap((place) =>
    rules.filter((each) => each.equipmentId === place && each.dimension === dimension && holds(each)),
  )[0];
  if (own === undefined) return [];
  const values = transitions.filter(({ property, value }) => property === own.property && value !== null);
  const read = (value: string | null | undefined): string | null => (value == null ? null : readIdentifier(value, own));
  const here = transitions.findLast(({ property, t: at }) => property === own.property && at <= t)?.value;
  const before = read(values.findLast(({ t: at }) => at <= t)?.value);
  const after = read(values.find(({ t: at }) => at > t)?.value);
  const value = here == null ? (before === after ? before : null) : read(here);
  if (value === null) return [];
  if (own.lookUp === null) return [[value, value]];
  return [[value, rows.find((row) => row.value === value && holds(row))?.id ?? null]];
}
