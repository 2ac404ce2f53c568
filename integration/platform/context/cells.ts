import {
  type Cell,
  cellKey,
  type Dated,
  dayOf,
  dayUs,
  type EquipmentContext,
  formatDay,
  gridUs,
  type LateScrap,
  localOf,
  type MachineFacts,
  type Micros,
  noQuantities,
  noTimes,
  type OrderExecution,
  type Quantities,
  type QuantityPlace,
  type StopTime,
  stateCode,
  type TimeClass,
} from "@lineshaft/contract/api";
import { ContextWalk, classOf, type Piece, reasonOf } from "./piece.ts";
import { type PlacedCount, place, placeCounts, startOf } from "./placing.ts";
import { addQuantities, type CountRole, vectorOf } from "./quantities.ts";
import { isKnown, RunningClock, type StateSpan, type Stop, stateSpans, stopsOf } from "./states.ts";
import { cutsOf, sorted } from "./timeline.ts";

export interface Window {
  from: Micros;
  to: Micros;
}

/** Counts that become quantities of the equipment: its own, or those of the machines along a line. */
export interface CountSource {
  facts: MachineFacts;
  role: CountRole;
  /** Units of the equipment in one unit that this machine counts. */
  unitsPerCount: number;
}

export interface CellInput {
  equipment: number;
  /**
   * Its states, and its counts if `sources` names no others. They reach from the beginning of the stop and of the increments that are open at the start of the
   * window to the end of those open at its end; else these are judged by what is seen of them.
   */
  facts: MachineFacts;
  context: EquipmentContext;
  sources?: readonly CountSource[];
  /** A stop that began before the window counts at its start: the machine speaks for this equipment only from there on. */
  startsFresh?: boolean;
}

/**
 * The cells of one equipment in a window: its facts under its context, by RULES 2 to 9 and 11 to 13. A pure function of facts, context and window; a window
 * cut at grid lines gives the same cells. Sorted by `cellKey`.
 */
export function cellsOf(input: CellInput, window: Window): Cell[] {
  const cells = new Join(input, window).run();
  return [...cells.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, cell]) => cell);
}

/** A count that meets the window: of a machine, or a piece of late scrap with its order. */
interface Counted {
  count: PlacedCount;
  source: CountSource | null;
  late: LateScrap | null;
  /** How much of it lies before the piece under way. */
  seen: number;
}

class Join {
  readonly #input: CellInput;
  readonly #window: Window;
  readonly #walk: ContextWalk;
  readonly #spans: StateSpan[];
  readonly #stops: Stop[];
  readonly #counts: Counted[];
  readonly #cells = new Map<string, Cell>();
  /** Reasons that counted already in the stop under way, planned and unplanned apart. */
  #counted = new Set<string>();
  #stop: Stop | null = null;
  /** The cell that was used last, and what it was found by: most pieces of a quarter belong to one. */
  #last: { by: readonly unknown[]; cell: Cell } | null = null;

  constructor(input: CellInput, window: Window) {
    this.#input = input;
    this.#window = window;
    this.#walk = new ContextWalk(input.context);
    this.#spans = stateSpans(input.facts);
    this.#stops = stopsOf(this.#spans);
    this.#counts = countsOf(input, window, this.#spans);
  }

