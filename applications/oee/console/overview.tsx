import { Button, type PageContext, StateMark, StatePatterns, stateFill, unitText, useLoaded } from "@lineshaft/ui/kit";
import { useId } from "react";
import { NoMachines } from "./no-machines.tsx";
import { percentOf, ShareBar, Worth } from "./numbers.tsx";
import "./oee.css";
import { countStates, lineNumbers, type Tile, tileOf } from "./overview-model.ts";
import type { Line, Site } from "./plant.ts";
import { readResults } from "./results.ts";
import { eachOf, type MachineNow, readNow } from "./source.ts";
import { useTarget } from "./target.ts";
import { pieceText, type Say, stateWord, textsOf } from "./texts.ts";
import { useKept, usePlant } from "./use-plant.ts";

const refreshMs = 10_000;

/** Where must I look now? */
export default function OverviewPage({ context }: { context: PageContext }) {
  const t = textsOf(context);
  const plant = usePlant(context);
  const [target, setTarget] = useTarget();
  if (plant.data === null)
    return plant.error === null ? (
      <p className="quiet-wait">{t("wait.plant")}</p>
    ) : (
      <context.Problem error={plant.error}>
        <Button onClick={plant.reload}>{t("tryAgain")}</Button>
      </context.Problem>
    );
  if (plant.data.sites.length === 0) return <NoMachines context={context} t={t} />;
  return (
    <div className="page-scroll oee-page overview">
      <p className="overview-target">
        <label>
          {t("overview.target")}{" "}
          <input
            className="input"
            type="number"
            min={1}
            max={100}
            value={Math.round(target * 100)}
            onChange={(event) => {
              const next = Number(event.target.value) / 100;
              if (next > 0 && next <= 1) setTarget(next);
            }}
          />{" "}
          %
        </label>
      </p>
      {plant.data.sites.map((site) => (
        <SiteRows key={site.equipment.id} site={site} target={target} context={context} t={t} />
      ))}
    </div>
  );
}

function SiteRows({ site, target, context, t }: { site: Site; target: number; context: PageContext; t: Say }) {
  return (
    <section className="site" aria-label={site.equipment.name}>
      <h2>
        <a {...context.link("oee", { id: site.equipment.id })}>{site.equipment.name || t("overview.plant")}</a>
      </h2>
      {site.lines.map((line) => (
        <LineRow key={line.equipment.id} line={line} target={target} context={context} t={t} />
      ))}
    </section>
  );
}

function LineRow({ line, target, context, t }: { line: Line; target: number; context: PageContext; t: Say }) {
  const ids = line.machines.map(({ id }) => id);
  const nowUs = context.nowUs();
  const loaded = useLoaded(
    ids.join(),
    async (signal) => {
      const [now, published] = await Promise.all([
        eachOf(ids, (id) => readNow(context.platform, id, nowUs, signal)),
        readResults(context.platform, [line.equipment.id], "shift", { fromUs: nowUs, toUs: nowUs + 1 }, signal),
      ]);
      return { now, published: published.get(line.equipment.id)?.at(-1)?.numbers ?? null };
    },
    // A plant of a thousand machines is asked less often.
    Math.max(refreshMs, ids.length * 200),
  );
  const read = useKept(ids.join(), loaded.data);
  const now = read?.now ?? null;
  const tiles = now?.map((one, i) => tileOf(line.machines[i], one, nowUs)) ?? null;
  const numbers = read === null ? null : (read.published ?? lineNumbers(read.now));
  const shift = now?.find((one) => one.shift !== null)?.shift ?? null;
  const format = now?.[0] === undefined ? context.format : context.formatIn(now[0].data.cells.timeZone);
  return (
    <article className="line-row" aria-label={line.equipment.name}>
      <header className="line-head">
        <h3>
          <a {...context.link("line", { id: line.equipment.id })}>{line.equipment.name}</a>
        </h3>
        <p className="line-shift">
          {now !== null &&
            (shift === null
              ? t("overview.noShift")
              : `${shift.name} ${format.part(shift.fromUs, "min")}–${format.part(shift.toUs, "min")}`)}
        </p>
        {numbers !== null && (
          <div className="line-oee">
            <span className="line-oee-value">
              OEE <b>{percentOf(numbers.kpis.oeeIndex, format, "–")}</b>
            </span>
            <ShareBar share={numbers.kpis.oeeIndex} target={target} />
            <Worth numbers={numbers} context={context} t={t} />
          </div>
        )}
        {tiles !== null && (
          <p className="line-states">
            {countStates(tiles).map(({ state, n }) => (
              <span key={state}>
                <StateMark state={state} /> {n} {stateWord(t, state).toLocaleLowerCase(context.locale)}
              </span>
            ))}
          </p>
        )}
      </header>
      {loaded.error !== null && tiles === null && <context.Problem error={loaded.error} />}
      <ol className="tiles">
        {line.machines.map((machine, i) => (
          <li key={machine.id}>
            {tiles === null ? (
              <a className="tile tile-waiting" {...context.link("machine", { id: machine.id })}>
                <b>{machine.name}</b>
                <span>{t("overview.reading")}</span>
              </a>
            ) : (
              <MachineTile
                tile={tiles[i]}
                isConstraint={line.constraint === machine.id}
                target={target}
                reasons={now?.[i].data.reasons ?? new Map()}
                nowUs={nowUs}
                context={context}
                t={t}
              />
            )}
          </li>
        ))}
      </ol>
    </article>
  );
}

/** Older than this, what is shown is not now any more. */
const staleUs = 30e6;

function MachineTile(props: {
  tile: Tile;
  isConstraint: boolean;
  target: number;
  reasons: MachineNow["data"]["reasons"];
  nowUs: number;
  context: PageContext;
  t: Say;
}) {
  const { tile, isConstraint, target, reasons, nowUs, context, t } = props;
  const { format } = context;
  const { equipment, state, sinceUs, order, numbers, ageUs } = tile;
  const reason = pieceText(tile, reasons, t, context.locale);
  const prefix = useId();
  const { colour, pattern } = stateFill(state, prefix);
  const oee = numbers?.kpis.oeeIndex ?? null;
  return (
    <a className="tile" data-state={state} {...context.link("machine", { id: equipment.id })}>
      <svg className="tile-state" width="100%" height="8" aria-hidden="true">
        <StatePatterns prefix={prefix} />
        <rect width="100%" height="8" fill={colour} />
        {pattern !== null && <rect width="100%" height="8" fill={pattern} />}
      </svg>
      <span className="tile-name">
        <b>{equipment.name}</b>
        {isConstraint && <abbr title={t("overview.constraintHint")}>{t("overview.constraint")}</abbr>}
      </span>
      <span className="tile-reason">
        {reason}
        {sinceUs !== null && <span>{format.duration(Math.max(1e6, nowUs - sinceUs))}</span>}
      </span>
      <span className="tile-order">
        {order === null ? (
          t("machine.noOrder")
        ) : (
          <>
            <span className="tile-order-name">{order.order}</span>
            <span>
              {format.number(order.made, 0)} / {format.number(order.quantity, 0)} {unitText(order.unit)}
            </span>
          </>
        )}
      </span>
      <ShareBar share={order === null ? null : order.made / Math.max(1, order.quantity)} />
      <span className="tile-oee">
        OEE <b>{percentOf(oee, format, "–")}</b>
      </span>
      <ShareBar share={oee} target={target} />
      {(ageUs === null || ageUs > staleUs) && (
        <span className="tile-age">
          {ageUs === null ? t("overview.neverHeard") : t("overview.age", { time: format.duration(ageUs) })}
        </span>
      )}
    </a>
  );
}
