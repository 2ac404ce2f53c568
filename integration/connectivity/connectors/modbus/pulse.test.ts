import fc from "fast-check";
import { expect, it } from "vitest";
import { PulseCounter, type PulseOptions } from "./pulse.ts";

/** Counts a track such as "0011", one sample every 10 ms. */
function count(track: string, edge: PulseOptions["edge"], debounceMs = 0): number {
  const counter = new PulseCounter({ edge, debounceMs });
  for (const [i, level] of [...track].entries()) counter.sample(level === "1", i * 10);
  return counter.count;
}

it.each<[string, PulseOptions["edge"], number, number]>([
  ["", "rising", 0, 0],
  ["1", "rising", 0, 0],
  ["01", "rising", 0, 1],
  ["0101", "rising", 0, 2],
  ["0101", "falling", 0, 1],
  ["0101", "both", 0, 3],
  ["0100", "rising", 20, 0],
  ["0111", "rising", 20, 1],
  ["0110", "rising", 20, 0],
  ["0101011111", "rising", 20, 1],
  ["01110111", "rising", 20, 1],
  ["01110001110", "both", 20, 3],
])("%s, %s edges, debounce %i ms: %i", (track, edge, debounceMs, expected) => {
  expect(count(track, edge, debounceMs)).toBe(expected);
});

it("counts every edge once, and with debounce never more than without", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), fc.nat(60), (levels, debounceMs) => {
      const track = levels.map(Number).join("");
      const rising = count(track, "rising");
      expect(rising + count(track, "falling")).toBe(count(track, "both"));
      expect(rising).toBe(track.split("01").length - 1);
      expect(count(track, "both", debounceMs)).toBeLessThanOrEqual(count(track, "both"));
    }),
  );
});
