import { type PageContext, unitText } from "@lineshaft/ui/kit";
import type { Missing, ReportRow, ShiftReport } from "../report.ts";
import type { ReadReport } from "../report-source.ts";
import { percentOf } from "./numbers.tsx";
import type { Say } from "./texts.ts";

/** The parts of a report below its headline: each place with its numbers, what was written, what was changed, what is missing. */

export interface SheetProps {
  report: ShiftReport;
  read: ReadReport;
  context: PageContext;
  t: Say;
}

export const quantity = (n: number, unit: string, { format }: Pick<PageContext, "format">): string =>
  `${format.number(n, 0)} ${unitText(unit)}`.trim();

/** The last name of a path, as people call the machine. */
export const nameOf = (path: string): string => path.split("/").at(-1) ?? path;

const kpiNames = ["oeeIndex", "availability", "effectiveness", "qualityRatio"] as const;

export function MachineRows({ report, context, t }: SheetProps) {
  const { format } = context;
  const depth = Math.min(...report.rows.map(({ path }) => depthOf(path)));
  return (
    <section>
      <h3>{t("report.machines")}</h3>
      <table className="plain sheet-machines">
        <thead>
          <tr>
            <th>{t("oee.place")}</th>
            {kpiNames.map((name) => (
              <th key={name} className="right">
                {t(`kpi.${name}`)}
              </th>
            ))}
            <th className="right">{t("level.plannedBusy")}</th>
            <th className="right">{t("kpi.good")}</th>
            <th className="right">{t("kpi.scrap")}</th>
            <th className="right">{t("report.coverage")}</th>
          </tr>
        </thead>
        <tbody>
          {report.rows.map((row) => (
            <tr key={row.equipmentId} className={row.level === "workUnit" ? "" : "sheet-above"}>
              <th scope="row" style={{ paddingLeft: `${(depthOf(row.path) - depth) * 12}px` }}>
                <a
                  {...context.link(row.level === "workUnit" ? "machine" : "oee", {
                    id: row.equipmentId,
                    from: report.fromUs,
                    to: report.toUs,
                  })}
                >
                  {nameOf(row.path) || "–"}
                </a>
                {row.revision > 1 && <sup title={t("kpi.revised")}>{t("report.revision", { n: row.revision })}</sup>}
              </th>
              {kpiNames.map((name) => (
                <td key={name} className={name === "oeeIndex" ? "right strong" : "right"}>
                  {percentOf(row[name], format, "–")}
                </td>
              ))}
              <td className="right nowrap">{format.duration(row.plannedBusyTimeUs)}</td>
              <td className="right nowrap">{quantities(row, "gq", context)}</td>
              <td className="right nowrap">{quantities(row, "sq", context)}</td>
              <td className="right">{percentOf(row.coverage, format, "–")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const depthOf = (path: string): number => (path === "" ? 0 : path.split("/").length);
const quantities = (row: ReportRow, of: "gq" | "sq", context: SheetProps["context"]): string =>
  row.quantities.map((each) => quantity(each[of], each.unit, context)).join(", ") || "–";

export function Notes({ report, context, t }: SheetProps) {
  if (report.notes.length === 0) return null;
  return (
    <section>
      <h3>{t("report.notes")}</h3>
      <ul className="sheet-list">
        {report.notes.map(({ equipmentId, atUs, path, text }) => (
          <li key={`${equipmentId} ${atUs} ${text}`}>
            <b>
              {context.format.part(atUs, "min")} {nameOf(path)}
            </b>{" "}
            {text}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Corrections({ report, context, t }: SheetProps) {
  if (report.corrections.length === 0) return null;
  return (
    <section>
      <h3>{t("report.corrections")}</h3>
      <ul className="sheet-list">
        {report.corrections.map(({ equipmentId, path, revision, publishedUs, cause }) => (
          <li key={equipmentId}>
            <b>{nameOf(path)}</b>{" "}
            {t("kpi.revisedHint", { n: revision, time: context.format.dateTime(publishedUs), cause })}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What keeps the numbers from being whole: one line for each kind, with the machines. */
export function MissingList({ report, read, context, t }: SheetProps) {
  const names = new Map(read.equipment.map(({ id, name }) => [id, name]));
  const kinds = Map.groupBy(report.missing, ({ kind }) => kind);
  return (
    <section>
      <h3>{t("report.missing")}</h3>
      {kinds.size === 0 ? (
        <p className="oee-hint">{t("report.missingNone")}</p>
      ) : (
        <ul className="sheet-list">
          {[...kinds].map(([kind, all]) => (
            <li key={kind}>
              <b>{t(`missing.${kind}`)}</b>{" "}
              {listed(
                all.map((one) => `${names.get(one.equipmentId) ?? one.equipmentId}${detailOf(one, context)}`),
                t,
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const listedMax = 20;

/** Names that follow one another; of many the first, and how many more. */
function listed(names: readonly string[], t: Say): string {
  const more = names.length - listedMax;
  return more > 0 ? `${names.slice(0, listedMax).join(", ")} ${t("report.andMore", { n: more })}` : names.join(", ");
}

function detailOf(missing: Missing, context: SheetProps["context"]): string {
  switch (missing.kind) {
    case "state":
    case "counts":
      return ` (${context.format.percent(missing.coverage)})`;
    case "idealCycle":
    case "idealCycleTooLong":
      return missing.material === null ? "" : ` (${missing.material})`;
    case "scrapUnplaced":
      return ` (${context.format.number(missing.quantity, 0)})`;
    default:
      return "";
  }
}
