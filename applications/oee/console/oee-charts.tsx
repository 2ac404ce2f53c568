import { hourUs, type Reason } from "@lineshaft/contract/api";
import { type PageContext, Segments } from "@lineshaft/ui/kit";
import { useState } from "react";
import { type LossStep, type ParetoBar, paretoOf, waterfallOf } from "../losses.ts";
import type { Sums } from "../sums.ts";
import { percentOf } from "./numbers.tsx";
import { reasonName, waterfallRows } from "./oee-model.ts";
import type { Numbers } from "./source.ts";
import { isLow } from "./target.ts";
import type { Say } from "./texts.ts";

const factors = ["oeeIndex", "availability", "effectiveness", "qualityRatio"] as const;

/** What looking into a part of a chart leads to; absent: it is only looked at. */
type Into<T> = ((what: T) => ReturnType<PageContext["link"]>) | undefined;

export function WaterfallTable(props: { sums: Sums; into?: Into<LossStep>; context: PageContext; t: Say }) {
  const { sums, into, context, t } = props;
  const { format } = context;
  const waterfall = waterfallOf(sums);
  const whole = Math.max(1, waterfall.calendarUs);
  const planned = waterfall.plannedBusyUs;
  return (
    <section className="waterfall" aria-label={t("oee.waterfall")}>
      <h2>{t("oee.waterfall")}</h2>
      <table>
        <thead className="unseen">
          <tr>
            <th>{t("oee.step")}</th>
            <th>{t("oee.bar")}</th>
            <th>{t("oee.time")}</th>
            <th>{t("oee.share")}</th>
          </tr>
        </thead>
        <tbody>
          {waterfallRows(waterfall).map((row) => {
            const from = row.kind === "loss" ? row.fromUs : 0;
            const key = row.kind === "loss" ? row.step : row.level;
            const share = row.us <= planned && planned > 0 && !unplanned.has(key) ? row.us / planned : null;
            return (
              <tr key={key} className={row.kind} data-row={key} data-us={row.us}>
                <th scope="row">
                  {row.kind === "level" ? (
                    t(`level.${row.level}`)
                  ) : into === undefined ? (
                    t(`loss.${row.step}`)
                  ) : (
                    <a {...into(row.step)}>{t(`loss.${row.step}`)}</a>
                  )}
                </th>
                <td>
                  <svg className="waterfall-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect x={(Math.max(0, from) / whole) * 100} width={(Math.abs(row.us) / whole) * 100} height="10" />
                  </svg>
                </td>
                <td className="right">{signed(row.us, row.kind === "loss", format)}</td>
                <td className="right soft">{share === null ? "" : format.percent(share)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p className="oee-hint">{t("oee.waterfallHint")}</p>
    </section>
  );
}

/** What lies outside of the planned busy time is no share of it. */
const unplanned: ReadonlySet<string> = new Set([
  "calendar",
  "notPlanned",
  "break",
  "plannedMaintenance",
  "noOrderNotBusy",
]);

function signed(us: number, isLoss: boolean, format: PageContext["format"]): string {
  const text = us === 0 ? "0 s" : format.duration(Math.abs(us));
  return isLoss === us >= 0 && us !== 0 ? (isLoss ? `−${text}` : text) : us < 0 ? `+${text}` : text;
}

export function Pareto(props: {
  numbers: Numbers;
  reasons: ReadonlyMap<number, Reason>;
  list: readonly Reason[];
  into: Into<number>;
  context: PageContext;
  t: Say;
}) {
  const { numbers, reasons, list, into, context, t } = props;
  const measure = context.query.get("by") === "count" ? "count" : "time";
  const bars = paretoOf(numbers.sums, { by: measure, reasons: list });
  return (
    <section className="pareto" aria-label={t("oee.pareto")}>
      <header>
        <h2>{t("oee.pareto")}</h2>
        <Segments<"time" | "count">
          label={t("oee.paretoBy")}
          value={measure}
          choices={[
            { value: "time", label: t("oee.byTime") },
            { value: "count", label: t("oee.byCount") },
          ]}
          onChange={(by) => context.go(context.page, { ...Object.fromEntries(context.query), by }, "replace")}
        />
      </header>
      {bars.length === 0 ? (
        <p className="oee-hint">{t("machine.stops.none")}</p>
      ) : (
        <ParetoTable bars={bars.slice(0, 12)} {...{ measure, reasons, into, context, t }} />
      )}
    </section>
  );
}

/** Reasons with their time and how often they came, the greatest first. */
export function ParetoTable(props: {
  bars: readonly ParetoBar[];
  measure: "time" | "count";
  reasons: ReadonlyMap<number, Reason>;
  into?: Into<number>;
  context: PageContext;
  t: Say;
}) {
  const { bars, measure, reasons, into, context, t } = props;
  const { format } = context;
  const most = Math.max(1, ...bars.map((bar) => (measure === "time" ? bar.us : bar.count)));
  return (
    <table>
      <thead className="unseen">
        <tr>
          <th>{t("stop.reason")}</th>
          <th>{t("oee.bar")}</th>
          <th>{t("oee.time")}</th>
          <th>{t("oee.count")}</th>
          <th>{t("oee.cumulative")}</th>
        </tr>
      </thead>
      <tbody>
        {bars.map((bar) => (
          <tr key={bar.reason ?? "rest"}>
            <th scope="row">
              {bar.reason === null ? (
                t("oee.severalReasons")
              ) : into === undefined ? (
                reasonName(bar.reason, reasons, context.locale)
              ) : (
                <a {...into(bar.reason)}>{reasonName(bar.reason, reasons, context.locale)}</a>
              )}
            </th>
            <td>
              <svg className="pareto-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                <rect width={((measure === "time" ? bar.us : bar.count) / most) * 100} height="10" />
                <line x1={bar.cumulative * 100} x2={bar.cumulative * 100} y1="0" y2="10" />
              </svg>
            </td>
            <td className="right">{format.duration(bar.us)}</td>
            <td className="right">{t("oee.times", { n: bar.count })}</td>
            <td className="right soft">{format.percent(bar.cumulative)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Periods on an axis of time: an hour of which there is no number keeps its place. */
function slotsOf(periods: readonly Numbers[], hourly: boolean): { fromUs: number; period: Numbers | null }[] {
  const last = periods.at(-1);
  if (!hourly || last === undefined) return periods.map((period) => ({ fromUs: period.fromUs, period }));
  const at = new Map(periods.map((period) => [period.fromUs, period]));
  const hours = Math.round((last.fromUs - periods[0].fromUs) / hourUs) + 1;
  return Array.from({ length: hours }, (_, i) => {
    const fromUs = periods[0].fromUs + i * hourUs;
    return { fromUs, period: at.get(fromUs) ?? null };
  });
}

export function Trend(props: {
  periods: readonly Numbers[];
  target: number;
  hourly: boolean;
  context: PageContext;
  t: Say;
}) {
  const { periods, target, hourly, context, t } = props;
  const { format } = context;
  const [at, setAt] = useState<number | null>(null);
  const shown = periods.find(({ fromUs }) => fromUs === at) ?? null;
  const most = Math.max(1, target, ...periods.map(({ kpis }) => kpis.oeeIndex ?? 0));
  const nameOf = (fromUs: number): string => format.part(fromUs, hourly ? "min" : "day");
  // Midnight says which day begins.
  const markOf = (fromUs: number): string =>
    hourly && nameOf(fromUs) === "00:00" ? format.part(fromUs, "day") : nameOf(fromUs);
  return (
    <section className="oee-trend" aria-label={t("oee.trend")}>
      <header>
        <h2>{t(hourly ? "oee.trendHours" : "oee.trendDays")}</h2>
        <span className="oee-hint" role="status">
          {shown !== null &&
            `${nameOf(shown.fromUs)}: ${factors.map((name) => `${t(`kpi.${name}`)} ${percentOf(shown.kpis[name], format, "–")}`).join(" · ")}`}
        </span>
      </header>
      <ol onPointerLeave={() => setAt(null)}>
        {slotsOf(periods, hourly).map(({ fromUs, period }) => {
          const oee = period?.kpis.oeeIndex ?? null;
          return (
            <li
              key={fromUs}
              className={oee === null ? "none" : isLow(oee, target) ? "low" : ""}
              title={`${nameOf(fromUs)}: ${percentOf(oee, format, t("kpi.none"))}`}
              onPointerEnter={() => setAt(fromUs)}
            >
              <span className="column">
                <i style={{ height: `${((oee ?? 0) / most) * 100}%` }} />
                <u style={{ bottom: `${(target / most) * 100}%` }} />
              </span>
              <span className="column-name">{markOf(fromUs)}</span>
              <span className="column-value">{oee === null ? "–" : format.percent(Math.round(oee * 100) / 100)}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
