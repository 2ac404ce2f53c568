import { dayUs, hourUs, type Micros, parseTimeUs, secondUs } from "@lineshaft/contract/api";
import { type Answer, refused } from "../fault-menu.ts";
import { booksSetUps } from "../office/bookings.ts";
import { policyOf } from "../office/set-up.ts";
import { serialLine } from "../plant/bottling-line.ts";
import type { MachineTruth, TrueShift } from "../plant/index.ts";
import type { MachineSheet } from "../plant/machine-kind.ts";
import { scanUs } from "../plant/machine-play.ts";
import { shiftAt, shiftStartUs } from "../plant/shift.ts";
import { type Site, siteOf } from "../plant/site.ts";
import { type Knowable, type Known, knownOf, type Span } from "./known.ts";
import { knownOfLine } from "./line-known.ts";
import { type Heads, oeeOf } from "./oee.ts";
import { idealCyclesOf, type Plan } from "./plan.ts";
import { machineAt, sheetOf, type TruthBook } from "./truth-book.ts";

export interface TruthParts {
  book: TruthBook;
  nowUs(): Micros;
  shiftsOf(site: Site, fromUs: Micros, toUs: Micros): TrueShift[];
}

const longestUs = 2 * dayUs;
/** What the bindings of machines with pulses say (configuration/machines.yaml). */
const pulses = { stopAfterCycles: 3, defaultCycleUs: 3 * secondUs };
/**
 * `GET /truth?equipment=…&from=…&to=…`: what really happened at a machine (by its path or its name) or at the bottling line, and the OEE of it, by hour, shift and order, over the information that its protocol permits.
 * Default: the shift that is on. Never beyond now.
 */
export function answerTruth(query: URLSearchParams, { book, nowUs, shiftsOf }: TruthParts): Answer {
  const equipment = query.get("equipment") ?? "";
  const line = equipment === serialLine.path;
  const sheet = sheetOf(line ? serialLine.machines[0] : (machineAt(equipment) ?? equipment));
  if (sheet === null) return refused(404, `The plant has no machine "${equipment}".`);
  const now = nowUs();
  const [shift] = shiftsOf(siteOf(sheet.equipment), now, now + 1);
  const fromUs = timeOf(query.get("from"), shift.fromUs);
  const toUs = Math.min(timeOf(query.get("to"), now) ?? now, now);
  if (fromUs === null || !(toUs > fromUs) || toUs - fromUs > longestUs)
    return refused(400, "from and to are times with a zone, from before to, at most two days apart.");
  // From the begin of the shift before on, so that what is open at `from` has its begin.
  const since = shiftStartUs(shiftAt(fromUs) - 1);
  const truthOf = (machine: string): MachineTruth | null => book.machine(machine, since, now);
  const truth = truthOf(sheet.machine);
  if (truth === null) return refused(404, `The plant has no machine "${equipment}".`);
  const plan = planOf(sheet, truth, shiftsOf(siteOf(sheet.equipment), since, now));
  const window = { fromUs, toUs };
  const knownAt = (at: MachineSheet, of: MachineTruth): Known => knownBy(at, of, book.stampOf(at.machine));
  const along = line ? serialLine.machines.flatMap((machine) => sheetOf(machine) ?? []) : [];
  const own = knownAt(sheet, truth);
  const members = along.flatMap((each) => {
    const of = truthOf(each.machine);
    return of === null ? [] : [knownAt(each, of)];
  });
  const known = line ? knownOfLine(own, members, edgesOf(plan, window)) : own;
  const heads = oeeOf(known, line ? { ...plan, counters: "sum" } : plan, window);
  return {
    status: 200,
    body: {
      equipment: line ? serialLine.path : sheet.equipment.join("/"),
      machine: line ? null : sheet.machine,
      fromUs,
      toUs,
      resolutionUs: resolutionOf(sheet),
      states: truth.states.filter((state, i) => state.fromUs < toUs && (truth.states[i + 1]?.fromUs ?? toUs) > fromUs),
      executions: truth.executions.filter((each) => each.fromUs < toUs && each.toUs > fromUs),
      alarms: truth.alarms.filter((each) => each.fromUs < toUs && each.toUs > fromUs),
      setUps: truth.setUps.filter((each) => each.fromUs < toUs && each.toUs > fromUs),
      counts: countsIn(truth, window),
      oee: told(heads),
    },
  };
}

function timeOf(text: string | null, otherwise: Micros): Micros | null {
  if (text === null) return otherwise;
  return /^\d+$/.test(text) ? Number(text) : parseTimeUs(text);
}

function planOf(sheet: MachineSheet, truth: MachineTruth, shifts: readonly TrueShift[]): Plan {
  return {
    shifts,
    executions: truth.executions,
    // Machines tell them, or they run to the first good part; else they are booked.
    setUps: booksSetUps(sheet) ? truth.setUps : [],
    blocked: truth.blocked,
    idealCycles: idealCyclesOf(sheet.products),
    counts: sheet.counts,
    counters: sheet.telling.counters,
    continuous: sheet.continuous,
    policy: policyOf(sheet.equipment),
  };
}

function knownBy({ telling, products }: MachineSheet, truth: MachineTruth, stampUs: Knowable["stampUs"]): Known {
  const ideal = idealCyclesOf(products);
  // Each shift of the plant begins anew: its controllers tell everything, and their counters begin at 0.
  const begins: Micros[] = [];
  for (let shift = shiftAt(truth.fromUs) + 1; shiftStartUs(shift) < truth.toUs; shift++)
    begins.push(shiftStartUs(shift));
  return knownOf({
    truth,
    telling,
    lost: [],
    resets: begins,
    repeated: begins,
    stampUs,
    stopAfterCycles: pulses.stopAfterCycles,
    cycleUsAt: (t) => {
      const running = truth.executions.find((each) => each.fromUs <= t && t < each.toUs);
      return ideal.get(running?.material ?? "")?.cycleUs ?? pulses.defaultCycleUs;
    },
  });
}

/** Wherever something of the line's begins or ends. */
function edgesOf({ shifts, executions }: Plan, { fromUs, toUs }: Span): Micros[] {
  const hours = Array.from(
    { length: Math.ceil((toUs - fromUs) / hourUs) + 1 },
    (_, i) => fromUs - (fromUs % hourUs) + i * hourUs,
  );
  const spans = [...shifts, ...shifts.flatMap(({ breaks }) => breaks), ...executions];
  return [fromUs, toUs, ...hours, ...spans.flatMap((span) => [span.fromUs, span.toUs])];
}

/** How exactly times of this machine can be known: a scan, a reading of its counters, or three cycles of one that only pulses. */
function resolutionOf({ telling, products }: MachineSheet): Micros {
  if (telling.states === "pulses")
    return pulses.stopAfterCycles * Math.max(...products.map((product) => product.idealCycleSeconds)) * secondUs;
  return telling.sampledSeconds === null ? 5 * scanUs : telling.sampledSeconds * secondUs;
}

function countsIn({ pieces }: MachineTruth, { fromUs, toUs }: Span): Record<string, number> {
  const counts: Record<string, number> = { good: 0, scrap: 0, rework: 0 };
  for (const { kind, n, atUs } of pieces) if (atUs > fromUs && atUs <= toUs) counts[kind] += n;
  return counts;
}

const told = ({ all, hours, shifts, orders }: Heads) => ({
  all,
  hours: [...hours].map(([hourUs, of]) => ({ fromUs: hourUs, ...of })),
  shifts: [...shifts].map(([shift, of]) => ({ shift, ...of })),
  orders: [...orders].map(([order, of]) => ({ order, ...of })),
});
