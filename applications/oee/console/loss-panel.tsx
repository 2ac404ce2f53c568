import type { Equipment, Reason } from "@lineshaft/contract/api";
import { Button, type PageContext, type TimeRange, useLoaded } from "@lineshaft/ui/kit";
import { bestDemonstrated } from "../ideal-cycle.ts";
import { type Chosen, stopsOfLoss, stopsWanted } from "./loss-model.ts";
import { reasonName } from "./oee-model.ts";
import { Waiting } from "./place-page.tsx";
import { eachOf } from "./source.ts";
import type { Say } from "./texts.ts";

interface Panel {
  chosen: Chosen;
  machines: readonly Equipment[];
  list: readonly Reason[];
  context: PageContext;
  t: Say;
}

/** A loss, looked into: at which machines, and in which stops, each with the way to its place on the machine's time axis. */
export function LossPanel(props: Panel & { id: number; range: TimeRange; onClose(): void }) {
  const { chosen, list, context, t } = props;
  const name =
    "step" in chosen
      ? t(`loss.${chosen.step}`)
      : reasonName(chosen.reason, new Map(list.map((reason) => [reason.number, reason])), context.locale);
  return (
    <section className="loss-panel" aria-label={t("loss.into", { name })}>
      <header>
        <h2>{t("loss.into", { name })}</h2>
        <Button kind="quiet" icon="close" aria-label={t("close")} onClick={props.onClose} />
      </header>
      {stopsWanted(chosen, list).length === 0 ? <Best {...props} /> : <Stops {...props} />}
    </section>
  );
}

const stopsRead = 500;
const stopsShown = 100;

