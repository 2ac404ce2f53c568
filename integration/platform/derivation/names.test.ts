import { ColumnsBuilder, type Mapping, statusBadNoCommunication, type Value } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import {
  alarmIntervals,
  alarmTransitions,
  type BindingRole,
  compileMapping,
  Derivation,
  identifierTransitions,
  Rules,
  Texts,
} from "./index.ts";

const origin = 1_800_000_000_000_000;
const second = 1_000_000;
const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
type Row = [seconds: number, value: Value | "bad"];

function machine(role: BindingRole, mappings: Mapping[], rows: Row[], gap: [number, number] | null = null): Derivation {
  const derivation = new Derivation();
  const pieces = mappings.map((mapping, i) => ({
    from: i === 0 ? ever.from : origin + i * 100 * second,
    to: i + 1 === mappings.length ? ever.to : origin + (i + 1) * 100 * second,
    rule: compileMapping(mapping),
  }));
  const channels = [{ tag: 7, connection: 1, counts: null }];
  derivation.add({ id: 1, equipment: 1, role, property: "p", channels, rules: new Rules(pieces) }, "none");
  for (const [seconds, value] of rows) {
    const [from, to] = gap ?? [Number.NaN, Number.NaN];
    if (seconds >= to) derivation.gapChanged(1, origin + from * second, origin + to * second, true);
    if (seconds >= to) gap = null;
    const columns = new ColumnsBuilder(1);
    const bad = value === "bad";
    columns.add(7, origin + seconds * second, bad ? 0 : value, bad ? statusBadNoCommunication : 0);
    derivation.apply(columns.build());
  }
  derivation.tick(origin + 3_000 * second);
  return derivation;
}

const window = [origin - 100 * second, origin + 3_000 * second] as const;
const at = (t: number): number => (t - origin) / second;
const identifiers = (derivation: Derivation) =>
  identifierTransitions(derivation.bindingsOf(1), ...window).map(({ t, value }) => [at(t), value]);
const alarms = (derivation: Derivation) =>
  alarmTransitions(derivation.bindingsOf(1), ...window).map((one) => [at(one.t), one.active, one.code, one.severity]);

describe("identifiers", () => {
  it.each<[string, Row[], [number, string | null][]]>([
    [
      "change where their text does",
      [
        [0, "A-1"],
        [5, "A-1"],
        [9, "A-2"],
      ],
      [
        [-100, null],
        [0, "A-1"],
        [9, "A-2"],
      ],
    ],
    // The same text, whatever type the source gave it; zeros in front and a zero are texts like others.
    [
      "are the same text, whatever type the source gave it; zeros in front and a zero are texts like others",
      [
        [0, 4711],
        [1, "4711"],
        [2, "04711"],
        [3, 0],
        [4, "0"],
        [5, ""],
      ],
      [
        [-100, null],
        [0, "4711"],
        [2, "04711"],
        [3, "0"],
        [5, ""],
      ],
    ],
    [
      "are exact",
      [
        [0, 9_007_199_254_740_993n],
        [1, 9_007_199_254_740_992n],
        [2, -(2 ** 60)],
        [3, true],
      ],
      [
        [-100, null],
        [0, "9007199254740993"],
        [1, "9007199254740992"],
        [2, "-1152921504606847000"],
        [3, "1"],
      ],
    ],
    [
      "are unknown where a value is bad or none",
      [
        [0, "A-1"],
        [5, "bad"],
        [6, "bad"],
        [7, "A-1"],
        [8, null],
      ],
      [
        [-100, null],
        [0, "A-1"],
        [5, null],
        [7, "A-1"],
        [8, null],
      ],
    ],
    // Within one instant the last value counts.
    [
      "are the last of an instant",
      [
        [0, "A-1"],
        [0, "A-2"],
      ],
      [
        [-100, null],
        [0, "A-1"],
      ],
    ],
  ])("%s", (_, rows, told) => {
    expect(identifiers(machine("identifier", [{}], rows))).toEqual(told);
  });

  it("are unknown from a gap on until a value tells them; what came within it holds from its end on", () => {
    expect(
      identifiers(
        machine(
          "identifier",
          [{}],
          [
            [0, "A-1"],
            [60, "A-1"],
          ],
          [20, 40],
        ),
      ),
    ).toEqual([
      [-100, null],
      [0, "A-1"],
      [20, null],
      [60, "A-1"],
    ]);
    const rows: Row[] = [
      [0, "A-1"],
      [40, "A-2"],
      [50, "A-2"],
    ];
    expect(identifiers(machine("identifier", [{}], rows, [20, 40]))).toEqual([
      [-100, null],
      [0, "A-1"],
      [20, null],
      [40, "A-2"],
    ]);
  });
});

