import { hourUs, minuteUs, parseDay, type ShiftCalendar, type ShiftOccurrence } from "@lineshaft/contract/api";
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { type Format, makeFormat } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { type DayRow, longestDayHours, mondayOf, type Part, plainName, weekNumber, workedOn } from "./model.ts";

const snapMinutes = 5;
const keyMinutes = 15;
const longestUs = longestDayHours * hourUs;

/** A part of a shift on its way to another time; not yet what the calendar says. */
export interface Moving {
  shift: ShiftOccurrence;
  part: Part;
  minutes: number;
}

/** Weeks of days, each as long as it is: the one on which the clock goes back is 25 hours wide. Shifts and breaks are dragged, or moved by the arrows. */
export function Weeks(props: {
  calendar: ShiftCalendar;
  days: readonly DayRow[];
  shifts: readonly ShiftOccurrence[];
  nowUs: number;
  selected: { day: string; shift: string | null } | null;
  may: boolean;
  moving: Moving | null;
  onMoving(moving: Moving | null): void;
  /** By so many minutes more than it is already. */
  onNudge(moving: Moving): void;
  /** Enough moved: its effect is to be seen. */
  onReview(): void;
  onMoved(moving: Moving): void;
  onSelect(day: string, shift: string | null): void;
}) {
  const { days } = props;
  const format = makeFormat(fmt.locale, props.calendar.timeZone);
  const weeks = Array.from({ length: Math.ceil(days.length / 7) }, (_, i) => days.slice(i * 7, i * 7 + 7));
  return (
    <div className="weeks">
      <div className="week-hours" aria-hidden="true">
        <span />
        <div>
          {[0, 3, 6, 9, 12, 15, 18, 21, 24].map((hour) => (
            <span key={hour} style={{ left: `${(hour / longestDayHours) * 100}%` }}>
              {String(hour).padStart(2, "0")}
            </span>
          ))}
        </div>
      </div>
      {weeks.map((week) => (
        <section
          key={week[0].day}
          className="week"
          aria-label={t("calendar.week", { n: weekNumber(mondayOf(parseDay(week[0].day) as number)) })}
        >
          <h3>{t("calendar.week", { n: weekNumber(mondayOf(parseDay(week[0].day) as number)) })}</h3>
          {week.map((row) => (
            <Day key={row.day} {...props} row={row} format={format} />
          ))}
        </section>
      ))}
    </div>
  );
}

function Day(props: Parameters<typeof Weeks>[0] & { row: DayRow; format: Format }) {
  const { row, calendar, shifts, format, nowUs } = props;
  const track = useRef<HTMLDivElement>(null);
  const { by } = workedOn(calendar, row.day);
  const holiday = calendar.holidays.find(({ day }) => day === row.day);
  const own = shifts.filter(({ fromUs, toUs }) => fromUs < row.toUs && toUs > row.fromUs);
  const weekday = new Intl.DateTimeFormat(fmt.locale, { weekday: "short", timeZone: "UTC" }).format(
    Date.parse(`${row.day}T12:00Z`),
  );
  const left = (us: number): number => ((Math.max(us, row.fromUs) - row.fromUs) / longestUs) * 100;
  const width = (fromUs: number, toUs: number): number =>
    ((Math.min(toUs, row.toUs) - Math.max(fromUs, row.fromUs)) / longestUs) * 100;
  const today = nowUs >= row.fromUs && nowUs < row.toUs;
  const marks = Array.from({ length: 8 }, (_, i) => row.fromUs + (i + 1) * 3 * hourUs).filter((us) => us < row.toUs);
  return (
    <div className={`day ${today ? "today" : ""} ${props.selected?.day === row.day ? "selected" : ""}`}>
      <button
        type="button"
        className="day-name"
        aria-pressed={props.selected?.day === row.day && props.selected.shift === null}
        onClick={() => props.onSelect(row.day, null)}
      >
        <span>
          {weekday} <b>{format.part(row.fromUs, "day")}</b>
        </span>
        {row.hours !== 24 && <span className="day-mark dst">{t("calendar.hours", { n: row.hours })}</span>}
        {by === "holiday" && (
          <span className="day-mark" title={holiday?.name}>
            {holiday?.name}
          </span>
        )}
        {by === "exception" && <span className="day-mark">{t("calendar.exception")}</span>}
      </button>
      <div ref={track} className="day-track">
        <div className="day-length" style={{ width: `${(row.hours / longestDayHours) * 100}%` }} />
        {marks.map((us) => (
          <i key={us} className="plan-tick" style={{ left: `${left(us)}%` }} />
        ))}
        {own.map((shift) => (
          <Shift key={shift.id} {...props} shift={shift} left={left} width={width} track={track} />
        ))}
        {today && <i className="now-line" style={{ left: `${left(nowUs)}%` }} />}
        {row.hours !== 24 &&
          shiftedHours(row, format).map(({ us, text }) => (
            <span key={us} className="dst-hour" style={{ left: `${left(us)}%` }}>
              {text}
            </span>
          ))}
      </div>
    </div>
  );
}

/** On a day of another length the hours from the change on stand elsewhere than in the head. */
function shiftedHours(row: DayRow, format: Format): { us: number; text: string }[] {
  return [6, 12, 18].flatMap((hour) => {
    for (let us = row.fromUs; us < row.toUs; us += hourUs)
      if (format.part(us, "min") === `${String(hour).padStart(2, "0")}:00`)
        return [{ us, text: String(hour).padStart(2, "0") }];
    return [];
  });
}

