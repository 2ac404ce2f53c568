import {
  type Annotation,
  alarmColumns,
  identifierColumns,
  type MachineFactsBody,
  minuteUs,
  type Recorded,
  startingReasons,
} from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { countBars, executionsUntil, piecesOf, type Said, spansOf, stopRows, stopsOf } from "./timeline.ts";

const at = (minute: number): number => minute * minuteUs;

/** Runs, stands from 10, breaks down at 15, runs from 20 on; nothing is heard after 40. */
const facts = (over: Partial<MachineFactsBody> = {}): MachineFactsBody => ({
  equipmentId: 1,
  fromUs: at(0),
  toUs: at(60),
  states: {
    time: [at(-5), at(10), at(15), at(20)],
    itemState: ["Executing", "NotExecuting", "OutOfService", "Executing"],
    operationMode: [null, null, null, null],
    cause: [0, 0, 7_100_000, 0],
  },
  increments: { source: [], time: [], n: [], kind: [], flags: [] },
  alarms: alarmColumns([]),
  identifiers: identifierColumns([]),
  watermarkUs: at(40),
  finalBeforeUs: null,
  repairing: false,
  ...over,
});
const said = (over: Partial<Said> = {}): Said => ({
  shifts: [],
  executions: [],
  annotations: [],
  reasons: new Map(startingReasons.map((reason) => [reason.number, reason])),
  ...over,
});
const annotation = (over: Partial<Annotation>, revision = 1): Recorded<Annotation> => ({
  id: `a${revision}`,
  revision,
  changedUs: 0,
  item: {
    equipmentId: 1,
    kind: "reason",
    anchorUs: at(12),
    fromUs: at(10),
    toUs: at(20),
    reason: 4_100_000,
    text: "",
    ...over,
  },
});
const told = (pieces: ReturnType<typeof piecesOf>): [number, string, number][] =>
  pieces.map(({ fromUs, state, reason }) => [fromUs / minuteUs, state, reason]);

describe("what the state lane shows", () => {
  it("states hold until the next; what lies behind the last proof of life is unknown, and the future is nothing", () => {
    expect(told(piecesOf(spansOf(facts(), at(50)), said()))).toEqual([
      [0, "executing", 0],
      [10, "notExecuting", 0],
      [15, "fault", 7_100_000],
      [20, "executing", 0],
      [40, "unknown", 0],
    ]);
    expect(spansOf(facts(), at(50)).at(-1)?.toUs).toBe(at(50));
    // A few seconds behind is the usual, and no hole.
    expect(spansOf(facts(), at(40) + 5_000_000).at(-1)?.itemState).toBe("Executing");
    expect(told(piecesOf(spansOf(facts({ watermarkUs: null }), at(50)), said()))).toEqual([[0, "unknown", 0]]);
  });

  it("outside shifts and in breaks nobody is to blame, and without an order it stands for want of one", () => {
    const shift = { id: "s", calendar: "c", name: "Early", crew: null, productionDay: "1970-01-01", resolved: [] };
    const shifts = [{ ...shift, fromUs: at(0), toUs: at(18), breaks: [{ name: null, fromUs: at(12), toUs: at(14) }] }];
    const order = (fromUs: number, toUs: number) => ({
      ...{ order: "A", operation: "10", material: null, quantity: 1, unit: "1", told: false },
      fromUs,
      toUs,
    });
    expect(told(piecesOf(spansOf(facts(), at(30)), said({ shifts, executions: [order(at(0), at(11))] })))).toEqual([
      [0, "executing", 0],
      [10, "notExecuting", 0],
      [11, "noOrder", 0],
      [15, "fault", 7_100_000],
      [18, "noOrder", 7_100_000],
      [20, "executing", 0],
    ]);
  });

  it("a reason holds for the whole stop, a split for its part over it, an orphaned one for nothing", () => {
    const annotations = [
      annotation({}),
      annotation({ kind: "split", anchorUs: at(17), fromUs: at(16), toUs: at(25), reason: 5_200_000 }, 2),
      annotation({ anchorUs: at(30), fromUs: at(28), toUs: at(32) }, 3),
      annotation({ kind: "comment", reason: null, text: "seen" }, 4),
    ];
    const spans = spansOf(facts(), at(30));
    const pieces = piecesOf(spans, said({ annotations }));
    expect(told(pieces)).toEqual([
      [0, "executing", 0],
      [10, "notExecuting", 4_100_000],
      [15, "fault", 4_100_000],
      [16, "setup", 5_200_000],
      [20, "executing", 0],
    ]);
    expect(stopsOf(spans)).toEqual([{ fromUs: at(10), toUs: at(20) }]);
    const [row] = stopRows(spans, pieces, said({ annotations }), 0);
    expect(row).toMatchObject({ fromUs: at(10), toUs: at(20), given: true, text: "seen", reason: 4_100_000 });
    expect(stopRows(spans, pieces, said(), at(11))).toEqual([]);
  });
});

describe("counts and orders", () => {
  it("a count on the edge of a bucket belongs to what lies before; a total holds its scrap", () => {
    const increments = {
      source: [at(0), at(5), at(5), at(10)],
      time: [at(5), at(10), at(10), at(11)],
      n: [4, 6, 2, 1],
      kind: ["total", "total", "scrap", "total"] as ("total" | "scrap")[],
      flags: [0, 0, 0, 0],
    };
    const bars = countBars(facts({ increments }), { fromUs: at(0), toUs: at(20) }, at(10), () => "");
    expect(bars.map(({ fromUs, value, bad }) => [fromUs / minuteUs, value, bad])).toEqual([
      [0, 10, 2],
      [10, 1, 0],
    ]);
  });

  it("an execution without an end lasts until now; what the machine told says so", () => {
    const what = { operation: null, material: null, quantity: 5, unit: "1" };
    const ran = [
      { ...what, order: "A", by: "booking" as const, fromUs: at(3), toUs: null },
      { ...what, order: "B", by: "identifier" as const, fromUs: at(1), toUs: at(2) },
    ];
    expect(executionsUntil(ran, at(9))).toMatchObject([
      { order: "B", fromUs: at(1), toUs: at(2), told: true },
      { order: "A", fromUs: at(3), toUs: at(9), told: false },
    ]);
  });
});