  run(): Map<string, Cell> {
    const edges = this.#edges();
    let active: Counted[] = [];
    let next = 0;
    let span = 0;
    let stop = 0;
    for (let i = 0; i + 1 < edges.length; i++) {
      const [a, b] = [edges[i], edges[i + 1]];
      while (span < this.#spans.length && this.#spans[span].to <= a) span++;
      while (stop < this.#stops.length && this.#stops[stop].to <= a) stop++;
      const code = span < this.#spans.length && this.#spans[span].from <= a ? this.#spans[span].code : 0;
      const inStop = stop < this.#stops.length && this.#stops[stop].from <= a ? this.#stops[stop] : null;
      const piece = this.#walk.piece(a, b, code, inStop);
      if (piece.stop !== this.#stop) {
        this.#stop = piece.stop;
        this.#counted = new Set();
      }
      while (next < this.#counts.length && startOf(this.#counts[next].count) < b) active.push(this.#counts[next++]);
      // What lies before the window tells only which stops counted there.
      if (b > this.#window.from) {
        this.#times(piece, this.#countsUnknown(piece, active));
        this.#quantities(piece, active);
        active = active.filter(({ count }) => count.t > b);
      } else for (const order of piece.orders) this.#stopOf(piece, classOf(piece, order));
    }
    return this.#cells;
  }

  /** Where anything changes, in order; from the beginning of the stop that is open at the start of the window. */
  #edges(): Float64Array {
    const { from, to } = this.#window;
    const open = this.#input.startsFresh ? undefined : this.#stops.find((stop) => stop.from < from && stop.to > from);
    const begin = open?.from ?? from;
    const cuts: Micros[] = [begin, from, to];
    for (let grid = Math.ceil(from / gridUs) * gridUs; grid < to; grid += gridUs) cuts.push(grid);
    cutsOf(
      this.#spans.map((span) => ({ fromUs: span.from, toUs: span.to })),
      begin,
      to,
      cuts,
    );
    this.#walk.cuts(begin, to, cuts);
    for (const { count } of this.#counts)
      if (count.estimated || count.uncertain) cutsOf([{ fromUs: count.source, toUs: count.t }], begin, to, cuts);
    return sorted(cuts);
  }

  /** Adds the time of a piece, shared among the orders that run in it: rounded on the clock, so that it does not matter where else it is cut. */
  #times(piece: Piece, countsUnknown: boolean): void {
    const whole = piece.orders.reduce((sum, order) => sum + (order?.share ?? 1), 0);
    const day = Math.floor(piece.from / dayUs) * dayUs;
    const shareOf = (t: Micros, weight: number): Micros => Math.round(((t - day) * weight) / whole);
    let weight = 0;
    let given = 0;
    for (const order of piece.orders) {
      weight += order?.share ?? 1;
      const until = shareOf(piece.to, weight) - shareOf(piece.from, weight);
      const us = until - given;
      given = until;
      const timeClass = classOf(piece, order);
      const cell = this.#cell(piece, order);
      cell.timeUs[timeClass] += us;
      if (countsUnknown && isBusy(timeClass)) cell.countUnknownUs += us;
      const stop = this.#stopOf(piece, timeClass);
      if (stop === null) continue;
      if (stop.micro) cell.microStopUs += us;
      addStop(cell.stops, { ...stop, us });
    }
  }

  /** The stop that a standing piece of planned time belongs to, and whether it counts here. */
  #stopOf(piece: Piece, timeClass: TimeClass): StopTime | null {
    if (piece.stop === null || piece.plan !== "busy") return null;
    const micro = piece.micro && timeClass === "adet";
    const reason = piece.reason ?? reasonOf(timeClass, micro);
    const key = `${reason} ${isBusy(timeClass)}`;
    const count = this.#counted.has(key) ? 0 : 1;
    this.#counted.add(key);
    return { reason, timeClass, micro, us: 0, count };
  }

  /** May units have been made here that nobody counted? Where a counter is uncertain, and in unknown time that no surviving counter bridges. */
  #countsUnknown(piece: Piece, active: readonly Counted[]): boolean {
    let bridged = isKnown(piece.code);
    for (const { count, source } of active) {
      if (source?.role !== "output" || count.source > piece.from || count.t < piece.to) continue;
      if (count.uncertain) return true;
      if (count.estimated) bridged = true;
    }
    return !bridged;
  }

