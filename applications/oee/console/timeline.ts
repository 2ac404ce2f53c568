import {
  type Annotation,
  type Executions,
  type ItemState,
  isProducing,
  type MachineFactsBody,
  type Micros,
  type OperationMode,
  type Reason,
  type Recorded,
  type ShiftOccurrence,
  secondUs,
} from "@lineshaft/contract/api";
import type { LaneBar, LaneItem, PageLocale, StateClass, TimeRange } from "@lineshaft/ui/kit";

/** One state of a machine, [fromUs, toUs), as derivation tells it. */
export interface Span extends TimeRange {
  itemState: ItemState | null;
  mode: OperationMode | null;
  cause: number;
}

/** What a machine told of itself in a range: of its facts, or beside those of others. */
export type Told = Pick<MachineFactsBody, "fromUs" | "toUs" | "states" | "alarms" | "watermarkUs">;

/** Younger than this the end of what is known is taken for now: derivation is a few seconds behind by design. */
const freshUs = 20 * secondUs;

/** Up to where facts of the range are known: to now, or to the last proof of life. */
export function knownUntil({ fromUs, toUs, watermarkUs }: Told, nowUs: Micros): Micros {
  const end = Math.min(toUs, nowUs);
  if (watermarkUs === null) return fromUs;
  return nowUs - watermarkUs < freshUs ? end : Math.min(end, watermarkUs);
}

/**
 * The states of the facts' range up to now, without a hole: what is not told is unknown, and so is what lies behind the last proof of life.
 */
export function spansOf(facts: Told, nowUs: Micros): Span[] {
  const { fromUs, toUs, states } = facts;
  const end = Math.min(toUs, nowUs);
  const known = knownUntil(facts, nowUs);
  const spans: Span[] = [];
  const add = (from: Micros, to: Micros, itemState: ItemState | null, mode: OperationMode | null, cause: number) => {
    const last = spans.at(-1);
    if (from >= to) return;
    if (last !== undefined && last.itemState === itemState && last.mode === mode && last.cause === cause)
      last.toUs = to;
    else spans.push({ fromUs: from, toUs: to, itemState, mode, cause });
  };
  states.time.forEach((time, i) => {
    // The first holds from the start of what was asked.
    const from = i === 0 ? fromUs : Math.max(time, fromUs);
    const to = Math.min(states.time[i + 1] ?? known, known);
    add(from, to, states.itemState[i], states.operationMode[i], states.cause[i]);
  });
  add(spans.at(-1)?.toUs ?? fromUs, end, null, null, 0);
  return spans;
}

const stands = ({ itemState, mode }: Span): boolean => itemState !== null && !isProducing(itemState, mode);

/** Maximal runs of known states in which nothing is made: what annotations belong to, and what is a micro stop by its whole length (RULES 6). */
export function stopsOf(spans: readonly Span[]): TimeRange[] {
  const stops: TimeRange[] = [];
  for (const span of spans) {
    if (!stands(span)) continue;
    const last = stops.at(-1);
    if (last?.toUs === span.fromUs) last.toUs = span.toUs;
    else stops.push({ fromUs: span.fromUs, toUs: span.toUs });
  }
  return stops;
}

/** What people and ERPs say of the machine in the range. */
export interface Said {
  shifts: readonly ShiftOccurrence[];
  executions: readonly Execution[];
  annotations: readonly Recorded<Annotation>[];
  reasons: ReadonlyMap<number, Reason>;
}

export interface Execution extends TimeRange {
  order: string;
  operation: string | null;
  material: string | null;
  quantity: number;
  unit: string;
  /** The machine told it; nobody booked it. */
  told: boolean;
}

/** What ran on a machine, booked or told, in order of time. What has no end lasts until `openUs`. */
export function executionsUntil(ran: Executions["executions"], openUs: Micros): Execution[] {
  return ran
    .map(({ by, toUs, ...each }) => ({ ...each, toUs: toUs ?? openUs, told: by === "identifier" }))
    .sort((a, b) => a.fromUs - b.fromUs);
}

interface Given extends TimeRange {
  reason: number;
}

