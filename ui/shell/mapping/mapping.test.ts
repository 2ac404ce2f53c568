import { type Mapping, type PointSeries, statePresets } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { boundTo, namedBy } from "./conditions.ts";
import { draftOf, mappingOf, newRow, remapped } from "./draft.ts";
import { classOf, verdictOf } from "./meaning.ts";
import { parseNumber, parseValue, recordingOf, valueInput } from "./values.ts";

describe("raw values as text", () => {
  it("reads numbers, booleans and text, and quotes make text of anything", () => {
    const read: [string, unknown][] = [
      ["3", 3],
      [" -1,5 ", -1.5],
      ["1e3", 1000],
      ["true", true],
      ['"3"', "3"],
      ['""', '""'],
      ["Execute", "Execute"],
      ["1.2.3", "1.2.3"],
      ["  ", null],
      ["1e999", "1e999"],
    ];
    expect(read.map(([text]) => [text, parseValue(text)])).toEqual(read);
    expect([parseNumber("x"), parseNumber("")]).toEqual([null, null]);
  });
  it("gives every value back that it shows", () => {
    const values = [0, -0.5, 1e21, 1e-9, true, false, "a", "1", "true", '"', '"x"', " a ", "1,5", "a\nb"];
    expect(values.map(valueInput).map(parseValue)).toEqual(values);
  });
});

describe("conditions over several properties", () => {
  it("name properties of the model, texts aside", () => {
    const value = { kind: "processValue" } as const;
    const properties = ["door", "spindle", "milling", "value"].map((name) => ({ name, ...value }));
    const conditions = [{ when: "spindle > 1.0e3 && door" }, { when: "spindle == 2.0 || \"milling\" != 'value'" }];
    const named = namedBy({ name: "state", kind: "itemState", conditions }, properties);
    expect(named.map(({ name }) => name)).toEqual(["door", "spindle"]);
    expect(namedBy(properties[0], properties)).toEqual([]);
  });
  it("have the tag that is bound at the time", () => {
    const tag = (address: string, bind: object) => ({
      address,
      equipment: "a/m1",
      bind: [{ property: "door", ...bind }],
    });
    const moved = "2026-11-22T06:00:00+01:00";
    const tags = [tag("x", { validTo: moved }), tag("y", { validFrom: moved }), tag("z", { equipment: "a/m2" })];
    const configuration = { version: 1, connections: [{ name: "plc", kind: "http", tags }] } as const;
    const at = Date.parse(moved) * 1000;
    const found = [at - 1, at].map(
      (t) => boundTo({ ...configuration, connections: [...configuration.connections] }, "a/m1", "door", t)?.address,
    );
    expect(found).toEqual(["x", "y"]);
    expect(boundTo({ ...configuration, connections: [...configuration.connections] }, "a/m2", "speed", at)).toBeNull();
  });
});

