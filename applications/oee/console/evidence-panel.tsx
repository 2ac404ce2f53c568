import type { Equipment, MasterDataKind } from "@lineshaft/contract/api";
import { Button, type Format, type PageContext, type TimeRange, unitText, useLoaded } from "@lineshaft/ui/kit";
import { type ReactNode, useEffect, useRef } from "react";
import {
  type Explained,
  explainedIn,
  explainedText,
  explanationOf,
  type Published,
  pageOf,
  revisionsOf,
  type Told,
  whyLink,
} from "./evidence-model.ts";
import { percentOf, WorthMarks } from "./numbers.tsx";
import { Waiting } from "./place-page.tsx";
import { everyResult } from "./results.ts";
import type { Say } from "./texts.ts";
import type { Plant } from "./use-plant.ts";

interface PanelProps {
  plant: Plant;
  /** Of the page: what it was added up from is told where no single result is meant. */
  range: TimeRange;
  context: PageContext;
  t: Say;
}

/** Why a number of the page is what it is, beside it, as long as the address says so. */
export function WhyPanel(props: PanelProps) {
  const { context, plant, t } = props;
  const of = explainedIn(context.query.get("why"));
  const panel = useRef<HTMLElement>(null);
  const text = context.query.get("why");
  // biome-ignore lint/correctness/useExhaustiveDependencies: another number is asked about
  useEffect(() => panel.current?.focus(), [text]);
  if (of === null) return null;
  const close = (): void => context.go(context.page, { ...Object.fromEntries(context.query), why: null });
  const name = nameOf(of.equipmentId, plant.equipment);
  return (
    <aside
      ref={panel}
      className="why-panel"
      aria-label={t("why.title", { name })}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <header>
        <h2>{t("why.title", { name })}</h2>
        <Button kind="quiet" icon="close" aria-label={t("close")} onClick={close} />
      </header>
      {of.key === null ? <Parts {...props} of={of} /> : <Why {...props} of={{ ...of, key: of.key }} />}
    </aside>
  );
}

const nameOf = (id: number, equipment: readonly Equipment[]): string =>
  equipment.find((one) => one.id === id)?.name ?? `#${id}`;

