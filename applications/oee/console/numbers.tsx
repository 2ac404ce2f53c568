import type { Format, PageContext } from "@lineshaft/ui/kit";
import { unitText } from "@lineshaft/ui/kit";
import type { KpiHint, Kpis } from "../kpis.ts";
import { type Explained, whyLink } from "./evidence-model.ts";
import type { Numbers } from "./source.ts";
import { isLow } from "./target.ts";
import { rangeText, type Say } from "./texts.ts";

export const percentOf = (share: number | null, format: Format, none: string): string =>
  share === null ? none : format.percent(share);

/** A share as a bar, with its target as a line. Beyond 100 % it stays full; the number says it. */
export function ShareBar({ share, target = null }: { share: number | null; target?: number | null }) {
  const clip = (n: number): number => Math.max(0, Math.min(1, n)) * 100;
  return (
    <svg className="share-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect className="share-ground" width="100" height="10" />
      {share !== null && (
        <rect className={isLow(share, target) ? "share-low" : "share-fill"} width={clip(share)} height="10" />
      )}
      {target !== null && <line className="share-target" x1={clip(target)} x2={clip(target)} y2="10" />}
    </svg>
  );
}

/** What a number is worth. */
export type Worthiness = Pick<Numbers, "state" | "revision" | "cause" | "changedUs" | "stale"> & {
  coverage: number | null;
  bounds: { lower: number; upper: number } | null;
};

interface WorthOf {
  numbers: Numbers;
  brief?: boolean;
  context: PageContext;
  t: Say;
  /** Of which published result; then one click shows why it is so. */
  why?: Explained;
  name?: string;
}

export function Worth({ numbers, brief, context, t, why, name }: WorthOf) {
  const { kpis } = numbers;
  const worth = { ...numbers, coverage: kpis.stateCoverage, bounds: kpis.availabilityBounds };
  const marks = <WorthMarks worth={worth} brief={brief} context={context} t={t} />;
  if (why === undefined) return marks;
  return (
    <span className="worth-why">
      {marks}
      <a {...whyLink(context, why)}>
        {t("why.link")}
        {name !== undefined && <span className="unseen"> {name}</span>}
      </a>
    </span>
  );
}

/** Provisional or final, coverage, revision with its cause. */
export function WorthMarks(props: { worth: Worthiness; brief?: boolean; context: PageContext; t: Say }) {
  const { worth, brief = false, context, t } = props;
  const { state, revision, cause, changedUs, stale, coverage: covered, bounds } = worth;
  const { format } = context;
  return (
    <span className="worth">
      <span title={t(state === "final" ? "kpi.finalHint" : "kpi.provisionalHint")}>
        {t(state === "final" ? "kpi.final" : "kpi.provisional")}
      </span>
      {covered !== null && covered < 0.9995 && (
        <span
          className="worth-part"
          title={
            bounds === null
              ? t("kpi.coverage", { share: format.percent(covered) })
              : t("kpi.bounds", { lower: format.percent(bounds.lower), upper: format.percent(bounds.upper) })
          }
        >
          {t(brief ? "kpi.coverageBrief" : "kpi.coverage", { share: format.percent(covered) })}
        </span>
      )}
      {stale && <span title={t("kpi.staleHint")}>{t("kpi.stale")}</span>}
      {revision !== null && revision > 1 && (
        <abbr
          className="worth-revised"
          title={t("kpi.revisedHint", {
            n: revision,
            time: changedUs === null ? "" : format.dateTime(changedUs),
            cause: cause ?? "",
          })}
        >
          {t("kpi.revised")}
        </abbr>
      )}
    </span>
  );
}

const factors = ["oeeIndex", "availability", "effectiveness", "qualityRatio"] as const;

/** The KPIs of a range: OEE and its factors as bars, quantities, and what a reader should know of them. */
export function KpiPanel(props: {
  title: string;
  numbers: Numbers;
  target: number | null;
  context: PageContext;
  t: Say;
}) {
  const { numbers, context, t, target } = props;
  const { kpis, sums } = numbers;
  const { format } = context;
  const made = sums.materials.filter(({ all }) => all.pq !== 0 || all.gq !== 0);
  return (
    <section className="kpi-panel" aria-label={props.title}>
      <h2>{props.title}</h2>
      <p className="kpi-when">
        {rangeText(numbers, format)}
        <br />
        <Worth numbers={numbers} context={context} t={t} />
      </p>
      <dl className="kpi-list">
        {factors.map((name) => (
          <div key={name} className={name === "oeeIndex" ? "kpi kpi-main" : "kpi"} data-kpi={name}>
            <dt>{t(`kpi.${name}`)}</dt>
            <dd title={kpis[name] === null ? t("kpi.none") : undefined}>{percentOf(kpis[name], format, "–")}</dd>
            <ShareBar share={kpis[name]} target={name === "oeeIndex" ? target : null} />
          </div>
        ))}
      </dl>
      {made.length > 0 && (
        <table className="kpi-quantities">
          <thead>
            <tr>
              <td />
              <th scope="col">{t("kpi.good")}</th>
              <th scope="col">{t("kpi.scrap")}</th>
            </tr>
          </thead>
          <tbody>
            {made.map(({ material, unit, all }) => (
              <tr key={`${material} ${unit}`}>
                <th scope="row">{material ?? t("kpi.noMaterial")}</th>
                <td>
                  {format.number(all.gq, 0)} <span className="unit">{unitText(unit)}</span>
                </td>
                <td className={all.sq > 0 ? "bad" : ""}>
                  {format.number(all.sq, 0)} <span className="unit">{unitText(unit)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Hints kpis={kpis} context={context} t={t} />
    </section>
  );
}

export function Hints({ kpis, context, t }: { kpis: Kpis; context: PageContext; t: Say }) {
  if (kpis.hints.length === 0) return null;
  const names = (list: (string | null)[]): string =>
    [...new Set(list)].map((name) => name ?? t("hint.anything")).join(", ");
  const textOf = (hint: KpiHint): string => {
    switch (hint) {
      case "effectivenessAboveOne":
        return t("hint.effectivenessAboveOne", { what: names(kpis.fasterThanIdeal) });
      case "idealCycleMissing":
        return t("hint.idealCycleMissing", { what: names(kpis.missingIdealCycles.map(({ material }) => material)) });
      case "stateUnknown":
        return t("hint.stateUnknown", { share: context.format.percent(1 - (kpis.stateCoverage ?? 0)) });
      default:
        return t(`hint.${hint}`);
    }
  };
  return (
    <ul className="kpi-hints">
      {kpis.hints.map((hint) => (
        <li key={hint} data-hint={hint}>
          {textOf(hint)}{" "}
          {(hint === "idealCycleMissing" || hint === "effectivenessAboveOne") && (
            <a {...context.link("materials", { view: "cycles" })}>{t("hint.toCycles")}</a>
          )}
        </li>
      ))}
    </ul>
  );
}