  #quantities(piece: Piece, active: readonly Counted[]): void {
    for (const counted of active) {
      const until = counted.count.until(piece.to);
      const n = until - counted.seen;
      counted.seen = until;
      if (n === 0) continue;
      if (counted.late !== null) this.#lateScrap(piece, counted.late, n);
      else if (counted.source !== null) this.#produced(piece, counted.count, counted.source, n);
    }
  }

  #produced(piece: Piece, count: PlacedCount, source: CountSource, n: number): void {
    const [pq, gq, sq, rq] = vectorOf(count.kind, piece.counting, source.role);
    for (const order of piece.orders) {
      const units = n * source.unitsPerCount * this.#walk.unitsPerCount(piece, order);
      if (units === 0) continue;
      const cell = this.#cell(piece, order);
      addQuantities(this.#placeIn(cell, piece, order), { pq, gq, sq, rq }, units);
      if (count.estimated) cell.estimatedPq += pq * units;
    }
  }

  /** Good turns into scrap or rework where it was made, whatever runs there now. */
  #lateScrap(piece: Piece, late: LateScrap, n: number): void {
    const same = (order: OrderExecution | null) => order?.order === late.order && order.operation === late.operation;
    const order = piece.orders.find(same) ?? this.#input.context.executions.find(same) ?? null;
    const cell = this.#cell(piece, order);
    const [sq, rq] = late.becomes === "rework" ? [0, 1] : [1, 0];
    addQuantities(this.#placeIn(cell, piece, order), { pq: 0, gq: -1, sq, rq }, n);
    if (late.assigned) cell.assignedSq += n;
  }

  #placeIn(cell: Cell, piece: Piece, order: OrderExecution | null): Quantities {
    return cell.quantities[placeOf(classOf(piece, order), piece)];
  }

  #cell(piece: Piece, order: OrderExecution | null): Cell {
    const grid = Math.floor(piece.from / gridUs) * gridUs;
    const material = order?.material ?? piece.made?.material ?? null;
    const ideal = this.#walk.idealCycle(piece.from, material);
    const unit = order?.unit ?? piece.made?.unit ?? piece.counting.unit;
    const by = [grid, piece.shift, order, material, unit, piece.policy.version, ideal];
    if (this.#last !== null && by.every((each, i) => each === this.#last?.by[i])) return this.#last.cell;
    const key = {
      equipment: this.#input.equipment,
      gridUs: grid,
      shift: piece.shift?.id ?? null,
      productionDay: piece.shift?.productionDay ?? formatDay(dayOf(localOf(this.#input.context.timeZone, grid))),
      order: order?.order ?? null,
      operation: order?.operation ?? null,
      material,
      unit,
      policy: piece.policy.version,
      priUs: ideal === null ? null : ideal.cycleUs / ideal.unitsPerCycle,
      unitsPerCycle: ideal?.unitsPerCycle ?? null,
    };
    const name = cellKey(key);
    let cell = this.#cells.get(name);
    if (cell === undefined) {
      cell = emptyCell(key);
      this.#cells.set(name, cell);
    }
    this.#last = { by, cell };
    return cell;
  }
}

/** The counts that meet the window, in the order in which they begin to matter. */
function countsOf(input: CellInput, window: Window, spans: readonly StateSpan[]): Counted[] {
  const sources = input.sources ?? [{ facts: input.facts, role: "output", unitsPerCount: 1 }];
  const clock = new RunningClock(spans);
  const all: Counted[] = [
    ...sources.flatMap((source) =>
      placeCounts(source.facts, input.context.counting).map((count) => ({ count, source, late: null, seen: 0 })),
    ),
    ...input.context.lateScrap.map((late) => ({ count: placeLate(late, clock), source: null, late, seen: 0 })),
  ];
  const met = all.filter(({ count }) => count.t > window.from && startOf(count) < window.to);
  for (const counted of met) counted.seen = counted.count.until(window.from);
  return met.sort((a, b) => startOf(a.count) - startOf(b.count));
}

function placeLate(late: LateScrap, ofFacts: RunningClock): PlacedCount {
  const clock = late.runs === undefined ? ofFacts : new RunningClock(spansOf(late, late.runs));
  const at = { source: late.fromUs, t: late.toUs, n: late.quantity };
  const continuous = !Number.isInteger(late.quantity);
  return place({ ...at, kind: 0, estimated: late.fromUs < late.toUs, continuous, uncertain: false }, clock);
}

/** A time without a hole, of which the runs are the part in which the machine produced. */
function spansOf({ fromUs, toUs }: Dated, runs: readonly Dated[]): StateSpan[] {
  const spans: StateSpan[] = [];
  let from = fromUs;
  for (const run of [...runs, { fromUs: toUs, toUs }]) {
    spans.push({ from, to: run.fromUs, code: stateCode("NotExecuting") });
    spans.push({ from: run.fromUs, to: run.toUs, code: stateCode("Executing", "Processing") });
    from = run.toUs;
  }
  return spans;
}

/** Planned busy time (PBT), before the policy on time without an order. */
function isBusy(timeClass: TimeClass): boolean {
  return timeClass !== "plannedMaintenance" && timeClass !== "break" && timeClass !== "notPlanned";
}

function placeOf(timeClass: TimeClass, piece: Piece): QuantityPlace {
  if (timeClass === "unknown") return "unknown";
  if (timeClass === "aust") return "setUp";
  // Never counts without time: where the policy takes the time out of the plan, what was counted in it goes too.
  if (timeClass === "adot" && piece.policy.noOrder === "notBusy") return "outside";
  return isBusy(timeClass) ? "known" : "outside";
}

function addStop(stops: StopTime[], stop: StopTime): void {
  const same = stops.find(
    (each) => each.reason === stop.reason && each.timeClass === stop.timeClass && each.micro === stop.micro,
  );
  if (same === undefined) stops.push(stop);
  else {
    same.us += stop.us;
    same.count += stop.count;
  }
}

function emptyCell(
  key: Omit<Cell, "timeUs" | "microStopUs" | "countUnknownUs" | "quantities" | "estimatedPq" | "assignedSq" | "stops">,
): Cell {
  return {
    ...key,
    timeUs: noTimes(),
    microStopUs: 0,
    countUnknownUs: 0,
    quantities: { known: noQuantities(), setUp: noQuantities(), unknown: noQuantities(), outside: noQuantities() },
    estimatedPq: 0,
    assignedSq: 0,
    stops: [],
  };
}
