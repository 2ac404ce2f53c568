import {
  ColumnsBuilder,
  type MachineFacts,
  type Mapping,
  stateCode,
  statusBadNoCommunication,
} from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { factsWithin } from "./compose.ts";
import { type BindingRole, compileMapping, Derivation, machineFacts, Rules, Steps, textKey } from "./index.ts";
import { codeAt, outside } from "./mapping.ts";

const origin = 1_800_000_000_000_000;
const second = 1_000_000;
type Row = [seconds: number, value: number | string | null];

/** The facts of a machine with one binding; null is a bad sample. Times in seconds from the origin. */
function facts(
  role: BindingRole,
  mapping: Mapping,
  rows: Row[],
  options: { gap?: [number, number]; cycleUs?: number; from?: number } = {},
): MachineFacts {
  const derivation = new Derivation();
  const from = options.from === undefined ? Number.NEGATIVE_INFINITY : origin + options.from * second;
  const rules = new Rules([{ from, to: Number.POSITIVE_INFINITY, rule: compileMapping(mapping) }]);
  if (options.cycleUs !== undefined) derivation.setCycles(1, new Steps([0], [options.cycleUs]));
  derivation.add({ id: 1, equipment: 1, role, channels: [{ tag: 7, connection: 1, counts: "good" }], rules }, "none");
  let gap = options.gap;
  for (const [seconds, value] of rows) {
    if (gap !== undefined && seconds >= gap[1]) {
      derivation.gapChanged(1, origin + gap[0] * second, origin + gap[1] * second, true);
      gap = undefined;
    }
    const columns = new ColumnsBuilder(1);
    columns.add(7, origin + seconds * second, value ?? 0, value === null ? statusBadNoCommunication : 0);
    derivation.apply(columns.build());
  }
  derivation.tick(origin + 3_000 * second);
  return machineFacts(derivation.bindingsOf(1), origin - 100 * second, origin + 3_000 * second);
}

const states = ({ states: { t, code } }: MachineFacts): [number, number][] =>
  Array.from(t, (at, i) => [(at - origin) / second, code[i]]);
const counts = ({ increments: { source, t, n, flags } }: MachineFacts): number[][] =>
  Array.from(t, (at, i) => [(source[i] - origin) / second, (at - origin) / second, n[i], flags[i]]);

const run = stateCode("Executing");
const stop = stateCode("NotExecuting");

