import { hourUs } from "@lineshaft/contract/api";
import {
  Button,
  EmptyState,
  type Format,
  type Loaded,
  type PageContext,
  type TimeRange,
  useLoaded,
} from "@lineshaft/ui/kit";
import type { ReactNode } from "react";
import { PathLinks, PlaceChoice, type Places } from "./links.tsx";
import { NoMachines } from "./no-machines.tsx";
import "./oee.css";
import { placesOf } from "./plant.ts";
import type { View } from "./range.ts";
import { RangeBar } from "./range-bar.tsx";
import { type Say, textsOf } from "./texts.ts";
import { type Plant, usePlant } from "./use-plant.ts";

/** What a page about a place knows when its body begins. */
export interface PlaceProps {
  id: number;
  plant: Plant;
  context: PageContext;
  t: Say;
}

/** A page about one place of the plant, `?id=…` or the first: waits for the plant and says what is not there. */
export function PlacePage(props: {
  context: PageContext;
  places: Places;
  gone: "line.gone" | "machine.gone" | "oee.gone";
  Body(props: PlaceProps): ReactNode;
}) {
  const { context, places, gone, Body } = props;
  const t = textsOf(context);
  const plant = usePlant(context);
  if (plant.data === null) return <Waiting loaded={plant} words={t("wait.plant")} context={context} t={t} />;
  const all = placesOf(plant.data, places);
  if (all.length === 0) return <NoMachines context={context} t={t} />;
  if (!context.query.has("id")) return <Opening all={all} {...{ places, context, Body, t }} plant={plant.data} />;
  const id = Number(context.query.get("id"));
  if (!all.includes(id)) return <EmptyState title={t(gone)} />;
  lastSeen.set(places, id);
  return <Body key={id} id={id} plant={plant.data} context={context} t={t} />;
}

/** Where somebody was last, by kind of page: a page that is gone back to shows the same place. */
const lastSeen = new Map<Places, number>();
/** So many machines are asked whether anything is heard of them. */
const askedMax = 50;

/** The address names no place: the last one that was looked at, else the first of which something is heard. */
function Opening(props: {
  all: readonly number[];
  places: Places;
  plant: Plant;
  context: PageContext;
  Body(props: PlaceProps): ReactNode;
  t: Say;
}) {
  const { all, places, plant, context, Body, t } = props;
  const last = lastSeen.get(places);
  const seen = last !== undefined && all.includes(last) ? last : null;
  const asks = seen === null && places !== "all";
  const heard = useLoaded(`opening ${places} ${asks}`, async (signal) => {
    if (!asks) return null;
    const machines = candidates(plant, places);
    const query = { equipmentId: [...machines.keys()].slice(0, askedMax) };
    const { items, atUs } = await context.platform.call("listNow", { query, signal });
    const live = items.filter(({ watermarkUs }) => watermarkUs !== null && atUs - watermarkUs < hourUs);
    const best = [...machines.keys()].find((id) => live.some(({ equipmentId }) => equipmentId === id));
    return best === undefined ? null : (machines.get(best) ?? null);
  });
  if (heard.loading) return <Waiting loaded={heard} words={t("wait.plant")} context={context} t={t} />;
  const id = seen ?? heard.data ?? all[0];
  return <Body key={id} id={id} plant={plant} context={context} t={t} />;
}

/** By machine the place that it would open. */
const candidates = ({ sites }: Plant, places: Places): ReadonlyMap<number, number> =>
  new Map(
    sites.flatMap(({ lines }) =>
      lines.flatMap(({ machines, equipment }) =>
        machines.map(({ id }) => [id, places === "lines" ? equipment.id : id] as const),
      ),
    ),
  );

/** Nothing has come yet: what is waited for, or why it does not come and the way to ask again. */
export function Waiting(props: {
  loaded: Pick<Loaded<unknown>, "error" | "reload">;
  words: string;
  context: PageContext;
  t: Say;
}) {
  const { loaded, words, context, t } = props;
  if (loaded.error === null) return <p className="quiet-wait">{words}</p>;
  return (
    <context.Problem error={loaded.error}>
      <Button onClick={loaded.reload}>{t("tryAgain")}</Button>
    </context.Problem>
  );
}

/** The frame of a page over one place and one time range: which place, its path, the range, and below whatever was read of it. */
export function PlaceFrame(
  props: PlaceProps & {
    places: Places;
    /** The parts of the path lead to this page, not to the one that shows them best. */
    stay?: boolean;
    view: View;
    onView(next: View): void;
    shift: TimeRange | null;
    format: Format;
    loaded: Pick<Loaded<unknown>, "error" | "reload">;
    words: string;
    /** null: nothing was read yet. */
    children: ReactNode;
  },
) {
  const { id, plant, context, t, places, stay, loaded, children } = props;
  return (
    <div className="page-scroll oee-page">
      <div className="oee-head">
        <PlaceChoice {...{ id, plant, context, t, places }} />
        <PathLinks {...{ id, plant, context, stay }} />
        <RangeBar
          view={props.view}
          onView={props.onView}
          shift={props.shift}
          nowUs={context.nowUs()}
          format={props.format}
          t={t}
        />
      </div>
      {children === null ? (
        <Waiting loaded={loaded} words={props.words} context={context} t={t} />
      ) : (
        <>
          {loaded.error !== null && <context.Problem error={loaded.error} />}
          {children}
        </>
      )}
    </div>
  );
}
