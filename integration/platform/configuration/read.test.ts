import type { ConfigurationProblem } from "@lineshaft/contract/api";
import fc from "fast-check";
import { Type } from "typebox";
import { describe, expect, test } from "vitest";
import { checkConfiguration, defaultSourceLimits, readConfiguration } from "./index.ts";

const modbus = {
  kind: "modbus",
  config: Type.Object(
    {
      host: Type.String({ minLength: 1, description: "Name or address of the device." }),
      port: Type.Integer({ minimum: 1, maximum: 65535, default: 502, description: "TCP port." }),
      password: Type.Optional(Type.String()),
    },
    { additionalProperties: false },
  ),
  tagOptions: Type.Object({ wordOrder: Type.Optional(Type.Enum(["big", "little"])) }, { additionalProperties: false }),
};
const kinds = [
  { kind: "http", config: Type.Object({}, { additionalProperties: false }), tagOptions: Type.Object({}) },
  modbus,
];
const env = (name: string): string | undefined => ({ PLC: "10.0.0.5", PORT: "502", EMPTY: "" })[name];
const read = (text: string, more: { file: string; text: string }[] = []) =>
  readConfiguration([{ file: "plant.yaml", text }, ...more], { env, kinds });
const told = ({ file, line, column, code, message }: ConfigurationProblem): string =>
  `${file}:${line}:${column}: ${code}: ${message}`;
/** The line, and instead of the column the word that stands there. */
const pointed = (text: string, { line = 0, column = 0, code, message }: ConfigurationProblem): string => {
  const [word] = /^[^\s,:]*/.exec(text.split("\n")[line - 1].slice(column - 1)) ?? [""];
  return `${line} at ${word}: ${code}: ${message}`;
};

const plant = `version: 1
models:
  - name: filler
    version: 1.0.0
    properties:
      - { name: state, kind: itemState }
      - { name: good, kind: counter, counts: good }
equipment:
  - { path: Northfield, level: site }
  - { path: Northfield/Filler, level: workUnit, model: filler@1.0.0 }
connections:
  - name: plc
    kind: modbus
    config: { host: 10.0.0.5 }
    classes: { fast: { samplingMs: 100, queueSize: 1 } }
    tags:
      - { address: "40001", equipment: Northfield/Filler, class: fast, bind: [{ property: state }] }
`;
/** The plant with one line replaced, or lines added behind it. */
const but = (line: string, instead: string): string => {
  expect(plant).toContain(line);
  return plant.replace(line, () => instead);
};

