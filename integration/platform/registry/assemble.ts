import type {
  BindingEntry,
  Configuration,
  ConnectionEntry,
  Equipment,
  EquipmentEntry,
  Model,
  TagEntry,
} from "@lineshaft/contract/api";
import { canonical, timeText } from "../configuration/index.ts";
import type { StoredBinding } from "./bindings.ts";
import type { DecidedConnection } from "./connections.ts";
import type { DeclaredTag } from "./declared.ts";

export interface ConfigurationParts {
  models: readonly Model[];
  equipment: readonly Pick<Equipment, "id" | "parentId" | "level" | "name" | "path" | "lifecycle" | "model">[];
  connections: readonly DecidedConnection[];
  tagsOf(connectionId: number): readonly DeclaredTag[];
  bindings: readonly StoredBinding[];
  /** May the one who asks see this equipment? */
  sees(equipmentId: number): boolean;
}

/** Rows with numbers become entries with names. What hangs on equipment that is out of sight is left out. */
export function configurationFrom(parts: ConfigurationParts): Configuration {
  const visible = parts.equipment.filter(({ id }) => parts.sees(id));
  const paths = new Map(visible.map(({ id, path }) => [id, path]));
  const bindings = Map.groupBy(
    parts.bindings.filter(({ equipmentId }) => paths.has(equipmentId)),
    ({ connectionId, address }) => `${connectionId}/${address}`,
  );
  const root = visible.find(({ parentId }) => parentId === null);
  const tagOf = (tag: DeclaredTag): TagEntry[] => {
    const equipment = tag.equipmentId === null ? undefined : paths.get(tag.equipmentId);
    if (tag.equipmentId !== null && equipment === undefined) return [];
    const bind = bindings.get(`${tag.connectionId}/${tag.address}`)?.map((binding) => bindingOf(binding, paths)) ?? [];
    const { address, name, unit, class: sampling, options, behaviour } = tag;
    return [given({ address, name, equipment, unit, class: sampling, options, behaviour, bind })];
  };
  const connectionOf = (row: DecidedConnection): ConnectionEntry => {
    const { name, kind, scope, corrections, tagQuota, config = {}, classes = {} } = row;
    return { name, kind, scope, corrections, tagQuota, config, classes, tags: parts.tagsOf(row.id).flatMap(tagOf) };
  };
  return canonical({
    version: 1,
    ...(root === undefined ? {} : { enterprise: root.name }),
    models: parts.models.map(({ name, version, properties }) => ({ name, version, properties })),
    equipment: visible.filter(({ parentId }) => parentId !== null).map(equipmentOf),
    connections: parts.connections.map(connectionOf),
  });
}

function equipmentOf({ path, level, lifecycle, model }: ConfigurationParts["equipment"][number]): EquipmentEntry {
  return given({ path, level: level as EquipmentEntry["level"], lifecycle, model });
}

function bindingOf(
  { equipmentId, property, validFromUs, validToUs, mapping }: StoredBinding,
  paths: Map<number, string>,
): BindingEntry {
  return given({
    property,
    equipment: paths.get(equipmentId),
    validFrom: timeText(validFromUs),
    validTo: timeText(validToUs),
    mapping,
  });
}

type Given<T> = { [K in keyof T]: Exclude<T[K], null> };

/** Without what is not there. */
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value != null)) as Given<T>;
}
