import type { Micros, Work, WorkStop } from "@lineshaft/contract/api";
import type { Entry } from "./entries.ts";

/** Work as the server told it, and when it was asked for by the terminal's clock. */
export interface Told {
  work: Work;
  askedMs: number;
}

/**
 * What the machine works at with what was entered here since: entries that wait, and those whose answer came after the work was asked for. The server decides in the end; this
 * keeps the terminal true to its operator while it cannot be asked.
 */
export function foreseen({ work, askedMs }: Told, entries: readonly Entry[]): Work {
  return entries
    .filter((entry) => entry.equipmentId === work.equipmentId && !entry.withdrawn && isNew(entry, askedMs))
    .reduce(applied, work);
}

function isNew({ state, answeredMs, cause }: Entry, askedMs: number): boolean {
  if (state === "waiting") return true;
  return state === "booked" && cause === null && answeredMs !== null && answeredMs >= askedMs;
}

type Running = Work["running"][number];
type Next = Work["next"][number];

function applied(work: Work, { intent, atUs }: Entry): Work {
  switch (intent.kind) {
    case "startOrder": {
      const is = isOf(intent.order, intent.operation ?? null);
      if (work.running.some(is)) return work;
      const known = work.next.find(is) ?? unknownOrder(intent.order, intent.operation ?? null);
      const keep = intent.others === "keep";
      return {
        ...work,
        running: [...(keep ? work.running : []), started(known, atUs)],
        next: [...(keep ? [] : work.running.map(resumable)), ...work.next.filter((each) => !is(each))],
      };
    }
    case "interruptOrder": {
      const is = isOf(intent.order, intent.operation ?? null);
      return {
        ...work,
        running: work.running.filter((each) => !is(each)),
        next: [...work.running.filter(is).map(resumable), ...work.next],
        setUp: setUpWithout(work, intent.order),
      };
    }
    case "finishOrder": {
      const is = isOf(intent.order, intent.operation ?? null);
      return {
        ...work,
        running: work.running.filter((each) => !is(each)),
        next: work.next.filter((each) => !is(each)),
        setUp: setUpWithout(work, intent.order),
      };
    }
    case "setUpBegin":
      return { ...work, setUp: work.setUp ?? { fromUs: atUs, order: intent.order ?? null } };
    case "setUpEnd":
      return { ...work, setUp: null };
    case "reason":
    case "split": {
      const said = { fromUs: intent.fromUs, toUs: intent.toUs, reason: intent.reason };
      return { ...work, stops: work.stops.map((stop) => explained(stop, said, intent.kind === "reason")) };
    }
    default:
      return work;
  }
}

const isOf =
  (order: string, operation: string | null) =>
  (each: { order: string; operation: string }): boolean =>
    each.order === order && (operation === null || each.operation === operation);

const unknownOrder = (order: string, operation: string | null): Next => ({
  order,
  operation: operation ?? "",
  name: null,
  material: null,
  materialName: null,
  unit: "1",
  quantity: 0,
  plannedFromUs: null,
});

const started = ({ plannedFromUs: _, ...order }: Next, fromUs: Micros): Running => ({ ...order, fromUs, made: null });
const resumable = ({ fromUs: _, made: __, ...order }: Running): Next => ({ ...order, plannedFromUs: null });
const setUpWithout = ({ setUp }: Work, order: string): Work["setUp"] => (setUp?.order === order ? null : setUp);

function explained(stop: WorkStop, said: WorkStop["reasons"][number], whole: boolean): WorkStop {
  const endUs = stop.toUs ?? Number.POSITIVE_INFINITY;
  if (said.toUs <= stop.fromUs || said.fromUs >= endUs) return stop;
  if (whole) {
    const middle = said.fromUs + Math.floor((said.toUs - said.fromUs) / 2);
    if (middle < stop.fromUs || middle >= endUs) return stop;
    return { ...stop, reasons: [{ ...said, fromUs: stop.fromUs, toUs: stop.toUs ?? said.toUs }] };
  }
  const part = { ...said, fromUs: Math.max(said.fromUs, stop.fromUs), toUs: Math.min(said.toUs, endUs) };
  const rest = stop.reasons.flatMap((each) => [
    { ...each, toUs: Math.min(each.toUs, part.fromUs) },
    { ...each, fromUs: Math.max(each.fromUs, part.toUs) },
  ]);
  const reasons = [...rest.filter(({ fromUs, toUs }) => fromUs < toUs), part].sort((a, b) => a.fromUs - b.fromUs);
  return { ...stop, reasons };
}
