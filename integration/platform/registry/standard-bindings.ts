import type { Mapping, Model, Property, StateRow } from "@lineshaft/contract/api";
import { itemStates, operationModes } from "@lineshaft/contract/api";
import type { StandardBinding } from "@lineshaft/contract/ports";
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
  const models = new Map<string, Model>();
  return rows.flatMap(({ mapping, model: text, ...row }) => {
    const model = models.get(text) ?? (JSON.parse(text) as Model);
    models.set(text, model);
    const property = model.properties.find(({ name }) => name === row.property);
    if (property === undefined || !isStandard(property.kind)) return [];
    const own = mapping === null ? null : (JSON.parse(mapping) as Mapping);
    const meaning = own ?? property.mapping ?? fromEnum(property);
    return [{ ...row, kind: property.kind, counts: countsOf(property), mapping: meaning }];
  });
}

const isStandard = (kind: Property["kind"]): kind is StandardBinding["kind"] =>
  kind === "itemState" || kind === "operationMode" || kind === "counter" || kind === "pulse";

const countsOf = ({ kind, counts }: Property): StandardBinding["counts"] =>
  kind === "counter" || kind === "pulse" ? (counts ?? "total") : null;

/** A model's `enum` gives names to raw values; where those are the standard's, they are a table. Without any, the standard's own. */
function fromEnum({ kind, enum: names }: Property): Mapping {
  if (kind !== "itemState" && kind !== "operationMode") return {};
  if (names === undefined) return { preset: kind === "itemState" ? "machineryItemState" : "machineryOperationMode" };
  const states: StateRow[] = [];
  for (const [raw, name] of Object.entries(names)) {
    const value = raw.trim() !== "" && Number.isFinite(Number(raw)) ? Number(raw) : raw;
    const itemState = itemStates.find((state) => state === name);
    const operationMode = operationModes.find((mode) => mode === name);
    if (kind === "itemState" && itemState !== undefined) states.push({ value, itemState });
    if (kind === "operationMode" && operationMode !== undefined) states.push({ value, operationMode });
  }
  return { states };
}
