import {
  type PageContext,
  StateMark,
  StatePatterns,
  stateFill,
  unitText,
  useLoaded,
  useMedia,
  useSecond,
} from "@lineshaft/ui/kit";
import { type CSSProperties, useCallback, useEffect, useId, useRef } from "react";
import "./oee.css";
import "./andon.css";
import { alarmText } from "./alarms.tsx";
import { type Board, boardOf, columnsFor, lateness, type PlaceOfBoard, progressOf, worstOf } from "./andon-model.ts";
import { serverNowUs } from "./now-feed.ts";
import { percentOf, ShareBar } from "./numbers.tsx";
import type { Reasons, Tile } from "./overview-model.ts";
import type { Site } from "./plant.ts";
import { usualTarget } from "./target.ts";
import { pieceText, type Say, stateWord, textsOf } from "./texts.ts";
import { useNow } from "./use-now.ts";
import { type Plant, useKept, usePlant } from "./use-plant.ts";

/** Counting what was made is more than reading a state. */
const countEveryMs = 15_000;

/** Is my line well? For a screen on the wall that nobody touches. */
export default function AndonPage({ context }: { context: PageContext }) {
  const t = textsOf(context);
  const plant = usePlant(context);
  useEffect(() => {
    document.title = "Andon – Lineshaft";
  }, []);
  useNewerConsole();
  const known = useKept("plant", plant.data);
  const { reload } = plant;
  const onRegistry = useCallback(
    (entity: string) => {
      if (entity === "equipment") reload();
    },
    [reload],
  );
  if (known === null) return <Waiting t={t} error={plant.error} />;
  const id = Number(context.query.get("id"));
  const place = placeOf(id, known.sites);
  if (place === null) return <Choice sites={known.sites} context={context} t={t} />;
  return <Screen key={id} place={place} plant={known} onRegistry={onRegistry} context={context} t={t} />;
}

function placeOf(id: number, sites: readonly Site[]): PlaceOfBoard | null {
  for (const { lines } of sites)
    for (const line of lines) {
      if (line.equipment.id === id) return line;
      const machine = line.machines.find((one) => one.id === id);
      if (machine !== undefined) return { equipment: machine, machines: [machine], output: machine.id };
    }
  return null;
}

function Waiting({ t, error }: { t: Say; error: unknown }) {
  return <p className="andon andon-waiting">{error === null ? t("wait.plant") : t("andon.away")}</p>;
}

function Choice({ sites, context, t }: { sites: readonly Site[]; context: PageContext; t: Say }) {
  return (
    <main className="andon andon-choice">
      <h1>{t("andon.choose")}</h1>
      {sites.map((site) =>
        site.lines.map((line) => (
          <section key={line.equipment.id}>
            <h2>
              <a {...context.link("andon", { id: line.equipment.id })}>
                {site.equipment.name} › {line.equipment.name}
              </a>
            </h2>
            <p>
              {line.machines.map((machine) => (
                <a key={machine.id} {...context.link("andon", { id: machine.id })}>
                  {machine.name}
                </a>
              ))}
            </p>
          </section>
        )),
      )}
      <p>{t("andon.hint")}</p>
    </main>
  );
}

function Screen(props: {
  place: PlaceOfBoard;
  plant: Plant;
  onRegistry(entity: string): void;
  context: PageContext;
  t: Say;
}) {
  const { place, plant, onRegistry, context, t } = props;
  useSecond();
  const now = useNow(context, place.equipment.path, onRegistry);
  const board = boardOf(place, now, plant.reasons);
  const { shift } = board;
  const nowMs = performance.now();
  const nowUs = serverNowUs(now, nowMs);
  const counted = useLoaded(
    `${place.output} ${shift?.id}`,
    async (signal) => {
      if (shift === null) return null;
      const query = { from: shift.fromUs, to: Math.round(serverNowUs(now, performance.now())) };
      const cells = await context.platform.call("listCells", { params: { id: place.output }, query, signal });
      return progressOf(cells, shift.id);
    },
    countEveryMs,
  );
  const { actual = null, due = null } = useKept(`${place.output} ${shift?.id}`, counted.data) ?? {};
  if (now.atUs === null) return <Waiting t={t} error={now.error} />;
  const format = context.formatIn(board.timeZone);
  const state = worstOf(board.tiles);
  const lateUs = lateness(now, nowMs);
  const [only] = board.tiles.length === 1 ? board.tiles : [];
  const oee = board.headline?.oee ?? null;
  const target = now.items.get(place.equipment.id)?.item.targets.oeeIndex ?? usualTarget;
  return (
    <main className={`andon ${lateUs === null ? "" : "andon-late"}`} data-state={state}>
      <header>
        <h1>{place.equipment.name}</h1>
        <p>{shift !== null && `${shift.name} ${format.part(shift.fromUs, "min")}–${format.part(shift.toUs, "min")}`}</p>
        <p className="andon-clock">{format.part(nowUs, "min")}</p>
      </header>
      {lateUs !== null && (
        <p className="andon-away" role="alert">
          {t("andon.late", { time: format.duration(lateUs) })}
        </p>
      )}
      {only === undefined ? (
        <Machines board={board} reasons={plant.reasons} nowUs={nowUs} context={context} t={t} />
      ) : (
        <One tile={only} reasons={plant.reasons} nowUs={nowUs} context={context} t={t} />
      )}
      <footer>
        <div className="andon-figure">
          <span>{t("andon.made")}</span>
          <b>{actual === null ? "–" : format.number(actual, 0)}</b>
          {due !== null && <span>{t("andon.due", { n: Math.round(due) })}</span>}
          <ShareBar share={due === null ? null : (actual ?? 0) / Math.max(1, due)} target={target} />
        </div>
        <div className="andon-figure">
          <span>OEE</span>
          <b>{percentOf(oee, format, "–")}</b>
          <span>{t("andon.target", { share: format.percent(target) })}</span>
          <ShareBar share={oee} target={target} />
        </div>
      </footer>
    </main>
  );
}

