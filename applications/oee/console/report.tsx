import { dayUs, type Micros, minuteUs, type ShiftOccurrence } from "@lineshaft/contract/api";
import { Button, makeFormat, type PageContext, type PageLocale, pageLocales, useLoaded } from "@lineshaft/ui/kit";
import { readShiftReport, usualLeastStopUs } from "../report-source.ts";
import { PathLinks, PlaceChoice } from "./links.tsx";
import { PlacePage, type PlaceProps, Waiting } from "./place-page.tsx";
import { pathTo } from "./plant.ts";
import "./report.css";
import { Sheet } from "./report-sheet.tsx";
import { shiftAt } from "./source.ts";
import { useTarget } from "./target.ts";
import { dayText, textsOf } from "./texts.ts";

/** How was the shift? A sheet of A4 for the wall. */
export default function ReportPage({ context }: { context: PageContext }) {
  return <PlacePage context={context} places="all" gone="oee.gone" Body={Report} />;
}

/** Shifts that can be chosen: so far back. */
const backUs = 14 * dayUs;
/** What is long enough to be named, in minutes. */
const leastMinutes = [1, 3, 5, 10, 15, 30, 60];

function Report({ id, plant, context, t }: PlaceProps) {
  const nowUs = Math.floor(context.nowUs() / 60e6) * 60e6;
  const shifts = useLoaded(`shifts ${id}`, async (signal): Promise<ShiftOccurrence[]> => {
    const query = { equipmentId: id, from: nowUs - backUs, to: nowUs };
    const { items } = await context.platform.call("listShifts", { query, signal });
    return items.sort((a, b) => b.fromUs - a.fromUs);
  });
  const { query } = context;
  const asked = query.get("shift");
  // Unasked the last shift that has ended: of the one that runs no report is due yet.
  const shift =
    shifts.data?.find((one) => one.id === asked) ??
    shifts.data?.find(({ toUs }) => toUs <= nowUs) ??
    shifts.data?.[0] ??
    null;
  const leastUs = Number(query.get("least")) * minuteUs || usualLeastStopUs;
  const locale = pageLocales.find((one) => one === query.get("lang")) ?? context.locale;
  const set = (part: Record<string, string | number>): void =>
    context.go(context.page, { ...Object.fromEntries(query), id, ...part }, "replace");
  return (
    <div className="page-scroll oee-page report-page">
      <div className="oee-head no-print">
        <PlaceChoice id={id} plant={plant} context={context} t={t} places="all" />
        <PathLinks id={id} plant={plant} context={context} stay />
        <span className="report-choices">
          <select
            className="input machine-choice"
            aria-label={t("oee.shift")}
            value={shift?.id ?? ""}
            onChange={(event) => set({ shift: event.target.value })}
          >
            {shifts.data?.map((one) => (
              <option key={one.id} value={one.id}>
                {dayText(one.productionDay, context.format)} {one.name}
                {shiftAt([one], nowUs) === undefined ? "" : ` (${t("report.runs")})`}
              </option>
            ))}
          </select>
          <select
            className="input machine-choice"
            aria-label={t("report.least")}
            value={leastUs / minuteUs}
            onChange={(event) => set({ least: event.target.value })}
          >
            {leastMinutes.map((minutes) => (
              <option key={minutes} value={minutes}>
                {t("report.leastOf", { time: context.format.duration(minutes * minuteUs) })}
              </option>
            ))}
          </select>
          <select
            className="input machine-choice"
            aria-label={t("report.language")}
            value={locale}
            onChange={(event) => set({ lang: event.target.value })}
          >
            <option value="de">Deutsch</option>
            <option value="en">English</option>
          </select>
          <Button kind="main" icon="report" onClick={() => print()} disabled={shift === null}>
            {t("report.print")}
          </Button>
        </span>
      </div>
      {shifts.data === null && <Waiting loaded={shifts} words={t("wait.plant")} context={context} t={t} />}
      {shifts.data !== null && shift === null && <p>{t("oee.noShifts")}</p>}
      {shift !== null && <Read key={shift.id} {...{ id, plant, context, t, shift, leastUs, locale }} />}
    </div>
  );
}

/** A report of the past is read once; that of the shift that runs, again and again. */
const refreshMs = 10_000;

function Read(props: PlaceProps & { shift: ShiftOccurrence; leastUs: Micros; locale: PageLocale }) {
  const { id, plant, context, t, shift, leastUs, locale } = props;
  const target = useTarget(context, id, shift.toUs - 1);
  const nowUs = context.nowUs();
  const loaded = useLoaded(
    `report ${id} ${shift.id} ${leastUs}`,
    (signal) =>
      readShiftReport(
        context.platform,
        { place: { id }, shift, equipment: plant.equipment, leastStopUs: leastUs },
        signal,
      ),
    shift.toUs > nowUs ? refreshMs : undefined,
  );
  if (loaded.data === null) return <Waiting loaded={loaded} words={t("wait.numbers")} context={context} t={t} />;
  const { report, timeZone } = loaded.data;
  if (report === null) return <p>{t("report.nothing")}</p>;
  const path = pathTo(id, plant.equipment).map(({ name }) => name);
  const format =
    locale === context.locale ? context.formatIn(timeZone) : makeFormat(locale === "de" ? "de-DE" : "en-GB", timeZone);
  // The sheet may be for others than its reader: it has a language and a zone of its own.
  const own = { ...context, locale, format };
  return (
    <Sheet
      {...{ report, shift, target, leastUs, read: loaded.data, context: own, t: textsOf(own) }}
      title={path.join(" › ") || (plant.equipment.find((item) => item.id === id)?.name ?? "")}
    />
  );
}