describe("alarms", () => {
  it.each<[string, Mapping[], Row[], unknown[][]]>([
    [
      "a signal is one alarm",
      [{ alarm: { severity: 900 } }],
      [
        [0, false],
        [5, true],
        [6, true],
        [9, false],
      ],
      [
        [-100, null, null, null],
        [0, false, null, null],
        [5, true, "1", 900],
        [9, false, null, null],
      ],
    ],
    [
      "a number is the code of the alarm that is active",
      [{ alarm: { rows: [{ value: 17, severity: 950 }] } }],
      [
        [0, 0],
        [5, 17],
        [6, "18"],
        [9, ""],
        [10, "bad"],
      ],
      [
        [-100, null, null, null],
        [0, false, null, null],
        [5, true, "17", 950],
        [6, true, "18", 500],
        [9, false, null, null],
        [10, null, null, null],
      ],
    ],
    [
      "what an alarm says of itself is by the mapping in force",
      [{ alarm: { severity: 100 } }, { alarm: { severity: 800 } }, { alarm: { rows: [{ value: 3, active: false }] } }],
      [[0, 3]],
      [
        [-100, null, null, null],
        [0, true, "3", 100],
        [100, true, "3", 800],
        [200, false, null, null],
      ],
    ],
  ])("%s", (_, mappings, rows, told) => {
    expect(alarms(machine("alarm", mappings, rows))).toEqual(told);
  });
});

describe("alarms from begin to end", () => {
  it("tell since when also where that lies before what is asked, and end where they are unknown", () => {
    const derivation = machine(
      "alarm",
      [{ alarm: { rows: [{ value: 17, severity: 900, cause: 5 }] } }],
      [
        [0, 0],
        [10, 17],
        [5_000, 18],
        [9_000, 0],
        [9_100, 17],
        [9_200, "bad"],
        [9_300, 3],
      ],
    );
    const own = derivation.bindingsOf(1);
    const told = (fromS: number, toS: number) =>
      alarmIntervals(own, origin + fromS * second, origin + toS * second).map((each) => [
        each.code,
        each.severity,
        each.cause,
        each.sinceUs === null ? null : at(each.sinceUs),
        each.untilUs === null ? null : at(each.untilUs),
      ]);
    expect(told(-100, 20_000)).toEqual([
      ["17", 900, 5, 10, 5_000],
      ["18", 500, 0, 5_000, 9_000],
      ["17", 900, 5, 9_100, 9_200],
      ["3", 500, 0, 9_300, null],
    ]);
    expect(told(100, 101)).toEqual([["17", 900, 5, 10, 5_000]]);
    expect(told(9_250, 9_300)).toEqual([]);
    expect(told(20_000, 20_001)).toEqual([["3", 500, 0, 9_300, null]]);
    derivation.tick(origin + 30_000 * second);
    derivation.forgetBefore(origin + 20_000 * second);
    expect(told(20_000, 20_001)).toEqual([["3", 500, 0, null, null]]);
  });
});

describe("texts", () => {
  it("are kept as long as a fact or a checkpoint has them, and told to the disk once", () => {
    const derivation = machine(
      "identifier",
      [{}],
      [
        [0, "A-1"],
        [4_000, "A-2"],
        [9_000, "A-3"],
      ],
    );
    const { texts } = derivation;
    expect(texts.unsaved.map(([, text]) => text)).toEqual(["A-1", "A-2", "A-3"]);
    texts.saved();
    derivation.tick(origin + 20_000 * second);
    derivation.forgetTexts();
    expect(texts.unsaved).toEqual([]);
    derivation.forgetBefore(origin + 9_000 * second);
    derivation.forgetTexts();
    // The second still is what holds at the start of the hour that is kept.
    expect(texts.unsaved).toEqual([[new Texts().keyOf("A-1"), null]]);
    expect(["A-2", "A-3"].map((text) => texts.textOf(new Texts().keyOf(text)))).toEqual(["A-2", "A-3"]);
  });
});
