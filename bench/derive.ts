/**
 * derive: datapoints/s of the factory mix through derivation alone, on one thread: decoded columns in, facts out, nothing stored. States and counters enter; the rest of
 * a machine costs one look into a table. Each pass is one scan a second of all machines, ticked every second, closed hours dropped.
 */
import { decodeColumns, secondUs } from "@lineshaft/contract/api";
import { type BindingRole, compileMapping, Derivation, Rules } from "@lineshaft/platform/derivation";
import { FactoryMix, kindOf, rowsPerBatch, tagsPerMachine } from "./factory-mix.ts";
import type { Bench } from "./lib/report.ts";
import { round } from "./lib/stats.ts";

const machines = 1_000;
const startUs = 1_800_000_000 * secondUs;

export const derive: Bench = {
  name: "derive",
  about: "datapoints/s through derivation alone, one thread",
  unit: "dp/s",
  better: "higher",
  floor: 500_000,
  target: 3_000_000,
  async run({ seconds, quick, say }) {
    const tags = machines * tagsPerMachine;
    const mix = new FactoryMix(Array.from({ length: tags }, (_, i) => i + 1));
    const derivation = plantOf(machines);
    const frames = Array.from({ length: mix.batches }, () => mix.newFrame());
    const columns = frames.map(({ body }) => decodeColumns(body).columns);
    let busyMs = 0;
    let points = 0;
    let dirty = 0;
    let scan = 0;
    // The first scans only warm up: what is not compiled yet is not the engine's speed.
    const warmUp = quick ? 20 : 200;
    while (busyMs < 1000 * seconds) {
      const now = startUs + scan * secondUs;
      for (const [batch, frame] of frames.entries()) mix.fill(frame, batch, scan, now);
      const began = performance.now();
      for (const batch of columns) derivation.apply(batch);
      derivation.tick(now - 2 * secondUs);
      derivation.takeDirty(() => 60 * secondUs);
      if (scan >= warmUp) {
        busyMs += performance.now() - began;
        points += mix.batches * rowsPerBatch;
      }
      for (const { track } of derivation.bindings.values()) if (track.segments.length > 0) track.segments = [];
      dirty += derivation.dirty;
      scan++;
    }
    if (dirty > 0) throw new Error(`${dirty} bindings went dirty though everything came in its order.`);
    say(`${machines} machines, ${derivation.bindings.size} of ${tags} tags enter; ${scan} scans`);
    return {
      value: Math.round((1000 * points) / busyMs),
      nsAPoint: round((1e6 * busyMs) / points, 0),
      bindings: derivation.bindings.size,
      points,
    };
  },
};

/** Each machine: its state and mode by a table, two more words likewise, two counters with a rate. */
function plantOf(count: number): Derivation {
  const derivation = new Derivation();
  const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  const words = Array.from(
    { length: 18 },
    (_, value) => ({ value, itemState: value === 6 ? "Executing" : "NotExecuting" }) as const,
  );
  const states = new Rules([{ ...ever, rule: compileMapping({ states: words }) }]);
  const counters = new Rules([{ ...ever, rule: compileMapping({ counter: { width: "uint32", maxPerSecond: 10 } }) }]);
  for (let tag = 0; tag < count * tagsPerMachine; tag++) {
    const kind = kindOf(tag % tagsPerMachine);
    if (kind === "analog") continue;
    const role: BindingRole =
      kind === "counter" ? "counter" : tag % tagsPerMachine === 0 ? "itemState" : "operationMode";
    const channels = [{ tag: tag + 1, connection: 1, counts: kind === "counter" ? ("good" as const) : null }];
    const equipment = Math.floor(tag / tagsPerMachine);
    derivation.add({ id: tag + 1, equipment, role, channels, rules: kind === "counter" ? counters : states }, "none");
  }
  return derivation;
}
