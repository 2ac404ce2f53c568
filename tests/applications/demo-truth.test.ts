import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hourUs, type Micros, minuteUs } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { unsound, untrue } from "./truth/compare.ts";
import { DemoPlant, places } from "./truth/demo-plant.ts";

const long = process.env.LINESHAFT_LONG === "1";
const origin: Micros = Date.UTC(2026, 10, 26) * 1000;

/** What is wrong with the machines of a plant that was seen for two hours: with the quarters of the last of them, as people see them. */
async function wrongAt(seed: number, nowUs: Micros): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), "lineshaft-demo-"));
  try {
    const plant = await DemoPlant.run(seed, { fromUs: nowUs - 2 * hourUs, toUs: nowUs }, join(dir, "registry.sqlite"));
    const toUs = Math.floor((nowUs - minuteUs) / (15 * minuteUs)) * 15 * minuteUs;
    const window = { fromUs: toUs - hourUs, toUs };
    const wrong = places.flatMap((place) => {
      const { cells, policies: all } = plant.cells(place, window);
      const policies = new Map(all.map((policy) => [policy.version, policy]));
      const found = unsound(cells, policies, window) ?? untrue(cells, policies, plant.truth(place, window));
      return found === null ? [] : [`${place}: ${found}`];
    });
    plant.close();
    return wrong;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

describe("what the demo plant's controllers tell and its people book comes out as it was", { timeout: 180_000 }, () => {
  // In the middle of a shift, and over a change of shift: there the plant's counters begin anew.
  const instants = long ? Array.from({ length: 1500 }, (_, i) => 2 + i * 0.6) : [4.1, 13.7];
  it.each(instants)("as seen at hour %d", async (hour) => {
    expect(await wrongAt(1 + (Math.round(hour * 10) % 7), origin + hour * hourUs)).toEqual([]);
  });

  // In and behind breaks of either site, at the turn of days, and where the clock of the one or the other is changed: shifts are longer or shorter, and the plant's own are not those of the sites.
  const clocks = [
    ["a break at both sites", "2026-11-26T09:21:00Z"],
    ["behind a break", "2026-11-26T09:46:00Z"],
    ["midnight in Berlin", "2026-11-25T23:07:00Z"],
    ["Sunday in Berlin, Saturday in Chicago", "2026-11-29T00:20:00Z"],
    ["Berlin's clock is put back", "2026-10-25T02:46:00Z"],
    ["behind the longer night in Berlin", "2026-10-25T05:31:00Z"],
    ["Chicago's clock is put back", "2026-11-01T07:46:00Z"],
    ["behind the longer night in Chicago", "2026-11-01T13:31:00Z"],
    ["Berlin's clock is put forward", "2026-03-29T01:31:00Z"],
    ["Chicago's clock is put forward", "2026-03-08T08:31:00Z"],
    ["summer: the change of shift", "2026-07-01T04:31:00Z"],
    ["summer: counters begin anew in a shift", "2026-07-01T05:31:00Z"],
  ] as const;
  it.each(clocks.filter(() => long))("%s", async (_, time) => {
    expect(await wrongAt(1, Date.parse(time) * 1000)).toEqual([]);
  });
});
