import { dayUs, type Equipment, hourUs, type Reason } from "@lineshaft/contract/api";
import { Button, type PageContext, Segments, spanOf, useLoaded } from "@lineshaft/ui/kit";
import { useState } from "react";
import { paretoOf, reliabilityOf, waterfallOf } from "../index.ts";
import { PathLinks, PlaceChoice } from "./links.tsx";
import { NoMachines } from "./no-machines.tsx";
import { Hints, percentOf, ShareBar, Worth } from "./numbers.tsx";
import { readingRange, reasonName, waterfallRows } from "./oee-model.ts";
import "./oee.css";
import { machinesBelow } from "./plant.ts";
import { useView } from "./range.ts";
import { RangeBar } from "./range-bar.tsx";
import {
  cellsTogether,
  longestViewUs,
  type MachineCells,
  type Numbers,
  numbersBy,
  numbersByShift,
  numbersOf,
  readCells,
  shiftAt,
} from "./source.ts";
import { useTarget } from "./target.ts";
import { type Say, textsOf } from "./texts.ts";
import { type Plant, useKept, usePlant } from "./use-plant.ts";

const refreshMs = 15_000;

/** Where does the time go? */
export default function OeePage({ context }: { context: PageContext }) {
  const t = textsOf(context);
  const plant = usePlant(context);
  if (plant.data === null)
    return plant.error === null ? (
      <p className="quiet-wait">{t("wait.plant")}</p>
    ) : (
      <context.Problem error={plant.error} />
    );
  const first = plant.data.sites[0]?.equipment.id;
  if (first === undefined) return <NoMachines context={context} t={t} />;
  const id = context.query.has("id") ? Number(context.query.get("id")) : first;
  return <Oee key={id} id={id} plant={plant.data} context={context} t={t} />;
}

function Oee({ id, plant, context, t }: { id: number; plant: Plant; context: PageContext; t: Say }) {
  const [view, setView] = useView(context, dayUs);
  const [target] = useTarget();
  const nowUs = context.nowUs();
  const machines = machinesBelow(id, plant.sites);
  const reading = readingRange(view.range, longestViewUs);
  const identity = `${id} ${spanOf(reading)}`;
  const loaded = useLoaded(
    `${id} ${reading.fromUs} ${reading.toUs}`,
    (signal) =>
      readCells(
        context.platform,
        machines.map((machine) => machine.id),
        reading,
        signal,
      ),
    Math.max(refreshMs, machines.length * 300),
  );
  const read = useKept(identity, loaded.data);
  const all = read === null ? null : cellsTogether(read.map(({ cells }) => cells));
  const format = all === null ? context.format : context.formatIn(all.timeZone);
  const shift = read?.[0] === undefined ? null : (shiftAt(read[0].shifts, nowUs) ?? null);
  const head = (
    <>
      <div className="oee-head">
        <PathLinks id={id} plant={plant} context={context} />
        <PlaceChoice id={id} plant={plant} context={context} t={t} />
      </div>
      <RangeBar view={view} onView={setView} shift={shift} nowUs={nowUs} format={format} t={t} />
    </>
  );
  if (read === null || all === null)
    return (
      <div className="page-scroll oee-page">
        {head}
        {loaded.error === null ? (
          <p className="quiet-wait">{t("wait.numbers")}</p>
        ) : (
          <context.Problem error={loaded.error}>
            <Button onClick={loaded.reload}>{t("tryAgain")}</Button>
          </context.Problem>
        )}
      </div>
    );
  const numbers = numbersOf(all);
  const reasons = new Map(all.reasons.map((reason) => [reason.number, reason]));
  const zoned = { ...context, format };
  return (
    <div className="page-scroll oee-page">
      {head}
      {all.repairing && <p className="oee-notice">{t("machine.repairing")}</p>}
      <Headline numbers={numbers} target={target} context={zoned} t={t} />
      <div className="oee-columns">
        <WaterfallTable numbers={numbers} reasons={all.reasons} context={zoned} t={t} />
        <Pareto numbers={numbers} reasons={reasons} list={all.reasons} context={zoned} t={t} />
      </div>
      <Trend read={read} target={target} hourly={spanOf(view.range) <= 48 * hourUs} context={zoned} t={t} />
      <div className="oee-columns">
        <Shifts read={read} target={target} context={zoned} t={t} />
        <Below id={id} read={read} plant={plant} machines={machines} target={target} context={zoned} t={t} />
      </div>
    </div>
  );
}

const factors = ["oeeIndex", "availability", "effectiveness", "qualityRatio"] as const;

function Headline({ numbers, target, context, t }: { numbers: Numbers; target: number; context: PageContext; t: Say }) {
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
            <dd>{percentOf(kpis[name], format, t("kpi.none"))}</dd>
            <ShareBar share={kpis[name]} target={name === "oeeIndex" ? target : null} />
          </div>
        ))}
        <Small
          name={t("kpi.nee")}
          title={t("oee.neeHint")}
          value={percentOf(kpis.netEquipmentEffectivenessIndex, format, "–")}
        />
        <Small name="MTBF" title={t("oee.mtbfHint")} value={lasting(reliability.mtbfUs)} />
        <Small name="MTTR" title={t("oee.mttrHint")} value={lasting(reliability.mttrUs)} />
        <Small name={t("oee.faults")} value={format.integer(reliability.failureEvents)} />
        <Small
          name={t("oee.microStops")}
          value={`${format.integer(micro)} · ${format.duration(numbers.sums.microStopUs)}`}
        />
      </dl>
      <Worth numbers={numbers} context={context} t={t} />
      <Hints kpis={kpis} context={context} t={t} />
    </section>
  );
}