/** Reasons that people gave, bound to stops as the platform binds them: by the anchor, else by half of their length. Later ones lie over earlier ones. */
function givenReasons(annotations: readonly Recorded<Annotation>[], stops: readonly TimeRange[]): Given[] {
  const overlap = (stop: TimeRange, a: Annotation) => Math.min(stop.toUs, a.toUs) - Math.max(stop.fromUs, a.fromUs);
  return [...annotations]
    .sort((a, b) => a.revision - b.revision)
    .flatMap(({ item }): Given[] => {
      if (item.kind === "comment" || item.reason === null) return [];
      const stop =
        stops.find(({ fromUs, toUs }) => fromUs <= item.anchorUs && item.anchorUs < toUs) ??
        stops.find((each) => item.toUs > item.fromUs && overlap(each, item) >= (item.toUs - item.fromUs) / 2);
      if (stop === undefined) return [];
      const { reason } = item;
      if (item.kind === "reason") return [{ ...stop, reason }];
      return [{ fromUs: Math.max(stop.fromUs, item.fromUs), toUs: Math.min(stop.toUs, item.toUs), reason }];
    });
}

const holds = (range: TimeRange, us: Micros): boolean => range.fromUs <= us && us < range.toUs;

export interface StatePiece extends TimeRange {
  state: StateClass;
  reason: number;
  /** Somebody gave the reason. */
  given: boolean;
}

/** The machine's states under shifts, breaks, orders and reasons: what the lane shows. */
export function piecesOf(spans: readonly Span[], said: Said): StatePiece[] {
  if (spans.length === 0) return [];
  const given = givenReasons(said.annotations, stopsOf(spans));
  const breaks = said.shifts.flatMap((shift) => shift.breaks);
  const cuts = cutsOf([spans, said.shifts, breaks, said.executions, given], {
    fromUs: spans[0].fromUs,
    toUs: spans[spans.length - 1].toUs,
  });
  const pieces: StatePiece[] = [];
  let at = 0;
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [fromUs, toUs] = [cuts[i], cuts[i + 1]];
    while (spans[at].toUs <= fromUs) at++;
    const span = spans[at];
    const own = given.findLast((one) => holds(one, fromUs));
    const shift = said.shifts.find((one) => holds(one, fromUs));
    const plan = {
      // Without a calendar nobody says that it is not planned.
      busy: said.shifts.length === 0 || (shift !== undefined && !shift.breaks.some((one) => holds(one, fromUs))),
      order: said.executions.length === 0 || said.executions.some((one) => holds(one, fromUs)),
    };
    const reason = stands(span) ? (own?.reason ?? span.cause) : 0;
    const state = stateOf(span, said.reasons.get(reason), plan);
    const last = pieces.at(-1);
    const isGiven = own !== undefined && stands(span);
    if (last?.toUs === fromUs && last.state === state && last.reason === reason && last.given === isGiven)
      last.toUs = toUs;
    else pieces.push({ fromUs, toUs, state, reason, given: isGiven });
  }
  return pieces;
}

function cutsOf(lists: readonly (readonly TimeRange[])[], within: TimeRange): Micros[] {
  const cuts = new Set([within.fromUs, within.toUs]);
  for (const list of lists)
    for (const { fromUs, toUs } of list)
      for (const us of [fromUs, toUs]) if (us > within.fromUs && us < within.toUs) cuts.add(us);
  return [...cuts].sort((a, b) => a - b);
}

/** The class of the console's one colour table for an instant of a machine. */
export function stateOf(
  { itemState, mode }: Pick<Span, "itemState" | "mode">,
  reason: Reason | undefined,
  plan: { busy: boolean; order: boolean },
): StateClass {
  if (itemState === null) return plan.busy ? "unknown" : "noOrder";
  if (mode === "Maintenance" || reason?.planned === "plannedMaintenance") return "maintenance";
  if (isProducing(itemState, mode)) return "executing";
  if (!plan.busy || reason?.planned === "break" || reason?.planned === "notPlanned") return "noOrder";
  if (reason?.loss === "setUpAndAdjustment") return "setup";
  if (itemState === "OutOfService" || reason?.loss === "breakdown") return "fault";
  if (mode === "Setup") return "setup";
  return plan.order ? "notExecuting" : "noOrder";
}

export function reasonText(reason: Reason | undefined, locale: PageLocale): string {
  return reason === undefined ? "" : reason.name[locale];
}

