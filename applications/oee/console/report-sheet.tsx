import type { Micros, ShiftOccurrence } from "@lineshaft/contract/api";
import type { ShiftReport } from "../report.ts";
import { percentOf, ShareBar } from "./numbers.tsx";
import { ParetoTable, WaterfallTable } from "./oee-charts.tsx";
import { reasonName } from "./oee-model.ts";
import { Corrections, MachineRows, MissingList, Notes, nameOf, quantity, type SheetProps } from "./report-parts.tsx";
import type { Say } from "./texts.ts";

const factors = ["oeeIndex", "availability", "effectiveness", "qualityRatio"] as const;
const paretoShown = 8;

/** The report as it hangs on the wall. */
export function Sheet(props: SheetProps & { shift: ShiftOccurrence; title: string; target: number; leastUs: Micros }) {
  const { report, read, shift, title, target, leastUs, context, t } = props;
  const { format } = context;
  const { whole } = report;
  const parts = { report, read, context, t };
  return (
    <article className="sheet" lang={context.locale}>
      <header className="sheet-head">
        <div>
          <h2>{t("report.title")}</h2>
          <p className="sheet-place">{title}</p>
        </div>
        <dl className="sheet-shift">
          <Fact name={t("oee.shift")} value={`${shift.name}${shift.crew === null ? "" : ` · ${shift.crew}`}`} />
          <Fact name={t("report.day")} value={format.part((shift.fromUs + shift.toUs) / 2, "day")} />
          <Fact
            name={t("report.times")}
            value={`${format.part(shift.fromUs, "min")} – ${format.part(shift.toUs, "min")} ${format.zoneName(shift.toUs)}`}
          />
          <Fact name={t("report.state")} value={stateText(report, t)} mark={report.state === "provisional"} />
          <Fact
            name={t("report.coverage")}
            value={percentOf(whole.coverage, format, "–")}
            mark={whole.coverage !== null && whole.coverage < 0.995}
          />
        </dl>
      </header>
      <dl className="sheet-kpis">
        {factors.map((name) => (
          <div key={name} className={name === "oeeIndex" ? "kpi kpi-main" : "kpi"}>
            <dt>
              {t(`kpi.${name}`)}
              {name === "oeeIndex" && <span> {t("andon.target", { share: format.percent(target) })}</span>}
            </dt>
            <dd>{percentOf(whole.kpis[name], format, "–")}</dd>
            <ShareBar share={whole.kpis[name]} target={name === "oeeIndex" ? target : null} />
          </div>
        ))}
      </dl>
      <div className="sheet-columns">
        <WaterfallTable sums={whole.sums} context={context} t={t} />
        <section className="pareto">
          <h3>{t("oee.pareto")}</h3>
          {whole.pareto.length === 0 ? (
            <p className="oee-hint">{t("machine.stops.none")}</p>
          ) : (
            <ParetoTable
              bars={whole.pareto.slice(0, paretoShown)}
              measure="time"
              reasons={read.reasons}
              context={context}
              t={t}
            />
          )}
        </section>
      </div>
      <MachineRows {...parts} />
      <Stops {...parts} leastUs={leastUs} />
      <Scrap {...parts} />
      <Orders {...parts} />
      <Notes {...parts} />
      <Corrections {...parts} />
      <MissingList {...parts} />
      <p className="sheet-foot">{t("report.made", { time: format.dateTime(context.nowUs()) })}</p>
    </article>
  );
}

function stateText({ state, stale, corrections }: ShiftReport, t: Say): string {
  const said = [t(state === "final" ? "kpi.final" : "kpi.provisional")];
  if (corrections.length > 0) said.push(t("report.corrected", { n: corrections.length }));
  if (stale) said.push(t("kpi.stale"));
  return said.join(", ");
}

function Fact({ name, value, mark = false }: { name: string; value: string; mark?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={mark ? "sheet-mark" : ""}>{value}</dd>
    </div>
  );
}

