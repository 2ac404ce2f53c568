import type { Configuration, ConnectionEntry } from "@lineshaft/contract/api";

/** Where the plant's machines listen, by connection: what was written into the configuration, the newest last. They take other ports at each start. */
export type Addresses = Record<string, Record<string, unknown[]>>;

/** The settings of a connection that say where its machine is. */
const addressFields = ["endpointUrl", "host", "port"] as const;

/** The addresses as they are now, behind those that may still stand in the configuration. */
export function addressesOf(plant: Configuration, before: Addresses): Addresses {
  const found: Addresses = {};
  for (const { name, config = {} } of plant.connections ?? []) {
    found[name] = {};
    for (const field of addressFields)
      if (config[field] !== undefined) found[name][field] = [...(before[name]?.[field] ?? []).slice(-1), config[field]];
  }
  return found;
}

/** The configuration with the machines' new addresses. An address that is not from us was set by somebody, and stays; so does everything else. */
export function readdressed(current: Configuration, addresses: Addresses): Configuration {
  const connections = (current.connections ?? []).map((connection): ConnectionEntry => {
    const { name, config = {} } = connection;
    const known = Object.entries(addresses[name] ?? {}).filter(([field, values]) => values.includes(config[field]));
    if (known.length === 0) return connection;
    return {
      ...connection,
      config: { ...config, ...Object.fromEntries(known.map(([f, values]) => [f, values.at(-1)])) },
    };
  });
  return { ...current, connections };
}

/** What there is, and what of the plant is not there yet. Where both say something, what there is counts. */
export function joined(current: Configuration, plant: Configuration): Configuration {
  const tagsOf = ({ tags = [] }: ConnectionEntry) => tags;
  return {
    ...current,
    models: union(current.models, plant.models, ({ name, version }) => `${name}@${version}`),
    equipment: union(current.equipment, plant.equipment, ({ path }) => path),
    connections: union(
      current.connections,
      plant.connections,
      ({ name }) => name,
      (there, planned) => ({ tags: union(tagsOf(there), tagsOf(planned), ({ address }) => address) }),
    ),
  };
}

function union<T extends object>(
  there: readonly T[] = [],
  planned: readonly T[] = [],
  key: (item: T) => string,
  inside: (there: T, planned: T) => Partial<T> = () => ({}),
): T[] {
  const plans = new Map(planned.map((item) => [key(item), item]));
  const kept = there.map((item) => {
    const plan = plans.get(key(item));
    plans.delete(key(item));
    return plan === undefined ? item : { ...plan, ...item, ...inside(item, plan) };
  });
  return [...kept, ...plans.values()];
}
