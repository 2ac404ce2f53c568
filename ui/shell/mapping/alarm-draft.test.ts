import type { AlarmOptions, Mapping } from "@lineshaft/contract/api";
import { expect, it } from "vitest";
import { alarmVerdict, newAlarmRow } from "./alarm-draft.ts";
import { draftOf, mappingOf } from "./draft.ts";

const alarm: AlarmOptions & { rows: unknown[] } = {
  text: { de: "Störung" },
  severity: 700,
  rows: [
    { value: 17, code: "E17", text: { de: "Bahn gerissen", en: "Web torn" }, severity: 900, cause: 3_100_000 },
    { value: "17b", text: { en: "Other" } },
    { value: true },
    { value: "", active: false },
    { from: 100, to: 200, code: "cooling" },
    { from: 900, active: false },
  ],
  otherwise: "none",
};

it("an alarm's table comes back from its fields as it was", () => {
  for (const one of [{ alarm }, { alarm: { code: "jam", cause: 4_100_000 } }, {}] satisfies Mapping[])
    expect(mappingOf(draftOf(one))).toEqual({ mapping: one, faults: new Map() });
});

it("names what is wrong in a row, and goes on without it", () => {
  const draft = draftOf({ alarm: { rows: [{ value: 1, code: "one" }] } });
  const rows = [
    newAlarmRow(),
    newAlarmRow({ by: "range" }),
    newAlarmRow({ by: "range", from: "x" }),
    newAlarmRow({ value: "2", severity: "1001" }),
    // Of what is no alarm nothing else is asked.
    newAlarmRow({ value: "3", active: false, severity: "high" }),
  ];
  const { mapping, faults } = mappingOf({
    ...draft,
    alarm: { ...draft.alarm, severity: "0", rows: [...draft.alarm.rows, ...rows] },
  });
  expect(mapping).toEqual({ alarm: { rows: [{ value: 1, code: "one" }, { value: 2 }, { value: 3, active: false }] } });
  expect(rows.map(({ id }) => faults.get(`row ${id}`))).toEqual(["value", "range", "number", "severity", undefined]);
  expect(faults.get("alarm")).toBe("severity");
});

it("shows a value as the alarm that it becomes", () => {
  const told = (value: Parameters<typeof alarmVerdict>[1], options: AlarmOptions = alarm) => {
    const verdict = alarmVerdict(options, value);
    return verdict === null ? null : [verdict.code, verdict.text?.de ?? verdict.text?.en ?? null, verdict.severity];
  };
  expect([17, "17b", true, 1n, 150, 950, 42, "", 0].map((value) => told(value))).toEqual([
    ["E17", "Bahn gerissen", 900],
    ["17b", "Other", 700],
    ["1", "Störung", 700],
    ["1", "Störung", 700],
    ["cooling", "Störung", 700],
    null,
    null,
    null,
    null,
  ]);
  expect([told(7, {}), told(0, {}), told(false, {})]).toEqual([["7", null, 500], null, null]);
});
