import type {
  BindingEntry,
  Configuration,
  ConnectionEntry,
  EquipmentEntry,
  Model,
  TagEntry,
} from "@lineshaft/contract/api";
import { ProblemError } from "@lineshaft/contract/api";
import { byTree, canonical, modelKey, same } from "./canonical.ts";

/** One step from one configuration to another. `before` and `after` are entries in canonical form. */
export type Step =
  | { entity: "enterprise"; action: "change"; before: string; after: string }
  | { entity: "model"; action: "create"; after: Model }
  | { entity: "model"; action: "remove"; before: Model }
  | { entity: "equipment"; action: "create"; after: EquipmentEntry }
  /** `before.path` is where it stands when the step comes, after the renames above it. */
  | { entity: "equipment"; action: "change" | "rename"; before: EquipmentEntry; after: EquipmentEntry }
  | { entity: "equipment"; action: "remove"; before: EquipmentEntry }
  | { entity: "connection"; action: "create"; after: ConnectionEntry }
  | { entity: "connection"; action: "change"; before: ConnectionEntry; after: ConnectionEntry }
  | { entity: "connection"; action: "remove"; before: ConnectionEntry }
  | { entity: "tag"; action: "create"; connection: string; after: TagEntry }
  | { entity: "tag"; action: "change"; connection: string; before: TagEntry; after: TagEntry }
  | { entity: "tag"; action: "remove"; connection: string; before: TagEntry }
  | ({ entity: "binding"; connection: string; address: string } & (
      | { action: "create"; after: PlacedBinding }
      | { action: "change"; before: PlacedBinding; after: PlacedBinding }
      | { action: "remove"; before: PlacedBinding }
    ));

/** A binding with its equipment spelled out. */
export type PlacedBinding = BindingEntry & { equipment: string };

/**
 * What has to be done to come from `current` to `wanted`, in an order that works: models, the tree from the root down, connections, tags, what is
 * no longer bound, what is bound; then removals, from the leaves up. Sections that `wanted` leaves out stay as they are. Throws what can never
 * be done: `model_published`, `equipment_level_invalid`, `connection_kind_invalid`.
 */
export function diffConfigurations(current: Configuration, wanted: Configuration): Step[] {
  const from = canonical(current);
  const to = canonical(wanted, from);
  const first: Step[] = [];
  const last: Step[] = [];
  if (to.enterprise !== undefined && to.enterprise !== from.enterprise)
    first.push({ entity: "enterprise", action: "change", before: from.enterprise ?? "", after: to.enterprise });
  const removedModels = diffModels(from.models, to.models, first);
  const moved = diffEquipment(from.equipment, to.equipment, first, last);
  const removedConnections = diffConnections(
    canonical({ ...from, connections: moved(from.connections) }).connections,
    to.connections,
    first,
  );
  // Tags let go of equipment, and equipment of models, so these come last.
  return [...first, ...removedConnections, ...last, ...removedModels];
}

function diffModels(from: readonly Model[], to: readonly Model[], steps: Step[]): Step[] {
  const before = new Map(from.map((model) => [modelKey(model), model]));
  for (const model of to) {
    const published = before.get(modelKey(model));
    before.delete(modelKey(model));
    if (published === undefined) steps.push({ entity: "model", action: "create", after: model });
    else if (!same(published, model))
      throw new ProblemError("model_published", `The model ${modelKey(model)} is published and reads differently.`, {
        errors: [{ path: `/models/${to.indexOf(model)}`, message: "differs from what was published" }],
      });
  }
  return [...before.values()].map((model) => ({ entity: "model", action: "remove", before: model }));
}

/** Returns how references to equipment read after the renames. */
function diffEquipment(
  from: readonly EquipmentEntry[],
  to: readonly EquipmentEntry[],
  steps: Step[],
  removals: Step[],
): (connections: ConnectionEntry[]) => ConnectionEntry[] {
  // The tree as it stands after the steps so far, by the path it has then.
  let tree = new Map(from.map((entry) => [entry.path, entry]));
  const renames: { from: string; to: string }[] = [];
  const taken = new Set<string>();
  for (const { was, ...entry } of [...to].sort(byTree)) {
    let before = tree.get(entry.path);
    if (before === undefined && was !== undefined) {
      const formerly = renames.reduce((path, rename) => moveBelow(path, rename), was);
      before = tree.get(formerly);
      if (before !== undefined && to.some(({ path }) => path === formerly)) before = undefined;
    }
    taken.add(entry.path);
    if (before === undefined) {
      steps.push({ entity: "equipment", action: "create", after: entry });
      tree.set(entry.path, entry);
      continue;
    }
    if (before.level !== entry.level)
      throw new ProblemError(
        "equipment_level_invalid",
        `${JSON.stringify(entry.path)} is a ${before.level} and stays one; it cannot become a ${entry.level}.`,
      );
    if (before.path !== entry.path) {
      steps.push({ entity: "equipment", action: "rename", before, after: entry });
      const rename = { from: before.path, to: entry.path };
      renames.push(rename);
      tree = new Map(
        [...tree.values()].map((one) => ({ ...one, path: moveBelow(one.path, rename) })).map((one) => [one.path, one]),
      );
    } else if (!same(before, entry)) steps.push({ entity: "equipment", action: "change", before, after: entry });
    tree.set(entry.path, entry);
  }
  const gone = [...tree.values()].filter(({ path }) => !taken.has(path)).sort(byTree);
  for (const before of gone.reverse()) removals.push({ entity: "equipment", action: "remove", before });
  const move = (path: string): string => renames.reduce((at, rename) => moveBelow(at, rename), path);
  return (connections) =>
    renames.length === 0 ? connections : connections.map((connection) => relocate(connection, move));
}

