import { dayUs, type Micros, type ShiftCalendar, type ShiftOccurrence } from "@lineshaft/contract/api";
import { useMemo } from "react";
import { makeFormat } from "../../kit/index.ts";
import { useDirectory } from "../directory.ts";
import { nowUs } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import { useMasterData } from "../master-data/store.ts";
import { call } from "../platform.ts";
import { ProblemView } from "../problem.tsx";
import { useLoaded } from "../use.ts";
import { changedDays, workersOf } from "./model.ts";

/** As far back and ahead as the effect of a change is looked at. */
const reachUs = 60 * dayUs;
const shownMax = 8;

export const previewOf = async (
  calendar: ShiftCalendar,
  from: Micros,
  to: Micros,
  signal?: AbortSignal,
): Promise<ShiftOccurrence[]> =>
  (await call("previewShifts", { body: { calendar, from, to }, ...(signal === undefined ? {} : { signal }) })).items;

/** Whom a change of a calendar reaches and which days become others; those that have been are computed again. */
export function CalendarEffect({ before, after }: { before: ShiftCalendar; after: ShiftCalendar }) {
  const { equipment } = useDirectory();
  const assignments = useMasterData("calendarAssignment");
  const now = useMemo(() => nowUs(), []);
  const found = useLoaded(`effect ${JSON.stringify([before, after])}`, async (signal) => {
    const range = [now - reachUs, now + reachUs] as const;
    const [old, next] = await Promise.all([previewOf(before, ...range, signal), previewOf(after, ...range, signal)]);
    return changedDays(old, next);
  });
  const machines = workersOf(
    before.name,
    assignments.items.map(({ item }) => item),
    equipment,
    now,
  );
  const days = found.data ?? [];
  const past = days.filter(({ fromUs }) => fromUs < now).length;
  const format = makeFormat(fmt.locale, after.timeZone);
  const text = (shifts: readonly ShiftOccurrence[]): string =>
    shifts.length === 0
      ? t("calendar.noShift")
      : shifts
          .map(({ name, crew, fromUs, toUs, breaks }) => {
            const pauses = breaks
              .map((one) => `${format.part(one.fromUs, "min")}–${format.part(one.toUs, "min")}`)
              .join(", ");
            return `${name}${crew === null ? "" : ` ${crew}`} ${format.part(fromUs, "min")}–${format.part(toUs, "min")}${pauses === "" ? "" : ` (${t("calendar.break")} ${pauses})`}`;
          })
          .join(" · ");
  return (
    <section className="effect" aria-label={t("effect.title")} aria-live="polite">
      <h3>{t("effect.title")}</h3>
      {found.error !== null ? (
        <ProblemView error={found.error} />
      ) : found.loading ? (
        <p className="quiet-wait">{t("wait.effect")}</p>
      ) : days.length === 0 ? (
        <p className="soft">{t("calendar.effectNone")}</p>
      ) : (
        <>
          <p className={past > 0 && machines.length > 0 ? "effect-past" : "soft"}>
            {t("calendar.effect", { days: days.length, past, machines: machines.length })}{" "}
            {machines.length > 0 && past > 0 && t("calendar.effectPast")}
          </p>
          {machines.length > 0 && (
            <p className="soft clip">
              {machines
                .slice(0, 12)
                .map(({ name }) => name)
                .join(", ")}
              {machines.length > 12 && " …"}
            </p>
          )}
          <ul className="effect-days">
            {days.slice(0, shownMax).map((one) => {
              const same = (a: ShiftOccurrence, list: readonly ShiftOccurrence[]): boolean =>
                list.some((b) => text([a]) === text([b]));
              const [old, next] = [
                one.before.filter((a) => !same(a, one.after)),
                one.after.filter((a) => !same(a, one.before)),
              ];
              return (
                <li key={one.day}>
                  <b className="nowrap">{format.part(one.fromUs, "day")}</b>
                  <span>
                    <del>{text(old)}</del> <span aria-hidden="true">→</span> <ins>{text(next)}</ins>
                  </span>
                </li>
              );
            })}
            {days.length > shownMax && (
              <li className="soft">{t("calendar.moreDays", { n: days.length - shownMax })}</li>
            )}
          </ul>
        </>
      )}
    </section>
  );
}