describe("states", () => {
  it.each<[Mapping, Row[], [number, number][]]>([
    [
      { preset: "packml" },
      [
        [0, 6],
        [5, 11],
        [9, 6],
      ],
      [
        [-100, 0],
        [0, run],
        [5, stop],
        [9, run],
      ],
    ],
    [
      { preset: "packml" },
      [[0, 9]],
      [
        [-100, 0],
        [0, stateCode("OutOfService")],
      ],
    ],
    [
      { preset: "mtconnectExecution" },
      [
        [0, "ACTIVE"],
        [1, "ACTIVE"],
        [5, "FEED_HOLD"],
        [6, "UNAVAILABLE"],
      ],
      [
        [-100, 0],
        [0, run],
        [5, stop],
        [6, 0],
      ],
    ],
    [
      { preset: "weihenstephanState" },
      [
        [0, 128],
        [3, 1024],
      ],
      [
        [-100, 0],
        [0, run],
        [3, stateCode("OutOfService")],
      ],
    ],
    [
      { preset: "running", states: [{ value: 2, itemState: "NotExecuting", operationMode: "Setup", cause: 17 }] },
      [
        [0, 1],
        [4, 2],
      ],
      [
        [-100, 0],
        [0, run],
        [4, stateCode("NotExecuting", "Setup", 17)],
      ],
    ],
    // Bad is unknown, and so is a value that the table has not.
    [
      { preset: "running" },
      [
        [0, 1],
        [4, null],
        [6, 1],
        [8, 99],
        [9, 0],
      ],
      [
        [-100, 0],
        [0, run],
        [4, 0],
        [6, run],
        [8, 0],
        [9, stop],
      ],
    ],
    [
      { preset: "running", otherwise: { itemState: "NotAvailable" } },
      [[0, 5]],
      [
        [-100, 0],
        [0, stateCode("NotAvailable")],
      ],
    ],
    // A speed: above 10 it runs; what moves by less than 2 changes nothing.
    [
      {
        states: [
          { to: 10, itemState: "NotExecuting" },
          { from: 10, itemState: "Executing" },
        ],
        deadBand: 2,
      },
      [
        [0, 9.5],
        [1, 10.5],
        [2, 11.6],
        [3, 9.7],
        [4, 9.5],
      ],
      [
        [-100, 0],
        [0, stop],
        [2, run],
        [4, stop],
      ],
    ],
  ])("%j", (mapping, rows, expected) => {
    expect(states(facts("itemState", mapping, rows))).toEqual(expected);
  });

  it("are unknown from a gap on until the next sample", () => {
    const found = facts(
      "itemState",
      { preset: "running" },
      [
        [0, 1],
        [60, 1],
      ],
      { gap: [10, 20] },
    );
    expect(states(found)).toEqual([
      [-100, 0],
      [0, run],
      [10, 0],
      [60, run],
    ]);
  });

  it("are known from the end of a gap on by what was told within it", () => {
    const derivation = new Derivation();
    const rules = new Rules([
      { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, rule: compileMapping({ preset: "running" }) },
    ]);
    derivation.add(
      { id: 1, equipment: 1, role: "itemState", channels: [{ tag: 7, connection: 1, counts: null }], rules },
      "none",
    );
    const point = (seconds: number, value: number): void => {
      const columns = new ColumnsBuilder(1);
      columns.add(7, origin + seconds * second, value);
      derivation.apply(columns.build());
    };
    point(0, 1);
    derivation.gapChanged(1, origin + 10 * second, Number.POSITIVE_INFINITY, true);
    point(19, 0);
    derivation.gapChanged(1, origin + 20 * second, Number.POSITIVE_INFINITY, false);
    point(30, 1);
    expect(states(machineFacts(derivation.bindingsOf(1), origin - 100 * second, origin + 100 * second))).toEqual([
      [-100, 0],
      [0, run],
      [10, 0],
      [20, stop],
      [30, run],
    ]);
  });

  it("count what is outside their table, and go on", () => {
    const rule = compileMapping({ preset: "running" });
    expect([codeAt(rule, 0), codeAt(rule, 1), codeAt(rule, 2), codeAt(rule, 0.5), codeAt(rule, textKey("1"))]).toEqual([
      stop,
      run,
      outside,
      outside,
      outside,
    ]);
  });

  it("tell texts from one another and from numbers", () => {
    const keys = ["", "A", "B", "AB", "BA", "Executing", "executing", "NotExecuting"].map(textKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.every((key) => key < -(2 ** 51) && !Number.isInteger(key))).toBe(true);
  });
});