describe("a configuration says where it is wrong, and what to do", () => {
  test("the plant itself is right", () => {
    expect(read(plant).problems).toEqual([]);
  });

  test.each<[string, string, string[]]>([
    [
      "not YAML",
      "version: 1\nequipment: [",
      ["2 at : yaml_invalid: Flow sequence in block collection must be sufficiently indented and end with a ]."],
    ],
    ["a tab", "version: 1\nequipment:\n\t- {}", ["3 at : yaml_invalid: Tabs are not allowed as indentation."]],
    ["nothing", "", ["1 at : request_invalid: version is missing."]],
    ["another document", "version: 1\n---\nversion: 1", ["2 at ---: yaml_invalid: A second document begins here"]],
    ["another version", "version: 2", ["1 at 2: request_invalid: 2 is not 1."]],
    [
      "older YAML",
      "%YAML 1.1\n---\nversion: 1",
      ["1 at %YAML: yaml_invalid: The file asks for an older YAML, in which `no` is false and 010 is eight."],
    ],
    [
      "A71: a tag that would make an object",
      "version: !!js/function 'f'",
      ["1 at 'f': yaml_invalid: The tag \"tag:yaml.org,2002:js/function\" is not one of plain YAML."],
    ],
    [
      "A71: a tag of its own",
      "version: !secret x",
      ['1 at x: yaml_invalid: The tag "!secret" is not one of plain YAML.'],
    ],
    [
      "an unknown key",
      but("level: site", "levl: site"),
      [
        "9 at {: request_invalid: level is missing.",
        '9 at levl: key_unknown: There is no key "levl" here. Did you mean "level"?',
      ],
    ],
    [
      "an unknown section",
      `${plant}conections: []`,
      ['18 at conections: key_unknown: There is no key "conections" here. Did you mean "connections"?'],
    ],
    ["a key twice", `${plant}version: 1`, ['18 at version: key_duplicate: The key "version" stands here twice.']],
    [
      "A29: a reserved key",
      but("host: 10.0.0.5", "__proto__: { admin: true }"),
      ["14 at __proto__: reserved_key: The key __proto__ is reserved."],
    ],
    [
      "an unknown word",
      but("level: site", "level: sit"),
      ['9 at sit: request_invalid: "sit" is none of site, area, workCenter, workUnit. Did you mean "site"?'],
    ],
    [
      "a number where a version stands",
      but("version: 1.0.0", "version: 1.0"),
      ["4 at 1.0: request_invalid: 1 must be string (Once published, a version never changes)."],
    ],
    [
      "a path in nothing",
      but("path: Northfield/Filler", "path: Northfeld/Filler"),
      [
        '10 at Northfeld/Filler: reference_unknown: There is no equipment "Northfeld" for it to stand in. Did you mean "Northfield"?',
        '17 at Northfield/Filler: reference_unknown: There is no equipment "Northfield/Filler". Did you mean "Northfeld/Filler"?',
      ],
    ],
    [
      "an empty name in a path",
      but("path: Northfield,", "path: Northfield/,"),
      [
        '9 at Northfield/: name_invalid: "" cannot be a name. It is empty.',
        '10 at Northfield/Filler: reference_unknown: There is no equipment "Northfield" for it to stand in. Did you mean "Northfield/"?',
      ],
    ],
    [
      "a level turned round",
      but("level: site", "level: workUnit"),
      ['10 at workUnit: equipment_level_invalid: A workUnit cannot stand below the workUnit "Northfield".'],
    ],
    [
      "an unknown model",
      but("model: filler@1.0.0", "model: filler@1.0.1"),
      ['10 at filler@1.0.1: reference_unknown: There is no model "filler@1.0.1". Did you mean "filler@1.0.0"?'],
    ],
    [
      "equipment twice",
      but(
        "  - { path: Northfield, level: site }",
        "  - { path: Northfield, level: site }\n  - { path: Northfield, level: site }",
      ),
      ['10 at {: key_duplicate: The equipment "Northfield" was already named, as number 1.'],
    ],
    [
      "a range turned round",
      but("kind: itemState }", "kind: itemState, range: [5, 1] }"),
      ["6 at [5: range_invalid: The range begins at 5, above its end 1."],
    ],
    [
      "a unit",
      but("kind: itemState }", "kind: itemState, unit: banana }"),
      ['6 at banana: unit_unknown: "banana" is no UCUM unit: "banana" is not a known unit.'],
    ],
    [
      "counts nothing",
      but("kind: itemState }", "kind: itemState, counts: good }"),
      ["6 at good: request_invalid: A property of kind itemState counts nothing."],
    ],
    [
      "a condition of a property",
      but("kind: itemState }", 'kind: itemState, mapping: { states: [{ value: 1 }, { when: "vlaue > 5.0" }] } }'),
      [
        '6 at "vlaue: condition_invalid: At character 1 of "vlaue > 5.0": There is no "vlaue" here; the tag\'s value is `value`.',
      ],
    ],
    [
      "a condition of a binding",
      but("property: state", 'property: state, mapping: { states: [{ when: "value > 5.0 && value = 6.0" }] }'),
      ['17 at "value: condition_invalid: At character 22 of "value > 5.0 && value = 6.0": Unexpected character: =.'],
    ],
    [
      "a condition beside a value",
      but("property: state", 'property: state, mapping: { states: [{ value: 3, when: "value > 5.0" }] }'),
      ["17 at {: request_invalid: A row with a condition has neither a value nor a range."],
    ],
    [
      "a condition that is too long",
      but("property: state", `property: state, mapping: { states: [{ when: "${" ".repeat(1000)}true" }] }`),
      ['17 at ": request_invalid: '],
    ],
    [
      "too many conditions",
      but("property: state", `property: state, mapping: { states: [${"{ when: value > 1.0 }, ".repeat(52)}] }`),
      ["17 at value: condition_invalid: A mapping has at most 50 conditions."],
    ],
    [
      "an unknown kind",
      but("kind: modbus", "kind: modbuss"),
      ['13 at modbuss: connection_kind_unknown: There is no kind "modbuss". Did you mean "modbus"?'],
    ],
    [
      "config by the kind's schema",
      but("host: 10.0.0.5", "host: 10.0.0.5, port: 99999"),
      ["14 at 99999: request_invalid: 99999 must be <= 65535 (TCP port)."],
    ],
    [
      "an unknown key of the kind",
      but("host: 10.0.0.5", "hosts: x"),
      [
        "14 at {: request_invalid: host is missing.",
        '14 at hosts: key_unknown: There is no key "hosts" here. Did you mean "host"?',
      ],
    ],
    [
      "an option of the kind",
      but("class: fast,", "options: { wordOrder: middle },"),
      ['17 at middle: request_invalid: "middle" is none of big, little.'],
    ],
    [
      "an unknown class",
      but("class: fast,", "class: fats,"),
      ['17 at fats: reference_unknown: The connection has no class "fats". Did you mean "fast"?'],
    ],
    [
      "a scope with a slip",
      but("kind: modbus", "kind: modbus\n    scope: Northfeld"),
      ['14 at Northfeld: reference_unknown: There is no equipment "Northfeld". Did you mean "Northfield"?'],
    ],
    [
      "a property that the model has not",
      but("property: state", "property: stat"),
      ['17 at stat: reference_unknown: The model filler@1.0.0 has no property "stat". Did you mean "state"?'],
    ],
    [
      "no model, no property",
      but(", model: filler@1.0.0", ""),
      ['17 at {: reference_unknown: "Northfield/Filler" has no model, so it has no property "state".'],
    ],
    [
      "a time without zone",
      but("property: state", "property: state, validFrom: 2026-01-01T00:00:00"),
      ['17 at 2026-01-01T00: time_invalid: "2026-01-01T00:00:00" is no time with a zone.'],
    ],
    [
      "an end before the beginning",
      but("property: state", "property: state, validFrom: 2026-01-02T00:00:00Z, validTo: 2026-01-02T00:00:00Z"),
      ["17 at 2026-01-02T00: range_invalid: The binding ends before it begins."],
    ],
    [
      "a property with two tags at once",
      `${plant}      - { address: "40002", equipment: Northfield/Filler, bind: [{ property: state, validFrom: 2026-01-01T00:00:00Z }] }`,
      ['18 at {: key_duplicate: "Northfield/Filler#state" has the tag "plc/40001" at the same time.'],
    ],
    [
      "a variable that is not set",
      but("10.0.0.5", `"\${env:PLCX}"`),
      [`14 at "\${env: environment_missing: The environment variable "PLCX" is not set.`],
    ],
    [
      "no name of a secret",
      but("host: 10.0.0.5", `host: x, password: "\${secret:../../etc}"`),
      [`14 at "\${secret: reference_unknown: "\${secret:../../etc}" holds a reference that is no name of a secret.`],
    ],
    [
      "an alias of nothing",
      but("level: site", "level: *site"),
      ["9 at *site: reference_unknown: There is no anchor &site before this."],
    ],
    [
      "a number beyond what is exact",
      but("host: 10.0.0.5", "host: a, port: 9007199254740993"),
      ["14 at 9007199254740993: number_out_of_range: 9007199254740993 cannot be kept exactly."],
    ],
  ])("%s", (_what, text, expected) => {
    const { configuration, problems } = read(text);
    expect(configuration).toBeNull();
    expect(problems.map((problem) => pointed(text, problem))).toEqual(
      expected.map((start) => expect.stringContaining(start)),
    );
    expect(problems.every(({ action }) => action.length > 5)).toBe(true);
  });

  test("several files are one; each problem names its file", () => {
    const more = "version: 1\nenterprise: Acme\nequipment:\n  - { path: Northfield/Capper, level: workUnit }\n";
    const both = read(plant, [{ file: "more.yaml", text: more }]);
    expect(both.configuration?.equipment).toHaveLength(3);
    expect(both.configuration?.enterprise).toBe("Acme");
    const twice = read(plant, [
      { file: "more.yaml", text: more.replace("Capper", "Filler") },
      { file: "z.yaml", text: "version: 1\nenterprise: B" },
    ]);
    expect(twice.problems.map(told)).toEqual([
      'more.yaml:4:5: key_duplicate: The equipment "Northfield/Filler" was already named, as number 2.',
      "z.yaml:2:1: key_duplicate: Another file names the enterprise too.",
    ]);
    // What a server finds later is placed just the same.
    const { place } = both;
    const late = { code: "path_taken", path: "/equipment/2/path", message: "x", action: "y" } as const;
    expect(place(late)).toMatchObject({ file: "more.yaml", line: 4, column: 13 });
  });

  test("references: variables are put in with their type, secrets stay, what is doubled is text", () => {
    const config = (text: string) =>
      read(but(" { host: 10.0.0.5 }", `\n      ${text}`)).configuration?.connections?.[0].config;
    expect(config(`host: "\${env:PLC}"\n      port: \${env:PORT}\n      password: \${secret:plc-password}`)).toEqual({
      host: "10.0.0.5",
      port: 502,
      password: `\${secret:plc-password}`,
    });
    expect(config(`{ host: "\${env:PORT}" }`)).toEqual({ host: "502" });
    expect(config(`{ host: "a \${env:PLC} $\${env:PLC} \${ENV} $$" }`)).toEqual({
      host: `a 10.0.0.5 \${env:PLC} \${ENV} $$`,
    });
    // A value cannot become structure.
    expect(
      readConfiguration([{ file: "f", text: but("10.0.0.5", `"\${env:EVIL}"`) }], {
        env: () => "x, port: 1",
        kinds,
      }).configuration?.connections?.[0].config,
    ).toEqual({ host: "x, port: 1" });
    // What came over the network reads nobody's environment.
    const sent = readConfiguration([{ file: "body", text: but("10.0.0.5", `"\${env:PLC}"`) }], { env: null, kinds });
    expect(sent.problems.map(({ code, line }) => [code, line])).toEqual([["environment_missing", 14]]);
  });

  test("anchors may repeat what stands before, within a bound", () => {
    const text = plant.replace("{ samplingMs: 100, queueSize: 1 }", "&c { samplingMs: 100, queueSize: 1 }, slow: *c");
    expect(read(text).configuration?.connections?.[0].classes).toEqual({
      fast: { samplingMs: 100, queueSize: 1 },
      slow: { samplingMs: 100, queueSize: 1 },
    });
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 12; i++)
      bomb.push(
        `${"abcdefghijkl"[i]}: &${"abcdefghijkl"[i]} [${Array(10)
          .fill(`*${"abcdefghijkl"[i - 1]}`)
          .join(", ")}]`,
      );
    const began = performance.now();
    expect(read(bomb.join("\n")).problems.map(told)[0]).toMatch(/yaml_invalid: Aliases repeat more than/);
    expect(read("a: &a [*a]").problems[0].code).toBe("reference_unknown");
    expect(read(`a: ${"[".repeat(40)}${"]".repeat(40)}`).problems[0].code).toBe("json_too_deep");
    expect(read(`a: ${"[".repeat(20_000)}`).problems[0].code).toBe("yaml_invalid");
    const limits = { ...defaultSourceLimits, textLength: 10 };
    expect(readConfiguration([{ file: "f", text: plant }], { env, limits }).problems[0].code).toBe("body_too_large");
    // Some 0.3 s; the bound catches a change of order.
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test("many keys in one map take time in proportion", () => {
    const keys = Array.from({ length: 30_000 }, (_, i) => `k${i}: 1`).join("\n");
    const began = performance.now();
    expect(read(`version: 1\n${keys}`).problems).toHaveLength(8);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test("values without text pass the same checks", () => {
    expect(
      checkConfiguration(
        JSON.parse('{"version":1,"connections":[{"name":"a","kind":"http","config":{"x":{"__proto__":{}}}}]}'),
        {},
      )[0],
    ).toMatchObject({
      code: "reserved_key",
      path: "/connections/0/config/x/__proto__",
    });
    expect(checkConfiguration({ version: 1, equipment: [{ path: "a/b", level: "area" }] }, {})[0].code).toBe(
      "reference_unknown",
    );
    expect(
      checkConfiguration({ version: 1, equipment: [{ path: "a/b", level: "area" }] }, { scopes: ["a/b"] }),
    ).toEqual([]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test("any text and any near miss: problems or a configuration, never anything else", () => {
    const mutated = fc
      .tuple(fc.nat(plant.length), fc.nat(6), fc.string({ maxLength: 4, unit: "binary" }))
      .map(([at, cut, put]) => plant.slice(0, at) + put + plant.slice(at + cut));
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          fc.string({ unit: "binary" }),
          fc
            .array(
              fc.constantFrom(
                "a",
                ":",
                " ",
                "\n",
                "-",
                "{",
                "}",
                "[",
                "]",
                "&a",
                "*a",
                "!",
                "|",
                ">",
                "'",
                '"',
                "#",
                "?",
                "%",
                "\t",
                "<<: *a\n",
              ),
            )
            .map((parts) => parts.join("")),
        ),
        (text) => {
          const { configuration, problems } = read(text);
          expect(configuration === null).toBe(problems.length > 0);
          for (const { line = 0, column = 0, message, action } of problems) {
            expect(Math.min(line, column, message.length, action.length)).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
