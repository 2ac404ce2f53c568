import {
  type Cell,
  cellKey,
  type Dated,
  type EquipmentContext,
  gridUs,
  incrementFlags,
  type MachineFacts,
  type Micros,
} from "@lineshaft/contract/api";
import type { Window } from "./cells.ts";
import { stateSpans, stopsOf } from "./states.ts";

/**
 * What a change of context makes dirty, in three steps: where its meaning differs (`contextDifference`), which whole grid cells that touches
 * (`dirtyWindows`), and which results rest on them (`dirtyResults`).
 */

const dimensions = [
  "lifecycle",
  "shifts",
  "breaks",
  "executions",
  "materials",
  "reasons",
  "setUps",
  "idealCycles",
  "counting",
  "blockedCavities",
  "lateScrap",
  "policies",
] as const;
export type ContextDimension = (typeof dimensions)[number];

const everywhere: Window = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** Where two contexts mean different things, by dimension or in all; disjoint and in order. */
export function contextDifference(
  old: EquipmentContext,
  next: EquipmentContext,
  dimension?: ContextDimension,
): Window[] {
  // The meaning of a reason reaches wherever it was given, by people or by machines.
  if (dimension === undefined && JSON.stringify(treeMeaning(old)) !== JSON.stringify(treeMeaning(next)))
    return [everywhere];
  if (dimension === undefined && old.timeZone !== next.timeZone) return [everywhere];
  const asked = dimension === undefined ? dimensions : [dimension];
  return union(asked.flatMap((name) => differences(itemsOf(old, name), itemsOf(next, name))));
}

const treeMeaning = (context: EquipmentContext) => context.reasonTree.map(({ number, planned }) => [number, planned]);

/** Where two lists of dated things, whatever they are, say something else. */
export function datedDifference(old: readonly Dated[], next: readonly Dated[]): Window[] {
  const meaning = ({ fromUs, toUs, ...rest }: Dated): Meaning => ({ fromUs, toUs, says: JSON.stringify(rest) });
  return union(differences(old.map(meaning), next.map(meaning)));
}

interface Meaning extends Dated {
  says: string;
}

/** The items of a dimension as what they say of each instant. */
function itemsOf(context: EquipmentContext, dimension: ContextDimension): Meaning[] {
  const meaning = <T extends Dated>(items: readonly T[], says: (item: T) => unknown): Meaning[] =>
    items.map((item) => ({ fromUs: item.fromUs, toUs: item.toUs, says: JSON.stringify(says(item)) }));
  const rest = ({ fromUs, toUs, ...value }: Dated): unknown => value;
  switch (dimension) {
    case "shifts":
      return meaning(context.shifts, ({ id, productionDay }) => [id, productionDay]);
    case "breaks":
      return meaning(
        context.shifts.flatMap(({ breaks }) => breaks),
        () => null,
      );
    case "lateScrap":
      // Moved or grown, the whole of it lies elsewhere. An instant belongs to the piece that ends there.
      return context.lateScrap.map((item) => ({
        fromUs: item.fromUs - 1,
        toUs: item.toUs,
        says: JSON.stringify(item),
      }));
    default:
      return meaning(context[dimension] as readonly Dated[], rest);
  }
}

function differences(old: readonly Meaning[], next: readonly Meaning[]): Window[] {
  const times = [...new Set([...old, ...next].flatMap(({ fromUs, toUs }) => [fromUs, toUs]))].sort((a, b) => a - b);
  const oldAt = walk(old);
  const nextAt = walk(next);
  const windows: Window[] = [];
  for (let i = 0; i + 1 < times.length; i++)
    if (oldAt(times[i]) !== nextAt(times[i])) windows.push({ from: times[i], to: times[i + 1] });
  return windows;
}

