import type { Recorded, ShiftCalendar, ShiftDefinition, ShiftOccurrence } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, Field, makeFormat, TextField } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { ChangeCalendar, ScopeChoice } from "./change-dialog.tsx";
import { plainName, type Scope, withException, withoutException, withShift, workedOn } from "./model.ts";

/** One day, or one shift of it: what is worked, in figures, and by keyboard. */
export function DayPanel(props: {
  base: Recorded<ShiftCalendar>;
  day: string;
  shift: ShiftOccurrence | null;
  may: boolean;
  onClose(): void;
}) {
  const { base, day, shift, may } = props;
  const format = makeFormat(fmt.locale, base.item.timeZone);
  const date = new Intl.DateTimeFormat(fmt.locale, {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  }).format(Date.parse(`${day}T12:00Z`));
  const [editing, setEditing] = useState(false);
  const [after, setAfter] = useState<ShiftCalendar | null>(null);
  const { shifts, by } = workedOn(base.item, day);
  const definition = shift === null ? undefined : base.item.shifts.find(({ name }) => name === shift.name);
  return (
    <aside className="inspector" aria-label={shift?.name ?? date}>
      <header className="panel-head">
        <h2>{shift === null ? date : shift.name}</h2>
        <Button kind="quiet" icon="close" aria-label={t("close")} onClick={props.onClose} />
      </header>
      {shift === null ? (
        <p className="soft">{t(`calendar.by.${by}`)}</p>
      ) : (
        <>
          <p className="soft">{date}</p>
          <dl className="facts">
            <div>
              <dt>{t("calendar.time")}</dt>
              <dd>
                {format.part(shift.fromUs, "min")} – {format.part(shift.toUs, "min")}
                <span className="hint">{format.zoneName(shift.fromUs)}</span>
              </dd>
            </div>
            <div>
              <dt>{t("calendar.length")}</dt>
              <dd>{fmt.duration(shift.toUs - shift.fromUs)}</dd>
            </div>
            {shift.crew !== null && (
              <div>
                <dt>{t("calendar.crew")}</dt>
                <dd>{shift.crew}</dd>
              </div>
            )}
            {shift.breaks.map((pause) => (
              <div key={pause.fromUs}>
                <dt>{pause.name ?? t("calendar.break")}</dt>
                <dd>
                  {format.part(pause.fromUs, "min")} – {format.part(pause.toUs, "min")}
                </dd>
              </div>
            ))}
          </dl>
          {shift.resolved.map((one) => (
            <p key={`${one.what} ${one.local}`} className="sign-in-note">
              {t(`calendar.resolved.${one.rule}`, { time: one.local.replace("T", " ") })}
            </p>
          ))}
        </>
      )}
      {may && (
        <>
          {shift !== null && definition !== undefined && (
            <Button icon="pencil" onClick={() => setEditing(true)}>
              {t("calendar.editShift")}
            </Button>
          )}
          <fieldset className="day-worked">
            <legend>{t("calendar.workedOn")}</legend>
            {base.item.shifts.map(({ name }) => {
              const worked = shifts.find((one) => one.shift === name);
              // A shift that was made for another day is no choice for this one.
              if (worked === undefined && plainName(name) !== name) return null;
              return (
                <label key={name} className="check-line">
                  <input
                    type="checkbox"
                    checked={worked !== undefined}
                    onChange={() =>
                      setAfter(
                        withException(
                          base.item,
                          day,
                          worked === undefined ? [...shifts, { shift: name }] : shifts.filter((one) => one !== worked),
                        ),
                      )
                    }
                  />
                  {name}
                  {worked?.crew !== undefined && <span className="soft"> {worked.crew}</span>}
                </label>
              );
            })}
          </fieldset>
          {by === "exception" && (
            <Button onClick={() => setAfter(withoutException(base.item, day))}>{t("calendar.asUsual")}</Button>
          )}
          {by !== "holiday" && (
            <Button
              onClick={() =>
                setAfter({
                  ...withoutException(base.item, day),
                  holidays: [...base.item.holidays, { day, name: t("calendar.holiday") }],
                })
              }
            >
              {t("calendar.makeHoliday")}
            </Button>
          )}
          {by === "holiday" && (
            <Button
              onClick={() => setAfter({ ...base.item, holidays: base.item.holidays.filter((one) => one.day !== day) })}
            >
              {t("calendar.noHoliday")}
            </Button>
          )}
        </>
      )}
      {editing && definition !== undefined && (
        <ShiftForm base={base} definition={definition} day={day} onClose={() => setEditing(false)} />
      )}
      {after !== null && (
        <ChangeCalendar
          base={base}
          after={after}
          title={t("calendar.dayTitle", { day: date })}
          onClose={() => setAfter(null)}
        />
      )}
    </aside>
  );
}

