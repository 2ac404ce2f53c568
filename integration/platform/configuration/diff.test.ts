import { type Configuration, ProblemError } from "@lineshaft/contract/api";
import { describe, expect, test } from "vitest";
import { diffConfigurations, nameOf, planOf, rewriteConfiguration } from "./index.ts";

const from: Configuration = {
  version: 1,
  models: [{ name: "filler", version: "1.0.0", properties: [{ name: "state", kind: "itemState" }] }],
  equipment: [
    { path: "Northfield", level: "site" },
    { path: "Northfield/Line", level: "workCenter" },
    { path: "Northfield/Line/Filler", level: "workUnit", model: "filler@1.0.0" },
  ],
  connections: [
    {
      name: "plc",
      kind: "modbus",
      scope: "Northfield",
      config: { host: "a" },
      tags: [{ address: "1", equipment: "Northfield/Line/Filler", bind: [{ property: "state" }] }, { address: "2" }],
    },
  ],
};
const steps = (to: Partial<Configuration>): string[] =>
  diffConfigurations(from, { version: 1, ...to }).map((step) => `${step.action} ${step.entity} ${nameOf(step)}`);
const code = (to: Partial<Configuration>): string | null => {
  try {
    diffConfigurations(from, { version: 1, ...to });
    return null;
  } catch (error) {
    return error instanceof ProblemError ? error.code : String(error);
  }
};

describe("from what is to what is wanted", () => {
  test("what is left out stays; what is empty goes, leaves first, and says what goes with it", () => {
    expect(steps({})).toEqual([]);
    expect(steps({ equipment: from.equipment })).toEqual([]);
    expect(steps({ models: [], equipment: [], connections: [] })).toEqual([
      "remove binding plc/1 → Northfield/Line/Filler#state",
      "remove tag plc/1",
      "remove tag plc/2",
      "remove connection plc",
      "remove equipment Northfield/Line/Filler",
      "remove equipment Northfield/Line",
      "remove equipment Northfield",
      "remove model filler@1.0.0",
    ]);
    const plan = planOf(diffConfigurations(from, { version: 1, models: [], equipment: [], connections: [] }), 7);
    expect(plan.counts).toEqual({ create: 0, change: 0, rename: 0, remove: 8 });
    expect(plan.items.every(({ loses }) => (loses ?? "").length > 10)).toBe(true);
    expect(plan.revision).toBe(7);
    expect(
      steps({ connections: [{ name: "plc", kind: "modbus", scope: "Northfield", config: { host: "a" } }] }),
    ).toEqual([]);
  });

  test("a rename takes what is below with it, and what refers to it", () => {
    const equipment: Configuration["equipment"] = [
      { path: "Southfield", level: "site", was: "Northfield" },
      { path: "Southfield/Line", level: "workCenter" },
      { path: "Southfield/Line/Filler", level: "workUnit", model: "filler@1.0.0" },
    ];
    expect(steps({ equipment })).toEqual(["rename equipment Northfield"]);
    expect(steps({ equipment, connections: from.connections })).toEqual(["rename equipment Northfield"]);
    // Applied, the former path may stay in the file.
    const now = equipment.map(({ was: _, ...entry }) => entry);
    expect(diffConfigurations({ ...from, equipment: now, connections: [] }, { version: 1, equipment })).toEqual([]);
  });

  test("a move goes where its new parent comes first; a unit renamed below a renamed line is two steps", () => {
    expect(
      steps({
        equipment: [
          { path: "Northfield", level: "site" },
          { path: "Northfield/B", level: "area" },
          { path: "Northfield/B/Line", level: "workCenter", was: "Northfield/Line" },
          { path: "Northfield/B/Line/F1", level: "workUnit", model: "filler@1.0.0", was: "Northfield/Line/Filler" },
        ],
      }),
    ).toEqual([
      "create equipment Northfield/B",
      "rename equipment Northfield/Line",
      "rename equipment Northfield/B/Line/Filler",
    ]);
  });

  test("changes are told field by field, old and new", () => {
    const [connection] = from.connections ?? [];
    const plan = planOf(
      diffConfigurations(from, {
        version: 1,
        enterprise: "Acme",
        connections: [
          {
            ...connection,
            config: { host: "b" },
            tags: [
              {
                address: "1",
                equipment: "Northfield/Line/Filler",
                unit: "bar",
                bind: [{ property: "state", validTo: "2026-01-01T00:00:00Z" }],
              },
              {
                address: "3",
                equipment: "Northfield/Line/Filler",
                bind: [{ property: "state", validFrom: "2026-01-01T01:00:00+01:00" }],
              },
            ],
          },
        ],
      }),
      1,
    );
    expect(plan.items.map(({ action, entity, name, changes }) => [action, entity, name, changes])).toEqual([
      ["change", "enterprise", "", [{ field: "name", from: "", to: "Acme" }]],
      ["change", "connection", "plc", [{ field: "config", from: { host: "a" }, to: { host: "b" } }]],
      ["change", "tag", "plc/1", [{ field: "unit", from: null, to: "bar" }]],
      [
        "create",
        "tag",
        "plc/3",
        [
          { field: "address", from: null, to: "3" },
          { field: "equipment", from: null, to: "Northfield/Line/Filler" },
        ],
      ],
      // The end of one comes before the beginning of the next.
      [
        "change",
        "binding",
        "plc/1 → Northfield/Line/Filler#state",
        [{ field: "validTo", from: null, to: "2026-01-01T00:00:00Z" }],
      ],
      [
        "create",
        "binding",
        "plc/3 → Northfield/Line/Filler#state",
        expect.arrayContaining([{ field: "validFrom", from: null, to: "2026-01-01T00:00:00Z" }]),
      ],
      ["remove", "tag", "plc/2", [{ field: "address", from: "2", to: null }]],
    ]);
  });

  test("what can never be done is refused", () => {
    const [model] = from.models ?? [];
    expect(code({ models: [{ ...model, properties: [...model.properties, { name: "x", kind: "alarm" }] }] })).toBe(
      "model_published",
    );
    expect(code({ equipment: [{ path: "Northfield", level: "area" }] })).toBe("equipment_level_invalid");
    expect(code({ connections: [{ name: "plc", kind: "opcua" }] })).toBe("connection_kind_invalid");
  });
});

