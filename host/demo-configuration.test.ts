import type { Configuration } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { type Addresses, addressesOf, joined, readdressed } from "./demo-configuration.ts";

/** The plant as its files say it, with its machines at this port. */
const plant = (port: number): Configuration => ({
  version: 1,
  models: [{ name: "press", version: "1.0.0", properties: [{ name: "state", kind: "itemState" }] }],
  equipment: [
    { path: "Eastgate", level: "site" },
    { path: "Eastgate/Press 1", level: "workUnit", model: "press@1.0.0" },
  ],
  connections: [
    {
      name: "press-1",
      kind: "modbus",
      config: { host: "127.0.0.1", port, periodMs: 250 },
      tags: [{ address: "holding:0", name: "Strokes" }, { address: "holding:1" }],
    },
    { name: "packer-1", kind: "opcua", config: { endpointUrl: `opc.tcp://127.0.0.1:${port}` }, tags: [] },
    { name: "orders", kind: "http", tags: [{ address: "order" }] },
  ],
});

describe("setting up the demo plant", () => {
  it("on an empty platform everything of it is there", () => {
    expect(joined({ version: 1 }, plant(502))).toEqual(plant(502));
    expect(joined(plant(502), plant(502))).toEqual(plant(502));
  });

  it("what is there already stays as it is; only what is missing comes in", () => {
    const current: Configuration = {
      version: 1,
      enterprise: "Works",
      equipment: [
        { path: "Eastgate/Press 1", level: "workUnit", lifecycle: "test" },
        { path: "Westgate", level: "site" },
      ],
      connections: [
        { name: "press-1", kind: "modbus", config: { periodMs: 50 }, tags: [{ address: "holding:0", name: "Hits" }] },
      ],
    };
    const whole = joined(current, plant(502));
    expect(whole.enterprise).toBe("Works");
    expect(whole.equipment).toEqual([
      { path: "Eastgate/Press 1", level: "workUnit", lifecycle: "test", model: "press@1.0.0" },
      { path: "Westgate", level: "site" },
      { path: "Eastgate", level: "site" },
    ]);
    expect(whole.connections?.[0]).toEqual({
      name: "press-1",
      kind: "modbus",
      config: { periodMs: 50 },
      tags: [{ address: "holding:0", name: "Hits" }, { address: "holding:1" }],
    });
    expect(whole.connections?.map(({ name }) => name)).toEqual(["press-1", "packer-1", "orders"]);
  });

  it("the addresses of a later start replace those of the one before, and nothing else changes", () => {
    const before = addressesOf(plant(40_001), {});
    const now = addressesOf(plant(40_002), before);
    expect(readdressed(plant(40_001), now)).toEqual(plant(40_002));
    // A start that ended before it had applied them: both may still stand there.
    const next = addressesOf(plant(40_003), now);
    expect(readdressed(plant(40_002), next)).toEqual(plant(40_003));
  });

  it("an address that somebody has set stays, as does everything else that people did", () => {
    const now = addressesOf(plant(40_002), addressesOf(plant(40_001), {}));
    const edited = structuredClone(plant(40_001));
    edited.connections = [
      { name: "press-1", kind: "modbus", config: { host: "press.example", port: 502, periodMs: 1000 } },
      { name: "own", kind: "modbus", config: { host: "127.0.0.1", port: 40_001 } },
    ];
    edited.equipment = [];
    expect(readdressed(edited, now)).toEqual(edited);
  });

  it("a name from outside the plant's files is no address of ours", () => {
    const addresses: Addresses = addressesOf(plant(502), {});
    expect(readdressed({ version: 1, connections: [{ name: "constructor", kind: "http" }] }, addresses)).toEqual({
      version: 1,
      connections: [{ name: "constructor", kind: "http" }],
    });
  });
});