let keys = 0;

/** Start, end and breaks of a shift in figures; its effect stands below. */
function ShiftForm(props: {
  base: Recorded<ShiftCalendar>;
  definition: ShiftDefinition;
  day: string;
  onClose(): void;
}) {
  const { base, definition, day } = props;
  const [scope, setScope] = useState<Scope>("day");
  const [start, setStart] = useState(definition.start);
  const [end, setEnd] = useState(definition.end);
  const [breaks, setBreaks] = useState(() => definition.breaks.map((one) => ({ ...one, key: keys++ })));
  const next: ShiftDefinition = { ...definition, start, end, breaks: breaks.map(({ key: _, ...one }) => one) };
  const setBreak = (key: number, part: { start?: string; minutes?: number; name?: string } | null): void =>
    setBreaks((old) => old.flatMap((one) => (one.key !== key ? [one] : part === null ? [] : [{ ...one, ...part }])));
  return (
    <ChangeCalendar
      base={base}
      after={withShift(base.item, definition.name, next, scope, day)}
      title={t("calendar.shiftTitle", { name: definition.name })}
      onClose={props.onClose}
    >
      <div className="form-grid">
        <TextField
          label={t("calendar.start")}
          type="time"
          required
          value={start}
          onChange={(value) => value !== "" && setStart(value)}
        />
        <TextField
          label={t("calendar.end")}
          type="time"
          required
          value={end}
          hint={end <= start ? t("calendar.nextDay") : undefined}
          onChange={(value) => value !== "" && setEnd(value)}
        />
      </div>
      <fieldset className="rows">
        <legend>{t("calendar.breaks")}</legend>
        {breaks.map((one, i) => (
          <div key={one.key} className="row-line">
            <input
              className="input"
              aria-label={t("calendar.breakName", { n: i + 1 })}
              placeholder={t("calendar.break")}
              value={one.name ?? ""}
              maxLength={128}
              onChange={(event) =>
                setBreak(one.key, { name: event.target.value === "" ? undefined : event.target.value })
              }
            />
            <input
              type="time"
              className="input short"
              aria-label={t("calendar.breakStart", { n: i + 1 })}
              value={one.start}
              onChange={(event) => event.target.value !== "" && setBreak(one.key, { start: event.target.value })}
            />
            <input
              type="number"
              min={1}
              max={1440}
              className="input short"
              aria-label={t("calendar.breakMinutes", { n: i + 1 })}
              value={one.minutes}
              onChange={(event) => setBreak(one.key, { minutes: Math.max(1, Math.round(Number(event.target.value))) })}
            />
            <span className="soft">min</span>
            <Button
              kind="quiet"
              icon="close"
              aria-label={t("calendar.removeBreak", { n: i + 1 })}
              onClick={() => setBreak(one.key, null)}
            />
          </div>
        ))}
        <Button icon="plus" onClick={() => setBreaks([...breaks, { start, minutes: 30, key: keys++ }])}>
          {t("calendar.addBreak")}
        </Button>
      </fieldset>
      <Field label={t("calendar.scope")}>{() => <ScopeChoice scope={scope} day={day} onChange={setScope} />}</Field>
    </ChangeCalendar>
  );
}