function Small({ name, value, title }: { name: string; value: string; title?: string }) {
  return (
    <div className="kpi kpi-small">
      <dt title={title}>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function WaterfallTable(props: { numbers: Numbers; reasons: readonly Reason[]; context: PageContext; t: Say }) {
  const { numbers, context, t } = props;
  const { format } = context;
  const waterfall = waterfallOf(numbers.sums, props.reasons);
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
            return (
              <tr key={key} className={row.kind} data-row={key} data-us={row.us}>
                <th scope="row">{row.kind === "loss" ? t(`loss.${row.step}`) : t(`level.${row.level}`)}</th>
                <td>
                  <svg className="waterfall-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect x={(Math.max(0, from) / whole) * 100} width={(Math.abs(row.us) / whole) * 100} height="10" />
                  </svg>
                </td>
                <td className="right">{signed(row.us, row.kind === "loss", format)}</td>
                <td className="right soft">{planned > 0 ? format.percent(row.us / planned) : "–"}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p className="oee-hint">{t("oee.waterfallHint")}</p>
    </section>
  );
}

function signed(us: number, isLoss: boolean, format: PageContext["format"]): string {
  const text = us === 0 ? "0 s" : format.duration(Math.abs(us));
  return isLoss === us >= 0 && us !== 0 ? (isLoss ? `−${text}` : text) : us < 0 ? `+${text}` : text;
}

function Pareto(props: {
  numbers: Numbers;
  reasons: ReadonlyMap<number, Reason>;
  list: readonly Reason[];
  context: PageContext;
  t: Say;
}) {
  const { numbers, reasons, list, context, t } = props;
  const { format } = context;
  const measure = context.query.get("by") === "count" ? "count" : "time";
  const bars = paretoOf(numbers.sums, { by: measure, reasons: list });
  const most = Math.max(1, ...bars.map((bar) => (measure === "time" ? bar.us : bar.count)));
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
            {bars.slice(0, 12).map((bar) => (
              <tr key={bar.reason}>
                <th scope="row">{reasonName(bar.reason, reasons, context.locale)}</th>
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
      )}
    </section>
  );
}

function Trend(props: { read: MachineCells[]; target: number; hourly: boolean; context: PageContext; t: Say }) {
  const { read, target, hourly, context, t } = props;
  const { format } = context;
  const cells = cellsTogether(read.map((one) => one.cells));
  const [at, setAt] = useState<number | null>(null);
  const periods = cells === null ? [] : numbersBy(cells, hourly ? "hour" : "productionDay");
  const shown = periods.find(({ fromUs }) => fromUs === at) ?? null;
  const most = Math.max(1, target, ...periods.map(({ kpis }) => kpis.oeeIndex ?? 0));
  const nameOf = ({ fromUs }: Numbers): string => format.part(fromUs, hourly ? "min" : "day");
  return (
    <section className="oee-trend" aria-label={t("oee.trend")}>
      <header>
        <h2>{t(hourly ? "oee.trendHours" : "oee.trendDays")}</h2>
        <span className="oee-hint" role="status">
          {shown !== null &&
            `${nameOf(shown)}: ${factors.map((name) => `${t(`kpi.${name}`)} ${percentOf(shown.kpis[name], format, "–")}`).join(" · ")}`}
        </span>
      </header>
      <ol onPointerLeave={() => setAt(null)}>
        {periods.map((period) => {
          const oee = period.kpis.oeeIndex;
          return (
            <li
              key={period.fromUs}
              className={oee === null ? "none" : oee < target ? "low" : ""}
              title={`${nameOf(period)}: ${percentOf(oee, format, t("kpi.none"))}`}
              onPointerEnter={() => setAt(period.fromUs)}
            >
              <span className="column">
                <i style={{ height: `${((oee ?? 0) / most) * 100}%` }} />
                <u style={{ bottom: `${(target / most) * 100}%` }} />
              </span>
              <span className="column-name">{nameOf(period)}</span>
              <span className="column-value">{oee === null ? "–" : format.percent(Math.round(oee * 100) / 100)}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

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

function Shifts({ read, target, context, t }: { read: MachineCells[]; target: number; context: PageContext; t: Say }) {
  const cells = cellsTogether(read.map((one) => one.cells));
  const shifts = [...new Map(read.flatMap((one) => one.shifts.map((shift) => [shift.id, shift] as const))).values()];
  const numbers = cells === null ? new Map<string, Numbers>() : numbersByShift(cells, shifts);
  const rows = shifts
    .flatMap((shift) => {
      const own = numbers.get(shift.id);
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
function Below(props: {
  id: number;
  read: MachineCells[];
  plant: Plant;
  machines: readonly Equipment[];
  target: number;
  context: PageContext;
  t: Say;
}) {
  const { id, read, plant, machines, target, context, t } = props;
  const range = { live: context.query.get("live"), from: context.query.get("from"), to: context.query.get("to") };
  const site = plant.sites.find(({ equipment }) => equipment.id === id);
  const parts =
    site !== undefined && site.lines.length > 1
      ? site.lines.map(({ equipment, machines: own }) => ({ equipment, own }))
      : machines.map((machine) => ({ equipment: machine, own: [machine] }));
  const rows = parts.flatMap(({ equipment, own }) => {
    const cells = cellsTogether(
      read.filter((one) => own.some((machine) => machine.id === one.id)).map((one) => one.cells),
    );
    return cells === null ? [] : [{ equipment, numbers: numbersOf(cells) }];
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
                <a
                  {...context.link(
                    equipment.id === id
                      ? "machine"
                      : equipment.level === "workUnit" && site === undefined
                        ? "machine"
                        : "oee",
                    { id: equipment.id, ...range },
                  )}
                >
                  {equipment.name}
                </a>
              </th>
              <KpiCells numbers={numbers} target={target} context={context} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
