import { dataType, valueField } from "./data-type.ts";
import { type EdgeNode, type MetricEntry, type MetricTable, newEntry } from "./node.ts";
import type { MetricColumns, Property, Template } from "./payload.ts";
import { metricAddress } from "./topic.ts";

/** What was wrong with a birth certificate, beside what was right. */
export interface BirthOutcome {
  /** One for each metric of the payload; null: not a value (a definition, or without a name). */
  entries: (MetricEntry | null)[];
  nameless: number;
  /** Names that share an alias with another metric. */
  collisions: string[];
}

/**
 * Takes a birth certificate over into the table: exactly its metrics exist from now on. Entries of metrics that existed before are kept.
 * Aliases of the table's earlier birth are given up.
 */
export function takeBirth(node: EdgeNode, table: MetricTable, metrics: MetricColumns): BirthOutcome {
  const before = table.metrics;
  const own = new Set(before.values());
  for (const [alias, entry] of node.aliases) if (own.has(entry)) node.aliases.delete(alias);
  table.metrics = new Map();
  const outcome: BirthOutcome = { entries: [], nameless: 0, collisions: [] };
  for (let row = 0; row < metrics.count; row++) {
    const name = metrics.name[row];
    const template = metrics.field[row] === valueField.template ? (metrics.object[row] as Template) : null;
    // 6.4.20: definitions describe; they hold no value.
    if (name === null || template?.definition === true) {
      if (name === null) outcome.nameless++;
      outcome.entries.push(null);
      continue;
    }
    const address = metricAddress(node.group, node.node, table.device, name);
    const entry = before.get(name) ?? newEntry(address, 0);
    entry.type = metrics.type[row];
    entry.ambiguous = false;
    entry.unit = unitOf(metrics, row);
    // The same name twice is two values of one metric.
    table.metrics.set(name, entry);
    outcome.entries.push(entry);
    const alias = metrics.alias[row];
    if (Number.isNaN(alias)) continue;
    const other = node.aliases.get(alias);
    if (other !== undefined && other !== entry) {
      other.ambiguous = true;
      entry.ambiguous = true;
      outcome.collisions.push(name);
    }
    node.aliases.set(alias, entry);
  }
  table.online = true;
  table.born = true;
  return outcome;
}

const textOf = (property: Property | undefined): string | null =>
  property?.type === dataType.string && property.cell?.text !== undefined ? property.cell.text : null;

/** The unit as edge nodes give it: the property `engUnit` (Ignition and most others), or `Engineering Units`. */
export function unitOf(metrics: MetricColumns, row: number): string | null {
  const properties = metrics.properties[row];
  if (properties === null) return null;
  return textOf(properties.get("engUnit")) ?? textOf(properties.get("Engineering Units"));
}

/** bdSeq of an NBIRTH or NDEATH; null when it is not there. */
export function bdSeqOf(metrics: MetricColumns): number | null {
  for (let row = 0; row < metrics.count; row++) {
    const whole = metrics.field[row] === valueField.long || metrics.field[row] === valueField.int;
    if (metrics.name[row] === "bdSeq" && whole) return metrics.number[row];
  }
  return null;
}