describe("counters", () => {
  const first = (t: number) => [t, t, 0, 1];
  it.each<[string, Mapping["counter"], Row[], number[][]]>([
    [
      "differences",
      {},
      [
        [0, 5],
        [10, 8],
        [20, 8],
        [30, 9],
      ],
      [first(0), [0, 10, 3, 0], [20, 30, 1, 0]],
    ],
    [
      "uint16",
      { width: "uint16" },
      [
        [0, 65_530],
        [10, 4],
        [60, 6],
      ],
      [first(0), [0, 10, 10, 4], [10, 60, 2, 0]],
    ],
    [
      "int16",
      { width: "int16" },
      [
        [0, 32_767],
        [10, -32_768],
        [60, -32_767],
      ],
      [first(0), [0, 10, 1, 4], [10, 60, 1, 0]],
    ],
    [
      "uint32",
      { width: "uint32" },
      [
        [0, 4_294_967_295],
        [10, 1],
      ],
      [first(0), [0, 10, 2, 4]],
    ],
    [
      "bcd16",
      { width: "bcd16" },
      [
        [0, 9_998],
        [10, 3],
      ],
      [first(0), [0, 10, 5, 4]],
    ],
    [
      "a counter that the program rolls over",
      { rolloverAt: 1_000 },
      [
        [0, 999],
        [10, 1],
      ],
      [first(0), [0, 10, 2, 4]],
    ],
    [
      "a reset",
      {},
      [
        [0, 500],
        [10, 3],
        [20, 5],
      ],
      [first(0), [0, 10, 0, 9], [10, 20, 2, 0]],
    ],
    [
      "a rollover too large to be one",
      { width: "uint16", maxPerSecond: 1 },
      [
        [0, 500],
        [10, 3],
        [60, 5],
      ],
      [first(0), [0, 10, 0, 9], [10, 60, 2, 0]],
    ],
    [
      "a glitch downwards",
      { maxPerSecond: 1 },
      [
        [0, 500],
        [10, 0],
        [15, 507],
      ],
      [first(0), [0, 15, 7, 0]],
    ],
    [
      "a glitch upwards",
      { maxPerSecond: 1 },
      [
        [0, 500],
        [10, 9_000],
        [15, 507],
      ],
      [first(0), [0, 15, 7, 0]],
    ],
    [
      "a next sample exactly at the end of the window",
      { maxPerSecond: 1 },
      [
        [0, 500],
        [10, 0],
        [20, 507],
      ],
      [first(0), [0, 20, 7, 0]],
    ],
    [
      "a next sample after the window",
      { maxPerSecond: 1 },
      [
        [0, 500],
        [10, 0],
        [20.000001, 3],
      ],
      [first(0), [0, 10, 0, 9], [10, 20.000001, 3, 0]],
    ],
    [
      "one piece more than the rate allows",
      { maxPerSecond: 1 },
      [
        [0, 0],
        [10, 11],
      ],
      [first(0), [0, 10, 11, 0]],
    ],
    [
      "bad samples and what is wider than the register are left out",
      { width: "uint16" },
      [
        [0, 5],
        [10, null],
        [20, 70_000],
        [30, 8],
      ],
      [first(0), [0, 30, 3, 0]],
    ],
    [
      "sampled: the place is estimated",
      { sampling: "sampled" },
      [
        [0, 5],
        [10, 8],
      ],
      [first(0), [0, 10, 3, 2]],
    ],
    [
      "sampled, told only when it changed: it stood still at the samples that were not told",
      { sampling: "sampled", samplingMs: 5_000 },
      [
        [0, 5],
        [5, 6],
        [605, 7],
      ],
      [first(0), [0, 5, 1, 2], [600, 605, 1, 2]],
    ],
    [
      "sampled: more than can be made in a period lies since the last sample that came",
      { sampling: "sampled", samplingMs: 5_000, maxPerSecond: 1 },
      [
        [0, 5],
        [60, 11],
        [120, 18],
      ],
      [first(0), [55, 60, 6, 2], [60, 120, 7, 2]],
    ],
  ])("%s", (_, counter, rows, expected) => {
    expect(counts(facts("counter", { counter }, rows))).toEqual(expected);
  });

  it("survive a gap, and the place of what they counted meanwhile is estimated", () => {
    const found = facts(
      "counter",
      {},
      [
        [0, 5],
        [60, 25],
        [70, 26],
      ],
      { gap: [10, 20] },
    );
    expect(counts(found)).toEqual([first(0), [0, 60, 20, 2], [60, 70, 1, 0]]);
  });

  it("lie anywhere since the last sample where samples were lost, not in the last period", () => {
    const counter = { sampling: "sampled" as const, samplingMs: 5_000 };
    const found = facts(
      "counter",
      { counter },
      [
        [0, 5],
        [60, 25],
        [90, 26],
      ],
      { gap: [10, 20] },
    );
    expect(counts(found)).toEqual([first(0), [0, 60, 20, 2], [85, 90, 1, 2]]);
  });

  it("count from the beginning of their binding", () => {
    const found = facts(
      "counter",
      {},
      [
        [-5, 100],
        [3, 110],
        [9, 112],
      ],
      { from: 0 },
    );
    expect(counts(found)).toEqual([
      [0, 3, 0, 1],
      [3, 9, 2, 0],
    ]);
  });
});

