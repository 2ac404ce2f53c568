import type { Micros } from "@lineshaft/contract/api";
import { type Format, type TimeRange, timeTicks } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { equipmentName, equipmentPath, rangeText } from "../master-data/effect-view.tsx";
import { lanesOf, type OrderState, type RecordedOrder, stateOf } from "./model.ts";

interface Bar {
  id: string;
  operation: string;
  material: string | null;
  state: OrderState;
  fromUs: Micros;
  toUs: Micros;
  open: boolean;
}

/** Which order runs on which machine when: a row a machine, one time axis for all. */
export function Board(props: {
  orders: readonly RecordedOrder[];
  machines: readonly number[];
  range: TimeRange;
  nowUs: Micros;
  selected: string | null;
  pending: ReadonlySet<string>;
  rolledBack: ReadonlySet<string>;
  onSelect(id: string): void;
  onOpen(id: string): void;
  onPan(share: number): void;
}) {
  const { range, nowUs } = props;
  const span = range.toUs - range.fromUs;
  const at = (us: Micros): number => ((us - range.fromUs) / span) * 100;
  const ticks = timeTicks(range, 900, fmt as Format, 76);
  return (
    <section
      className="board"
      aria-label={t("orders.board")}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") props.onPan(-0.25);
        else if (event.key === "ArrowRight") props.onPan(0.25);
        else return;
        event.preventDefault();
      }}
    >
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
      <ul className="board-rows">
        {props.machines.map((machine) => {
          const lanes = lanesOf(barsOf(props.orders, machine, range, nowUs));
          const height = Math.max(1, ...lanes.map(({ lane }) => lane + 1));
          return (
            <li key={machine} className="board-row">
              <span className="board-machine" title={equipmentPath(machine)}>
                {equipmentName(machine)}
              </span>
              <div className="board-track" style={{ "--lanes": height } as React.CSSProperties}>
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
                  const [left, right] = [Math.max(0, at(bar.fromUs)), Math.min(100, at(bar.toUs))];
                  const words = `${bar.id}${bar.material === null ? "" : ` · ${bar.material}`}`;
                  const range_ = rangeText(bar.fromUs, bar.open ? null : bar.toUs);
                  return (
                    <button
                      key={`${bar.id} ${bar.operation} ${bar.fromUs}`}
                      type="button"
                      className={`board-bar order-${bar.state} ${bar.open ? "open" : ""} ${props.pending.has(bar.id) ? "pending" : ""} ${props.rolledBack.has(bar.id) ? "rolled-back" : ""}`}
                      aria-pressed={bar.id === props.selected}
                      title={`${words} · ${bar.operation} · ${range_} · ${t(`order.state.${bar.state}`)}`}
                      style={
                        {
                          left: `${left}%`,
                          width: `${Math.max(0.4, right - left)}%`,
                          "--lane": lane,
                        } as React.CSSProperties
                      }
                      onClick={() => props.onSelect(bar.id)}
                      onDoubleClick={() => props.onOpen(bar.id)}
                    >
                      <b>{bar.id}</b>
                      {bar.material !== null && <span>{bar.material}</span>}
                      <span className="unseen">
                        {t(`order.state.${bar.state}`)}, {equipmentName(machine)}, {range_}
                      </span>
                    </button>
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

function barsOf(orders: readonly RecordedOrder[], machine: number, range: TimeRange, nowUs: Micros): Bar[] {
  const shown = ({
    equipmentId,
    fromUs,
    toUs,
  }: {
    equipmentId: number;
    fromUs: Micros;
    toUs: Micros | null;
  }): boolean => equipmentId === machine && fromUs < range.toUs && (toUs ?? Infinity) > range.fromUs;
  // What has no end yet points a little beyond now, or beyond its planned beginning.
  const beyond = (fromUs: Micros): Micros => Math.max(nowUs, fromUs) + (range.toUs - range.fromUs) / 16;
  return orders.flatMap(({ id, item }) => {
    const state = stateOf(item, nowUs);
    return item.operations.flatMap((of): Bar[] => {
      const bar = (one: { fromUs: Micros; toUs: Micros | null }, own: OrderState): Bar => ({
        id,
        operation: of.id,
        material: item.material,
        state: own,
        fromUs: one.fromUs,
        toUs: one.toUs ?? beyond(one.fromUs),
        open: one.toUs === null,
      });
      const run = of.executions.filter(shown).map((one) => {
        if (one.fromUs > nowUs) return bar(one, "planned");
        if (one.toUs === null || one.toUs > nowUs) return bar(one, "running");
        // An order may have ended here and run on elsewhere; its bars tell of themselves.
        return bar(one, state === "running" ? "finished" : state);
      });
      // A plan that was taken up has said what it had to say.
      const taken = new Set(of.executions.map(({ equipmentId }) => equipmentId));
      const ahead = (of.planned ?? []).filter((one) => shown(one) && !taken.has(one.equipmentId));
      return [...run, ...(state === "finished" ? [] : ahead.map((one) => bar(one, "planned")))];
    });
  });
}