/** What all items together say at ascending instants. */
function walk(items: readonly Meaning[]): (t: Micros) => string {
  const waiting = items.filter((item) => item.fromUs < item.toUs).sort((a, b) => a.fromUs - b.fromUs);
  let next = 0;
  let active: Meaning[] = [];
  return (t) => {
    while (next < waiting.length && waiting[next].fromUs <= t) active.push(waiting[next++]);
    active = active.filter((item) => item.toUs > t);
    return active
      .map((item) => item.says)
      .sort()
      .join("\n");
  };
}

function union(windows: Window[]): Window[] {
  const merged: Window[] = [];
  for (const { from, to } of windows.sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/**
 * The whole grid cells that a difference touches, within the facts. An estimated count has its places by what holds as it is complete, so it is dirty as a whole. A reason counts where it first stands in a stop, so a difference in a stop reaches to its
 * end; and what ends at the edge of a cell may count in the next. Late scrap of a time that is roughly known has its places by the running time there, so it is dirty as a whole too.
 */
export function dirtyWindows(
  differences: readonly Window[],
  facts: MachineFacts,
  lateScrap: EquipmentContext["lateScrap"] = [],
): Window[] {
  const stops = stopsOf(stateSpans(facts));
  const reached = differences.flatMap(({ from, to }) => {
    const a = Math.max(from, facts.from);
    const b = Math.min(to, facts.to);
    if (a > b) return [];
    const spread = spreadOver(facts, a, b);
    for (const { fromUs, toUs } of lateScrap)
      if (fromUs < b && toUs > a) {
        spread.from = Math.max(Math.min(spread.from, fromUs), facts.from);
        spread.to = Math.max(spread.to, toUs);
      }
    const open = stops.findLast((stop) => stop.from <= b && stop.to > a);
    const end = Math.min(Math.max(b + 1, open?.to ?? b, spread.to), facts.to);
    return [{ from: Math.floor(Math.min(a, spread.from) / gridUs) * gridUs, to: Math.ceil(end / gridUs) * gridUs }];
  });
  return union(reached.filter(({ from, to }) => from < to));
}

/** The range of all estimated counts that are completed in (from, to + 1]. */
function spreadOver({ from: first, increments }: MachineFacts, from: Micros, to: Micros): Window {
  const range = { from, to };
  for (let i = 0; i < increments.count; i++) {
    if ((increments.flags[i] & incrementFlags.estimated) === 0 || increments.t[i] <= from || increments.t[i] > to + 1)
      continue;
    range.from = Math.max(Math.min(range.from, increments.source[i]), first);
  }
  return range;
}

/** What a result is of. Periods of a calendar name their day, orders their number; `equipment` may stand above the cell's. */
export interface ResultKey {
  equipment: number;
  kind: "grid" | "shift" | "productionDay" | "order" | "operation";
  of: string;
}

/**
 * The results that rest on cells that changed: under their old and their new keys, for the equipment and all above it. `ancestors` gives those, nearest first.
 */
export function dirtyResults(
  old: readonly Cell[],
  next: readonly Cell[],
  ancestors: (equipment: number) => readonly number[],
): ResultKey[] {
  const before = new Map(old.map((cell) => [cellKey(cell), cell]));
  const after = new Map(next.map((cell) => [cellKey(cell), cell]));
  const keys = new Map<string, ResultKey>();
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key), after.get(key)];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    const cell = (was ?? is) as Cell;
    for (const equipment of [cell.equipment, ...ancestors(cell.equipment)])
      for (const result of resultsOf(cell, equipment)) keys.set(JSON.stringify(result), result);
  }
  return [...keys.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
}

function* resultsOf(cell: Cell, equipment: number): Generator<ResultKey> {
  yield { equipment, kind: "grid", of: String(cell.gridUs) };
  yield { equipment, kind: "productionDay", of: cell.productionDay };
  if (cell.shift !== null) yield { equipment, kind: "shift", of: cell.shift };
  if (cell.order === null) return;
  yield { equipment, kind: "order", of: cell.order };
  if (cell.operation !== null) yield { equipment, kind: "operation", of: `${cell.order}/${cell.operation}` };
}
