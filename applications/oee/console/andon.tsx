import type { Equipment } from "@lineshaft/contract/api";
import {
  type PageContext,
  StateMark,
  StatePatterns,
  stateFill,
  unitText,
  useLoaded,
  useSecond,
} from "@lineshaft/ui/kit";
import { useEffect, useId, useRef } from "react";
import "./oee.css";
import "./andon.css";
import { type Board, boardOf, worstOf } from "./andon-model.ts";
import { percentOf, ShareBar } from "./numbers.tsx";
import type { Tile } from "./overview-model.ts";
import { lineNumbers } from "./overview-model.ts";
import type { Site } from "./plant.ts";
import { eachOf, type MachineNow, readNow } from "./source.ts";
import { useTarget } from "./target.ts";
import { pieceText, type Say, stateWord, textsOf } from "./texts.ts";
import { useKept, usePlant } from "./use-plant.ts";

const refreshMs = 5_000;
/** Older than this, what is shown is not now: it is said, and shown as such. */
const staleUs = 15e6;

/** Is my line well? For a screen on the wall that nobody touches. */
export default function AndonPage({ context }: { context: PageContext }) {
  const t = textsOf(context);
  const plant = usePlant(context);
  useEffect(() => {
    document.title = "Andon – Lineshaft";
  }, []);
  useNewerConsole();
  const known = useKept("plant", plant.data);
  if (known === null) return <Waiting t={t} error={plant.error} />;
  const id = Number(context.query.get("id"));
  const place = placeOf(id, known.sites);
  if (place === null) return <Choice sites={known.sites} context={context} t={t} />;
  return <Screen key={id} {...place} context={context} t={t} />;
}

interface PlaceOfBoard {
  title: string;
  machines: Equipment[];
  output: number;
}

function placeOf(id: number, sites: readonly Site[]): PlaceOfBoard | null {
  for (const { lines } of sites)
    for (const line of lines) {
      if (line.equipment.id === id) return { title: line.equipment.name, machines: line.machines, output: line.output };
      const machine = line.machines.find((one) => one.id === id);
      if (machine !== undefined) return { title: machine.name, machines: [machine], output: machine.id };
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

function Screen({ title, machines, output, context, t }: PlaceOfBoard & { context: PageContext; t: Say }) {
  useSecond();
  const ids = machines.map(({ id }) => id);
  const loaded = useLoaded(
    ids.join(),
    async (signal) => {
      const nowUs = context.nowUs();
      const now = await eachOf(ids, (id) => readNow(context.platform, id, nowUs, signal));
      return { nowUs, now };
    },
    Math.max(refreshMs, ids.length * 500),
  );
  const read = useKept<{ nowUs: number; now: MachineNow[] }>(ids.join(), loaded.data);
  const [target] = useTarget();
  if (read === null) return <Waiting t={t} error={loaded.error} />;
  const nowUs = context.nowUs();
  const board = boardOf(machines, read.now, output, read.nowUs);
  const format = context.formatIn(read.now[0]?.data.cells.timeZone ?? "UTC");
  const state = worstOf(board.tiles);
  const late = loaded.error !== null || nowUs - read.nowUs > staleUs;
  const [only] = board.tiles.length === 1 ? board.tiles : [];
  const numbers = lineNumbers(read.now);
  return (
    <main className={`andon ${late ? "andon-late" : ""}`} data-state={state}>
      <header>
        <h1>{title}</h1>
        <p>
          {board.shift !== null &&
            `${board.shift.name} ${format.part(board.shift.fromUs, "min")}–${format.part(board.shift.toUs, "min")}`}
        </p>
        <p className="andon-clock">{format.part(nowUs, "min")}</p>
      </header>
      {late && (
        <p className="andon-away" role="alert">
          {t("andon.late", { time: format.duration(nowUs - read.nowUs) })}
        </p>
      )}
      {only === undefined ? (
        <Machines board={board} nowUs={read.nowUs} context={context} t={t} />
      ) : (
        <One tile={only} board={board} nowUs={nowUs} context={context} t={t} />
      )}
      <footer>
        <div className="andon-figure">
          <span>{t("andon.made")}</span>
          <b>{board.actual === null ? "–" : format.number(board.actual, 0)}</b>
          {board.due !== null && <span>{t("andon.due", { n: Math.round(board.due) })}</span>}
          <ShareBar share={board.due === null ? null : (board.actual ?? 0) / Math.max(1, board.due)} target={target} />
        </div>
        <div className="andon-figure">
          <span>OEE</span>
          <b>{percentOf(numbers?.kpis.oeeIndex ?? null, format, "–")}</b>
          <span>{t("andon.target", { share: format.percent(target) })}</span>
          <ShareBar share={numbers?.kpis.oeeIndex ?? null} target={target} />
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

function One(props: { tile: Tile; board: Board; nowUs: number; context: PageContext; t: Say }) {
  const { tile, board, nowUs, context, t } = props;
  const { format } = context;
  const reason = pieceText(tile, board.reasons, t, context.locale);
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
              {format.number(tile.order.made, 0)} / {format.number(tile.order.quantity, 0)} {unitText(tile.order.unit)}
            </p>
          </>
        )}
      </section>
    </>
  );
}

function Machines(props: { board: Board; nowUs: number; context: PageContext; t: Say }) {
  const { board, nowUs, context, t } = props;
  return (
    <ol className="andon-machines">
      {board.tiles.map((tile) => (
        <li key={tile.equipment.id} data-state={tile.state}>
          <Band state={tile.state} />
          <span className="andon-name">{tile.equipment.name}</span>
          <span className="andon-tile-state">
            <StateMark state={tile.state} /> {pieceText(tile, board.reasons, t, context.locale)}
          </span>
          <span className="andon-tile-order">
            {tile.order === null ? t("machine.noOrder") : tile.order.order}
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
