import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hourUs, minuteUs, parseTimeUs } from "@lineshaft/contract/api";
import { afterEach, describe, expect, it } from "vitest";
import { sumsOf, kpisOf } from "../../applications/oee/index.ts";
import { DemoPlant, machines } from "./truth/demo-plant.ts";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});
describe("demo", { timeout: 600000 }, () => {
  for (let i = Number(process.env.A ?? 0); i < Number(process.env.B ?? 4); i++)
  it(`${i}`, async () => {
    const seed = 1 + (i % 3);
    const now = (parseTimeUs("2026-11-26T02:07:11Z") as number) + i * 37 * minuteUs;
    const dir = mkdtempSync(join(tmpdir(), "lineshaft-demo-"));
    dirs.push(dir);
    const t0 = performance.now();
    const plant = await DemoPlant.run(seed, now - 2 * hourUs, now, join(dir, "r.sqlite"));
    console.log("run", performance.now() - t0);
    const toUs = Math.floor((now - minuteUs) / (15 * minuteUs)) * 15 * minuteUs;
    const fromUs = toUs - hourUs;
    const wrong: string[] = [];
    for (const { equipment } of machines) {
      const { cells, policies } = plant.cells(equipment, fromUs, toUs);
      const sums = sumsOf(cells, new Map(policies.map((p) => [p.version, p])));
      const { all } = plant.truth(equipment, fromUs, toUs);
      const q = (n: "pq" | "gq" | "sq") => sums.materials.reduce((s, m) => s + m.all[n], 0);
      const k = kpisOf(sums);
      const d = { apt: (sums.timeUs.apt - all.aptUs)/1e3, aust: (sums.timeUs.aust - all.austUs)/1e3, adet: (sums.timeUs.adet - all.adetUs)/1e3, adot: (sums.timeUs.adot - all.adotUs)/1e3, unk: (sums.timeUs.unknown - all.unknownUs)/1e3, good: q("gq") - all.good, scrap: q("sq") - all.scrap, oee: (k.oeeIndex ?? -1) - (all.oee ?? -1) };
      if (Object.entries(d).some(([n, v]) => Math.abs(v) > (n === "oee" ? 1e-6 : n === "good" || n === "scrap" ? 1e-6 : Number(process.env.MS ?? 50)))) wrong.push(`${i} ${new Date(now/1000).toISOString()} ${equipment.at(-1)} ${JSON.stringify(d)}`);
    }
    console.log(wrong.join("\n"));
  });
});