describe("how many facts an answer would hold", () => {
  it("is known by whole hours", () => {
    const derivation = new Derivation();
    const rules = new Rules([
      { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, rule: compileMapping({}) },
    ]);
    derivation.add(
      { id: 1, equipment: 1, role: "counter", channels: [{ tag: 7, connection: 1, counts: "good" }], rules },
      "none",
    );
    const columns = new ColumnsBuilder();
    for (let i = 0; i < 90; i++) columns.add(7, origin + i * 120 * second, i);
    derivation.apply(columns.build());
    const bindings = derivation.bindingsOf(1);
    expect(factsWithin(bindings, origin, origin + 3_600 * second)).toBe(30);
    expect(factsWithin(bindings, origin + 3_600 * second, origin + 10_800 * second)).toBe(60);
    expect(machineFacts(bindings, origin, origin + 10_800 * second).increments.count).toBe(90);
  });
});

describe("pulses, ideal cycle 10 s, stop after three", () => {
  const pulses = (...seconds: number[]): Row[] => seconds.map((t) => [t, 1]);
  it.each<[string, Row[], Parameters<typeof facts>[3], [number, number][]]>([
    [
      "a pause of exactly three cycles is none",
      pulses(0, 30),
      {},
      [
        [-100, 0],
        [0, run],
        [30, stop],
      ],
    ],
    [
      "a longer one is a stop until a cycle before the next",
      pulses(0, 40),
      {},
      [
        [-100, 0],
        [0, stop],
        [30, run],
        [40, stop],
      ],
    ],
    [
      "stopped from the start of the binding",
      pulses(50, 60),
      { from: 0 },
      [
        [-100, 0],
        [0, stop],
        [40, run],
        [60, stop],
      ],
    ],
    [
      "a gap within three cycles: what ran before it ran",
      pulses(0, 25, 70),
      { gap: [40, 60] },
      [
        [-100, 0],
        [0, run],
        [40, 0],
        [60, run],
        [70, stop],
      ],
    ],
    [
      "a gap later: stopped before it",
      pulses(0, 70),
      { gap: [40, 60] },
      [
        [-100, 0],
        [0, stop],
        [40, 0],
        [60, run],
        [70, stop],
      ],
    ],
    ["no ideal cycle: unknown", pulses(0, 10), { cycleUs: 0 }, [[-100, 0]]],
  ])("%s", (_, rows, options, expected) => {
    expect(states(facts("pulse", {}, rows, { cycleUs: 10 * second, ...options }))).toEqual(expected);
  });

  it("the binding's own ideal cycle serves where no order tells one", () => {
    const found = facts("pulse", { pulse: { idealCycleMs: 20_000 } }, pulses(0, 50));
    expect(states(found)).toEqual([
      [-100, 0],
      [0, run],
      [50, stop],
    ]);
  });

  it("count changes of a level upwards", () => {
    const found = facts("pulse", { pulse: { edge: "rising" } }, [
      [0, 1],
      [1, 0],
      [2, 1],
      [3, 1],
      [4, 0],
      [5, null],
      [6, 1],
      [7, 0],
      [8, 1],
    ]);
    expect(counts(found).map(([, t]) => t)).toEqual([2, 8]);
  });
});
