import { dayUs, type ShiftOccurrence } from "@lineshaft/contract/api";
import { Button, type PageContext, unitText, useLoaded } from "@lineshaft/ui/kit";
import { waterfallOf } from "../losses.ts";
import { PathLinks, PlaceChoice } from "./links.tsx";
import { Hints, percentOf, ShareBar, Worth } from "./numbers.tsx";
import { PlacePage, type PlaceProps, Waiting } from "./place-page.tsx";
import { machinesBelow, pathTo } from "./plant.ts";
import "./report.css";
import { longestStops, type MachineReport, machineReport, ordersOf } from "./report-model.ts";
import { readResults } from "./results.ts";
import { cellsTogether, eachOf, longestViewUs, numbersByShift, readMachine, shiftAt } from "./source.ts";
import { useTarget } from "./target.ts";
import { pieceText, type Say } from "./texts.ts";
import type { Plant } from "./use-plant.ts";

/** How was the shift? One sheet of A4 for the wall. */
export default function ReportPage({ context }: { context: PageContext }) {
  return <PlacePage context={context} places="all" gone="oee.gone" Body={Report} />;
}

/** Shifts that can be chosen: so far back. */
const backUs = 14 * dayUs;

function Report({ id, plant, context, t }: PlaceProps) {
  const machines = machinesBelow(id, plant);
  const nowUs = Math.floor(context.nowUs() / 60e6) * 60e6;
  const shifts = useLoaded(`shifts ${id}`, async (signal): Promise<ShiftOccurrence[]> => {
    const query = { equipmentId: id, from: nowUs - backUs, to: nowUs };
    const { items } = await context.platform.call("listShifts", { query, signal });
    return items.sort((a, b) => b.fromUs - a.fromUs);
  });
  const asked = context.query.get("shift");
  // Unasked the last shift that has ended: of the one that runs no report is due yet.
  const shift =
    shifts.data?.find((one) => one.id === asked) ??
    shifts.data?.find(({ toUs }) => toUs <= nowUs) ??
    shifts.data?.[0] ??
    null;
  const place = plant.equipment.find((item) => item.id === id);
  return (
    <div className="page-scroll oee-page report-page">
      <div className="oee-head no-print">
        <PathLinks id={id} plant={plant} context={context} stay />
        <span className="report-choices">
          <PlaceChoice id={id} plant={plant} context={context} t={t} places="all" />
          <select
            className="input machine-choice"
            aria-label={t("oee.shift")}
            value={shift?.id ?? ""}
            onChange={(event) => context.go(context.page, { id, shift: event.target.value }, "replace")}
          >
            {shifts.data?.map((one) => (
              <option key={one.id} value={one.id}>
                {one.productionDay} {one.name}
                {shiftAt([one], nowUs) === undefined ? "" : ` (${t("report.runs")})`}
              </option>
            ))}
          </select>
          <Button kind="main" onClick={() => print()} disabled={shift === null}>
            {t("report.print")}
          </Button>
        </span>
      </div>
      {shifts.error !== null && <context.Problem error={shifts.error} />}
      {shifts.data !== null && shift === null && <p>{t("oee.noShifts")}</p>}
      {shift !== null && (
        <Sheet
          key={shift.id}
          id={id}
          title={
            pathTo(id, plant.equipment)
              .map(({ name }) => name)
              .join(" › ") ||
            (place?.name ?? "")
          }
          shift={shift}
          machines={machines}
          context={context}
          t={t}
        />
      )}
    </div>
  );
}

