import type { Equipment } from "@lineshaft/contract/api";
import { Button, type PageContext, type StateClass, StateMark, type TimeRange, useSecond } from "@lineshaft/ui/kit";
import { useCallback, useMemo } from "react";
import { TileAlarms } from "./alarms.tsx";
import { NoMachines } from "./no-machines.tsx";
import { ageOf, type NowView } from "./now-feed.ts";
import { percentOf, ShareBar, WorthMarks } from "./numbers.tsx";
import "./oee.css";
import "./overview.css";
import { filtered, filterOf, OverviewFilter } from "./overview-filter.tsx";
import { countStates, lineHeadline, shiftOf, type Tile, tileOf } from "./overview-model.ts";
import type { Line, Site } from "./plant.ts";
import { usualTarget } from "./target.ts";
import { TargetField } from "./target-field.tsx";
import { type Say, stateWord, textsOf, withinLine } from "./texts.ts";
import { MachineTile, WaitingTile } from "./tile.tsx";
import { useArrows } from "./tile-keys.ts";
import { useNow } from "./use-now.ts";
import { type Plant, usePlant } from "./use-plant.ts";
import { firstRows, WhenNear } from "./when-near.tsx";

/** Where must I look now? */
export default function OverviewPage({ context }: { context: PageContext }) {
  const { locale, format } = context;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the texts are those of the language
  const t = useMemo(() => textsOf({ locale, format }), [locale]);
  const plant = usePlant(context);
  const { reload } = plant;
  const onRegistry = useCallback(
    (entity: string) => {
      if (entity === "equipment") reload();
    },
    [reload],
  );
  // Names and states are asked for at once; whichever comes first is shown.
  const now = useNow(context, "", onRegistry);
  if (plant.data === null)
    return plant.error === null ? (
      <Skeleton t={t} />
    ) : (
      <context.Problem error={plant.error}>
        <Button onClick={plant.reload}>{t("tryAgain")}</Button>
      </context.Problem>
    );
  if (plant.data.sites.length === 0) return <NoMachines context={context} t={t} />;
  return <Overview plant={plant.data} now={now} context={context} t={t} />;
}