describe("a mapping in fields", () => {
  const mapping: Mapping & { states: unknown[] } = {
    preset: "packml",
    states: [
      { value: 7, itemState: "OutOfService", cause: 4_100_000 },
      { value: "7", itemState: "unknown" },
      { from: 10, to: 20, operationMode: "Setup" },
      { to: -1, itemState: "NotExecuting" },
    ],
    otherwise: { itemState: "NotExecuting" },
    deadBand: 0.5,
    counter: { width: "uint16", maxPerSecond: 3, sampling: "sampled", samplingMs: 500, glitchWindowMs: 0 },
    pulse: { edge: "rising", stopAfterCycles: 2.5, idealCycleMs: 1200 },
  };
  it("comes back as it was", () => {
    for (const one of [mapping, {}, ...statePresets.map((preset) => ({ preset }))])
      expect(mappingOf(draftOf(one))).toEqual({ mapping: one, faults: new Map() });
  });
  it("keeps rows with conditions, and leaves their verdict to the server", () => {
    const withCondition: Mapping = {
      states: [
        { value: 7, itemState: "NotExecuting" },
        { when: "value > 5.0", itemState: "Executing" },
        { value: 6, itemState: "NotExecuting" },
      ],
    };
    expect(mappingOf(draftOf(withCondition)).mapping).toEqual(withCondition);
    expect([6, 7, "6"].map((value) => verdictOf(withCondition, value))).toEqual([
      "server",
      { itemState: "NotExecuting" },
      "unsaid",
    ]);
  });
  it("names what is wrong, and goes on without it", () => {
    const draft = draftOf({ states: [{ value: 1, itemState: "Executing" }], counter: { maxPerSecond: 1 } });
    const rows = [
      newRow({ itemState: "Executing" }),
      newRow({ value: "2" }),
      newRow({ by: "range", from: "5", to: "5", itemState: "Executing" }),
      newRow({ by: "range", itemState: "Executing" }),
      newRow({ by: "range", from: "x", itemState: "Executing" }),
      newRow({ by: "when", itemState: "Executing" }),
    ];
    const { mapping: found, faults } = mappingOf({
      ...draft,
      rows: [...draft.rows, ...rows],
      deadBand: "-1",
      counter: { ...draft.counter, maxPerSecond: "0", samplingMs: "soon" },
    });
    expect(found).toEqual({ states: [{ value: 1, itemState: "Executing" }] });
    expect([...faults.values()].sort()).toEqual(
      ["value", "meaning", "range", "range", "number", "when", "positive", "positive", "number"].sort(),
    );
  });
});

describe("a mapping from an instant on", () => {
  const binding = { property: "state", mapping: { preset: "packml" }, validTo: "2026-02-01T00:00:00Z" } as const;
  it("leaves what held before", () => {
    expect(remapped(binding, { preset: "running" }, "2026-01-02T00:00:00Z")).toEqual([
      { property: "state", mapping: { preset: "packml" }, validTo: "2026-01-02T00:00:00Z" },
      {
        property: "state",
        mapping: { preset: "running" },
        validFrom: "2026-01-02T00:00:00Z",
        validTo: binding.validTo,
      },
    ]);
    expect(remapped(binding, undefined, undefined)).toEqual([{ property: "state", validTo: binding.validTo }]);
    expect(remapped(binding, {}, binding.validTo)).toBeNull();
    expect(remapped({ ...binding, validFrom: "2026-01-02T00:00:00Z" }, {}, "2026-01-02T00:00:00Z")).toBeNull();
  });
});

it("counts the different values of a recording, and what is none apart", () => {
  const series: PointSeries = {
    rows: 7,
    tag: [1, 1, 1, 1, 1, 1, 1],
    time: [1, 2, 3, 4, 5, 6, 7],
    value: [2, 1, 2, "2", { double: "NaN" }, { int64: "9007199254740993" }, 2],
    status: [0, 0, 0, 0, 0, 0, 0x80000000],
    cursor: null,
    warnings: [],
  };
  expect(recordingOf(series, 3)).toEqual({
    values: [
      { value: 2, count: 2, lastUs: 3 },
      { value: 9007199254740992, count: 1, lastUs: 6 },
      { value: "2", count: 1, lastUs: 4 },
    ],
    others: 1,
    bad: 2,
    points: 7,
    more: false,
  });
});

it("draws a meaning as the machine's page does while it is to produce", () => {
  expect(classOf({ itemState: "Executing" }, undefined)).toBe("executing");
  expect(classOf({ itemState: "NotExecuting" }, undefined)).toBe("notExecuting");
  expect(classOf({ itemState: "OutOfService" }, undefined)).toBe("fault");
  expect(classOf({ itemState: "Executing", operationMode: "Setup" }, undefined)).toBe("setup");
  expect(classOf({ operationMode: "Maintenance" }, undefined)).toBe("maintenance");
  expect(classOf({ operationMode: "Processing" }, undefined)).toBe("executing");
  expect(classOf({ itemState: "unknown" }, undefined)).toBe("unknown");
});
