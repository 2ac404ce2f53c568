import { type AlarmTransition, alarmColumns, identifierColumns, minuteUs } from "@lineshaft/contract/api";
import { expect, it } from "vitest";
import { alarmItems, alarmPieces } from "./alarm-lane.ts";

const at = (minute: number): number => minute * minuteUs;
const told = (minute: number, tagId: number, code: string | null, over: Partial<AlarmTransition> = {}) => ({
  ...{ property: "fault", tagId, t: at(minute), active: code !== null, code, cause: 0 },
  ...{
    severity: code === null ? null : 500,
    text: code === null ? null : { en: `Alarm ${code}`, de: `Alarm ${code}!` },
  },
  ...over,
});
const facts = (rows: AlarmTransition[], watermarkUs = at(60)) => ({
  ...{ equipmentId: 1, fromUs: at(0), toUs: at(120), watermarkUs, finalBeforeUs: null, repairing: false },
  states: { time: [], itemState: [], operationMode: [], cause: [] },
  increments: { source: [], time: [], n: [], kind: [], flags: [] },
  ...{ alarms: alarmColumns(rows), identifiers: identifierColumns([]) },
});

it("alarms at once are one stretch under the most severe of them; what is unknown or quiet is none", () => {
  const rows = [
    told(0, 1, null),
    told(0, 2, null, { active: null }),
    told(10, 1, "A"),
    told(20, 2, "B", { severity: 900 }),
    told(30, 1, null, { active: null }),
    told(40, 2, null),
    told(50, 1, "C", { text: null }),
  ];
  const pieces = alarmPieces(facts(rows), at(60) + 1_000_000, "en");
  expect(pieces.map(({ fromUs, toUs, text, others }) => [fromUs / minuteUs, toUs / minuteUs, text, others])).toEqual([
    [10, 20, "Alarm A", 0],
    [20, 30, "Alarm B", 1],
    [30, 40, "Alarm B", 0],
    [50, 60 + 1 / 60, "fault C", 0],
  ]);
  expect(alarmItems(pieces, (n) => `+${n}`).map(({ label, state }) => [label, state])).toEqual([
    ["Alarm A", "notExecuting"],
    ["Alarm B +1", "fault"],
    ["Alarm B", "fault"],
    ["fault C", "notExecuting"],
  ]);
  // What lies behind the last proof of life is not known to be active any more.
  expect(alarmPieces(facts(rows, at(52)), at(90), "de").at(-1)).toMatchObject({ fromUs: at(50), toUs: at(52) });
  expect(alarmPieces(facts(rows), at(60), "de")[0].text).toBe("Alarm A!");
});
