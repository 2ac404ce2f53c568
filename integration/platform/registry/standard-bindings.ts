import { type Mapping, type Model, type Property, propertyMapping } from "@lineshaft/contract/api";
import type { JointPart, StandardBinding } from "@lineshaft/contract/ports";
import { namesIn } from "../derivation/condition.ts";
import type { Sql } from "../sqlite/open.ts";

type Row = Omit<StandardBinding, "kind" | "counts" | "mapping"> & { mapping: string | null; model: string };

/** One pass over all tags, since their addresses have no index. Bindings of tags that have come, with what the equipment's model says of the property. */
export function standardBindings(sql: Sql): StandardBinding[] {
  if (sql.prepare("SELECT 1 FROM binding LIMIT 1").get() === undefined) return [];
  const rows = sql
    .prepare(
      `SELECT b.tenant, t.id AS tagId, b.connection_id AS connectionId, b.equipment_id AS equipmentId, b.property,
         b.valid_from_us AS validFromUs, b.valid_to_us AS validToUs, b.mapping, m.definition AS model
       FROM tag t
       CROSS JOIN binding b ON b.connection_id = t.connection_id AND b.address = t.address
       JOIN equipment e ON e.id = b.equipment_id
       JOIN model m ON m.tenant = b.tenant AND m.name = e.model
       ORDER BY b.id`,
    )
    .all() as Row[];
  const models = new Map<string, Known>();
  return rows.flatMap(({ mapping, model: text, ...row }) => {
    const known = models.get(text) ?? knownOf(JSON.parse(text) as Model);
    models.set(text, known);
    const found: StandardBinding[] = (known.namedBy.get(row.property) ?? []).map((part) => ({
      ...{ ...row, ...part, counts: null, mapping: {} },
      joint: { ...part.joint, name: row.property },
    }));
    const property = known.properties.get(row.property);
    if (property === undefined || !isStandard(property.kind)) return found;
    const own = mapping === null ? null : (JSON.parse(mapping) as Mapping);
    const meaning = own ?? propertyMapping(property);
    return [{ ...row, kind: property.kind, counts: countsOf(property), mapping: meaning }, ...found];
  });
}

/** A model as it is asked for: its properties, and by name those whose conditions speak of it. */
interface Known {
  properties: Map<string, Property>;
  namedBy: Map<string, { property: string; kind: StandardBinding["kind"]; joint: Omit<JointPart, "name"> }[]>;
}

function knownOf({ properties: all }: Model): Known {
  const properties = new Map(all.map((property) => [property.name, property]));
  const namedBy: Known["namedBy"] = new Map();
  for (const { name: property, kind, conditions } of all) {
    if (conditions === undefined || !isStandard(kind)) continue;
    const names = [...new Set(conditions.flatMap(({ when }) => namesIn(when)))].filter((name) => properties.has(name));
    const types = Object.fromEntries(names.map((name) => [name, properties.get(name)?.type ?? "double"]));
    for (const name of names)
      namedBy.set(name, [...(namedBy.get(name) ?? []), { property, kind, joint: { conditions, types } }]);
  }
  return { properties, namedBy };
}

const isStandard = (kind: Property["kind"]): kind is StandardBinding["kind"] => kind !== "processValue";

const countsOf = ({ kind, counts }: Property): StandardBinding["counts"] =>
  kind === "counter" || kind === "pulse" ? (counts ?? "total") : null;
