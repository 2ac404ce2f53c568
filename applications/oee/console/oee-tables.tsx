import type { PageContext } from "@lineshaft/ui/kit";
import { percentOf, ShareBar, Worth } from "./numbers.tsx";
import type { Factors, OeeModel } from "./oee-data.ts";
import { dayText, type Say } from "./texts.ts";

function KpiCells({ kpis, target, context }: { kpis: Factors; target: number; context: PageContext }) {
  const { format } = context;
  return (
    <>
      <td className="right strong">{percentOf(kpis.oeeIndex, format, "–")}</td>
      <td className="bar-cell">
        <ShareBar share={kpis.oeeIndex} target={target} />
      </td>
      <td className="right">{percentOf(kpis.availability, format, "–")}</td>
      <td className="right">{percentOf(kpis.effectiveness, format, "–")}</td>
      <td className="right">{percentOf(kpis.qualityRatio, format, "–")}</td>
    </>
  );
}

function KpiHeads({ first, t }: { first: string; t: Say }) {
  return (
    <thead>
      <tr>
        <th>{first}</th>
        <th className="right">OEE</th>
        <th>
          <span className="unseen">{t("oee.bar")}</span>
        </th>
        <th className="right" title={t("kpi.availability")}>
          A
        </th>
        <th className="right" title={t("kpi.effectiveness")}>
          E
        </th>
        <th className="right" title={t("kpi.qualityRatio")}>
          Q
        </th>
      </tr>
    </thead>
  );
}

export function Shifts(props: { id: number; rows: OeeModel["shifts"]; target: number; context: PageContext; t: Say }) {
  const { id, rows, target, context, t } = props;
  return (
    <section aria-label={t("oee.shifts")}>
      <h2>{t("oee.shifts")}</h2>
      <table className="plain">
        <KpiHeads first={t("oee.shift")} t={t} />
        <tbody>
          {rows.slice(0, 30).map(({ shift, own }) => (
            <tr key={shift.id}>
              <th scope="row">
                <a {...context.link("shift-report", { id: context.query.get("id"), shift: shift.id })}>
                  {dayText(shift.productionDay, context.format)} {shift.name}
                </a>
                <Worth
                  numbers={own}
                  brief
                  context={context}
                  t={t}
                  why={{ equipmentId: id, period: "shift", key: shift.id }}
                  name={`${dayText(shift.productionDay, context.format)} ${shift.name}`}
                />
              </th>
              <KpiCells kpis={own.kpis} target={target} context={context} />
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p className="oee-hint">{t("oee.noShifts")}</p>}
    </section>
  );
}

/** What stands directly below, each with a way down: site, line, machine, stop. */
export function Below(props: { rows: OeeModel["below"]; target: number; context: PageContext; t: Say }) {
  const { rows, target, context, t } = props;
  const range = { live: context.query.get("live"), from: context.query.get("from"), to: context.query.get("to") };
  return (
    <section aria-label={t("oee.below")}>
      <h2>{t("oee.below")}</h2>
      <table className="plain">
        <KpiHeads first={t("oee.place")} t={t} />
        <tbody>
          {rows.map(({ equipment, kpis }) => (
            <tr key={equipment.id}>
              <th scope="row">
                <a {...context.link("oee", { id: equipment.id, ...range })}>{equipment.name}</a>
                {equipment.level === "workUnit" && (
                  <a className="below-axis" {...context.link("machine", { id: equipment.id, ...range })}>
                    {t("oee.timeAxis")}
                    <span className="unseen"> {equipment.name}</span>
                  </a>
                )}
              </th>
              <KpiCells kpis={kpis} target={target} context={context} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