function Band({ state }: { state: Tile["state"] }) {
  const prefix = useId();
  const { colour, pattern } = stateFill(state, prefix);
  return (
    <svg className="andon-band" width="100%" height="100%" aria-hidden="true">
      <StatePatterns prefix={prefix} />
      <rect width="100%" height="100%" fill={colour} />
      {pattern !== null && <rect width="100%" height="100%" fill={pattern} />}
    </svg>
  );
}

function One(props: { tile: Tile; reasons: Reasons; nowUs: number; context: PageContext; t: Say }) {
  const { tile, reasons, nowUs, context, t } = props;
  const { format } = context;
  const reason = pieceText(tile, reasons, t, context.locale);
  const word = stateWord(t, tile.state);
  return (
    <>
      <section className="andon-state" data-state={tile.state}>
        <Band state={tile.state} />
        <p className="andon-word">{word}</p>
        <p className="andon-reason">
          {reason !== word && `${reason} · `}
          {tile.sinceUs !== null && format.duration(Math.max(1e6, nowUs - tile.sinceUs))}
        </p>
        {tile.alarms.worst.length > 0 && (
          <p className="andon-alarm">
            {alarmText(tile.alarms.worst[0], context.locale)}
            {tile.alarms.active > 1 && ` (+${tile.alarms.active - 1})`}
          </p>
        )}
      </section>
      <section className="andon-order">
        {tile.order === null ? (
          <p>{t("machine.noOrder")}</p>
        ) : (
          <>
            <p>
              <b>{tile.order.order}</b> {tile.order.material}
            </p>
            <p className="andon-progress">
              {tile.order.made === null ? "–" : format.number(tile.order.made, 0)} /{" "}
              {format.number(tile.order.quantity, 0)} {unitText(tile.order.unit)}
            </p>
          </>
        )}
      </section>
    </>
  );
}

function Machines(props: { board: Board; reasons: Reasons; nowUs: number; context: PageContext; t: Say }) {
  const { board, reasons, nowUs, context, t } = props;
  const portrait = useMedia("(orientation: portrait)");
  const columns = columnsFor(board.tiles.length, portrait);
  const rows = Math.ceil(board.tiles.length / columns);
  return (
    <ol
      className={`andon-machines ${columns > 1 ? "andon-dense" : ""}`}
      style={{ "--columns": columns, "--rows": rows } as CSSProperties}
    >
      {board.tiles.map((tile) => (
        <li key={tile.equipment.id} data-state={tile.state}>
          <Band state={tile.state} />
          <span className="andon-name">{tile.equipment.name}</span>
          <span className="andon-tile-state">
            <StateMark state={tile.state} /> {pieceText(tile, reasons, t, context.locale)}
          </span>
          <span className="andon-tile-order">
            <span className="andon-order-name">{tile.order === null ? t("machine.noOrder") : tile.order.order}</span>
            {tile.sinceUs !== null && <i>{context.format.duration(Math.max(1e6, nowUs - tile.sinceUs))}</i>}
          </span>
        </li>
      ))}
    </ol>
  );
}

const askEveryMs = 3_600_000;

/** Nobody reloads a screen on the wall: once an hour it looks whether the server has a newer console, and takes it. */
function useNewerConsole(): void {
  const own = useRef(scriptOf(document));
  useEffect(() => {
    const timer = setInterval(() => {
      fetch("/", { cache: "no-store" })
        .then(async (answer) => {
          if (!answer.ok) return;
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          const theirs = scriptOf(page);
          if (theirs !== null && theirs !== own.current) location.reload();
        })
        // The server is away: the next hour will tell.
        .catch(() => undefined);
    }, askEveryMs);
    return () => clearInterval(timer);
  }, []);
}

const scriptOf = (page: Document): string | null =>
  page.querySelector('script[type="module"]')?.getAttribute("src") ?? null;
