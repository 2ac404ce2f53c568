import { type Micros, minuteUs, parseTimeUs } from "@lineshaft/contract/api";
import { alarmIntervals, compileMapping, Derivation, Rules } from "@lineshaft/platform/derivation";
import { lineKinds, PlantLine } from "@lineshaft/simulation/plant";
import { TruthBook } from "@lineshaft/simulation/truth";
import { expect, it } from "vitest";

const seed = 7;
const fromUs = parseTimeUs("2026-11-22T05:00:00Z") as Micros;
const toUs = fromUs + 50 * minuteUs;
const [bottling, parts] = lineKinds;

it.each([
  ["bottling line", ["Filler1", "Labeller1", "Packer1"], "Status.AlarmCode", bottling],
  ["parts line", ["MC1", "Press1", "IMM1"], "AlarmCode", parts],
] as const)("alarms of the %s are derived as its controllers had them, to the scan", (_, machines, address, kind) => {
  const line = new PlantLine(kind, seed, fromUs);
  const derivation = new Derivation();
  const rule = compileMapping({ alarm: { rows: [{ value: 201, severity: 800 }] } });
  const rules = new Rules([{ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, rule }]);
  for (const [id, machine] of machines.entries()) {
    const tag = line.signals.findIndex((signal) => signal.address === `${machine}.${address}`);
    const channels = [{ tag, connection: 1, counts: null }];
    derivation.add({ id, equipment: id, role: "alarm", property: "alarm", channels, rules }, "none");
  }
  derivation.apply(line.advance(toUs));
  derivation.tick(toUs);

  const book = new TruthBook(seed);
  const was = machines.map((machine) =>
    (book.machine(machine, fromUs, toUs)?.alarms ?? []).map(({ code, fromUs: since, toUs: until }) => [
      String(code),
      code === 201 ? 800 : 500,
      book.stampOf(machine)(since),
      until < toUs ? book.stampOf(machine)(until) : null,
    ]),
  );
  const told = machines.map((_, id) =>
    alarmIntervals(derivation.bindingsOf(id), fromUs - minuteUs, toUs).map(({ code, severity, sinceUs, untilUs }) => [
      ...[code, severity, sinceUs, untilUs],
    ]),
  );
  expect(was.flat().length).toBeGreaterThan(3);
  expect(told).toEqual(was);
});
