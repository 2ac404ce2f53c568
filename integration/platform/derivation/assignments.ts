import type { JointPart, StandardBinding } from "@lineshaft/contract/ports";
import type { BindingSpec } from "./binding.ts";
import { ConditionTable } from "./joint-condition.ts";
import { compileMapping, type DatedRule, jointRules, Rules } from "./mapping.ts";

/** Bindings of the registry, as automata want them; the key tells the same one again after a change. */
export interface Assignment {
  key: string;
  spec: Omit<BindingSpec, "id">;
  /** What it is made of. */
  rows: StandardBinding[];
}

/**
 * Rows of one tag and property are pieces of one binding over time. The pulse tags of an equipment are one binding with a channel each, since their pulses are one
 * stream: what stands between two pulses is a stop only if no other of the machine's pulses does. Each has rules of its own.
 */
export function assignmentsOf(rows: readonly StandardBinding[]): Assignment[] {
  const groups = Map.groupBy(rows, ({ equipmentId, kind, property, tagId, joint }) =>
    joint !== undefined
      ? `${equipmentId} ${property} conditions`
      : kind === "pulse"
        ? `${equipmentId} pulse`
        : `${equipmentId} ${property} ${tagId}`,
  );
  const tables = new Map<string, ConditionTable>();
  return [...groups].map(([key, group]) => {
    if (group[0].joint !== undefined) return jointAssignment(key, group, tables);
    const [{ equipmentId, kind, property }] = group;
    const tags = [...Map.groupBy(group, ({ tagId, property }) => `${tagId} ${property}`).values()];
    const channels = tags.map(([row]) => ({ tag: row.tagId, connection: row.connectionId, counts: row.counts }));
    const pieces = tags.map((rows) => rows.map(pieceOf));
    const rules = tags.length === 1 ? new Rules(pieces[0]) : jointRules(pieces);
    return { key, spec: { equipment: equipmentId, role: kind, property, channels, rules }, rows: group };
  });
}

/** The tags of all names of a property's conditions are one binding; a name that had several tags over time has a channel for each. */
function jointAssignment(key: string, group: StandardBinding[], tables: Map<string, ConditionTable>): Assignment {
  const [{ equipmentId, kind }] = group;
  const tags = [...Map.groupBy(group, ({ tagId, joint }) => `${tagId} ${joint?.name}`).values()];
  const channels = tags.map(([row]) => ({ tag: row.tagId, connection: row.connectionId, counts: null }));
  const { conditions, types } = group[0].joint as JointPart;
  // Machines of one model have one table.
  const known = JSON.stringify([conditions, types]);
  const table = tables.get(known) ?? new ConditionTable(conditions, types);
  tables.set(known, table);
  const decide = table.decide(tags.map(([{ joint }]) => joint?.name ?? ""));
  const rules = jointRules(
    tags.map((rows) => rows.map(pieceOf)),
    decide,
  );
  return { key, spec: { equipment: equipmentId, role: kind, channels, rules, by: "conditions" }, rows: group };
}

const pieceOf = ({ validFromUs, validToUs, mapping }: StandardBinding): DatedRule => ({
  from: validFromUs ?? Number.NEGATIVE_INFINITY,
  to: validToUs ?? Number.POSITIVE_INFINITY,
  rule: compileMapping(mapping),
});

/** The connections that feed each equipment. */
export function feedsOf(specs: readonly Omit<BindingSpec, "id">[]): Map<number, readonly number[]> {
  const feeds = new Map<number, readonly number[]>();
  for (const [equipment, own] of Map.groupBy(specs, (spec) => spec.equipment)) {
    const connections = own.flatMap(({ channels }) => channels.map(({ connection }) => connection));
    feeds.set(equipment, [...new Set(connections)]);
  }
  return feeds;
}