export function stateItems(pieces: readonly StatePiece[], textOf: (piece: StatePiece) => string): LaneItem[] {
  return pieces.map((piece) => ({
    key: String(piece.fromUs),
    fromUs: piece.fromUs,
    toUs: piece.toUs,
    label: textOf(piece),
    state: piece.state,
    marked: piece.given,
  }));
}

/** A stop as a row of the list: longest reason in it, and what people said. */
export interface StopRow extends TimeRange {
  state: StateClass;
  reason: number;
  given: boolean;
  text: string;
}

/** Stops inside the range with their reason, newest first; where one has several, the one that takes longest. */
export function stopRows(
  spans: readonly Span[],
  pieces: readonly StatePiece[],
  said: Said,
  leastUs: number,
): StopRow[] {
  return stopsOf(spans)
    .flatMap((stop): StopRow[] => {
      const inside = pieces.filter((piece) => piece.fromUs >= stop.fromUs && piece.toUs <= stop.toUs);
      // A stop that lies outside of what is planned is nobody's to explain.
      const busy = inside.filter(({ state }) => state !== "noOrder");
      if (busy.length === 0 || stop.toUs - stop.fromUs < leastUs) return [];
      const longest = busy.reduce((a, b) => (b.toUs - b.fromUs > a.toUs - a.fromUs ? b : a));
      const texts = said.annotations
        .filter(({ item }) => holds(stop, item.anchorUs) && item.text !== "")
        .map(({ item }) => item.text);
      const { state, reason } = longest;
      return [{ ...stop, state, reason, given: busy.some(({ given }) => given), text: texts.join(" · ") }];
    })
    .reverse();
}

/** Pieces per bucket, from increments: those whose end lies in it. Good is what is left after scrap and rework. */
export function countBars(
  { increments }: MachineFactsBody,
  range: TimeRange,
  bucketUs: number,
  titleOf: (bar: Omit<LaneBar, "title">) => string,
): LaneBar[] {
  const { time, n, kind } = increments;
  const totals = new Map<number, { good: number; total: number; bad: number }>();
  // A machine that tells its total tells good and scrap as parts of it.
  const tellsTotal = kind.includes("total");
  time.forEach((us, i) => {
    // A count stamped t completes (source, t]: on the edge it belongs to what lies before.
    const bucket = Math.ceil(us / bucketUs - 1) * bucketUs;
    const sums = totals.get(bucket) ?? { good: 0, total: 0, bad: 0 };
    if (kind[i] === "scrap" || kind[i] === "rework") sums.bad += n[i];
    else if (kind[i] === "total") sums.total += n[i];
    else sums.good += n[i];
    totals.set(bucket, sums);
  });
  return [...totals]
    .filter(([from]) => from + bucketUs > range.fromUs && from < range.toUs)
    .sort(([a], [b]) => a - b)
    .map(([fromUs, { good, total, bad }]) => {
      const bar = { fromUs, toUs: fromUs + bucketUs, value: tellsTotal ? total : good + bad, bad };
      return { ...bar, title: titleOf(bar) };
    });
}

/** Orders as a lane. Where several run at once, the later one ends the block of the earlier. */
export function orderItems(executions: readonly Execution[], textOf: (one: Execution) => string): LaneItem[] {
  return executions.flatMap((one, i): LaneItem[] => {
    const next = executions[i + 1];
    const toUs = next === undefined ? one.toUs : Math.min(one.toUs, next.fromUs);
    if (toUs <= one.fromUs) return [];
    return [
      { key: `${one.order} ${one.operation} ${one.fromUs}`, fromUs: one.fromUs, toUs, label: textOf(one), state: null },
    ];
  });
}

/** Shifts with their breaks as a lane. */
export function shiftItems(shifts: readonly ShiftOccurrence[], breakText: string): LaneItem[] {
  return shifts.flatMap((shift): LaneItem[] => {
    const items: LaneItem[] = [];
    let from = shift.fromUs;
    const add = (toUs: Micros, label: string, state: StateClass | null): void => {
      if (toUs > from) items.push({ key: `${shift.id} ${from}`, fromUs: from, toUs, label, state });
      from = toUs;
    };
    const label = shift.crew === null ? shift.name : `${shift.name} · ${shift.crew}`;
    for (const pause of shift.breaks) {
      add(pause.fromUs, label, null);
      add(pause.toUs, pause.name ?? breakText, "noOrder");
    }
    add(shift.toUs, label, null);
    return items;
  });
}