function Stops(props: Panel & { id: number; range: TimeRange }) {
  const { id, range, chosen, list, machines, context, t } = props;
  const { format } = context;
  const wanted = stopsWanted(chosen, list);
  const loaded = useLoaded(`stops ${id} ${range.fromUs} ${range.toUs} ${JSON.stringify(chosen)}`, async (signal) => {
    const query = { equipmentId: id, from: range.fromUs, to: range.toUs, limit: stopsRead };
    const answers = await Promise.all(
      wanted.map((part) => context.platform.call("listStops", { query: { ...query, ...part }, signal })),
    );
    return stopsOfLoss(
      answers.flatMap(({ items }) => items),
      chosen,
      list,
    );
  });
  if (loaded.data === null) return <Waiting loaded={loaded} words={t("wait.stops")} context={context} t={t} />;
  const names = new Map(machines.map((machine) => [machine.id, machine.name]));
  const reasons = new Map(list.map((reason) => [reason.number, reason]));
  const unknown = "step" in chosen && chosen.step === "unknown";
  return (
    <div className="oee-columns">
      <section aria-label={t("machine.stops")}>
        <h3>
          {t(unknown ? "loss.unknownTimes" : "machine.stops")}{" "}
          <span className="count">{format.integer(loaded.data.length)}</span>
        </h3>
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
            {loaded.data.slice(0, stopsShown).map((stop) => (
              <tr key={`${stop.equipmentId} ${stop.fromUs} ${stop.parts[0].fromUs}`}>
                <td className="nowrap">
                  <a {...context.link("machine", machineAt(stop))}>{format.dateTime(stop.fromUs)}</a>
                </td>
                <td>{names.get(stop.equipmentId) ?? stop.equipmentId}</td>
                <td>
                  {unknown ? t("state.unknown") : reasonName(stop.reason, reasons, context.locale)}
                  {stop.comments.length > 0 && <span className="soft"> {stop.comments.join(" · ")}</span>}
                </td>
                <td className="right nowrap">{format.duration(stop.us)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {loaded.data.length === 0 && <p className="oee-hint">{t("machine.stops.none")}</p>}
      </section>
      {machines.length > 1 && <ByMachine stops={loaded.data} names={names} context={context} t={t} />}
    </div>
  );
}

/** A machine's time axis around a stop, with the cursor at its beginning. */
export function machineAt(stop: { equipmentId: number; fromUs: number; toUs: number | null; us: number }) {
  const toUs = stop.toUs ?? stop.fromUs + stop.us;
  const around = Math.max(600e6, toUs - stop.fromUs);
  return {
    id: stop.equipmentId,
    from: Math.round(stop.fromUs - around),
    to: Math.round(toUs + around),
    cursor: Math.round(stop.fromUs),
  };
}

/** So many machines are read for their best cycles; of a larger place a machine is chosen first. */
const bestOf = 40;

/** Speed and quality have no stops: the fastest that was seen of each material, beside which every other hour is slow. */
function Best({ id, range, machines, context, t }: Panel & { id: number; range: TimeRange }) {
  const { format } = context;
  const names = new Map(machines.map((machine) => [machine.id, machine.name]));
  const loaded = useLoaded(`best ${id} ${range.fromUs} ${range.toUs}`, (signal) =>
    eachOf(machines.slice(0, bestOf), async (machine) => {
      const query = { from: range.fromUs, to: range.toUs };
      const { cells } = await context.platform.call("listCells", { params: { id: machine.id }, query, signal });
      return bestDemonstrated(cells);
    }),
  );
  if (loaded.data === null) return <Waiting loaded={loaded} words={t("wait.numbers")} context={context} t={t} />;
  const best = loaded.data.flat();
  return (
    <section aria-label={t("loss.best")}>
      <h3>{t("loss.best")}</h3>
      <p className="oee-hint">{t("loss.bestHint")}</p>
      <table className="plain">
        <thead>
          <tr>
            <th>{t("machine.choose")}</th>
            <th>{t("report.material")}</th>
            <th className="right">{t("loss.perUnit")}</th>
            <th>{t("loss.hour")}</th>
          </tr>
        </thead>
        <tbody>
          {best.map(({ equipment, material, unit, priUs, hourUs }) => (
            <tr key={`${equipment} ${material} ${unit}`}>
              <td>{names.get(equipment) ?? equipment}</td>
              <td>
                <a {...context.link("materials", { view: "cycles", q: material ?? names.get(equipment) ?? "" })}>
                  {material ?? t("hint.anything")}
                </a>
              </td>
              <td className="right nowrap">{format.number(priUs / 1e6, 3)} s</td>
              <td className="nowrap">
                <a {...context.link("machine", { id: equipment, from: hourUs, to: hourUs + 3_600e6, cursor: hourUs })}>
                  {format.dateTime(hourUs)}
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {best.length === 0 && <p className="oee-hint">{t("loss.bestNone")}</p>}
    </section>
  );
}

/** The same time by machine, the most first. */
function ByMachine(props: {
  stops: readonly { equipmentId: number; us: number }[];
  names: ReadonlyMap<number, string>;
  context: PageContext;
  t: Say;
}) {
  const { stops, names, context, t } = props;
  const { format, query } = context;
  const sums = new Map<number, number>();
  for (const { equipmentId, us } of stops) sums.set(equipmentId, (sums.get(equipmentId) ?? 0) + us);
  const rows = [...sums].map(([id, us]) => ({ id, us })).sort((a, b) => b.us - a.us);
  const most = Math.max(1, ...rows.map(({ us }) => us));
  return (
    <section className="pareto" aria-label={t("loss.machines")}>
      <h3>{t("loss.machines")}</h3>
      <table>
        <thead className="unseen">
          <tr>
            <th>{t("machine.choose")}</th>
            <th>{t("oee.bar")}</th>
            <th>{t("oee.time")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, us }) => (
            <tr key={id}>
              <th scope="row">
                <a {...context.link("oee", { ...Object.fromEntries(query), id })}>{names.get(id) ?? id}</a>
              </th>
              <td>
                <svg className="pareto-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                  <rect width={(us / most) * 100} height="10" />
                </svg>
              </td>
              <td className="right">{format.duration(us)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
