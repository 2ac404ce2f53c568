import { type Columns, minuteUs, secondUs, valueAt } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { lineKinds, PlantLine } from "../plant/index.ts";
import { partOfLine } from "../plant/part-of-line.ts";
import { machineOf, machinesOn, type Protocol, spokenBy, wiring } from "../plant/wiring.ts";
import type { PlantRow, ProtocolEnd } from "./end.ts";
import { Feed } from "./feed.ts";
import { startUs, truth } from "./test/rig.ts";

const [bottling] = lineKinds;

function collector(): ProtocolEnd & { rows: PlantRow[] } {
  const rows: PlantRow[] = [];
  return {
    protocol: "http",
    rows,
    accept: (more) => void rows.push(...more),
    faultsOf: () => [],
    fault: () => null,
    close: async () => undefined,
  };
}

const rowsOf = (columns: Columns, signals: readonly { address: string }[]) =>
  Array.from({ length: columns.rows }, (_, i) => [
    signals[columns.tag[i]].address,
    columns.time[i],
    valueAt(columns, i),
  ]);

describe("the wiring", () => {
  it("names every machine of every line once, and no other", () => {
    for (const kind of lineKinds) {
      const machines = new Set(new PlantLine(kind, 1, startUs).signals.map(machineOf));
      const wired = wiring.filter(({ line }) => line === kind.connection).map(({ machine }) => machine);
      expect(wired.toSorted()).toEqual([...machines].toSorted());
    }
    expect(new Set(wiring.map(({ machine }) => machine)).size).toBe(wiring.length);
  });

  it.each([
    [["http"], "http"],
    [["http", "sparkplug"], "sparkplug"],
    [["sparkplug"], "sparkplug"],
    [["opcua"], null],
  ] as const)("with %j on the filler speaks %s", (enabled, spoken) => {
    const filler = wiring.find(({ machine }) => machine === "Filler1");
    expect(filler && spokenBy(filler, new Set<Protocol>(enabled))).toBe(spoken);
  });

  it("what the protocols do not take, HTTP does: together all machines, each once", () => {
    const enabled = new Set<Protocol>(["http", "modbus", "opcua"]);
    const all = (["http", "modbus", "opcua"] as const).flatMap((p) => [...machinesOn(p, enabled).values()].flat());
    expect(all.toSorted()).toEqual(wiring.map(({ machine }) => machine).toSorted());
  });
});

describe("a feed", () => {
  it("gives each machine its rows, the same in any steps", () => {
    const [filler, packer] = [collector(), collector()];
    const feed = new Feed({
      lineAt: (us) => new PlantLine(bottling, 1, us),
      fromUs: startUs,
      stampUs: (us) => us,
      disturb: (columns) => columns,
    });
    feed.attach("Filler1", filler);
    feed.attach("Packer1", packer);
    for (const s of [0.3, 0.31, 4, 4.2, 30]) feed.advance(startUs + s * secondUs);
    expect(filler.rows).toEqual(truth(bottling.connection, "Filler1", 30));
    expect(packer.rows).toEqual(truth(bottling.connection, "Packer1", 30));
  });

  it("after a long sleep goes on from now", () => {
    const end = collector();
    const feed = new Feed({
      lineAt: (us) => new PlantLine(bottling, 1, us),
      fromUs: startUs,
      stampUs: (us) => us,
      disturb: (columns) => columns,
    });
    feed.attach("Filler1", end);
    feed.advance(startUs + 60 * minuteUs);
    feed.advance(startUs + 60 * minuteUs + secondUs);
    expect(end.rows.length).toBeGreaterThan(5);
    expect(end.rows.every(({ timeUs }) => timeUs >= startUs + 60 * minuteUs - 4_000)).toBe(true);
  });
});

describe("a part of a line", () => {
  it("is what the whole line says about these machines, and the whole line is the line itself", () => {
    const whole = new PlantLine(bottling, 1, startUs);
    const machines = new Set(["Capper1", "Line1"]);
    const part = partOfLine(new PlantLine(bottling, 1, startUs), machines);
    const until = startUs + 20 * secondUs;
    const expected = rowsOf(whole.advance(until), whole.signals).filter(([address]) =>
      machines.has(machineOf({ address: String(address) })),
    );
    expect(rowsOf(part.advance(until), part.signals)).toEqual(expected);
    expect(part.signals.every((signal) => machines.has(machineOf(signal)))).toBe(true);
    expect(partOfLine(whole, new Set(whole.signals.map(machineOf)))).toBe(whole);
  });
});
