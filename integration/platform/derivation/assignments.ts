import type { StandardBinding } from "@lineshaft/contract/ports";
import type { BindingSpec } from "./binding.ts";
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
  const groups = Map.groupBy(rows, ({ equipmentId, kind, property, tagId }) =>
    kind === "pulse" ? `${equipmentId} pulse` : `${equipmentId} ${property} ${tagId}`,
  );
  return [...groups].map(([key, group]) => {
    const [{ equipmentId, kind, property }] = group;
    const tags = [...Map.groupBy(group, ({ tagId, property }) => `${tagId} ${property}`).values()];
    const channels = tags.map(([row]) => ({ tag: row.tagId, connection: row.connectionId, counts: row.counts }));
    const pieces = tags.map((rows) => rows.map(pieceOf));
    const rules = tags.length === 1 ? new Rules(pieces[0]) : jointRules(pieces);
    return { key, spec: { equipment: equipmentId, role: kind, property, channels, rules }, rows: group };
  });
}

const pieceOf = ({ validFromUs, validToUs, mapping }: StandardBinding): DatedRule => ({
  from: validFromUs ?? Number.NEGATIVE_INFINITY,
  to: validToUs ?? Number.POSITIVE_INFINITY,
  rule: compileMapping(mapping),
});
