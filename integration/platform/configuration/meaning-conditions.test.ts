import { describe, expect, test } from "vitest";
import { readConfiguration } from "./index.ts";

const read = (text: string) => readConfiguration([{ file: "plant.yaml", text }], { env: null }).problems;
/** A filler whose state is told in this way, with one tag that is bound. */
const plant = (state: string, bound = "door"): string => `version: 1
models:
  - name: filler
    version: 1.0.0
    properties:
      - ${state}
      - { name: speed, kind: processValue }
      - { name: door, kind: processValue, type: boolean }
      - { name: stroke, kind: pulse }
      - { name: mode, kind: operationMode, conditions: [{ when: "door", operationMode: Setup }] }
equipment:
  - { path: Filler, level: site, model: filler@1.0.0 }
connections:
  - name: plc
    kind: http
    tags:
      - { address: a, equipment: Filler, bind: [{ property: ${bound} }] }
`;
const told = (text: string): string[] =>
  read(text).map(({ line = 0, column = 0, code, message }) => {
    const there = text.split("\n")[line - 1].slice(column - 1);
    return `${line} at ${there.slice(0, 7)}: ${code}: ${message}`;
  });
const state = (rest: string): string => `{ name: state, kind: itemState, ${rest} }`;
const when = (text: string): string =>
  state(`conditions: [{ when: "door", itemState: NotExecuting }, { when: "${text}", itemState: Executing }]`);

describe("conditions over several properties", () => {
  test("are possible", () => {
    expect(read(plant(when("speed > 100.0 && !door")))).toEqual([]);
  });

  const many = `door${" || door".repeat(60)}`;
  test.each<[string, string]>([
    [
      "speed > 1.0 && !dor",
      'At character 17 of "speed > 1.0 && !dor": The model has no property "dor". Did you mean "door"?',
    ],
    ["speed", 'At character 1 of "speed": It is a double, but should be true or false.'],
    ["door > 1.0", 'At character 1 of "door > 1.0": no such overload: bool > double.'],
    ["state == 1.0", 'At character 1 of "state == 1.0": "state" would depend on itself.'],
    [
      "mode == 1.0",
      'At character 1 of "mode == 1.0": "mode" is told by conditions itself; name the properties that have tags.',
    ],
    ["stroke == 1.0", 'At character 1 of "stroke == 1.0": "stroke" is a pulse, which has no value between two pieces.'],
    [many, `At character 1 of ${JSON.stringify(`${many.slice(0, 79)}…`)}: Exceeded maxAstNodes (100).`],
  ])("are refused: %s", (text, message) => {
    const there = `"${text}", item`.slice(0, 7);
    expect(told(plant(when(text)))).toEqual([`6 at ${there}: condition_invalid: ${message}`]);
  });

  test.each<[string, string, string]>([
    [
      "that name nothing",
      plant(state('conditions: [{ when: "true", itemState: Executing }]')),
      "6 at [{ when: condition_invalid: The conditions name no property, so there is no value that they could depend on.",
    ],
    [
      "beside a mapping",
      plant(state('mapping: { preset: packml }, conditions: [{ when: "door", itemState: Executing }]')),
      '6 at { prese: request_invalid: Conditions tell "state", so it has no raw values for `mapping` to speak of.',
    ],
    [
      "of a counter",
      plant('{ name: good, kind: counter, conditions: [{ when: "door" }] }'),
      "6 at [{ when: request_invalid: A property of kind counter is not told by conditions.",
    ],
    [
      "of a property that has a tag too",
      plant(when("!door"), "state"),
      '17 at state }: reference_unknown: "state" is told by the conditions of filler@1.0.0, not by a tag.',
    ],
  ])("are refused %s", (_, text, expected) => {
    expect(told(text)).toEqual([expected]);
  });

  test("name sixteen properties at most", () => {
    const names = Array.from({ length: 17 }, (_, i) => `p${i}`);
    const more = names.map((name) => `      - { name: ${name}, kind: processValue, type: boolean }\n`).join("");
    const text = plant(when(names.join(" || "))).replace("equipment:\n", () => `${more}equipment:\n`);
    expect(told(text)).toEqual([
      "6 at [{ when: condition_invalid: The conditions name 18 properties; at most 16 are possible.",
    ]);
  });
});
