import type {
  BindingEntry,
  Configuration,
  ConnectionEntry,
  EquipmentEntry,
  Model,
  TagEntry,
} from "@lineshaft/contract/api";

/** Changes of a configuration as pure functions: from what is there to what somebody wants. Lists keep their order; new things stand last. */

type Edited<T> = (item: T) => T;

function edited<T>(list: readonly T[] | undefined, is: (item: T) => boolean, edit: Edited<T>): T[] {
  return (list ?? []).map((item) => (is(item) ? edit(item) : item));
}

export function withConnection(configuration: Configuration, entry: ConnectionEntry): Configuration {
  const { connections = [] } = configuration;
  const known = connections.some(({ name }) => name === entry.name);
  return {
    ...configuration,
    connections: known ? connections.map((one) => (one.name === entry.name ? entry : one)) : [...connections, entry],
  };
}

export function withoutConnection(configuration: Configuration, name: string): Configuration {
  return { ...configuration, connections: (configuration.connections ?? []).filter((one) => one.name !== name) };
}

/** Adds what is not there yet; a path that is there stays as it is. */
export function withEquipment(configuration: Configuration, entries: readonly EquipmentEntry[]): Configuration {
  const { equipment = [] } = configuration;
  const known = new Set(equipment.map(({ path }) => path));
  return { ...configuration, equipment: [...equipment, ...entries.filter(({ path }) => !known.has(path))] };
}

export function changedEquipment(
  configuration: Configuration,
  path: string,
  edit: Edited<EquipmentEntry>,
): Configuration {
  return { ...configuration, equipment: edited(configuration.equipment, (one) => one.path === path, edit) };
}

const within = (path: string, root: string): boolean => path === root || path.startsWith(`${root}/`);

/** The equipment and all below it, with every reference to it. */
export function movedEquipment(configuration: Configuration, from: string, to: string): Configuration {
  const moved = (path: string): string => to + path.slice(from.length);
  const place = <T extends { equipment?: string }>(item: T): T =>
    item.equipment !== undefined && within(item.equipment, from) ? { ...item, equipment: moved(item.equipment) } : item;
  return {
    ...configuration,
    ...(configuration.equipment === undefined
      ? {}
      : {
          equipment: configuration.equipment.map((one) =>
            within(one.path, from) ? { ...one, path: moved(one.path), was: one.path } : one,
          ),
        }),
    ...(configuration.connections === undefined
      ? {}
      : {
          connections: configuration.connections.map((connection) => ({
            ...connection,
            ...(connection.scope !== undefined && within(connection.scope, from)
              ? { scope: moved(connection.scope) }
              : {}),
            ...(connection.tags === undefined
              ? {}
              : {
                  tags: connection.tags.map((tag) => ({
                    ...place(tag),
                    ...(tag.bind === undefined ? {} : { bind: tag.bind.map(place) }),
                  })),
                }),
          })),
        }),
  };
}

/** Takes it and all below it out of the tree; tags lose their place, and what they meant there. */
export function withoutEquipment(configuration: Configuration, path: string): Configuration {
  const free = (tag: TagEntry): TagEntry => {
    const { bind, ...rest } = tag;
    const gone = tag.equipment !== undefined && within(tag.equipment, path);
    const left = (bind ?? []).filter((one) => (one.equipment === undefined ? !gone : !within(one.equipment, path)));
    const { equipment: _, ...placeless } = rest;
    return { ...(gone ? placeless : rest), ...(left.length > 0 ? { bind: left } : {}) };
  };
  return {
    ...configuration,
    equipment: (configuration.equipment ?? []).filter((one) => !within(one.path, path)),
    connections: (configuration.connections ?? []).map((connection) =>
      connection.tags === undefined ? connection : { ...connection, tags: connection.tags.map(free) },
    ),
  };
}

export function changedTag(
  configuration: Configuration,
  connection: string,
  address: string,
  edit: Edited<TagEntry>,
): Configuration {
  const inTags = (tags: readonly TagEntry[] = []): TagEntry[] =>
    tags.some((tag) => tag.address === address)
      ? edited(tags, (tag) => tag.address === address, edit)
      : [...tags, edit({ address })];
  return {
    ...configuration,
    connections: edited(
      configuration.connections,
      ({ name }) => name === connection,
      (one) => ({ ...one, tags: inTags(one.tags) }),
    ),
  };
}

/** A new list of what the tag means; an empty one is left out. */
export function withBindings(tag: TagEntry, bind: readonly BindingEntry[]): TagEntry {
  const { bind: _, ...rest } = tag;
  return bind.length === 0 ? rest : { ...rest, bind: [...bind] };
}

export function withModel(configuration: Configuration, model: Model): Configuration {
  const { models = [] } = configuration;
  const same = (one: Model): boolean => one.name === model.name && one.version === model.version;
  return { ...configuration, models: [...models.filter((one) => !same(one)), model] };
}

/** `4 → 6` is no change of the list it stands in: the places where two values differ, as paths of names. */
export interface Difference {
  path: string;
  from: unknown;
  to: unknown;
}

/** The innermost differences of two JSON values; lists are compared whole. */
export function differences(from: unknown, to: unknown, path = ""): Difference[] {
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  const whole = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!whole(from) || !whole(to)) return [{ path, from, to }];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) =>
    differences(from[key] ?? null, to[key] ?? null, path === "" ? key : `${path}.${key}`),
  );
}
