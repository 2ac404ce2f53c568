import type { Micros, OrderState } from "@lineshaft/contract/api";
import type { TimeRange } from "../../kit/index.ts";
import { type OrderView, stateOf, toldOf } from "./model.ts";

/** An order on a machine for a while, as the board draws it. */
export interface Bar {
  id: string;
  operation: string | null;
  material: string | null;
  state: OrderState;
  fromUs: Micros;
  toUs: Micros;
  /** No end is known. */
  open: boolean;
  /** The machine itself told it. */
  told: boolean;
  /** The machine told it, and is silent since the end of the bar: drawn on as unknown. */
  unheardUs: Micros | null;
  /** Of a running one: share that is made; null: unknown. */
  share: number | null;
  /** A guess, drawn behind it: when it will be done. */
  expectedUs: Micros | null;
}

type Span = { equipmentId: number; fromUs: Micros; toUs: Micros | null };

/** The bars of all machines in a range, each machine's by their beginning. */
export function barsByMachine(views: readonly OrderView[], range: TimeRange, nowUs: Micros): Map<number, Bar[]> {
  const bars = new Map<number, Bar[]>();
  // What has no end yet points a little beyond now, or beyond its planned beginning.
  const beyond = (fromUs: Micros): Micros => Math.max(nowUs, fromUs) + (range.toUs - range.fromUs) / 16;
  for (const { order, progress } of views) {
    const { id, item } = order;
    const told = toldOf(progress);
    const state = stateOf(item, nowUs, progress);
    const done = progress?.made ?? null;
    const share = done === null || item.quantity <= 0 ? null : (done.good + done.rework) / item.quantity;
    const add = (one: Span, operation: string | null, own: OrderState, more: Partial<Bar> = {}): void => {
      const expected = own === "running" && one.toUs === null ? (progress?.expectedEndUs ?? null) : null;
      const toUs = one.toUs ?? (expected === null ? beyond(one.fromUs) : Math.max(expected, nowUs));
      if (one.fromUs >= range.toUs || toUs <= range.fromUs) return;
      const bar: Bar = {
        ...{ id, operation, material: item.material, state: own, fromUs: one.fromUs, toUs },
        ...{ open: one.toUs === null, told: false, unheardUs: null, expectedUs: expected },
        share: own === "running" ? share : null,
        ...more,
      };
      const there = bars.get(one.equipmentId);
      if (there === undefined) bars.set(one.equipmentId, [bar]);
      else there.push(bar);
    };
    const lived = (one: Span): OrderState => {
      if (one.fromUs > nowUs) return "planned";
      if (one.toUs === null || one.toUs > nowUs) return "running";
      // An order may have ended here and run on elsewhere; its bars tell of themselves.
      return state === "running" ? "finished" : state;
    };
    for (const run of told) {
      const own = run.unheard ? "running" : lived(run);
      const until = run.unheard ? { toUs: nowUs } : {};
      const more = run.unheard ? { unheardUs: run.toUs, share: null } : {};
      add({ ...run, ...until }, run.operation, own, { told: true, ...more });
    }
    for (const { id: operation, executions, planned = [] } of item.operations) {
      for (const one of executions) add(one, operation, lived(one));
      // A plan that was taken up has said what it had to say.
      const here = told.filter((run) => run.operation === operation || run.operation === null);
      const taken = new Set([...executions, ...here].map(({ equipmentId }) => equipmentId));
      if (state !== "finished")
        for (const one of planned) if (!taken.has(one.equipmentId)) add(one, operation, "planned");
    }
  }
  for (const own of bars.values()) own.sort((a, b) => a.fromUs - b.fromUs || (a.id < b.id ? -1 : 1));
  return bars;
}

/** Where the focus goes from a bar: along its machine, or to the nearest one of the machine above or below; null: nowhere. */
export function nextBar(
  rows: readonly (readonly Bar[])[],
  at: { row: number; bar: number },
  key: "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown",
): { row: number; bar: number } | null {
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const bar = at.bar + (key === "ArrowRight" ? 1 : -1);
    return rows[at.row]?.[bar] === undefined ? null : { row: at.row, bar };
  }
  const from = rows[at.row]?.[at.bar];
  if (from === undefined) return null;
  const step = key === "ArrowDown" ? 1 : -1;
  for (let row = at.row + step; row >= 0 && row < rows.length; row += step) {
    const others = rows[row];
    if (others.length === 0) continue;
    const away = (one: Bar): number => Math.max(0, one.fromUs - from.toUs, from.fromUs - one.toUs);
    const bar = others.reduce((best, one, i) => (away(one) < away(others[best]) ? i : best), 0);
    return { row, bar };
  }
  return null;
}
