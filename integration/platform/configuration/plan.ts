import type { Configuration, Plan, PlanItem } from "@lineshaft/contract/api";
import { modelKey, same } from "./canonical.ts";
import type { PlacedBinding, Step } from "./diff.ts";

const shownItems = 1000;

/** Steps as people read them. */
export function planOf(steps: readonly Step[], revision: number): Plan {
  const counts = { create: 0, change: 0, rename: 0, remove: 0 };
  for (const { action } of steps) counts[action]++;
  return { items: steps.slice(0, shownItems).map(itemOf), counts, revision };
}

function itemOf(step: Step): PlanItem {
  const { action, entity } = step;
  const before = "before" in step ? step.before : null;
  const after = "after" in step ? step.after : null;
  const loses = lossOf(step);
  return {
    action,
    entity,
    name: nameOf(step),
    changes: changesOf(before, after),
    ...(loses === null ? {} : { loses }),
  };
}

/** What a step is about, in one line. */
export function nameOf(step: Step): string {
  switch (step.entity) {
    case "enterprise":
      return step.before;
    case "model":
      return modelKey("after" in step ? step.after : step.before);
    case "equipment":
      return "before" in step ? step.before.path : step.after.path;
    case "connection":
      return "after" in step ? step.after.name : step.before.name;
    case "tag":
      return `${step.connection}/${("after" in step ? step.after : step.before).address}`;
    case "binding":
      return `${step.connection}/${step.address} → ${targetOf("after" in step ? step.after : step.before)}`;
  }
}

const targetOf = (binding: PlacedBinding): string => `${binding.equipment}#${binding.property}`;

/** Lists of their own steps, and what only names the thing. */
const notCompared = new Set(["tags", "bind", "was", "name@version"]);

function changesOf(before: unknown, after: unknown): PlanItem["changes"] {
  if (typeof before === "string" || typeof after === "string") return [{ field: "name", from: before, to: after }];
  const [from, to] = [before, after].map((value) => (value ?? {}) as Record<string, unknown>);
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .filter((field) => !notCompared.has(field) && !same(from[field], to[field]))
    .map((field) => ({ field, from: from[field] ?? null, to: to[field] ?? null }));
}

function lossOf(step: Step): string | null {
  if (step.action !== "remove") return null;
  switch (step.entity) {
    case "model":
      return "No equipment can use it any more. Its name and version stay taken.";
    case "equipment":
      return "It leaves the tree. What was recorded under it stays, and its path brings it back.";
    case "connection":
      return "It stops reading. Its raw tags and what they recorded stay.";
    case "tag":
      return "Its name, unit and place are forgotten. What it recorded stays.";
    case "binding":
      return `${targetOf(step.before)} has no values from this tag any more, for all of the time it was bound.`;
  }
}

/** Where in `wanted` a step comes from; for what is removed, the list that does not hold it any more. */
export function pointerOf(step: Step, wanted: Configuration): string {
  switch (step.entity) {
    case "enterprise":
      return "/enterprise";
    case "model":
      return itemPointer("/models", wanted.models, (model) => modelKey(model) === nameOf(step));
    case "equipment": {
      const { path } = "after" in step ? step.after : step.before;
      return itemPointer("/equipment", wanted.equipment, (entry) => entry.path === path);
    }
    case "connection":
      return itemPointer("/connections", wanted.connections, (entry) => entry.name === nameOf(step));
    case "tag":
      return tagPointer(step.connection, ("after" in step ? step.after : step.before).address, wanted);
    case "binding":
      return tagPointer(step.connection, step.address, wanted);
  }
}

function tagPointer(connection: string, address: string, wanted: Configuration): string {
  const base = itemPointer("/connections", wanted.connections, (entry) => entry.name === connection);
  const entry = wanted.connections?.find(({ name }) => name === connection);
  return entry === undefined ? base : itemPointer(`${base}/tags`, entry.tags, (tag) => tag.address === address);
}

function itemPointer<T>(list: string, items: readonly T[] | undefined, is: (item: T) => boolean): string {
  const index = items?.findIndex(is) ?? -1;
  return index < 0 ? list : `${list}/${index}`;
}
