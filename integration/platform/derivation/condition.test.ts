import { type Mapping, stateCode } from "@lineshaft/contract/api";
import { describe, expect, it, test } from "vitest";
import { ConditionFault, compileCondition } from "./condition.ts";
import { codeAt, compileMapping, outside, textKey } from "./mapping.ts";

const run = stateCode("Executing");
const stop = stateCode("NotExecuting");
const away = stateCode("NotAvailable");

describe("a condition", () => {
  it.each<[string, number[], number[]]>([
    ["value > 5.0 && value < 20.0", [5.5, 19.9], [5, 20, -6]],
    ["value > 5 && value <= 20", [5.5, 20], [5, 20.1]],
    ["value == 5.0 || !(value < 100.0)", [5, 100], [5.1, 99]],
    ["int(value) / 8 % 2 == 1", [8, 15, 24, 8.9], [7, 16]],
    ["value in [1.0, 2.0]", [1, 2], [3]],
    ["value * 2.0 - 1.0 >= 9.0", [5], [4.9]],
    ["(value > 100.0 ? -value : value) > 50.0", [51], [101, 50]],
    ["double(int(value)) == value // whole", [4], [4.5]],
    ["1 / int(value) == 1 || value < 1.0", [0, 1], [2]],
  ])("%s", (text, holds, not) => {
    const condition = compileCondition(text);
    expect(holds.map(condition)).toEqual(holds.map(() => true));
    expect(not.map(condition)).toEqual(not.map(() => false));
  });

  it.each<[string, number, string]>([
    ["value >", 7, "Unexpected token: EOF."],
    ["valu > 5.0", 0, 'There is no "valu" here; the tag\'s value is `value`.'],
    ["value > 5.0 && status == 1", 15, 'There is no "status" here; the tag\'s value is `value`.'],
    ["value == 5", 0, "no such overload: double == int."],
    ["value + 1.0", 0, "It is a double, but should be true or false."],
    ["value == 'a'", 9, "Only numbers, true and false stand in a condition."],
    ["value == null", 9, "Only numbers, true and false stand in a condition."],
    ["now() > value", 0, "The function now() is not possible here."],
    ["dyn(value) == 5", 0, "The function dyn() is not possible here."],
    ["string(value).matches('(a+)+')", 0, "The function matches() is not possible here."],
    ["[1.0].exists(x, x > value)", 16, "Exceeded maxCallArguments (1)."],
    ["[1.0].size() > 0", 0, "The function size() is not possible here."],
    ["[1.0][0] > value", 0, "Fields, lists and maps are not possible here."],
    ["has(value.a)", 0, "The function has() is not possible here."],
    ["{'a': 1.0}.a > value", 0, "Fields, lists and maps are not possible here."],
    ["value in {1.0: 2}", 0, "A list like [1.0, 2.0] has to stand behind `in`."],
    ["constructor == value", 0, 'There is no "constructor" here; the tag\'s value is `value`.'],
    [`${"(".repeat(17)}value > 1.0${")".repeat(17)}`, 16, "Exceeded maxDepth (16)."],
    [`value > 1.0${" || value > 1.0".repeat(30)}`, 383, "Exceeded maxAstNodes (100)."],
    [`value in [${"1.0, ".repeat(50)}1.0]`, 260, "Exceeded maxListElements (50)."],
  ])("is not %s", (text, at, message) => {
    let fault: unknown = null;
    try {
      compileCondition(text);
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(ConditionFault);
    expect(fault).toMatchObject({ at, message });
  });
});

describe("a mapping", () => {
  const codes = (mapping: Mapping, values: readonly number[]) => {
    const rule = compileMapping(mapping);
    return values.map((value) => codeAt(rule, value));
  };

  test("has its rows in the order given, then the preset's, then what holds otherwise", () => {
    const mapping: Mapping = {
      preset: "running",
      states: [
        { value: 7, itemState: "NotAvailable" },
        { when: "value > 5.0", itemState: "Executing" },
        { value: 8, itemState: "NotAvailable" },
        { from: 3, itemState: "NotExecuting" },
        { when: "value > 4.0 || value == 1.0", itemState: "NotAvailable" },
      ],
    };
    expect(codes(mapping, [7, 8, 5, 3, 1, 0, 2])).toEqual([away, run, stop, stop, away, stop, outside]);
    expect(codes({ ...mapping, otherwise: { itemState: "NotAvailable" } }, [0, 2])).toEqual([stop, away]);
  });

  test("without conditions has the same order", () => {
    const states: Mapping["states"] = [
      { from: 0, to: 2, itemState: "NotAvailable" },
      { value: 1, itemState: "Executing" },
      { value: 2, itemState: "Executing" },
      { value: 2, itemState: "NotAvailable" },
      { value: 2000, itemState: "Executing" },
      { value: "A", itemState: "Executing" },
      { itemState: "NotExecuting" },
      { value: 3, itemState: "Executing" },
      { value: "A", itemState: "NotAvailable" },
    ];
    const values = [0, 1, 2, 3, 2000, 2001, textKey("A"), textKey("B")];
    const expected = [away, away, run, stop, run, stop, run, outside];
    expect(codes({ states }, values)).toEqual(expected);
    expect(codes({ states, preset: "packml" }, values)).toEqual(expected);
  });

  test("says nothing where a condition has no answer, whatever comes behind it", () => {
    const mapping: Mapping = {
      states: [
        { value: 9, itemState: "NotAvailable" },
        { when: "6 / int(value) == 6", itemState: "Executing" },
        { value: "A", itemState: "Executing" },
      ],
      otherwise: { itemState: "NotExecuting" },
    };
    expect(codes(mapping, [0, 1, 2, 9, textKey("A")])).toEqual([outside, run, stop, away, outside]);
  });

  test("with a condition that came past the check stops nothing", () => {
    const states: Mapping["states"] = [{ value: 1, itemState: "Executing" }, { when: "value >" }];
    expect(codes({ states, otherwise: { itemState: "NotExecuting" } }, [1, 2])).toEqual([run, outside]);
  });
});
