import type { Micros } from "@lineshaft/contract/api";
import { type CSSProperties, type KeyboardEvent, useMemo, useRef, useState } from "react";
import { type Format, type TimeRange, timeTicks } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { equipmentName, equipmentPath, rangeText } from "../master-data/effect-view.tsx";
import { type Bar, barsByMachine, nextBar } from "./bars.ts";
import { lanesOf, type OrderView } from "./model.ts";

/** More bars than anybody can tell apart, or a browser draws at once. */
const barsMax = 1500;
const panShare = 0.25;

/**
 * Which order runs on which machine when: a row a machine, one time axis for all. One tab stop: arrows go from bar to bar and from machine to machine; at the end of a row, and with Shift, they
 * move the time.
 */
export function Board(props: {
  views: readonly OrderView[];
  machines: readonly number[];
  range: TimeRange;
  nowUs: Micros;
  selected: string | null;
  pending: ReadonlySet<string>;
  rolledBack: ReadonlySet<string>;
  /** Machines without a bar are left out. */
  busyOnly: boolean;
  onSelect(id: string): void;
  onOpen(id: string): void;
  onPan(share: number): void;
}) {
  const { range, nowUs, views } = props;
  const board = useRef<HTMLElement>(null);
  const span = range.toUs - range.fromUs;
  const at = (us: Micros): number => ((us - range.fromUs) / span) * 100;
  const ticks = timeTicks(range, 900, fmt as Format, 76);
  const bars = useMemo(() => barsByMachine(views, range, nowUs), [views, range, nowUs]);
  const machines = props.busyOnly ? props.machines.filter((id) => bars.has(id)) : props.machines;
  const rows = machines.map((id) => bars.get(id) ?? []);
  const count = rows.reduce((sum, { length }) => sum + length, 0);
  /** Which bar the tab key leads to. */
  const [stop, setStop] = useState<string | null>(null);
  const keys = rows.flatMap((row, i) => row.map((bar) => keyOf(machines[i], bar)));
  const stopKey = stop !== null && keys.includes(stop) ? stop : (keys[0] ?? null);

  const onKey = (event: KeyboardEvent): void => {
    const { key } = event;
    if (key !== "ArrowLeft" && key !== "ArrowRight" && key !== "ArrowUp" && key !== "ArrowDown") return;
    const sideways = key === "ArrowLeft" ? -panShare : key === "ArrowRight" ? panShare : null;
    const focused = (event.target as HTMLElement).dataset.bar;
    const from = focused === undefined ? null : placeOf(machines, rows, focused);
    const next = from === null || event.shiftKey ? null : nextBar(rows, from, key);
    if (next !== null) {
      const nextKey = keyOf(machines[next.row], rows[next.row][next.bar]);
      setStop(nextKey);
      board.current?.querySelector<HTMLElement>(`[data-bar="${CSS.escape(nextKey)}"]`)?.focus();
    } else if (sideways !== null) props.onPan(sideways);
    event.preventDefault();
  };

  if (count > barsMax) return <p className="board-many attention-note">{t("orders.tooMany", { n: count })}</p>;
  return (
    <section ref={board} className="board" aria-label={t("orders.board")} onKeyDown={onKey}>
      <div className="board-head" aria-hidden="true">
        <span />
        <div className="board-axis">
          {ticks.map((tick) => (
            <span key={tick.us} className={tick.major ? "major" : ""} style={{ left: `${at(tick.us)}%` }}>
              {tick.label}
            </span>
          ))}
        </div>
      </div>
      {machines.length === 0 && <p className="board-none soft">{t("orders.noneHere")}</p>}
      <ul className="board-rows">
        {machines.map((machine, row) => {
          const lanes = lanesOf(rows[row]);
          const height = Math.max(1, ...lanes.map(({ lane }) => lane + 1));
          return (
            <li key={machine} className="board-row" style={{ "--lanes": height } as CSSProperties}>
              <span className="board-machine" title={equipmentPath(machine)}>
                {equipmentName(machine)}
              </span>
              <div className="board-track">
                {ticks.map((tick) => (
                  <i
                    key={tick.us}
                    className={tick.major ? "plan-tick major" : "plan-tick"}
                    style={{ left: `${at(tick.us)}%` }}
                  />
                ))}
                {nowUs > range.fromUs && nowUs < range.toUs && (
                  <i className="now-line" style={{ left: `${at(nowUs)}%` }} />
                )}
                {lanes.map(({ bar, lane }) => {
                  const key = keyOf(machine, bar);
                  return (
                    <BarButton
                      key={key}
                      barKey={key}
                      bar={bar}
                      lane={lane}
                      machine={machine}
                      at={at}
                      nowUs={nowUs}
                      pressed={bar.id === props.selected}
                      stop={key === stopKey}
                      marks={`${props.pending.has(bar.id) ? "pending" : ""} ${props.rolledBack.has(bar.id) ? "rolled-back" : ""}`}
                      onSelect={() => {
                        setStop(key);
                        props.onSelect(bar.id);
                      }}
                      onOpen={() => props.onOpen(bar.id)}
                    />
                  );
                })}
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function BarButton(props: {
  barKey: string;
  bar: Bar;
  lane: number;
  machine: number;
  at(us: Micros): number;
  nowUs: Micros;
  pressed: boolean;
  stop: boolean;
  marks: string;
  onSelect(): void;
  onOpen(): void;
}) {
  const { bar, at, nowUs } = props;
  const [left, right] = [Math.max(0, at(bar.fromUs)), Math.min(100, at(bar.toUs))];
  const width = Math.max(0.4, right - left);
  const words = [
    `${bar.id}${bar.material === null ? "" : ` · ${bar.material}`}`,
    ...(bar.operation === null ? [] : [bar.operation]),
    rangeText(bar.fromUs, bar.open ? null : bar.toUs),
    t(`order.state.${bar.state}`),
    ...(bar.told ? [t("order.told")] : []),
    ...(bar.unheardUs === null ? [] : [t("order.unheard", { time: fmt.part(bar.unheardUs, "min") })]),
    ...(bar.share === null ? [] : [fmt.percent(bar.share)]),
    ...(bar.expectedUs === null ? [] : [t("order.expectedAt", { time: fmt.part(bar.expectedUs, "min") })]),
  ];
  // Where what was lies behind, and what is guessed lies ahead.
  const part = (us: Micros): number => Math.max(0, Math.min(100, ((at(us) - left) / width) * 100));
  const tail = bar.unheardUs ?? (bar.expectedUs === null ? null : nowUs);
  return (
    <button
      type="button"
      data-bar={props.barKey}
      tabIndex={props.stop ? 0 : -1}
      className={`board-bar order-${bar.state} ${bar.open && bar.expectedUs === null ? "open" : ""} ${props.marks}`}
      aria-pressed={props.pressed}
      title={words.join(" · ")}
      style={{ left: `${left}%`, width: `${width}%`, "--lane": props.lane } as CSSProperties}
      onClick={props.onSelect}
      onDoubleClick={props.onOpen}
    >
      {tail !== null && (
        <i
          className={bar.unheardUs === null ? "bar-ahead" : "bar-unheard"}
          style={{ left: `${part(tail)}%`, right: 0 }}
        />
      )}
      {bar.share !== null && <i className="bar-made" style={{ width: `${Math.min(1, bar.share) * 100}%` }} />}
      {bar.told && <i className="bar-told" aria-hidden="true" />}
      <OrderNumber id={bar.id} />
      {bar.material !== null && <span>{bar.material}</span>}
      <span className="unseen">{[equipmentName(props.machine), ...words.slice(1)].join(", ")}</span>
    </button>
  );
}

/** Numbers of orders differ at their end: where room is short, that is what is kept. */
function OrderNumber({ id }: { id: string }) {
  const head = Math.max(0, id.length - tailLength);
  return (
    <b className="bar-number">
      <span>{id.slice(0, head)}</span>
      <span>{id.slice(head)}</span>
    </b>
  );
}
const tailLength = 5;

const keyOf = (machine: number, bar: Bar): string => `${machine} ${bar.id} ${bar.operation ?? ""} ${bar.fromUs}`;

function placeOf(machines: readonly number[], rows: readonly (readonly Bar[])[], key: string) {
  for (const [row, bars] of rows.entries()) {
    const bar = bars.findIndex((each) => keyOf(machines[row], each) === key);
    if (bar >= 0) return { row, bar };
  }
  return null;
}