test("a text keeps its comments, its order and its references where its items stay", () => {
  const text = `# Northfield, kept by the line team
version: 1
equipment:
  # The hall from 1964.
  - { path: Northfield, level: site } # since 1964
  - path: Northfield/Line
    level: workCenter
    lifecycle: productive # said though it is the default
connections:
  - name: plc # in the cabinet by the door
    kind: modbus
    config:
      host: \${env:PLC} # changes with the network
      port: 502
    tags:
      - { address: "9" } # nine
      - { address: "1", unit: bar }
`;
  const env = (name: string): string => `value of ${name}`;
  expect(
    rewriteConfiguration(
      text,
      {
        version: 1,
        equipment: [
          { path: "Northfield", level: "site", lifecycle: "test" },
          { path: "Northfield/Line", level: "workCenter" },
          { path: "Northfield/Line/Press", level: "workUnit" },
        ],
        connections: [
          {
            name: "plc",
            kind: "modbus",
            config: { host: "value of PLC", port: 503 },
            tags: [{ address: "1", unit: "mbar" }, { address: "2" }],
          },
        ],
      },
      env,
    ),
  ).toBe(`# Northfield, kept by the line team
version: 1
equipment:
  # The hall from 1964.
  - { path: Northfield, level: site, lifecycle: test } # since 1964
  - path: Northfield/Line
    level: workCenter
    lifecycle: productive # said though it is the default
  - { path: Northfield/Line/Press, level: workUnit }
connections:
  - name: plc # in the cabinet by the door
    kind: modbus
    config:
      host: \${env:PLC} # changes with the network
      port: 503
    tags:
      - { address: "1", unit: mbar }
      - { address: "2" }
`);
});
