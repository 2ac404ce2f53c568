import { expect, test } from "vitest";
import { unitFault } from "./ucum.ts";

test.each(
  (
    "Cel kg mm/s % 1 m m2 m3/h kW.h kW.h/t bar mbar Pa N.m /min 1/min {rpm}/min m/s2 m.s-2 10*6/l 10^-3 [degF] [psi] " +
    "[in_i] ug/m3 kg/(m3.h) (m/s)/d dB[SPL] B[10.nV] Ohm.cm m[H2O] cm[H2O] mm[Hg] {piece} kg{dry} l/min umol/(m2.s) MiBy " +
    "daN [gal_us]/min kat ' '' deg 100"
  ).split(" "),
)("%s is a unit", (code) => {
  expect(unitFault(code)).toBeNull();
});

test.each([
  "",
  "°C",
  "banana",
  "KG",
  "kmin",
  "k%",
  "m//s",
  "m/",
  ".m",
  "(m",
  "m)",
  "m s",
  "{a",
  "[foo]",
  "m^2",
  "kkg",
  "m{a/b.c}2",
  "2{x}",
  "'; DROP TABLE tag;--",
  "m".repeat(65),
])("%j is none", (code) => {
  expect(unitFault(code)).not.toBeNull();
});