/** The periods that a number of a range was added up from, each with the way to its own evidence. */
function Parts({ of, range, context, t }: PanelProps & { of: Explained }) {
  const { format } = context;
  const loaded = useLoaded(`parts ${explainedText(of)} ${range.fromUs} ${range.toUs}`, (signal) =>
    everyResult(context.platform, [of.equipmentId], of.period, range, { detail: "none" }, signal),
  );
  if (loaded.data === null) return <Waiting loaded={loaded} words={t("wait.why")} context={context} t={t} />;
  if (loaded.data.length === 0) return <p className="oee-hint">{t("oee.notPublished")}</p>;
  return (
    <>
      <p className="soft">{t("why.parts", { n: loaded.data.length })}</p>
      <table className="plain">
        <caption className="unseen">{t("why.partsTable")}</caption>
        <thead>
          <tr>
            <th>{t("why.period")}</th>
            <th className="right">OEE</th>
            <th>{t("why.worth")}</th>
          </tr>
        </thead>
        <tbody>
          {[...loaded.data]
            .sort((a, b) => b.fromUs - a.fromUs)
            .map((result) => (
              <tr key={result.key}>
                <th scope="row" className="nowrap">
                  <a {...whyLink(context, { ...of, key: result.key })}>{spanText(result, format)}</a>
                </th>
                <td className="right strong">{percentOf(result.values.oeeIndex ?? null, format, "–")}</td>
                <td>
                  <Marks result={result} context={context} t={t} />
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </>
  );
}

function Marks({ result, context, t }: { result: Omit<Published, "evidence">; context: PageContext; t: Say }) {
  const { state, revision, cause, publishedUs, stale, coverage } = result;
  const worth = { state, revision, stale, coverage, cause: cause.text, changedUs: publishedUs, bounds: null };
  return <WorthMarks worth={worth} context={context} t={t} />;
}

function Why({ of, plant, context, t }: PanelProps & { of: Explained & { key: string } }) {
  const { equipmentId, period, key: periodKey } = of;
  const loaded = useLoaded(`why ${explainedText(of)}`, async (signal) => {
    const query = { application: "oee", equipmentId, period, periodKey };
    return (await context.platform.call("listRevisions", { query, signal })).items;
  });
  if (loaded.data === null) return <Waiting loaded={loaded} words={t("wait.why")} context={context} t={t} />;
  const [newest] = loaded.data;
  if (newest === undefined) return <p className="oee-hint">{t("oee.notPublished")}</p>;
  const { format } = context;
  const { quotients, terms, intervals, parts, masterData } = explanationOf(newest);
  const place = (id: number): Equipment | undefined => plant.equipment.find((one) => one.id === id);
  /** To the machine at that time; what stands above has no time axis of its own, so to its numbers. */
  const into = (id: number, fromUs: number, toUs: number) => {
    const range = { id, from: Math.round(fromUs), to: Math.round(toUs) };
    return place(id)?.level === "workUnit"
      ? context.link("machine", range)
      : context.link("oee", { ...range, why: explainedText({ ...of, equipmentId: id }) });
  };
  return (
    <>
      <p className="kpi-when">
        {t(`why.period.${period}`)} {spanText(newest, format)}
        <br />
        <Marks result={newest} context={context} t={t} />
      </p>
      <p className="why-product">
        <b>OEE {percentOf(newest.values.oeeIndex ?? null, format, "–")}</b> ={" "}
        {quotients.map(({ name, value }, i) => (
          <span key={name}>
            {i > 0 && " × "}
            {t(`kpi.${name}`)} {percentOf(value, format, "–")}
          </span>
        ))}
      </p>
      <dl className="why-quotients">
        {quotients.map(({ name, value, top, bottom }) => (
          <div key={name}>
            <dt>{t(`kpi.${name}`)}</dt>
            <dd>
              {top.term} {lasting(top.us, format)} ÷ {bottom.term} {lasting(bottom.us, format)} ={" "}
              <b>{percentOf(value, format, "–")}</b>
            </dd>
          </div>
        ))}
      </dl>
      <Section title={t("why.revisions", { n: loaded.data.length })}>
        <Revisions told={revisionsOf(loaded.data)} context={context} t={t} />
      </Section>
      <Section title={t("why.evidence")}>
        <dl className="why-terms">
          {terms.map(({ term, value, unit }) => (
            <div key={`${term} ${unit}`}>
              <dt>
                {term in termKeys ? t(termKeys[term as keyof typeof termKeys]) : null}{" "}
                <span className="soft">{term}</span>
              </dt>
              <dd>
                {unit === "us" ? (
                  lasting(value, format)
                ) : (
                  <>
                    {value === null ? "–" : format.number(value)} <span className="unit">{unitText(unit)}</span>
                  </>
                )}
              </dd>
            </div>
          ))}
        </dl>
      </Section>
      <Section title={t("why.from")}>
        <ul>
          {intervals.map(({ equipmentId: id, fromUs, toUs }) => (
            <li key={`${id} ${fromUs} ${toUs}`}>
              <a {...into(id, fromUs, toUs)}>{nameOf(id, plant.equipment)}</a>{" "}
              <span className="soft">{spanText({ fromUs, toUs }, format)}</span>
            </li>
          ))}
          {parts.map(({ interval: { equipmentId: id, fromUs, toUs }, plannedUs, goodUs }) => (
            <li key={`part ${id} ${fromUs} ${toUs}`}>
              <a {...into(id, fromUs, toUs)}>{nameOf(id, plant.equipment)}</a>{" "}
              <span className="soft">
                {t("why.part", { planned: lasting(plannedUs, format), good: lasting(goodUs, format) })}
              </span>
            </li>
          ))}
        </ul>
      </Section>
      {masterData.length > 0 && (
        <Section title={t("why.masterData")}>
          <ul>
            {masterData.map((one) => {
              const at = pageOf(one);
              return (
                <li key={`${one.entity} ${one.id}`}>
                  {entityText(one.entity, t)}{" "}
                  {at === null ? one.id : <a {...context.link(at.page, at.query)}>{one.id}</a>}{" "}
                  <span className="soft">{t("why.revision", { n: one.revision })}</span>
                </li>
              );
            })}
          </ul>
        </Section>
      )}
      <p className="soft why-basis">
        {t("why.basis", { rule: newest.ruleVersion, lsn: format.integer(newest.basisLsn) })}
      </p>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Revisions({ told, context, t }: { told: readonly Told[]; context: PageContext; t: Say }) {
  const { format } = context;
  return (
    <ol className="why-revisions">
      {told.map((one) => (
        <li key={`${one.revision} ${one.publishedUs}`}>
          <span className="nowrap">
            {one.revision === 0 ? t("kpi.provisional") : t("why.revision", { n: one.revision })}
          </span>
          <span className="nowrap soft">{format.exact(one.publishedUs)}</span>
          <b>{percentOf(one.oee, format, "–")}</b>
          {one.change !== null && Math.abs(one.change) >= 0.00005 && (
            <span className="nowrap soft">
              {one.change > 0 ? "+" : "−"}
              {t("why.points", { n: format.fixed(Math.abs(one.change) * 100, 2) })}
            </span>
          )}
          <span className="why-cause">
            {t(`why.cause.${one.cause.kind}`)} <span className="soft">{one.cause.text}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}

const lasting = (us: number | null, format: Format): string => (us === null ? "–" : format.duration(us));
const spanText = ({ fromUs, toUs }: { fromUs: number; toUs: number }, format: Format): string => {
  const day = format.part(fromUs, "day") === format.part(toUs, "day");
  return `${format.dateTime(fromUs)} – ${day ? format.time(toUs) : format.dateTime(toUs)}`;
};

/** Each kind that there is: one more in the contract wants a word here. */
const entityKeys = {
  material: "why.entity.material",
  idealCycleTime: "why.entity.idealCycleTime",
  order: "why.entity.order",
  calendar: "why.entity.calendar",
  calendarAssignment: "why.entity.calendarAssignment",
  policyAssignment: "why.entity.policyAssignment",
  countingAssignment: "why.entity.countingAssignment",
  lateScrap: "why.entity.lateScrap",
  physicalAsset: "why.entity.physicalAsset",
  reason: "why.entity.reason",
  annotation: "why.entity.annotation",
  lineTopology: "why.entity.lineTopology",
  setUp: "why.entity.setUp",
  identifierRule: "why.entity.identifierRule",
  lookUp: "why.entity.lookUp",
  kpiTarget: "why.entity.kpiTarget",
  booking: "why.entity.booking",
} as const satisfies Record<MasterDataKind, string>;

/** The application's terms in words; one that has none stands for itself. */
const termKeys = {
  PBT: "why.term.pbt",
  "PBT'": "why.term.pbtKnown",
  APT: "why.term.apt",
  AUST: "why.term.aust",
  ADET: "why.term.adet",
  ADOT: "why.term.adot",
  unknown: "why.term.unknown",
  "micro stops in APT": "why.term.micro",
  PRI·PQ: "why.term.priPq",
  PRI·GQ: "why.term.priGq",
  "PRI·GQ with unknown time": "why.term.priGqAll",
  PQ: "kpi.produced",
  GQ: "kpi.good",
  SQ: "kpi.scrap",
  RQ: "kpi.rework",
} as const;

/** A kind of master data by its name in the console; one that it does not know keeps its own. */
function entityText(entity: string, t: Say): string {
  return entity in entityKeys ? t(entityKeys[entity as MasterDataKind]) : entity;
}