function moveBelow(path: string, rename: { from: string; to: string }): string {
  if (path === rename.from) return rename.to;
  return path.startsWith(`${rename.from}/`) ? rename.to + path.slice(rename.from.length) : path;
}

function relocate(connection: ConnectionEntry, move: (path: string) => string): ConnectionEntry {
  const { scope, tags = [] } = connection;
  const placed = <T extends { equipment?: string }>(item: T): T =>
    item.equipment === undefined ? item : { ...item, equipment: move(item.equipment) };
  return {
    ...connection,
    ...(scope === undefined ? {} : { scope: move(scope) }),
    tags: tags.map((tag) => ({ ...placed(tag), ...(tag.bind === undefined ? {} : { bind: tag.bind.map(placed) }) })),
  };
}

/** Returns the removals. */
function diffConnections(from: readonly ConnectionEntry[], to: readonly ConnectionEntry[], steps: Step[]): Step[] {
  const before = new Map(from.map((connection) => [connection.name, connection]));
  const tags: Step[] = [];
  const unbound: Step[] = [];
  const bound: Step[] = [];
  const removedTags: Step[] = [];
  for (const after of to) {
    const earlier = before.get(after.name);
    before.delete(after.name);
    if (earlier === undefined) steps.push({ entity: "connection", action: "create", after });
    else if (earlier.kind !== after.kind)
      throw new ProblemError(
        "connection_kind_invalid",
        `The connection ${JSON.stringify(after.name)} is of kind ${earlier.kind} and stays so.`,
      );
    else if (!same({ ...earlier, tags: [] }, { ...after, tags: [] }))
      steps.push({ entity: "connection", action: "change", before: earlier, after });
    diffTags(after.name, earlier?.tags ?? [], after.tags ?? [], { tags, unbound, bound, removedTags });
  }
  const removed: Step[] = [];
  for (const connection of before.values()) {
    diffTags(connection.name, connection.tags ?? [], [], { tags, unbound, bound, removedTags });
    removed.push({ entity: "connection", action: "remove", before: connection });
  }
  steps.push(...tags, ...unbound, ...bound);
  return [...removedTags, ...removed];
}

function diffTags(
  connection: string,
  from: readonly TagEntry[],
  to: readonly TagEntry[],
  steps: Record<"tags" | "unbound" | "bound" | "removedTags", Step[]>,
): void {
  const before = new Map(from.map((tag) => [tag.address, tag]));
  for (const after of to) {
    const earlier = before.get(after.address);
    before.delete(after.address);
    const plain = (tag: TagEntry): TagEntry => ({ ...tag, bind: undefined });
    if (earlier === undefined) steps.tags.push({ entity: "tag", action: "create", connection, after });
    else if (!same(plain(earlier), plain(after)))
      steps.tags.push({ entity: "tag", action: "change", connection, before: earlier, after });
    diffBindings(connection, after.address, placedBindings(earlier), placedBindings(after), steps);
  }
  for (const earlier of before.values()) {
    diffBindings(connection, earlier.address, placedBindings(earlier), [], steps);
    steps.removedTags.push({ entity: "tag", action: "remove", connection, before: earlier });
  }
}

/** Bindings are the same one when they give the same property from the same time on; then only their end differs. */
function diffBindings(
  connection: string,
  address: string,
  from: readonly PlacedBinding[],
  to: readonly PlacedBinding[],
  steps: Record<"unbound" | "bound", Step[]>,
): void {
  const id = (binding: PlacedBinding): string =>
    JSON.stringify([binding.equipment, binding.property, binding.validFrom ?? null]);
  const before = new Map(from.map((binding) => [id(binding), binding]));
  const about = { entity: "binding", connection, address } as const;
  for (const after of to) {
    const earlier = before.get(id(after));
    before.delete(id(after));
    if (earlier === undefined) steps.bound.push({ ...about, action: "create", after });
    // An earlier end comes before what begins there.
    else if (!same(earlier, after)) steps.unbound.push({ ...about, action: "change", before: earlier, after });
  }
  for (const earlier of before.values()) steps.unbound.push({ ...about, action: "remove", before: earlier });
}

export function placedBindings(tag: TagEntry | undefined): PlacedBinding[] {
  return (tag?.bind ?? []).map((binding) => ({ ...binding, equipment: binding.equipment ?? tag?.equipment ?? "" }));
}
