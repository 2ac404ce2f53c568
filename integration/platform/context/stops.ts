import type {
  Equipment,
  EquipmentContext,
  MachineFacts,
  MachineStop,
  Micros,
  Principal,
  TimeClass,
} from "@lineshaft/contract/api";
import type { CellSource, Registry, StopQuery, StopSource } from "@lineshaft/contract/ports";
import type { Window } from "./cells.ts";
import { ContextWalk, classOf, reasonOf } from "./piece.ts";
import { isKnown, type StateSpan, stateSpans, stopsOf } from "./states.ts";
import { cutsOf, sorted } from "./timeline.ts";

/** Planned time that stands still, whether it is somebody's or not. */
const busy: readonly TimeClass[] = ["adet", "aust", "adot"];
const pageSize = 1000;
/** So many machines are read before others have their turn. */
const atOnce = 10;

interface Standing {
  from: Micros;
  to: Micros;
  known: boolean;
}

/**
 * The stops of one machine in a window, and its unknown time, in order; each with its parts inside of the window by time class and reason, exactly as cells count them.
 * Where several orders run at once, a part is of the class of the first.
 */
export function machineStops(
  { equipmentId, facts, context }: { equipmentId: number; facts: MachineFacts; context: EquipmentContext },
  window: Window,
): Omit<MachineStop, "us" | "comments">[] {
  const spans = stateSpans(facts);
  const walk = new ContextWalk(context);
  return [...stopsOf(spans).map((stop) => ({ ...stop, known: true })), ...unknownOf(spans)]
    .filter(({ from, to }) => from < window.to && to > window.from)
    .sort((a, b) => a.from - b.from)
    .flatMap((standing) => {
      const parts = partsOf(standing, spans, walk, window);
      const { from, to, known } = standing;
      const micro = parts.some((part) => part.micro);
      // What reaches the end of what is known lasts.
      const toUs = to >= window.to ? null : to;
      const told = parts.map(({ micro: _, ...part }) => part);
      return parts.length === 0 ? [] : [{ equipmentId, fromUs: from, toUs, micro: known && micro, parts: told }];
    });
}

function unknownOf(spans: readonly StateSpan[]): Standing[] {
  return spans.filter(({ code }) => !isKnown(code)).map(({ from, to }) => ({ from, to, known: false }));
}

function partsOf(standing: Standing, spans: readonly StateSpan[], walk: ContextWalk, window: Window) {
  const [begin, end] = [Math.max(standing.from, window.from), Math.min(standing.to, window.to)];
  const cuts: Micros[] = [begin, end];
  cutsOf(
    spans.map((span) => ({ fromUs: span.from, toUs: span.to })),
    begin,
    end,
    cuts,
  );
  walk.cuts(begin, end, cuts);
  const edges = sorted(cuts);
  const parts: (MachineStop["parts"][number] & { micro: boolean })[] = [];
  for (let i = 0; i + 1 < edges.length; i++) {
    const [fromUs, toUs] = [edges[i], edges[i + 1]];
    const code = spans.find(({ from, to }) => from <= fromUs && fromUs < to)?.code ?? 0;
    const piece = walk.piece(fromUs, toUs, code, standing.known ? standing : null);
    const timeClass = classOf(piece, piece.orders[0]);
    const micro = piece.micro && timeClass === "adet";
    const reason = standing.known ? (piece.reason ?? reasonOf(timeClass, micro)) : null;
    const last = parts.at(-1);
    if (last?.toUs === fromUs && last.timeClass === timeClass && last.reason === reason) last.toUs = toUs;
    else parts.push({ fromUs, toUs, timeClass, reason, micro });
  }
  return parts;
}

/** What of a stop fits a query; null: nothing. */
export function fitting(
  stop: Omit<MachineStop, "us" | "comments">,
  { timeClasses = busy, reasons, micro, leastUs = 0 }: StopQuery,
): Omit<MachineStop, "comments"> | null {
  if (micro !== undefined && stop.micro !== (micro === "only")) return null;
  const parts = stop.parts.filter(
    ({ timeClass, reason }) =>
      timeClasses.includes(timeClass) && (reasons === undefined || (reason !== null && reasons.includes(reason))),
  );
  const us = parts.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0);
  return us === 0 || us < leastUs ? null : { ...stop, parts, us };
}

/** Stops of many machines, made when they are asked for, a few machines at a time. */
export function stopSource(parts: { registry: Registry; cells: CellSource }): StopSource {
  const { registry, cells } = parts;
  return {
    stops: async (p, equipmentId, window, q) => {
      const place = registry.getEquipment(p, equipmentId);
      const found: Omit<MachineStop, "comments">[] = [];
      for (const [i, { id }] of machinesAt(registry, p, place).entries()) {
        if (i % atOnce === atOnce - 1) await new Promise((resolve) => setImmediate(resolve));
        for (const stop of cells.stops(p, id, window.from, window.to, q)) {
          const own = fitting(stop, q);
          if (own !== null) found.push(own);
        }
      }
      const newest = (a: MachineStop | Omit<MachineStop, "comments">, b: typeof a): number =>
        b.fromUs - a.fromUs || a.equipmentId - b.equipmentId;
      found.sort(q.sort === "newest" ? newest : (a, b) => b.us - a.us || newest(a, b));
      const items = found
        .slice(0, q.limit)
        .map((stop) => ({ ...stop, comments: commentsOf(registry, p, stop, window) }));
      return { items, total: found.length, us: found.reduce((sum, { us }) => sum + us, 0) };
    },
  };
}

function machinesAt(registry: Registry, p: Principal, { path }: Equipment): Equipment[] {
  const machines: Equipment[] = [];
  let cursor: string | undefined;
  do {
    const page = registry.listEquipment(p, { under: path, limit: pageSize, cursor });
    machines.push(...page.items.filter(({ level }) => level === "workUnit"));
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return machines;
}

function commentsOf(
  { masterData }: Registry,
  p: Principal,
  { equipmentId, fromUs, toUs }: Omit<MachineStop, "comments">,
  window: Window,
): string[] {
  const until = toUs ?? window.to;
  const { items } = masterData.list(p, "annotation", { equipmentId, fromUs, toUs: until, limit: pageSize });
  return items
    .filter(({ item }) => item.anchorUs >= fromUs && item.anchorUs < until && item.text !== "")
    .map(({ item }) => item.text);
}
