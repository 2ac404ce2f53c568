import {
  type BindingEntry,
  type Configuration,
  type ConnectionEntry,
  defaultConnectionTagQuota,
  type EquipmentEntry,
  formatTimeUs,
  type Micros,
  type Model,
  parseTimeUs,
  type TagEntry,
} from "@lineshaft/contract/api";

/** A configuration with every list present, in the one order, and nothing written that is the default. */
export type CanonicalConfiguration = Required<Pick<Configuration, "version" | "models" | "equipment" | "connections">> &
  Pick<Configuration, "enterprise">;

/** Tree order: a parent before its children and these before its next sibling. */
export const treeKey = (path: string): string => path.replaceAll("/", "\u0001");
export const byTree = (a: { path: string }, b: { path: string }): number => compare(treeKey(a.path), treeKey(b.path));

/** By code units, as everywhere: the order must not depend on a language. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const modelKey = (model: Pick<Model, "name" | "version">): string => `${model.name}@${model.version}`;

type Follow = (path: string) => string;

/** References may still use the path that an entry renames in the same configuration; so may those to what stands below it. */
export function followRenames(equipment: readonly EquipmentEntry[]): Follow {
  const paths = new Set(equipment.map(({ path }) => path));
  const renamed = new Map(
    equipment.flatMap(({ path, was }) => (was === undefined || paths.has(was) ? [] : [[was, path]])),
  );
  if (renamed.size === 0) return (path) => path;
  return (path) => {
    if (paths.has(path)) return path;
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      const to = renamed.get(path.slice(0, end));
      if (to !== undefined) return to + path.slice(end);
    }
    return path;
  };
}

/** `configuration` is valid; sections that it leaves out come from `fallback`. */
export function canonical(configuration: Configuration, fallback?: Configuration): CanonicalConfiguration {
  const { enterprise = fallback?.enterprise } = configuration;
  const { models = fallback?.models ?? [] } = configuration;
  const { equipment = fallback?.equipment ?? [] } = configuration;
  const { connections = fallback?.connections ?? [] } = configuration;
  const follow = followRenames(equipment);
  const tagsBefore = new Map((fallback?.connections ?? []).map(({ name, tags }) => [name, tags]));
  return {
    version: 1,
    ...(enterprise === undefined ? {} : { enterprise }),
    models: [...models].sort(byModel),
    equipment: equipment.map(equipmentOf).sort(byTree),
    connections: connections
      .map((connection) => connectionOf(connection, tagsBefore.get(connection.name), follow))
      .sort((a, b) => compare(a.name, b.name)),
  };
}

function byModel(a: Model, b: Model): number {
  const [x, y] = [a, b].map((model) => model.version.split(".").map(Number));
  return compare(a.name, b.name) || x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
}

function equipmentOf({ path, level, lifecycle, model, was }: EquipmentEntry): EquipmentEntry {
  return {
    path,
    level,
    ...(lifecycle === undefined || lifecycle === "productive" ? {} : { lifecycle }),
    ...(model === undefined ? {} : { model }),
    ...(was === undefined ? {} : { was }),
  };
}

function connectionOf(entry: ConnectionEntry, tagsBefore: TagEntry[] | undefined, follow: Follow): ConnectionEntry {
  const { name, kind, scope = "", corrections = false, tagQuota = defaultConnectionTagQuota } = entry;
  const { config = {}, classes = {}, tags = tagsBefore ?? [] } = entry;
  return {
    name,
    kind,
    ...(scope === "" ? {} : { scope: follow(scope) }),
    ...(corrections ? { corrections } : {}),
    ...(tagQuota === defaultConnectionTagQuota ? {} : { tagQuota }),
    ...(Object.keys(config).length === 0 ? {} : { config }),
    ...(Object.keys(classes).length === 0 ? {} : { classes }),
    tags: tags.map((tag) => tagOf(tag, follow)).sort((a, b) => compare(a.address, b.address)),
  };
}

function tagOf(entry: TagEntry, follow: Follow): TagEntry {
  const { address, name, unit, class: sampling, options, behaviour, bind = [] } = entry;
  const equipment = entry.equipment === undefined ? undefined : follow(entry.equipment);
  const bindings = bind.map((binding) => bindingOf(binding, equipment, follow)).sort(byBinding);
  return {
    address,
    ...(name === undefined ? {} : { name }),
    ...(equipment === undefined ? {} : { equipment }),
    ...(unit === undefined ? {} : { unit }),
    ...(sampling === undefined ? {} : { class: sampling }),
    ...(options === undefined || Object.keys(options).length === 0 ? {} : { options }),
    ...(behaviour === undefined || behaviour === "state" ? {} : { behaviour }),
    ...(bindings.length === 0 ? {} : { bind: bindings }),
  };
}

function bindingOf(entry: BindingEntry, own: string | undefined, follow: Follow): BindingEntry {
  const { property, validFrom, validTo, mapping } = entry;
  const equipment = entry.equipment === undefined ? undefined : follow(entry.equipment);
  return {
    property,
    ...(equipment === undefined || equipment === own ? {} : { equipment }),
    ...(validFrom === undefined ? {} : { validFrom: canonicalTime(validFrom) }),
    ...(validTo === undefined ? {} : { validTo: canonicalTime(validTo) }),
    ...(mapping === undefined ? {} : { mapping }),
  };
}

function byBinding(a: BindingEntry, b: BindingEntry): number {
  const key = (binding: BindingEntry): string =>
    [binding.equipment ?? "", binding.property, binding.validFrom ?? ""].join("\u0000");
  return compare(key(a), key(b));
}

const canonicalTime = (text: string): string => timeText(parseTimeUs(text)) ?? text;

/** Without the fraction where it is none. */
export function timeText(us: Micros | null): string | undefined {
  return us === null ? undefined : formatTimeUs(us).replace(".000000Z", "Z");
}

/** Same value, whatever the order of keys. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(x);
  return keys.length === Object.keys(y).length && keys.every((key) => Object.hasOwn(y, key) && same(x[key], y[key]));
}