function Stops({ report, read, leastUs, context, t }: SheetProps & { leastUs: Micros }) {
  const { format } = context;
  const more = read.stopsTotal - report.stops.length;
  return (
    <section>
      <h3>
        {t("report.stopsOver", { time: format.duration(leastUs) })}{" "}
        <span className="count">{t("machine.stops.count", { n: read.stopsTotal })}</span>
      </h3>
      {report.stops.length === 0 ? (
        <p className="oee-hint">{t("report.stopsNone")}</p>
      ) : (
        <table className="plain">
          <thead>
            <tr>
              <th>{t("stop.from")}</th>
              <th>{t("machine.choose")}</th>
              <th>{t("stop.reason")}</th>
              <th className="right">{t("stop.duration")}</th>
            </tr>
          </thead>
          <tbody>
            {report.stops.map((stop) => (
              <tr key={`${stop.equipmentId} ${stop.fromUs}`}>
                <td className="nowrap">{format.part(stop.fromUs, "min")}</td>
                <td>
                  <a
                    {...context.link("machine", {
                      id: stop.equipmentId,
                      from: Math.round(stop.fromUs - stop.us),
                      to: Math.round((stop.toUs ?? stop.fromUs + stop.us) + stop.us),
                      cursor: stop.fromUs,
                    })}
                  >
                    {nameOf(stop.path)}
                  </a>
                </td>
                <td>
                  {stop.reason === null ? t("state.unknown") : reasonName(stop.reason, read.reasons, context.locale)}
                  {stop.comments.length > 0 && <span className="soft"> {stop.comments.join(" · ")}</span>}
                </td>
                <td className="right nowrap">
                  {format.duration(stop.us)}
                  {stop.toUs === null && ` (${t("report.lasts")})`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {more > 0 && <p className="oee-hint">{t("report.stopsMore", { n: more })}</p>}
    </section>
  );
}

function Scrap({ report, context, t }: SheetProps) {
  const { format } = context;
  return (
    <section>
      <h3>{t("report.scrap")}</h3>
      {report.scrap.length === 0 ? (
        <p className="oee-hint">{t("report.scrapNone")}</p>
      ) : (
        <table className="plain">
          <thead>
            <tr>
              <th>{t("report.material")}</th>
              <th className="right">{t("kpi.scrap")}</th>
              <th className="right">{t("kpi.rework")}</th>
              <th className="right">{t("report.ofProduced")}</th>
            </tr>
          </thead>
          <tbody>
            {report.scrap.map(({ material, unit, pq, sq, rq }) => (
              <tr key={`${material} ${unit}`}>
                <th scope="row">{material ?? t("hint.anything")}</th>
                <td className="right">{quantity(sq, unit, context)}</td>
                <td className="right">{rq === 0 ? "–" : quantity(rq, unit, context)}</td>
                <td className="right">{pq > 0 ? format.percent((sq + rq) / pq) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Orders({ report, context, t }: SheetProps) {
  if (report.orders.length === 0) return null;
  return (
    <section>
      <h3>{t("report.orders")}</h3>
      <table className="plain">
        <thead>
          <tr>
            <th>{t("machine.lane.order")}</th>
            <th>{t("report.material")}</th>
            <th className="right">{t("kpi.good")}</th>
            <th className="right">{t("kpi.scrap")}</th>
            <th className="right">{t("report.progress")}</th>
          </tr>
        </thead>
        <tbody>
          {report.orders.map((order) => (
            <tr key={`${order.order} ${order.operation} ${order.material} ${order.unit}`}>
              <th scope="row">{order.order}</th>
              <td>{order.material ?? ""}</td>
              <td className="right">{quantity(order.gq, order.unit, context)}</td>
              <td className="right">{context.format.number(order.sq, 0)}</td>
              <td className="right nowrap">
                {order.progress === null
                  ? "–"
                  : `${context.format.number(order.progress.yield, 0)} / ${context.format.number(order.progress.ordered, 0)}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
