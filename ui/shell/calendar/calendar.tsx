import {
  type CalendarTemplate,
  calendarTemplate,
  calendarTemplates,
  dayOf,
  formatDay,
  localOf,
  nameFault,
  parseDay,
  type Recorded,
  type ShiftCalendar,
} from "@lineshaft/contract/api";
import { useMemo, useRef, useState } from "react";
import { Button, Dialog, EmptyState, TextField } from "../../kit/index.ts";
import { useDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { HistoryDialog } from "../master-data/history-dialog.tsx";
import { saveItem, useMasterData } from "../master-data/store.ts";
import { TransferButtons } from "../master-data/transfer.tsx";
import { ProblemView } from "../problem.tsx";
import { go, usePlace } from "../router.ts";
import { allowed } from "../session.ts";
import { useLoaded, useNow } from "../use.ts";
import { Assignments } from "./assignments.tsx";
import { MoveDialog } from "./change-dialog.tsx";
import { DayPanel } from "./day-panel.tsx";
import { CalendarEditor } from "./editor.tsx";
import { previewOf } from "./effect.tsx";
import { daysFrom, mondayOf, workersOf } from "./model.ts";
import { type Moving, Weeks } from "./weeks.tsx";

const weeksShown = 4;

/** When is worked: shifts with their breaks week by week, holidays, exceptions, and who works by which calendar. */
export function CalendarPage() {
  const { query } = usePlace();
  const calendars = useMasterData("calendar");
  const { state: names } = useDirectory();
  const [making, setMaking] = useState(false);
  const may = allowed("configure");
  const name = query.get("calendar") ?? calendars.items[0]?.id ?? null;
  const base = calendars.items.find(({ id }) => id === name);
  const place = (part: Record<string, string | null>): void =>
    go("calendar", { ...Object.fromEntries(query), ...part }, "replace");
  const add = may && (
    <Button kind={calendars.items.length === 0 ? "main" : "plain"} icon="plus" onClick={() => setMaking(true)}>
      {t("calendar.new")}
    </Button>
  );
  const dialog = making && (
    <NewCalendar
      taken={calendars.items.map(({ id }) => id)}
      onClose={(made) => {
        setMaking(false);
        if (made !== null) place({ calendar: made, day: null, shift: null });
      }}
    />
  );
  if (calendars.state === "failed")
    return (
      <div className="page-scroll">
        <ProblemView error={calendars.error} />
      </div>
    );
  if (calendars.state === "loading" || names === "loading") return <p className="quiet-wait">{t("wait.calendars")}</p>;
  if (calendars.items.length === 0)
    return (
      <div className="page-scroll">
        <EmptyState title={t("calendar.empty")}>
          <p>{t("calendar.emptyHint")}</p>
          <div className="form-buttons">
            {add}
            <TransferButtons kinds={["calendar", "calendarAssignment"]} />
          </div>
        </EmptyState>
        {dialog}
      </div>
    );
  return (
    <>
      {base === undefined ? (
        <div className="page-scroll">
          <EmptyState title={t("calendar.gone", { name: name ?? "" })}>
            <Button onClick={() => place({ calendar: null })}>{t("calendar.first")}</Button>
          </EmptyState>
        </div>
      ) : (
        <OneCalendar
          key={base.id}
          base={base}
          all={calendars.items}
          may={may}
          add={add}
          place={place}
          query={query}
          rolledBack={calendars.rolledBack.has(base.id)}
        />
      )}
      {dialog}
    </>
  );
}

function OneCalendar(props: {
  base: Recorded<ShiftCalendar>;
  all: readonly Recorded<ShiftCalendar>[];
  may: boolean;
  add: React.ReactNode;
  place(part: Record<string, string | null>): void;
  query: URLSearchParams;
  rolledBack: boolean;
}) {
  const { base, place, query, may } = props;
  const zone = base.item.timeZone;
  const now = useNow();
  const { equipment } = useDirectory();
  const assignments = useMasterData("calendarAssignment");
  const [moving, showMoving] = useState<Moving | null>(null);
  // Keys come faster than pictures: each adds to what the one before has done.
  const latest = useRef<Moving | null>(null);
  const setMoving = (next: Moving | null): void => {
    latest.current = next;
    showMoving(next);
  };
  const nudge = (by: Moving): void => {
    const old = latest.current;
    const same = old?.shift.id === by.shift.id && JSON.stringify(old.part) === JSON.stringify(by.part);
    setMoving({ ...by, minutes: by.minutes + (same ? old.minutes : 0) });
  };
  const [moved, setMoved] = useState<Moving | null>(null);
  const [editing, setEditing] = useState(false);
  const [history, setHistory] = useState(false);
  const today = dayOf(localOf(zone, now));
  const asked = parseDay(query.get("week") ?? "");
  const first = mondayOf(asked ?? today);
  const days = useMemo(() => daysFrom(zone, first, weeksShown * 7), [zone, first]);
  const shifts = useLoaded(`shifts ${base.id} ${base.revision} ${JSON.stringify(base.item)} ${first}`, (signal) =>
    previewOf(base.item, days[0].fromUs, days[days.length - 1].toUs, signal),
  );
  const list = shifts.data ?? [];
  const day = query.get("day");
  const chosen = list.find(({ id }) => id === query.get("shift")) ?? null;
  const machines = workersOf(
    base.id,
    assignments.items.map(({ item }) => item),
    equipment,
    now,
  ).length;
  return (
    <div className={`plan-page calendar-page ${day === null ? "" : "with-inspector"}`}>
      <aside className="calendar-side" aria-label={t("page.calendar")}>
        <ul className="calendar-list">
          {props.all.map(({ id, item }) => (
            <li key={id}>
              <button
                type="button"
                className="assignment"
                aria-pressed={id === base.id}
                onClick={() => place({ calendar: id, day: null, shift: null })}
              >
                <b className="clip">{id}</b>
                <span className="soft">{item.timeZone}</span>
              </button>
            </li>
          ))}
        </ul>
        {props.add}
        <Assignments calendar={base.id} may={may} />
        <div className="form-buttons">
          <TransferButtons kinds={["calendar", "calendarAssignment"]} />
        </div>
        <p className="footnote">{t("calendar.machines", { n: machines })}</p>
      </aside>
      <section className={`plan-main ${props.rolledBack ? "rolled-back" : ""}`} aria-label={base.id}>
        <div className="toolbar">
          <Button
            kind="quiet"
            icon="left"
            aria-label={t("calendar.earlier")}
            title={t("calendar.earlier")}
            onClick={() => place({ week: formatDay(first - 7) })}
          />
          <input
            type="date"
            className="input auto"
            aria-label={t("calendar.weekOf")}
            value={formatDay(first)}
            onChange={(event) => event.target.value !== "" && place({ week: event.target.value })}
          />
          <Button
            kind="quiet"
            icon="right"
            aria-label={t("calendar.later")}
            title={t("calendar.later")}
            onClick={() => place({ week: formatDay(first + 7) })}
          />
          <Button disabled={asked === null} onClick={() => place({ week: null })}>
            {t("calendar.today")}
          </Button>
          <span className="count wide-only">{t("calendar.zone", { zone })}</span>
          <span className="spring" />
          <Button icon="restart" onClick={() => setHistory(true)}>
            {t("history.button")}
          </Button>
          {may && (
            <Button icon="pencil" onClick={() => setEditing(true)}>
              {t("calendar.editButton")}
            </Button>
          )}
        </div>
        {shifts.error !== null && <ProblemView error={shifts.error} />}
        {shifts.data === null && shifts.error === null && (
          <p className="footnote" role="status">
            {t("calendar.wait")}
          </p>
        )}
        <Weeks
          calendar={base.item}
          days={days}
          shifts={list}
          nowUs={now}
          selected={day === null ? null : { day, shift: chosen?.id ?? null }}
          may={may}
          moving={moving}
          onMoving={setMoving}
          onNudge={nudge}
          onReview={() => {
            if (latest.current !== null && latest.current.minutes !== 0) setMoved(latest.current);
          }}
          onMoved={(to) => {
            setMoving(to);
            setMoved(to);
          }}
          onSelect={(on, shift) => place({ day: on, shift })}
        />
        {may && (
          <p className="footnote" role="status">
            {moving === null || moving.minutes === 0
              ? t("calendar.hint")
              : t("calendar.moving", {
                  name: moving.shift.name,
                  n: `${moving.minutes > 0 ? "+" : "−"}${Math.abs(moving.minutes)}`,
                })}
          </p>
        )}
      </section>
      {day !== null && (
        <DayPanel
          key={`${day} ${chosen?.id}`}
          base={base}
          day={day}
          shift={chosen}
          may={may}
          onClose={() => place({ day: null, shift: null })}
        />
      )}
      {moved !== null && (
        <MoveDialog
          base={base}
          moving={moved}
          onClose={() => {
            setMoved(null);
            setMoving(null);
          }}
        />
      )}
      {editing && <CalendarEditor base={base} onClose={() => setEditing(false)} />}
      {history && <HistoryDialog kind="calendar" id={base.id} onClose={() => setHistory(false)} />}
    </div>
  );
}

function NewCalendar({ taken, onClose }: { taken: readonly string[]; onClose(made: string | null): void }) {
  const [name, setName] = useState("");
  const [template, setTemplate] = useState<CalendarTemplate>("threeShifts");
  const [timeZone, setTimeZone] = useState(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  const [error, setError] = useState<unknown>(null);
  const id = name.trim();
  const fault =
    id !== "" && (nameFault(id) !== null || id.includes("/"))
      ? t("name.invalid")
      : taken.includes(id)
        ? t("masterData.taken")
        : null;
  const save = async (): Promise<void> => {
    const { error: refused } = await saveItem("calendar", id, calendarTemplate(template, id, timeZone), null);
    setError(refused);
    if (refused === null) onClose(id);
  };
  return (
    <Dialog title={t("calendar.new")} closeLabel={t("close")} onClose={() => onClose(null)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextField label={t("calendar.name")} value={name} required maxLength={128} fault={fault} onChange={setName} />
        <fieldset className="choices templates">
          <legend>{t("calendar.template")}</legend>
          {calendarTemplates.map((one) => (
            <label key={one} className="check-line">
              <input type="radio" name="template" checked={one === template} onChange={() => setTemplate(one)} />
              <span>
                {t(`calendar.template.${one}`)} <span className="soft">{t(`calendar.templateHint.${one}`)}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <TextField
          label={t("calendar.timeZone")}
          value={timeZone}
          required
          maxLength={64}
          onChange={setTimeZone}
          hint={t("calendar.zoneHint")}
        />
        {error !== null && <ProblemView error={error} />}
        <div className="form-buttons">
          <Button kind="main" type="submit" disabled={id === "" || fault !== null}>
            {t("calendar.create")}
          </Button>
          <Button kind="quiet" onClick={() => onClose(null)}>
            {t("cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
