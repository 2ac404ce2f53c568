import {
  dayOf,
  dayUs,
  formatDay,
  hourUs,
  instantOf,
  localOf,
  type Micros,
  type ResultPeriod,
  type ShiftOccurrence,
  zoneOffsetUs,
} from "@lineshaft/contract/api";

/** A period that a result may stand for, with its range; open ends are Infinity. */
export interface KeySpan {
  period: ResultPeriod;
  key: string;
  fromUs: Micros;
  toUs: Micros;
}

/** When an operation of an order was, is or will be executed on the equipment; open ends are Infinity. */
export interface ExecutionSpan {
  order: string;
  /** null: it is not known which; it is part of the order alone. */
  operation: string | null;
  fromUs: Micros;
  toUs: Micros;
}

/** What keys of an equipment follow from. Shifts reach two days beyond the window, so that a production day is seen whole. */
export interface KeyContext {
  timeZone: string;
  shifts: readonly ShiftOccurrence[];
  executions: readonly ExecutionSpan[];
}

/** What is one key of a station: no two periods share it. */
export const keyText = ({ period, key }: { period: ResultPeriod; key: string }): string => `${period} ${key}`;

/** Keys whose range meets the window, both ends included: a count at the end of a period belongs to it. */
export function keysIn(
  { fromUs, toUs }: { fromUs: Micros; toUs: Micros },
  context: KeyContext,
  periods: ReadonlySet<ResultPeriod>,
): KeySpan[] {
  const meets = (span: KeySpan): boolean => span.fromUs <= toUs && span.toUs >= fromUs;
  const makers: Record<ResultPeriod, () => KeySpan[]> = {
    hour: () => hours(context.timeZone, fromUs, toUs),
    shift: () => context.shifts.map((shift) => ({ ...spanOf(shift), period: "shift", key: shift.id })),
    productionDay: () => productionDays(context, fromUs, toUs),
    order: () => executed("order", context.executions, ({ order }) => order),
    operation: () =>
      executed(
        "operation",
        context.executions.filter(({ operation }) => operation !== null),
        ({ order, operation }) => `${order}/${operation}`,
      ),
  };
  return [...periods].flatMap((period) => makers[period]().filter(meets));
}

const spanOf = ({ fromUs, toUs }: { fromUs: Micros; toUs: Micros }) => ({ fromUs, toUs });

/** Local hours. Where the clock jumps, the hour it jumps in is shorter or longer. */
function hours(zone: string, fromUs: Micros, toUs: Micros): KeySpan[] {
  const spans: KeySpan[] = [];
  // One earlier, for what ends where the window begins.
  for (let from = hourAt(zone, fromUs - 1); from <= toUs; ) {
    const to = hourAfter(zone, from);
    spans.push({ period: "hour", key: String(from), fromUs: from, toUs: to });
    from = to;
  }
  return spans;
}

function hourAt(zone: string, at: Micros): Micros {
  const local = localOf(zone, at);
  return at - (((local % hourUs) + hourUs) % hourUs);
}

function hourAfter(zone: string, from: Micros): Micros {
  const to = from + hourUs;
  // A change of the offset by other than whole hours moves where the next one begins.
  const shift = (zoneOffsetUs(zone, to) - zoneOffsetUs(zone, from)) % hourUs;
  return to - shift;
}

/** A production day is made of its shifts, and of what lies outside of shifts on its date. */
function productionDays({ timeZone, shifts }: KeyContext, fromUs: Micros, toUs: Micros): KeySpan[] {
  const days = new Map<string, KeySpan>();
  const add = (key: string, from: Micros, to: Micros): void => {
    const known = days.get(key);
    if (known === undefined) days.set(key, { period: "productionDay", key, fromUs: from, toUs: to });
    else {
      known.fromUs = Math.min(known.fromUs, from);
      known.toUs = Math.max(known.toUs, to);
    }
  };
  const last = dayOf(localOf(timeZone, toUs)) + 1;
  for (let day = dayOf(localOf(timeZone, fromUs)) - 1; day <= last; day++)
    add(formatDay(day), instantOf(timeZone, day * dayUs).at, instantOf(timeZone, (day + 1) * dayUs).at);
  for (const shift of shifts) if (days.has(shift.productionDay)) add(shift.productionDay, shift.fromUs, shift.toUs);
  return [...days.values()];
}

function executed(
  period: ResultPeriod,
  executions: readonly ExecutionSpan[],
  keyOf: (execution: ExecutionSpan) => string,
): KeySpan[] {
  const spans = new Map<string, KeySpan>();
  for (const execution of executions) {
    const key = keyOf(execution);
    const known = spans.get(key);
    if (known === undefined) spans.set(key, { period, key, ...spanOf(execution) });
    else {
      known.fromUs = Math.min(known.fromUs, execution.fromUs);
      known.toUs = Math.max(known.toUs, execution.toUs);
    }
  }
  return [...spans.values()];
}