/** Before even the names are known: where they will stand. */
function Skeleton({ t }: { t: Say }) {
  return (
    <div className="page-scroll oee-page overview" aria-busy="true">
      <p className="quiet-wait overview-wait">{t("wait.plant")}</p>
      {[0, 1, 2].map((row) => (
        <div key={row} className="line-row">
          <div className="line-head">
            <span className="overview-blank" />
          </div>
          <div className="tiles">
            {[0, 1, 2, 3, 4].map((tile) => (
              <span key={tile} className="tile overview-blank-tile" />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}

interface Common {
  now: NowView;
  plant: Plant;
  tiles: ReadonlyMap<number, Tile>;
  states: ReadonlySet<StateClass>;
  context: PageContext;
  t: Say;
}

function Overview({ plant, now, context, t }: { plant: Plant; now: NowView; context: PageContext; t: Say }) {
  const machines = plant.sites.reduce(
    (sum, { lines }) => sum + lines.reduce((n, line) => n + line.machines.length, 0),
    0,
  );
  const filter = filterOf(context.query);
  const sites = filtered(plant.sites, plant, filter);
  const shown = sites.flatMap(({ lines }) => lines.flatMap((line) => line.machines));
  const tiles = useMemo(() => tilesOf(plant, now), [plant, now]);
  const counts = now.atUs === null ? [] : countStates(shown.map(({ id }) => tiles.get(id) as Tile));
  const common = { now, plant, tiles, states: filter.states, context, t };
  const body = useArrows();
  let rows = 0;
  return (
    <div ref={body} className="page-scroll oee-page overview">
      <div className="overview-top">
        <OverviewFilter {...{ filter, plant, counts, machines, context, t }} />
        <TargetField place={filter.place} plant={plant} now={now} context={context} t={t} />
      </div>
      <Late now={now} context={context} t={t} />
      {now.error !== null && now.atUs === null && <context.Problem error={now.error} />}
      {sites.map((site) => {
        const before = rows;
        rows += site.lines.length;
        return <SiteRows key={site.equipment.id} site={site} rowsBefore={before} {...common} />;
      })}
      {sites.length === 0 && <p className="overview-none">{t("overview.none")}</p>}
    </div>
  );
}

function tilesOf(plant: Plant, { items }: NowView): ReadonlyMap<number, Tile> {
  const machines = plant.sites.flatMap(({ lines }) => lines.flatMap((line) => line.machines));
  return new Map(machines.map((machine) => [machine.id, tileOf(machine, items.get(machine.id), plant.reasons)]));
}

/** Older than this, what is shown is not now: everything is read every quarter of a minute. */
const lateUs = 40e6;

/** The server does not answer: said once for the page, with the age of what stands on it. */
function Late({ now, context, t }: { now: NowView; context: PageContext; t: Say }) {
  useSecond();
  const age = ageOf(now, performance.now());
  if (age === null || age < lateUs) return null;
  return (
    <p className="oee-notice" role="status">
      {t("overview.late", { time: context.format.duration(age) })}
    </p>
  );
}

function SiteRows({ site, rowsBefore, ...common }: Common & { site: Site; rowsBefore: number }) {
  const { context, t, tiles, states, now } = common;
  const isShown = ({ id }: Equipment): boolean =>
    states.size === 0 || now.atUs === null || states.has((tiles.get(id) as Tile).state);
  const lines = site.lines
    .map((line) => ({ line, machines: line.machines.filter(isShown) }))
    .filter(({ machines }) => machines.length > 0);
  if (lines.length === 0) return null;
  return (
    <section className="site" aria-label={site.equipment.name}>
      <h2>
        <a {...context.link("oee", { id: site.equipment.id })}>{site.equipment.name || t("overview.plant")}</a>
      </h2>
      {lines.map(({ line, machines }, i) => (
        <WhenNear
          key={line.equipment.id}
          first={rowsBefore + i < firstRows}
          height={rowHeightPx * Math.ceil(machines.length / usualColumns) + 24}
        >
          {() => <LineRow line={line} machines={machines} {...common} />}
        </WhenNear>
      ))}
    </section>
  );
}

/** The number of a shift leads to what it is made of. */
const spanOfShift = (shift: TimeRange | null): { from?: number; to?: number } =>
  shift === null ? {} : { from: shift.fromUs, to: shift.toUs };

/** What a row that was never drawn is taken for. */
const rowHeightPx = 168;
const usualColumns = 4;

function LineRow({ line, machines, ...common }: Common & { line: Line; machines: readonly Equipment[] }) {
  const { now, plant, tiles, context, t } = common;
  const targetOf = (id: number): number => now.items.get(id)?.item.targets.oeeIndex ?? usualTarget;
  const reads = line.machines.map(({ id }) => now.items.get(id));
  const own = now.items.get(line.equipment.id);
  const headline = lineHeadline(own, reads);
  const shift = shiftOf([own, ...reads]);
  const zone = (own ?? reads.find((read) => read !== undefined))?.item.timeZone;
  const format = zone === undefined ? context.format : context.formatIn(zone);
  return (
    <article className="line-row" aria-label={line.equipment.name}>
      <header className="line-head">
        <h3>
          <a {...context.link("line", { id: line.equipment.id })}>{line.equipment.name}</a>
        </h3>
        {now.atUs !== null && (
          <p className="line-shift">
            {shift === null
              ? t("overview.noShift")
              : `${shift.name} ${format.part(shift.fromUs, "min")}–${format.part(shift.toUs, "min")}`}
          </p>
        )}
        {headline !== null && (
          <div className="line-oee">
            <a className="line-oee-value" {...context.link("oee", { id: line.equipment.id, ...spanOfShift(shift) })}>
              OEE <b>{percentOf(headline.oee, format, "–")}</b>
            </a>
            <ShareBar share={headline.oee} target={targetOf(line.equipment.id)} />
            <WorthMarks worth={headline} brief context={context} t={t} />
          </div>
        )}
        {now.atUs !== null && (
          <p className="line-states">
            {countStates(line.machines.map(({ id }) => tiles.get(id) as Tile)).map(({ state, n }) => (
              <span key={state}>
                <StateMark state={state} /> {n} {withinLine(stateWord(t, state), context.locale)}
              </span>
            ))}
          </p>
        )}
      </header>
      <ol className="tiles">
        {machines.map((machine) => (
          <li key={machine.id}>
            {now.atUs === null ? (
              <WaitingTile equipment={machine} context={context} t={t} />
            ) : (
              <>
                <MachineTile
                  tile={tiles.get(machine.id) as Tile}
                  isConstraint={line.constraint === machine.id}
                  target={targetOf(machine.id)}
                  reasons={plant.reasons}
                  context={context}
                  t={t}
                />
                <TileAlarms
                  name={machine.name}
                  alarms={(tiles.get(machine.id) as Tile).alarms}
                  now={now}
                  context={context}
                  t={t}
                />
              </>
            )}
          </li>
        ))}
      </ol>
    </article>
  );
}
