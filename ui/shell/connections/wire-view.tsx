import type { Connection, WireRecord } from "@lineshaft/contract/api";
import { useEffect, useMemo, useRef, useState } from "react";
import {
  Button,
  copyText,
  EmptyState,
  hexDump,
  hexOf,
  scrollToShow,
  toTsv,
  useRowHeight,
  visibleRows,
} from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { wireOf } from "../machines/connectivity.ts";
import { FailureView } from "../machines/failure-view.tsx";
import { note } from "../toasts.tsx";

/** Messages that are kept; the oldest make room. */
const keptMax = 5_000;
const seconds = 600;
const tellMs = 200;

interface Message extends WireRecord {
  id: number;
  bytes: Uint8Array;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Raw traffic as it passes: to pause, filter and copy. It runs only while somebody looks. */
export function WireView({ connection }: { connection: Connection }) {
  const { name } = connection;
  const kept = useRef<Message[]>([]);
  const [shown, setShown] = useState<readonly Message[]>([]);
  const [paused, setPaused] = useState(false);
  const [ended, setEnded] = useState<{ error: unknown } | null>(null);
  const [turn, setTurn] = useState(0);
  const [filter, setFilter] = useState("");
  const [chosen, setChosen] = useState<number | null>(null);
  const isPaused = useRef(false);
  isPaused.current = paused;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` is the wish to look again
  useEffect(() => {
    const abort = new AbortController();
    let next = (kept.current.at(-1)?.id ?? 0) + 1;
    let dirty = false;
    setEnded(null);
    const timer = window.setInterval(() => {
      if (!dirty || isPaused.current) return;
      dirty = false;
      setShown([...kept.current]);
    }, tellMs);
    const follow = async (): Promise<void> => {
      for await (const line of wireOf(name, seconds, abort.signal)) {
        kept.current.push({ ...line, id: next++, bytes: bytesOf(line.b64) });
        if (kept.current.length > keptMax) kept.current.splice(0, kept.current.length - keptMax);
        dirty = true;
      }
    };
    follow()
      .then(() => setEnded({ error: null }))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) setEnded({ error });
      });
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [name, turn]);

  const rows = useMemo(() => {
    const words = filter.toLowerCase();
    return words === ""
      ? shown
      : shown.filter(({ note: text = "", bytes, dir }) =>
          `${dir} ${text} ${hexOf(bytes.subarray(0, 256))} ${printable(bytes)}`.toLowerCase().includes(words),
        );
  }, [shown, filter]);
  const copy = (): void => {
    const lines = rows.map(({ t: time, dir, note: text = "", bytes }) => [fmt.exact(time), dir, text, hexOf(bytes)]);
    void copyText(toTsv(lines)).then((done) => note(done ? t("copy.rows", { n: rows.length }) : t("copy.failed")));
  };
  const at = rows.find(({ id }) => id === chosen);
  return (
    <section className="wire" aria-label={t("connectionView.wire")}>
      <div className="toolbar">
        {ended === null ? (
          <Button icon={paused ? "play" : "pause"} aria-pressed={paused} onClick={() => setPaused(!paused)}>
            {paused ? t("wire.resume") : t("wire.pause")}
          </Button>
        ) : (
          <Button icon="play" onClick={() => setTurn(turn + 1)}>
            {t("wire.again")}
          </Button>
        )}
        <input
          className="input filter"
          type="search"
          aria-label={t("wire.filter")}
          placeholder={t("wire.filter")}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        <span className="count" role="status">
          {t("wire.count", { n: rows.length })}
        </span>
        <span className="spring" />
        <Button icon="copy" disabled={rows.length === 0} onClick={copy}>
          {t("copy")}
        </Button>
      </div>
      {ended !== null && ended.error !== null && <FailureView error={ended.error} />}
      {ended !== null && ended.error === null && <p className="soft">{t("wire.ended", { n: seconds / 60 })}</p>}
      {rows.length === 0 && ended === null ? (
        <EmptyState title={t("wire.nothing")}>
          <p>{t("wire.nothingHint")}</p>
        </EmptyState>
      ) : (
        <Messages rows={rows} chosen={chosen} follow={!paused && chosen === null} onChosen={setChosen} />
      )}
      {at !== undefined && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and must by keyboard too
        <pre className="wire-dump mono" tabIndex={0}>
          {hexDump(at.bytes)}
        </pre>
      )}
    </section>
  );
}

/** Text where it is text, else the bytes themselves. */
function preview(bytes: Uint8Array): string {
  const text = printable(bytes);
  const unreadable = text.split("·").length - 1;
  return unreadable * 4 > text.length ? hexOf(bytes.subarray(0, 40)) : text;
}

const printable = (bytes: Uint8Array): string =>
  Array.from(bytes.subarray(0, 120), (b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : "·")).join("");

/** Only rows on screen exist; it stays at the end while it is followed. */
function Messages(props: {
  rows: readonly Message[];
  chosen: number | null;
  follow: boolean;
  onChosen(id: number | null): void;
}) {
  const { rows, chosen } = props;
  const rowHeight = useRowHeight();
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ first: 0, end: 40 });
  const measure = (): void => {
    const element = scroller.current;
    if (element !== null) setView(visibleRows(element.scrollTop, element.clientHeight, rowHeight, rows.length));
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: at each new message
  useEffect(() => {
    const element = scroller.current;
    if (element !== null && props.follow) element.scrollTop = element.scrollHeight;
    measure();
  }, [rows, rowHeight]);
  const move = (by: number): void => {
    const at = rows.findIndex(({ id }) => id === chosen);
    const next = Math.max(0, Math.min(rows.length - 1, at < 0 ? rows.length - 1 : at + by));
    const element = scroller.current;
    if (rows[next] === undefined || element === null) return;
    element.scrollTop = scrollToShow(next, element.scrollTop, element.clientHeight, rowHeight);
    props.onChosen(rows[next].id);
  };
  return (
    <div
      ref={scroller}
      className="wire-rows"
      role="listbox"
      aria-label={t("connectionView.wire")}
      tabIndex={0}
      onScroll={measure}
      onKeyDown={(event) => {
        if (event.key === "ArrowDown") move(1);
        else if (event.key === "ArrowUp") move(-1);
        else if (event.key === "Escape") props.onChosen(null);
        else return;
        event.preventDefault();
      }}
      style={{ "--row": `${rowHeight}px` } as React.CSSProperties}
    >
      <div role="presentation" style={{ height: rows.length * rowHeight, position: "relative" }}>
        {rows.slice(view.first, view.end).map((row, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the list's
          // biome-ignore lint/a11y/useFocusableInteractive: focus stays on the list
          <div
            key={row.id}
            role="option"
            aria-selected={row.id === chosen}
            className="wire-row mono"
            style={{ transform: `translateY(${(view.first + i) * rowHeight}px)` }}
            onClick={() => props.onChosen(row.id === chosen ? null : row.id)}
          >
            <span className="soft">{fmt.part(row.t, "ms")}</span>
            <span className={`wire-${row.dir}`}>{row.dir === "in" ? `← ${t("wire.in")}` : `→ ${t("wire.out")}`}</span>
            <span className="soft">{fmt.bytes(row.bytes.length)}</span>
            <span className="cell-text">{row.note ?? ""}</span>
            <span className="cell-text soft">{preview(row.bytes)}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
