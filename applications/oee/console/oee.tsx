import { dayUs, hourUs } from "@lineshaft/contract/api";
import { type PageContext, spanOf, useLoaded } from "@lineshaft/ui/kit";
import type { LossStep } from "../losses.ts";
import { reliabilityOf } from "../reliability.ts";
import { type Explained, whyLink } from "./evidence-model.ts";
import { WhyPanel } from "./evidence-panel.tsx";
import { chosenOf } from "./loss-model.ts";
import { LossPanel } from "./loss-panel.tsx";
import { Hints, percentOf, ShareBar, Worth } from "./numbers.tsx";
import { Pareto, Trend, WaterfallTable } from "./oee-charts.tsx";
import { readMachineOee, readPlaceOee } from "./oee-data.ts";
import { readingRange } from "./oee-model.ts";
import { Below, Shifts } from "./oee-tables.tsx";
import { PlaceFrame, PlacePage, type PlaceProps } from "./place-page.tsx";
import { machinesBelow } from "./plant.ts";
import { useView } from "./range.ts";
import { longestViewUs, type Numbers, shiftAt } from "./source.ts";
import { useTarget } from "./target.ts";
import type { Say } from "./texts.ts";
import { useKept } from "./use-plant.ts";

const refreshMs = 15_000;

/** Where does the time go? */
export default function OeePage({ context }: { context: PageContext }) {
  return <PlacePage context={context} places="all" gone="oee.gone" Body={Oee} />;
}

function Oee(place: PlaceProps) {
  const { id, plant, context, t } = place;
  const [view, setView] = useView(context, dayUs);
  const nowUs = context.nowUs();
  const machines = machinesBelow(id, plant);
  const reading = readingRange(view.range, longestViewUs);
  // A past range is judged by what was wanted then.
  const target = useTarget(context, id, view.following ? undefined : reading.toUs - 1);
  const hourly = spanOf(view.range) <= 48 * hourUs;
  const isMachine = machines.length === 1 && machines[0].id === id;
  const { platform } = context;
  const loaded = useLoaded(
    `${id} ${reading.fromUs} ${reading.toUs} ${hourly}`,
    (signal) =>
      isMachine
        ? readMachineOee(platform, id, reading, hourly, signal)
        : readPlaceOee(platform, id, plant, machines, reading, hourly, signal),
    refreshMs,
  );
  const model = useKept(`${id} ${spanOf(reading)}`, loaded.data);
  const format = model === null ? context.format : context.formatIn(model.timeZone);
  const shift =
    shiftAt(
      (model?.shifts ?? []).map((row) => row.shift),
      nowUs,
    ) ?? null;
  const frame = {
    ...{ ...place, view, shift, format, loaded, onView: setView },
    ...{ places: "all" as const, stay: true, words: t("wait.numbers") },
  };
  if (model === null)
    return (
      <PlaceFrame {...frame}>{loaded.loading ? null : <p className="oee-hint">{t("oee.notPublished")}</p>}</PlaceFrame>
    );
  const { numbers } = model;
  const reasons = new Map(model.reasons.map((reason) => [reason.number, reason]));
  const zoned = { ...context, format };
  const chosen = chosenOf(context.query);
  const query = Object.fromEntries(context.query);
  const why: Explained = { equipmentId: id, period: hourly ? "hour" : "productionDay", key: null };
  const into = (loss: LossStep) => context.link("oee", { ...query, id, loss, reason: null });
  const intoReason = (reason: number) => context.link("oee", { ...query, id, reason, loss: null });
  return (
    <PlaceFrame {...frame}>
      {model.repairing && <p className="oee-notice">{t("machine.repairing")}</p>}
      <Headline numbers={numbers} target={target} into={into} why={why} context={zoned} t={t} />
      <WhyPanel plant={plant} range={{ fromUs: numbers.fromUs, toUs: numbers.toUs }} context={zoned} t={t} />
      <div className="oee-columns">
        <WaterfallTable sums={numbers.sums} into={into} context={zoned} t={t} />
        <Pareto numbers={numbers} reasons={reasons} list={model.reasons} into={intoReason} context={zoned} t={t} />
      </div>
      {chosen !== null && (
        <LossPanel
          key={JSON.stringify(chosen)}
          {...{ id, chosen, machines, list: model.reasons, context: zoned, t }}
          range={{ fromUs: numbers.fromUs, toUs: numbers.toUs }}
          onClose={() => context.go("oee", { ...query, id, loss: null, reason: null })}
        />
      )}
      <Trend periods={model.periods} target={target} hourly={hourly} context={zoned} t={t} />
      <div className="oee-columns">
        <Shifts id={id} rows={model.shifts} target={target} context={zoned} t={t} />
        {model.below.length > 0 && <Below rows={model.below} target={target} context={zoned} t={t} />}
      </div>
    </PlaceFrame>
  );
}

const factors = ["oeeIndex", "availability", "effectiveness", "qualityRatio"] as const;

function Headline(props: {
  numbers: Numbers;
  target: number;
  into(loss: LossStep): ReturnType<PageContext["link"]>;
  why: Explained;
  context: PageContext;
  t: Say;
}) {
  const { numbers, target, into, why, context, t } = props;
  const { kpis } = numbers;
  const { format } = context;
  const reliability = reliabilityOf(numbers.sums);
  const lasting = (us: number | null): string => (us === null ? "–" : format.duration(us));
  const micro = numbers.sums.stops.filter((stop) => stop.micro).reduce((sum, { count }) => sum + count, 0);
  return (
    <section className="headline" aria-label="OEE">
      <dl className="headline-kpis">
        {factors.map((name) => (
          <div key={name} className={name === "oeeIndex" ? "kpi kpi-main" : "kpi"} data-kpi={name}>
            <dt>{t(`kpi.${name}`)}</dt>
            <dd title={kpis[name] === null ? t("kpi.none") : t("why.of", { name: t(`kpi.${name}`) })}>
              <a className="kpi-why" {...whyLink(context, why)}>
                {percentOf(kpis[name], format, "–")}
              </a>
            </dd>
            <ShareBar share={kpis[name]} target={name === "oeeIndex" ? target : null} />
          </div>
        ))}
        <Small
          name={t("kpi.nee")}
          title={t("oee.neeHint")}
          value={percentOf(kpis.netEquipmentEffectivenessIndex, format, "–")}
        />
        <Small name="MTBF" title={t("oee.mtbfHint")} link={into("breakdown")} value={lasting(reliability.mtbfUs)} />
        <Small name="MTTR" title={t("oee.mttrHint")} link={into("breakdown")} value={lasting(reliability.mttrUs)} />
        <Small name={t("oee.faults")} link={into("breakdown")} value={format.integer(reliability.failureEvents)} />
        <Small
          name={t("oee.microStops")}
          link={into("idlingAndMinorStops")}
          value={`${format.integer(micro)} · ${format.duration(numbers.sums.microStopUs)}`}
        />
      </dl>
      <Worth numbers={numbers} context={context} t={t} why={why} name="OEE" />
      <Hints kpis={kpis} context={context} t={t} />
    </section>
  );
}

function Small(props: { name: string; value: string; title?: string; link?: ReturnType<PageContext["link"]> }) {
  const { name, value, title, link } = props;
  return (
    <div className="kpi kpi-small">
      <dt title={title}>{name}</dt>
      <dd>{link === undefined || value === "–" ? value : <a {...link}>{value}</a>}</dd>
    </div>
  );
}