function Sheet(props: {
  id: number;
  title: string;
  shift: ShiftOccurrence;
  machines: Plant["equipment"];
  context: PageContext;
  t: Say;
}) {
  const { id, title, shift, machines, context, t } = props;
  const [target] = useTarget();
  const nowUs = context.nowUs();
  const loaded = useLoaded(`report ${shift.id} ${machines.map(({ id }) => id).join()}`, async (signal) => {
    const range = {
      fromUs: Math.max(shift.fromUs, shift.toUs - longestViewUs),
      toUs: Math.min(shift.toUs, context.nowUs()),
    };
    const [own, published] = await Promise.all([
      eachOf(machines, (machine) => readMachine(context.platform, machine.id, range, signal)),
      readResults(context.platform, [id, ...machines.map((machine) => machine.id)], "shift", range, signal),
    ]);
    const ofShift = [...published].flatMap(([place, all]) =>
      all.flatMap(({ key, numbers }) => (key === shift.id ? [[place, numbers] as const] : [])),
    );
    return { own, published: new Map(ofShift) };
  });
  if (loaded.data === null) return <Waiting loaded={loaded} words={t("wait.numbers")} context={context} t={t} />;
  const { own: data, published } = loaded.data;
  const cells = cellsTogether(data.map((one) => one.cells));
  // What was published is what everybody else reads, with its revision; without it the same is added up here.
  const whole = published.get(id) ?? (cells === null ? undefined : numbersByShift(cells, [shift]).get(shift.id));
  const format = cells === null ? context.format : context.formatIn(cells.timeZone);
  const zoned = { ...context, format };
  const reports = machines.map((machine, i) =>
    machineReport(machine, data[i], shift, published.get(machine.id) ?? null, nowUs),
  );
  if (cells === null || whole === undefined) return <p>{t("report.nothing")}</p>;
  const losses = waterfallOf(whole.sums).losses.filter(({ us }) => us > 0);
  const stops = longestStops(reports, 10);
  const reasons = new Map(cells.reasons.map((reason) => [reason.number, reason]));
  return (
    <article className="sheet">
      <header>
        <h2>
          {t("report.title")} <span>{title}</span>
        </h2>
        <p>
          {shift.productionDay} · {shift.name}
          {shift.crew !== null && ` · ${shift.crew}`} · {format.part(shift.fromUs, "min")}–
          {format.part(shift.toUs, "min")} {format.zoneName(shift.toUs)}
        </p>
        <Worth numbers={whole} context={zoned} t={t} />
      </header>
      <dl className="sheet-kpis">
        {(["oeeIndex", "availability", "effectiveness", "qualityRatio"] as const).map((name) => (
          <div key={name} className={name === "oeeIndex" ? "kpi kpi-main" : "kpi"}>
            <dt>{t(`kpi.${name}`)}</dt>
            <dd>{percentOf(whole.kpis[name], format, "–")}</dd>
            <ShareBar share={whole.kpis[name]} target={name === "oeeIndex" ? target : null} />
          </div>
        ))}
      </dl>
      <MachinesTable reports={reports} context={zoned} t={t} />
      <div className="sheet-columns">
        <section>
          <h3>{t("report.losses")}</h3>
          <table className="plain">
            <tbody>
              {losses.map(({ step, us }) => (
                <tr key={step}>
                  <th scope="row">{t(`loss.${step}`)}</th>
                  <td className="right">{format.duration(us)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <section>
          <h3>{t("report.stops")}</h3>
          <table className="plain">
            <tbody>
              {stops.map(({ machine, row }) => (
                <tr key={`${machine.id} ${row.fromUs}`}>
                  <td>{format.part(row.fromUs, "min")}</td>
                  <td>{machine.name}</td>
                  <th scope="row">
                    {pieceText(row, reasons, t, context.locale)}
                    {row.text !== "" && <span className="soft"> {row.text}</span>}
                  </th>
                  <td className="right">{format.duration(row.toUs - row.fromUs)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {stops.length === 0 && <p className="oee-hint">{t("machine.stops.none")}</p>}
        </section>
      </div>
      <Orders reports={reports} context={zoned} t={t} />
      <Hints kpis={whole.kpis} context={zoned} t={t} />
      <p className="sheet-foot">{t("report.made", { time: format.dateTime(nowUs) })}</p>
    </article>
  );
}

function MachinesTable({ reports, context, t }: { reports: readonly MachineReport[]; context: PageContext; t: Say }) {
  const { format } = context;
  return (
    <section>
      <h3>{t("report.machines")}</h3>
      <table className="plain">
        <thead>
          <tr>
            <th>{t("machine.choose")}</th>
            <th className="right">OEE</th>
            <th className="right">{t("kpi.availability")}</th>
            <th className="right">{t("kpi.effectiveness")}</th>
            <th className="right">{t("kpi.qualityRatio")}</th>
            <th className="right">{t("kpi.good")}</th>
            <th className="right">{t("kpi.scrap")}</th>
          </tr>
        </thead>
        <tbody>
          {reports.map(({ machine, numbers, good, scrap }) => (
            <tr key={machine.id}>
              <th scope="row">{machine.name}</th>
              {(["oeeIndex", "availability", "effectiveness", "qualityRatio"] as const).map((name) => (
                <td key={name} className={name === "oeeIndex" ? "right strong" : "right"}>
                  {percentOf(numbers?.kpis[name] ?? null, format, "–")}
                </td>
              ))}
              <td className="right">{format.number(good, 0)}</td>
              <td className="right">{format.number(scrap, 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Orders({ reports, context, t }: { reports: readonly MachineReport[]; context: PageContext; t: Say }) {
  const orders = ordersOf(reports);
  const { format } = context;
  if (orders.length === 0) return null;
  return (
    <section>
      <h3>{t("report.orders")}</h3>
      <table className="plain">
        <thead>
          <tr>
            <th>{t("machine.lane.order")}</th>
            <th>{t("report.material")}</th>
            <th>{t("machine.choose")}</th>
            <th className="right">{t("kpi.good")}</th>
            <th className="right">{t("kpi.scrap")}</th>
            <th className="right">{t("report.ordered")}</th>
          </tr>
        </thead>
        <tbody>
          {orders.map((order) => (
            <tr key={`${order.order} ${order.machine.id}`}>
              <th scope="row">{order.order}</th>
              <td>{order.material ?? ""}</td>
              <td>{order.machine.name}</td>
              <td className="right">{format.number(order.good, 0)}</td>
              <td className="right">{format.number(order.scrap, 0)}</td>
              <td className="right">
                {order.quantity === null ? "–" : format.number(order.quantity, 0)} {unitText(order.unit)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
