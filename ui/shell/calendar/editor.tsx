import type { Recorded, ShiftCalendar, WorkedShift } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, TextField } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { ChangeCalendar } from "./change-dialog.tsx";
import { plainName } from "./model.ts";

let keys = 0;
const keyed = <T,>(list: readonly T[]): { key: number; of: T }[] => list.map((of) => ({ key: keys++, of }));

/** The whole of a calendar: its shifts, the rotation, holidays. Single days are changed in the weeks. */
export function CalendarEditor({ base, onClose }: { base: Recorded<ShiftCalendar>; onClose(): void }) {
  const [timeZone, setTimeZone] = useState(base.item.timeZone);
  const [shifts, setShifts] = useState(() => keyed(base.item.shifts));
  const [anchor, setAnchor] = useState(base.item.rotation.anchor);
  const [days, setDays] = useState(() => keyed(base.item.rotation.days));
  const [holidays, setHolidays] = useState(() => keyed(base.item.holidays));
  const crews = base.item.rotation.days.some((list) => list.some(({ crew }) => crew !== undefined));
  const after: ShiftCalendar = {
    ...base.item,
    timeZone,
    shifts: shifts.map(({ of }) => of),
    rotation: { anchor, days: days.map(({ of }) => of) },
    holidays: holidays.map(({ of }) => of).filter(({ day, name }) => day !== "" && name !== ""),
  };
  const regular = shifts.filter(({ of }) => plainName(of.name) === of.name);
  const setShift = (key: number, part: Partial<ShiftCalendar["shifts"][number]>): void =>
    setShifts((old) => old.map((one) => (one.key === key ? { ...one, of: { ...one.of, ...part } } : one)));
  const setDay = (key: number, list: WorkedShift[]): void =>
    setDays((old) => old.map((one) => (one.key === key ? { ...one, of: list } : one)));
  const zones = Intl.supportedValuesOf("timeZone");
  return (
    <ChangeCalendar base={base} after={after} title={t("calendar.edit", { name: base.id })} onClose={onClose}>
      <TextField
        label={t("calendar.timeZone")}
        value={timeZone}
        list="zones"
        required
        maxLength={64}
        onChange={setTimeZone}
      />
      <datalist id="zones">
        {zones.map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      <fieldset className="rows">
        <legend>{t("calendar.shifts")}</legend>
        {regular.map(({ key, of }, i) => (
          <div key={key} className="row-line">
            <span className="row-name">{of.name}</span>
            <input
              type="time"
              className="input short"
              aria-label={t("calendar.startOf", { name: of.name })}
              value={of.start}
              onChange={(event) => event.target.value !== "" && setShift(key, { start: event.target.value })}
            />
            <span className="soft">–</span>
            <input
              type="time"
              className="input short"
              aria-label={t("calendar.endOf", { name: of.name })}
              value={of.end}
              onChange={(event) => event.target.value !== "" && setShift(key, { end: event.target.value })}
            />
            <select
              className="input auto"
              aria-label={t("calendar.countsFor", { n: i + 1 })}
              value={of.productionDay ?? "start"}
              onChange={(event) => setShift(key, { productionDay: event.target.value as "start" | "end" })}
            >
              <option value="start">{t("calendar.countsStart")}</option>
              <option value="end">{t("calendar.countsEnd")}</option>
            </select>
          </div>
        ))}
      </fieldset>
      <fieldset className="rows">
        <legend>{t("calendar.rotation")}</legend>
        <TextField
          label={t("calendar.anchor")}
          type="date"
          value={anchor}
          required
          onChange={(value) => value !== "" && setAnchor(value)}
        />
        <div className="table-frame">
          <table className="plain rotation">
            <thead>
              <tr>
                <th>{t("calendar.day")}</th>
                {regular.map(({ key, of }) => (
                  <th key={key}>{of.name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {days.map(({ key, of: list }, i) => (
                <tr key={key}>
                  <th scope="row">{i + 1}</th>
                  {regular.map(({ key: column, of: { name } }) => {
                    const worked = list.find(({ shift }) => shift === name);
                    const label = t("calendar.cell", { n: i + 1, name });
                    const without = list.filter(({ shift }) => shift !== name);
                    return (
                      <td key={column}>
                        {crews ? (
                          <input
                            className="input short"
                            aria-label={label}
                            placeholder="–"
                            value={worked === undefined ? "" : (worked.crew ?? "✓")}
                            maxLength={128}
                            onChange={(event) =>
                              setDay(
                                key,
                                event.target.value.trim() === ""
                                  ? without
                                  : [...without, { shift: name, crew: event.target.value }],
                              )
                            }
                          />
                        ) : (
                          <input
                            type="checkbox"
                            aria-label={label}
                            checked={worked !== undefined}
                            onChange={() => setDay(key, worked === undefined ? [...list, { shift: name }] : without)}
                          />
                        )}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <div className="form-buttons">
          <Button icon="plus" disabled={days.length >= 366} onClick={() => setDays([...days, { key: keys++, of: [] }])}>
            {t("calendar.addDay")}
          </Button>
          <Button kind="quiet" disabled={days.length <= 1} onClick={() => setDays(days.slice(0, -1))}>
            {t("calendar.removeDay")}
          </Button>
        </div>
      </fieldset>
      <fieldset className="rows">
        <legend>{t("calendar.holidays")}</legend>
        {holidays.map(({ key, of }, i) => (
          <div key={key} className="row-line">
            <input
              type="date"
              className="input auto"
              aria-label={t("calendar.holidayDay", { n: i + 1 })}
              value={of.day}
              onChange={(event) =>
                setHolidays(
                  holidays.map((one) => (one.key === key ? { key, of: { ...of, day: event.target.value } } : one)),
                )
              }
            />
            <input
              className="input"
              aria-label={t("calendar.holidayName", { n: i + 1 })}
              value={of.name}
              maxLength={128}
              onChange={(event) =>
                setHolidays(
                  holidays.map((one) => (one.key === key ? { key, of: { ...of, name: event.target.value } } : one)),
                )
              }
            />
            <Button
              kind="quiet"
              icon="close"
              aria-label={t("calendar.removeHoliday", { n: i + 1 })}
              onClick={() => setHolidays(holidays.filter((one) => one.key !== key))}
            />
          </div>
        ))}
        <Button icon="plus" onClick={() => setHolidays([...holidays, { key: keys++, of: { day: "", name: "" } }])}>
          {t("calendar.addHoliday")}
        </Button>
      </fieldset>
    </ChangeCalendar>
  );
}
