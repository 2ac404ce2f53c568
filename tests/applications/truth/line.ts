import { type Cell, type MachineFacts, type Micros, secondUs } from "@lineshaft/contract/api";
import type { TrueExecution, TrueShift } from "@lineshaft/simulation/plant";
import { type Known, oeeOf, type Plan, type Span } from "@lineshaft/simulation/truth";
import type { Window } from "../../../integration/platform/context/cells.ts";
import { lineCells } from "../../../integration/platform/context/index.ts";
import { unsound, untrue } from "./compare.ts";
import type { MachineUnderTest } from "./machine.ts";
import { isBeside } from "./people.ts";

const always = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };
const equipment = 99;

/**
 * Two machines as a line, the one before the other: it limits the line for the first of its materials, else the other does, and what comes off that one is the line's. Tells what is wrong; null: nothing, or
 * data of theirs are lost.
 */
export function wrongOfLine(
  first: MachineUnderTest,
  last: MachineUnderTest,
  parts: { shifts: readonly TrueShift[]; window: Span; cells: readonly Cell[] },
): string | null {
  const [material, other] = first.kind.products.map((product) => product.material);
  const policy = policyOfLine(first);
  if (first.faulted.lost.length + last.faulted.lost.length > 0 || policy.setUp !== "booked") return null;
  // Of orders that run at once each would name another constraint.
  const executions = first.shown.executions.filter(({ order }) => !isBeside(order));
  const policies = new Map([[policy.version, policy]]);
  const plan: Plan = {
    ...{ shifts: parts.shifts, executions, blocked: [], policy },
    setUps: within(first.bookedSetUps, limits(executions, material, parts.window, true)),
    reasons: [first, last].flatMap(({ said }, i) =>
      within(
        said.map(({ reason }) => reason),
        limits(executions, material, parts.window, i === 0),
      ),
    ),
    idealCycles: new Map([
      [material, { cycleUs: 96 * secondUs, unitsPerCycle: 1 }],
      [other, { cycleUs: 60 * secondUs, unitsPerCycle: 1 }],
    ]),
    ...{ counts: "units", counters: "sum", continuous: false },
  };
  const truth = oeeOf(knownOfLine([first, last], executions, material, parts.window), plan, parts.window);
  const wrong = unsound(parts.cells, policies, parts.window) ?? untrue(parts.cells, policies, truth);
  return wrong === null ? null : `line: ${wrong}`;
}

const policyOfLine = ({ policy }: MachineUnderTest) => ({ ...policy, version: "line", microStopUs: 0 });

/** The line's cells in a window, by the facts of its machines and what is booked of them now. */
export function cellsOfLine(
  first: MachineUnderTest,
  last: MachineUnderTest,
  factsOf: (machine: MachineUnderTest) => MachineFacts,
  window: Window,
): Cell[] {
  const [material, other] = first.kind.products.map((product) => product.material);
  // An ideal cycle is one of the line's constraint: of the other machine it is another.
  const ideal = (own: number, ofOther: number) => [
    { ...always, material, cycleUs: own * secondUs, unitsPerCycle: 1 },
    { ...always, material: other, cycleUs: ofOther * secondUs, unitsPerCycle: 1 },
  ];
  const member = (machine: MachineUnderTest, cycles: ReturnType<typeof ideal>) => {
    const facts = factsOf(machine);
    return [machine.equipment, { facts, context: { ...machine.context(facts), idealCycles: cycles } }] as const;
  };
  const members = new Map([member(first, ideal(96, 1)), member(last, ideal(2, 60))]);
  const topology = {
    ...always,
    ...{ constraint: last.equipment, constraintOf: { [material]: first.equipment }, output: last.equipment },
    unitsPerCount: { [first.equipment]: 1, [last.equipment]: 1 },
  };
  const own = first.context(factsOf(first));
  const context = {
    ...own,
    executions: own.executions.filter(({ order }) => !isBeside(order)),
    lateScrap: [],
    policies: [{ ...always, policy: policyOfLine(first) }],
  };
  return lineCells({ equipment, topology: [topology], context, members }, window);
}

/** RULES 10: the time of whoever limits the line, what comes off it, and all rejects along it. */
function knownOfLine(
  [first, last]: readonly [MachineUnderTest, MachineUnderTest],
  executions: readonly TrueExecution[],
  material: string,
  window: Span,
): Known {
  const states = [first, last].flatMap((machine, i) =>
    within(machine.known.states, limits(executions, material, window, i === 0)),
  );
  const rejects = first.known.counts.filter(({ name }) => name === "scrap" || name === "rework");
  return {
    states: states.sort((a, b) => a.fromUs - b.fromUs),
    counts: [...rejects, ...last.known.counts].sort((a, b) => a.atUs - b.atUs),
  };
}

/** When the first machine limits the line, or when it does not. */
function limits(executions: readonly TrueExecution[], material: string, window: Span, first: boolean): Span[] {
  const edges = [window.fromUs, window.toUs, ...executions.flatMap(({ fromUs, toUs }) => [fromUs, toUs])];
  const times = [...new Set(edges)].filter((t) => t >= window.fromUs && t <= window.toUs).sort((a, b) => a - b);
  return times.slice(0, -1).flatMap((fromUs, i) => {
    const running = executions.find((each) => each.fromUs <= fromUs && fromUs < each.toUs);
    return (running?.material === material) === first ? [{ fromUs, toUs: times[i + 1] as Micros }] : [];
  });
}

function within<T extends Span>(items: readonly T[], spans: readonly Span[]): T[] {
  return items.flatMap((item) =>
    spans
      .map((span) => ({
        ...item,
        fromUs: Math.max(item.fromUs, span.fromUs),
        toUs: Math.min(item.toUs, span.toUs),
      }))
      .filter(({ fromUs, toUs }) => fromUs < toUs),
  );
}
