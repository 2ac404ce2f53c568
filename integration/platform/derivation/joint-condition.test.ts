import type { ConditionRow } from "@lineshaft/contract/api";
import { stateCode } from "@lineshaft/contract/api";
import { describe, expect, it, test } from "vitest";
import { ConditionFault } from "./condition.ts";
import { ConditionTable, checkJointCondition, type NamedTypes } from "./joint-condition.ts";
import { outside, textKey } from "./mapping.ts";

const run = stateCode("Executing");
const stop = stateCode("NotExecuting");
const away = stateCode("NotAvailable");

const types: NamedTypes = { spindle: "double", door: "boolean", step: "int64", program: "string" };
const names = Object.keys(types);
const nothing = Number.POSITIVE_INFINITY;

/** The code for [spindle, door, step, program]; undefined: not known. */
function codeOf(conditions: readonly ConditionRow[], values: readonly (number | string | undefined)[]): number {
  const state = values.flatMap((value) => [typeof value === "string" ? textKey(value) : (value ?? nothing), 0]);
  const bound = names.map(() => ({}) as never);
  return new ConditionTable(conditions, types).decide(names).code(Float64Array.from(state), 0, bound);
}
const held = (when: string, ...values: (number | string | undefined)[]): number =>
  codeOf(
    [
      { when, itemState: "Executing" },
      { when: "true", itemState: "NotExecuting" },
    ],
    values,
  );

describe("a condition over several tags", () => {
  it.each<[string, number, (number | string | undefined)[]]>([
    ["spindle > 100.0 && !door", run, [101, 0]],
    ["spindle > 100.0 && !door", stop, [101, 1]],
    ["spindle > 0 && door == false", stop, [0, 0]],
    ["step == 3 || step in [7, 8]", run, [undefined, undefined, 8]],
    ["step == 3 || step in [7, 8]", stop, [undefined, undefined, 4]],
    ["program == 'milling' && spindle > 1.0", run, [2, undefined, undefined, "milling"]],
    ["program != \"milling\" || program in ['a', 'b']", stop, [2, undefined, undefined, "milling"]],
    ["program in ['a', 'b']", run, [2, undefined, undefined, "b"]],
    ["spindle * 2.0 > double(step)", run, [2, undefined, 3]],
    ["door ? spindle > 1.0 : step > 1", run, [0, 0, 2]],
  ])("%s", (when, code, values) => {
    expect(held(when, ...values)).toBe(code);
  });

  // CEL: what does not depend on the unknown operand holds, whichever side it stands on.
  it.each<[string, number, (number | string | undefined)[]]>([
    ["spindle > 100.0 && !door", 0, [undefined, 0]],
    ["spindle > 100.0 && !door", stop, [undefined, 1]],
    ["!door && spindle > 100.0", stop, [undefined, 1]],
    ["spindle > 100.0 || door", run, [undefined, 1]],
    ["door || spindle > 100.0", run, [undefined, 1]],
    ["spindle > 100.0 || door", 0, [undefined, 0]],
    ["!(spindle > 100.0)", 0, [undefined]],
    ["door ? spindle > 1.0 : step > 1", 0, [undefined, 1, 2]],
    ["door ? spindle > 1.0 : step > 1", run, [undefined, 0, 2]],
    ["spindle > 1.0 ? door : door", 0, [undefined, 1]],
  ])("with something unknown: %s", (when, code, values) => {
    expect(held(when, ...values)).toBe(code);
  });

  it.each<[string, number, (number | string | undefined)[]]>([
    ["1 / step == 1", outside, [undefined, undefined, 0]],
    ["1 / step == 1 && door", stop, [undefined, 0, 0]],
    ["1 / step == 1 || spindle > 1.0", 0, [undefined, undefined, 0]],
    ["step == 1", outside, [undefined, undefined, 1.5]],
    ["spindle > 1.0", outside, ["fast"]],
    ["program == 'a'", outside, [undefined, undefined, undefined, 7]],
    ["program == 'a' && door", stop, [undefined, 0, undefined, 7]],
  ])("without an answer: %s", (when, code, values) => {
    expect(held(when, ...values)).toBe(code);
  });

  test("stands in a table of which the first that is true holds, and none behind one that is not known", () => {
    const table: ConditionRow[] = [
      { when: "door", itemState: "NotAvailable" },
      { when: "spindle > 100.0", itemState: "Executing" },
      { when: "spindle < 1.0", itemState: "NotExecuting" },
    ];
    expect(codeOf(table, [200, 1])).toBe(away);
    expect(codeOf(table, [200, 0])).toBe(run);
    expect(codeOf(table, [undefined, 1])).toBe(away);
    expect(codeOf(table, [200, undefined])).toBe(0);
    expect(codeOf(table, [50, 0])).toBe(outside);
  });

  test("that came past the check has no answer and stops nothing", () => {
    expect(held("spindle >", 1)).toBe(outside);
  });

  it.each<[string, number, string]>([
    ["spindel > 1.0", 0, "no spindel"],
    ["spindle > 1.0 && value > 2.0", 17, "no value"],
    ["door > 1.0", 0, "no such overload: bool > double."],
    ["spindle", 0, "It is a double, but should be true or false."],
    ["spindle == 5", 0, "no such overload: double == int."],
    ["program < 'b'", 0, "A text is compared with == and !=, or looked for with `in`; nothing else is possible."],
    [
      "program + 'a' == 'b'",
      0,
      "A text is compared with == and !=, or looked for with `in`; nothing else is possible.",
    ],
    ["program.startsWith('a')", 0, "The function startsWith() is not possible here."],
    ["spindle == program", 0, "no such overload: double == string."],
    [`door${" || door".repeat(60)}`, 0, "Exceeded maxAstNodes (100)."],
  ])("is not %s", (text, at, message) => {
    let fault: unknown = null;
    try {
      checkJointCondition(text, types, (name) => `no ${name}`);
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(ConditionFault);
    expect(fault).toMatchObject({ at, message });
  });
});
