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
});