function Shift(
  props: Parameters<typeof Day>[0] & {
    shift: ShiftOccurrence;
    left(us: number): number;
    width(fromUs: number, toUs: number): number;
    track: React.RefObject<HTMLDivElement | null>;
  },
) {
  const { shift, moving, row, format, may } = props;
  const grip = useRef<{ x: number; part: Part; pointer: number } | null>(null);
  const [dragging, setDragging] = useState(false);
  // Letting go of what was dragged is a click to the browser, and none to people.
  const dragged = useRef(false);
  const select = (): void => {
    if (!dragged.current) props.onSelect(shift.productionDay, shift.id);
    dragged.current = false;
  };
  const mine = moving !== null && moving.shift.id === shift.id ? moving : null;
  const by = (mine?.minutes ?? 0) * minuteUs;
  const whole = mine?.part.kind === "shift";
  const fromUs = shift.fromUs + (whole || mine?.part.kind === "start" ? by : 0);
  const toUs = shift.toUs + (whole || mine?.part.kind === "end" ? by : 0);
  const times = `${format.part(fromUs, "min")} – ${format.part(toUs, "min")}`;
  const elsewhere = shift.productionDay !== row.day;

  const minutesAt = (x: number): number => {
    const wide = props.track.current?.clientWidth ?? 1;
    const moved = ((x - (grip.current?.x ?? x)) / wide) * longestDayHours * 60;
    return Math.round(moved / snapMinutes) * snapMinutes;
  };
  const onPointerDown = (part: Part) => (event: PointerEvent) => {
    if (!may || event.button !== 0) return;
    dragged.current = false;
    grip.current = { x: event.clientX, part, pointer: event.pointerId };
    event.currentTarget.setPointerCapture(event.pointerId);
    event.stopPropagation();
  };
  const onPointerMove = (event: PointerEvent): void => {
    if (grip.current === null) return;
    const minutes = minutesAt(event.clientX);
    if (minutes !== 0) setDragging(true);
    if (dragging || minutes !== 0) props.onMoving({ shift, part: grip.current.part, minutes });
  };
  const onPointerUp = (event: PointerEvent): void => {
    const held = grip.current;
    if (held === null) return;
    const minutes = minutesAt(event.clientX);
    grip.current = null;
    setDragging(false);
    dragged.current = minutes !== 0;
    if (minutes !== 0) props.onMoved({ shift, part: held.part, minutes });
    else props.onMoving(null);
  };
  const onPointerCancel = (): void => {
    grip.current = null;
    setDragging(false);
    props.onMoving(null);
  };
  const onKeyDown = (part: Part) => (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (may && step !== 0) {
      const so = event.altKey && part.kind === "shift" ? ({ kind: "end" } as const) : part;
      props.onNudge({ shift, part: so, minutes: step * (event.shiftKey ? snapMinutes : keyMinutes) });
    } else if (event.key === "Enter" && mine !== null) props.onReview();
    else if (event.key === "Escape" && mine !== null) props.onMoving(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const drag = { onPointerMove, onPointerUp, onPointerCancel };
  if (toUs <= row.fromUs || fromUs >= row.toUs) return null;
  return (
    <>
      <button
        type="button"
        className={`shift-block ${mine === null ? "" : "moving"} ${props.selected?.shift === shift.id ? "selected" : ""}`}
        style={
          {
            left: `${props.left(fromUs)}%`,
            width: `${props.width(fromUs, toUs)}%`,
            "--tone": toneOf(props.calendar, shift.name),
          } as React.CSSProperties
        }
        aria-pressed={props.selected?.shift === shift.id}
        title={`${shift.name}${shift.crew === null ? "" : ` · ${shift.crew}`} · ${times} · ${t("calendar.productionDay", { day: shift.productionDay })}`}
        onClick={select}
        onPointerDown={onPointerDown({ kind: "shift" })}
        onKeyDown={onKeyDown({ kind: "shift" })}
        {...drag}
      >
        <b>{plainName(shift.name)}</b>
        {shift.crew !== null && <span className="crew">{shift.crew}</span>}
        <span className={mine === null ? "unseen" : "times"}>{times}</span>
        {elsewhere && <span className="soft">→ {Number(shift.productionDay.slice(8))}</span>}
      </button>
      {may && fromUs >= row.fromUs && (
        <span
          className="shift-edge"
          style={{ left: `${props.left(fromUs)}%` }}
          onPointerDown={onPointerDown({ kind: "start" })}
          {...drag}
        />
      )}
      {may && toUs <= row.toUs && (
        <span
          className="shift-edge end"
          style={{ left: `${props.left(toUs)}%` }}
          onPointerDown={onPointerDown({ kind: "end" })}
          {...drag}
        />
      )}
      {shift.breaks.map((pause, i) => {
        const part: Part = { kind: "break", index: i };
        const own = mine?.part.kind === "break" && mine.part.index === i;
        const [a, b] = [pause.fromUs, pause.toUs].map((us) => us + (whole || own ? by : 0));
        if (b <= row.fromUs || a >= row.toUs) return null;
        const name = `${pause.name ?? t("calendar.break")} ${format.part(a, "min")} – ${format.part(b, "min")}`;
        return (
          <button
            key={`${pause.fromUs}`}
            type="button"
            className={`break-block ${own ? "moving" : ""}`}
            style={{ left: `${props.left(a)}%`, width: `${props.width(a, b)}%` }}
            aria-label={`${shift.name}, ${name}`}
            title={name}
            onClick={select}
            onPointerDown={onPointerDown(part)}
            onKeyDown={onKeyDown(part)}
            {...drag}
          />
        );
      })}
    </>
  );
}

/** Shifts are told apart by calm shades, the first like the second of its kind. */
const toneOf = (calendar: ShiftCalendar, name: string): string => {
  const at = calendar.shifts.findIndex((one) => name === one.name || name.startsWith(`${one.name} `));
  return `var(--shade-${(Math.max(0, at) % 5) + 1})`;
};
