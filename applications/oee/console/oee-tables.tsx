import type { Equipment } from "@lineshaft/contract/api";
import type { PageContext } from "@lineshaft/ui/kit";
import { percentOf, ShareBar, Worth } from "./numbers.tsx";
import { together } from "./results.ts";
import { cellsTogether, type MachineCells, type Numbers, numbersByShift, numbersOf } from "./source.ts";
import type { Say } from "./texts.ts";
import type { Plant } from "./use-plant.ts";

function KpiCells({ numbers, target, context }: { numbers: Numbers; target: number; context: PageContext }) {
  const { format } = context;
  return (
    <>
      <td className="right strong">{percentOf(numbers.kpis.oeeIndex, format, "–")}</td>
      <td className="bar-cell">
        <ShareBar share={numbers.kpis.oeeIndex} target={target} />
      </td>
      <td className="right">{percentOf(numbers.kpis.availability, format, "–")}</td>
      <td className="right">{percentOf(numbers.kpis.effectiveness, format, "–")}</td>
      <td className="right">{percentOf(numbers.kpis.qualityRatio, format, "–")}</td>
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

export function Shifts(props: {
  read: MachineCells[];
  /** By shift: what was published of it, with its revision. */
  published: ReadonlyMap<string, Numbers>;
  target: number;
  context: PageContext;
  t: Say;
}) {
  const { read, published, target, context, t } = props;
  const cells = cellsTogether(read.map((one) => one.cells));
  const shifts = [...new Map(read.flatMap((one) => one.shifts.map((shift) => [shift.id, shift] as const))).values()];
  const numbers = cells === null ? new Map<string, Numbers>() : numbersByShift(cells, shifts);
  const rows = shifts
    .flatMap((shift) => {
      const own = published.get(shift.id) ?? numbers.get(shift.id);
      return own === undefined ? [] : [{ shift, own }];
    })
    .sort((a, b) => b.shift.fromUs - a.shift.fromUs);
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
                  {shift.productionDay} {shift.name}
                </a>
                <Worth numbers={own} context={context} t={t} />
              </th>
              <KpiCells numbers={own} target={target} context={context} />
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p className="oee-hint">{t("oee.noShifts")}</p>}
    </section>
  );
}

/** What stands directly below, each with a way down: site, line, machine, stop. */
export function Below(props: {
  id: number;
  read: MachineCells[];
  published: ReadonlyMap<number, readonly { numbers: Numbers }[]>;
  plant: Plant;
  machines: readonly Equipment[];
  target: number;
  context: PageContext;
  t: Say;
}) {
  const { id, read, published, plant, machines, target, context, t } = props;
  const range = { live: context.query.get("live"), from: context.query.get("from"), to: context.query.get("to") };
  const site = plant.sites.find(({ equipment }) => equipment.id === id);
  const parts =
    site !== undefined
      ? site.lines.map(({ equipment, machines: own }) => ({ equipment, own }))
      : machines.map((machine) => ({ equipment: machine, own: [machine] }));
  const rows = parts.flatMap(({ equipment, own }) => {
    const cells = cellsTogether(
      read.filter((one) => own.some((machine) => machine.id === one.id)).map((one) => one.cells),
    );
    if (cells === null) return [];
    const periods = equipment.level === "workUnit" ? [] : (published.get(equipment.id) ?? []);
    return [{ equipment, numbers: together(periods.map((one) => one.numbers)) ?? numbersOf(cells) }];
  });
  return (
    <section aria-label={t("oee.below")}>
      <h2>{t("oee.below")}</h2>
      <table className="plain">
        <KpiHeads first={t("oee.place")} t={t} />
        <tbody>
          {rows.map(({ equipment, numbers }) => (
            <tr key={equipment.id}>
              <th scope="row">
                <a {...context.link("oee", { id: equipment.id, ...range })}>{equipment.name}</a>
                {equipment.level === "workUnit" && (
                  <a className="soft" {...context.link("machine", { id: equipment.id, ...range })}>
                    {t("oee.timeAxis")}
                    <span className="unseen"> {equipment.name}</span>
                  </a>
                )}
              </th>
              <KpiCells numbers={numbers} target={target} context={context} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
