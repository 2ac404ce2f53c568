import { hourUs, parseTimeUs } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { lineKinds, type MachineTruth, machineSheets, PlantLine, shiftsOf, sites } from "./index.ts";
import { beginShift } from "./line.ts";
import { playMachine } from "./machine-play.ts";
import { assemblyMachines, filmMachines } from "./machines.ts";
import { Random } from "./random.ts";
import { shiftAt, shiftStartUs } from "./shift.ts";
import { SignalTable } from "./signal.ts";

const fromUs = parseTimeUs("2026-11-26T05:00:00Z") as number;
const stretch = { fromUs, toUs: fromUs + 8 * hourUs, shift: 7 };
const breaks = shiftsOf(sites[1], stretch.fromUs, stretch.toUs).flatMap((shift) => shift.breaks);
const kinds = [...filmMachines, ...assemblyMachines];
const play = (kind: (typeof kinds)[number], seed: string): MachineTruth =>
  playMachine(kind, new Random(seed), { ...stretch, breaks });

describe("what really happens at a machine", () => {
  it.each(kinds.map((kind) => [kind.machine, kind] as const))("%s: is one story, and always the same", (_, kind) => {
    const truth = play(kind, "a");
    const { states, pieces, executions, setUps, blocked } = truth;
    expect(states[0].fromUs).toBe(fromUs);
    for (const [i, { fromUs: t }] of states.entries()) if (i > 0) expect(t).toBeGreaterThan(states[i - 1].fromUs);
    // A piece at t was made in what was until t.
    const idle = pieces.filter(({ atUs }) => states.findLast((s) => s.fromUs < atUs)?.itemState !== "Executing");
    expect(idle).toEqual([]);
    const ordered = pieces.filter(({ atUs }) => executions.some((e) => e.fromUs < atUs && atUs <= e.toUs));
    expect(ordered.length).toBe(pieces.length);
    expect(pieces.length).toBeGreaterThan(40);
    for (const { order, fromUs: from, toUs: to } of [...setUps, ...blocked])
      expect(executions.some((e) => e.order === order && e.fromUs <= from && to <= e.toUs)).toBe(true);
    const [again, other] = [play(kind, "a"), play(kind, "b")].map((each) => JSON.stringify(each));
    expect(JSON.stringify(truth) === again && again !== other).toBe(true);
  });

  it("has everything that plants have", () => {
    const seen = kinds.flatMap((kind) => ["a", "b", "c"].map((seed) => play(kind, seed)));
    const texts = new Set(seen.flatMap(({ states }) => states.map(({ text }) => text)));
    expect([...texts].sort()).toEqual(
      ["", "Break", "Changeover", "Fault", "No order", "Shift hand-over", "Short stop", "Trial run"].sort(),
    );
    expect(new Set(seen.flatMap(({ pieces }) => pieces.map(({ kind }) => kind)))).toEqual(
      new Set(["good", "scrap", "rework"]),
    );
    expect(seen.some(({ blocked }) => blocked.length > 0)).toBe(true);
    // Interrupted for another and taken up again.
    const twice = seen.filter(
      ({ executions }) => new Set(executions.map(({ order }) => order)).size < executions.length,
    );
    expect(twice.length).toBeGreaterThan(5);
    // Two orders at once, from one family mould.
    const together = seen.filter(({ executions: e }) => e.some((one, i) => e[i + 1]?.fromUs === one.fromUs));
    expect(together.length).toBeGreaterThan(0);
  });
});

describe("the plant", () => {
  it("has two sites, four lines and 24 work units, each with a place of its own", () => {
    const places = machineSheets.map(({ equipment }) => equipment.join("/"));
    expect(new Set(places).size).toBe(24);
    expect(new Set(machineSheets.map(({ equipment }) => equipment[0]))).toEqual(new Set(["Northfield", "Eastgate"]));
    expect(new Set(machineSheets.map(({ equipment }) => equipment.slice(0, 3).join("/"))).size).toBe(lineKinds.length);
  });

  it.each(["northfield-film-3", "eastgate-assembly-4"])(
    "%s: controllers show the truth, scan by scan",
    (connection) => {
      const kind = lineKinds.find((each) => each.connection === connection) as (typeof lineKinds)[number];
      const shift = shiftAt(fromUs);
      const { truth } = beginShift(kind, 3, shift, new SignalTable());
      if (!("whole" in truth)) throw new Error("The line is not played as a whole.");
      const line = new PlantLine(kind, 3, shiftStartUs(shift));
      const untilUs = shiftStartUs(shift) + hourUs;
      const columns = line.advance(untilUs);
      const last = new Map<string, number>();
      const rises = new Map<string, number>();
      for (let i = 0; i < columns.rows; i++) {
        const { address } = line.signals[columns.tag[i]];
        last.set(address, columns.value[i]);
        if (columns.value[i] === 1) rises.set(address, (rises.get(address) ?? 0) + 1);
      }
      for (const [machine, { pieces }] of truth.whole) {
        const sum = (...names: string[]) =>
          pieces
            .filter(({ atUs, kind: of }) => names.includes(of) && atUs < untilUs - 10e6)
            .reduce((total, { n }) => total + n, 0);
        const slack = pieces.filter(({ atUs }) => atUs >= untilUs - 10e6 && atUs <= untilUs).length;
        const shown: [string, number | undefined, number][] = [
          ["TotalCount", last.get(`${machine}.TotalCount`), sum("good", "scrap", "rework")],
          ["GoodCount", last.get(`${machine}.GoodCount`), sum("good")],
          ["ScrapCount", last.get(`${machine}.ScrapCount`), sum("scrap")],
          ["GoodPulse", rises.get(`${machine}.GoodPulse`), sum("good")],
        ];
        const told = shown.filter(([, value]) => value !== undefined);
        expect(told.length, machine).toBeGreaterThan(0);
        for (const [name, value, is] of told) {
          expect(value, `${machine} ${name}`).toBeGreaterThanOrEqual(is);
          expect(value, `${machine} ${name}`).toBeLessThanOrEqual(is + slack);
        }
      }
    },
  );
});

describe("shifts by the clock on the wall", () => {
  it.each([
    ["Eastgate", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", [8, 8, 7, 8, 8, 8, 8]],
    ["Eastgate", "2026-10-24T12:00:00Z", "2026-10-25T20:00:00Z", [8, 9, 8, 8]],
    ["Northfield", "2026-03-07T18:00:00Z", "2026-03-08T18:00:00Z", [8, 8, 7, 8]],
    ["Northfield", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", [8, 9, 8, 8]],
  ])("%s: %s to %s", (name, from, to, hours) => {
    const site = sites.find((each) => each.name === name) as (typeof sites)[number];
    const shifts = shiftsOf(site, parseTimeUs(from) as number, parseTimeUs(to) as number);
    const lengths = shifts.map((shift) => (shift.toUs - shift.fromUs) / hourUs);
    expect(lengths.slice(0, hours.length)).toEqual(hours.slice(0, lengths.length));
    for (const [i, shift] of shifts.entries()) if (i > 0) expect(shift.fromUs).toBe(shifts[i - 1].toUs);
  });
});
