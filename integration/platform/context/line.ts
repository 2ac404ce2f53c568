import type { Cell, Dated, EquipmentContext, MachineFacts, Micros, OrderExecution } from "@lineshaft/contract/api";
import { type CountSource, cellsOf, type Window } from "./cells.ts";
import { judgedBy } from "./line-known.ts";
import { mergeCells } from "./merge.ts";

/** How the machines of a line stand together, as long as they do. */
export interface LineTopology extends Dated {
  /** The work unit that limits the line. */
  constraint: number;
  /** Where it is another one for a material. */
  constraintOf: Readonly<Record<string, number>>;
  /** The work unit whose output is the line's. */
  output: number;
  /** Every machine that may reject along the line, with how many units of the line one of its counts is. */
  unitsPerCount: Readonly<Record<number, number>>;
}

export interface LineMember {
  facts: MachineFacts;
  context: EquipmentContext;
}

export interface LineInput {
  equipment: number;
  topology: readonly LineTopology[];
  /** Of the line: its orders, shifts and policies. */
  context: EquipmentContext;
  members: ReadonlyMap<number, LineMember>;
}

/**
 * The cells of a line (RULES 10): time and ideal cycle of its constraint; produced quantity = its output and all that was rejected along it, in its own unit.
 * The constraint may change with time and with the material. Where the line's output was not seen, the line is unknown.
 */
export function lineCells(line: LineInput, window: Window): Cell[] {
  const parts = constraintsOf(line, window).map(({ constraint, topology, from, to }, i) => {
    const member = memberOf(line, constraint);
    const context: EquipmentContext = {
      ...line.context,
      idealCycles: member.context.idealCycles,
      reasons: member.context.reasons,
      setUps: member.context.setUps,
      lifecycle: member.context.lifecycle,
      // What a machine counts is turned into units of the line by the topology.
      counting: memberOf(line, topology.output).context.counting.map((counting) => ({
        ...counting,
        counts: "units",
        unitsPerCount: 1,
      })),
      blockedCavities: [],
    };
    const sources = Object.entries(topology.unitsPerCount).map(([id, unitsPerCount]): CountSource => {
      const role = Number(id) === topology.output ? "output" : "rejects";
      return { facts: memberOf(line, Number(id)).facts, role, unitsPerCount };
    });
    const facts = judgedBy(member.facts, memberOf(line, topology.output).facts);
    const input = { equipment: line.equipment, facts, context, sources, startsFresh: i > 0 };
    return cellsOf(input, { from, to });
  });
  return mergeCells(parts.flat());
}

interface ConstraintSpan extends Window {
  constraint: number;
  topology: LineTopology;
}

/** Which machine speaks for the line, piece by piece; pieces of one machine under one topology are one. */
function constraintsOf({ topology, context }: LineInput, { from, to }: Window): ConstraintSpan[] {
  const cuts = new Set<Micros>([from, to]);
  for (const dated of [...topology, ...context.executions])
    for (const at of [dated.fromUs, dated.toUs]) if (at > from && at < to) cuts.add(at);
  const times = [...cuts].sort((a, b) => a - b);
  const spans: ConstraintSpan[] = [];
  for (let i = 0; i + 1 < times.length; i++) {
    const at = times[i];
    const inForce = topology.findLast(({ fromUs, toUs }) => fromUs <= at && at < toUs);
    if (inForce === undefined) continue;
    const constraint = inForce.constraintOf[runningAt(context.executions, at)?.material ?? ""] ?? inForce.constraint;
    const last = spans.at(-1);
    if (last?.constraint === constraint && last.topology === inForce && last.to === at) last.to = times[i + 1];
    else spans.push({ constraint, topology: inForce, from: at, to: times[i + 1] });
  }
  return spans;
}

/**
 * Whose material says what limits the line: of orders that run at once the one that began first, since the line goes on as it was set up until that one ends. Of those that began together it is the first by
 * its number and operation, so that it is the same in whatever order they were booked.
 */
function runningAt(executions: readonly OrderExecution[], at: Micros): OrderExecution | null {
  let first: OrderExecution | null = null;
  for (const each of executions)
    if (each.fromUs <= at && at < each.toUs && (first === null || isBefore(each, first))) first = each;
  return first;
}

function isBefore(a: OrderExecution, b: OrderExecution): boolean {
  if (a.fromUs !== b.fromUs) return a.fromUs < b.fromUs;
  return a.order === b.order ? (a.operation ?? "") < (b.operation ?? "") : a.order < b.order;
}

function memberOf(line: LineInput, id: number): LineMember {
  const member = line.members.get(id);
  if (member === undefined)
    throw new Error(`The line ${line.equipment} names the work unit ${id}, of which no facts were given.`);
  return member;
}
