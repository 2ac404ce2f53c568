import type { Connection, Equipment, EquipmentChange, NewEquipment, RawTag, TagChange } from "@lineshaft/contract/api";
import { useSyncExternalStore } from "react";
import { observeEvents } from "./feed.ts";
import { t } from "./i18n.ts";
import { call } from "./platform.ts";
import { isCode } from "./problem.tsx";
import { fault } from "./toasts.tsx";

/** Tags held by the console; beyond them the server's search finds the rest. */
export const tagsMax = 20_000;
const equipmentMax = 20_000;
const pageSize = 1000;
const settleMs = 2_000;
const connectionsEveryMs = 5_000;
const markMs = 4_000;

/** Everything with a name, as the pages know it. Immutable: a new object whenever something changed. */
export interface Directory {
  tags: readonly RawTag[];
  tagById: ReadonlyMap<number, RawTag>;
  equipment: readonly Equipment[];
  equipmentById: ReadonlyMap<number, Equipment>;
  connections: readonly Connection[];
  connectionByName: ReadonlyMap<string, Connection>;
  /** Null until the first reading ended. */
  state: "loading" | "ready" | "failed";
  error: unknown;
  /** There are more tags than are held here. */
  moreTags: boolean;
  /** `tag:1`, `equipment:2`: sent and not yet answered. */
  pending: ReadonlySet<string>;
  /** Rolled back a moment ago. */
  rolledBack: ReadonlySet<string>;
}

let directory: Directory = {
  tags: [],
  tagById: new Map(),
  equipment: [],
  equipmentById: new Map(),
  connections: [],
  connectionByName: new Map(),
  state: "loading",
  error: null,
  moreTags: false,
  pending: new Set(),
  rolledBack: new Set(),
};
const listeners = new Set<() => void>();

function update(part: Partial<Directory>): void {
  directory = { ...directory, ...part };
  if (part.tags) directory.tagById = new Map(part.tags.map((tag) => [tag.id, tag]));
  if (part.equipment) directory.equipmentById = new Map(part.equipment.map((item) => [item.id, item]));
  if (part.connections) directory.connectionByName = new Map(part.connections.map((item) => [item.name, item]));
  for (const listener of listeners) listener();
}

export const getDirectory = (): Directory => directory;
export function useDirectory(): Directory {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => directory,
  );
}

async function everyPage<T>(
  read: (cursor: string | undefined) => Promise<{ items: T[]; cursor: string | null }>,
  most: number,
  onPage?: (items: T[]) => void,
): Promise<{ items: T[]; more: boolean }> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    items.push(...page.items);
    cursor = page.cursor ?? undefined;
    if (cursor !== undefined) onPage?.(items);
  } while (cursor !== undefined && items.length < most);
  return { items, more: cursor !== undefined };
}

async function readEquipment(): Promise<Equipment[]> {
  const read = (cursor?: string) =>
    call("listEquipment", { query: { limit: pageSize, ...(cursor === undefined ? {} : { cursor }) } });
  return (await everyPage(read, equipmentMax)).items;
}

async function readTags(): Promise<void> {
  const first = directory.state === "loading";
  const read = (cursor?: string) =>
    call("listTags", { query: { limit: pageSize, ...(cursor === undefined ? {} : { cursor }) } });
  const { items, more } = await everyPage(read, tagsMax, (tags) => {
    // The first page is shown at once; the rest follows.
    if (first) update({ tags: [...tags] });
  });
  update({ tags: items, moreTags: more });
}

async function readConnections(): Promise<void> {
  const read = (cursor?: string) =>
    call("listConnections", { query: { limit: pageSize, ...(cursor === undefined ? {} : { cursor }) } });
  update({ connections: (await everyPage(read, 5_000)).items });
}

async function readAll(): Promise<void> {
  try {
    const [equipment] = await Promise.all([readEquipment(), readConnections(), readTags()]);
    update({ equipment, state: "ready", error: null });
  } catch (error) {
    update({ state: directory.state === "ready" ? "ready" : "failed", error });
  }
}

let settle = 0;
function readSoon(): void {
  if (settle !== 0) return;
  settle = window.setTimeout(() => {
    settle = 0;
    // What is on its way would be overwritten by what the server still has.
    if (directory.pending.size > 0) readSoon();
    else void readAll();
  }, settleMs);
}

export const reloadDirectory = readAll;

/** Reads everything and follows changes. Returns how to stop. */
export function startDirectory(): () => void {
  void readAll();
  const stop = observeEvents((event) => {
    // Orders, shifts and reasons are no names: a floor that books all day does not make everything be read again.
    if (event.type === "registry.changed" && event.data.entity === "masterData") return;
    if (["tag.registered", "registry.changed", "connection.changed"].includes(event.type)) readSoon();
  });
  const timer = setInterval(() => {
    if (document.hidden) return;
    const known = directory.connections.reduce((sum, c) => sum + c.tags, 0);
    readConnections()
      .then(() => {
        // Tags may have come while the event stream was away.
        if (directory.state === "failed" || directory.connections.reduce((sum, c) => sum + c.tags, 0) !== known)
          readSoon();
      })
      .catch(() => {});
  }, connectionsEveryMs);
  return () => {
    stop();
    clearInterval(timer);
    clearTimeout(settle);
    settle = 0;
  };
}

// ── changes: shown at once, marked as on their way, rolled back where the server says no ────────────────────────────

type Kind = "tag" | "equipment";

const mark = (set: ReadonlySet<string>, key: string, on: boolean): ReadonlySet<string> => {
  const next = new Set(set);
  if (on) next.add(key);
  else next.delete(key);
  return next;
};

function put(kind: Kind, item: RawTag | Equipment): void {
  if (kind === "tag") update({ tags: directory.tags.map((tag) => (tag.id === item.id ? (item as RawTag) : tag)) });
  else update({ equipment: directory.equipment.map((one) => (one.id === item.id ? (item as Equipment) : one)) });
}

function rollBack(kind: Kind, key: string, before: RawTag | Equipment): void {
  put(kind, before);
  update({ rolledBack: mark(directory.rolledBack, key, true) });
  window.setTimeout(() => update({ rolledBack: mark(directory.rolledBack, key, false) }), markMs);
}

async function change<T extends RawTag | Equipment>(
  kind: Kind,
  before: T,
  after: T,
  send: (revision: number) => Promise<T>,
  readAgain: () => Promise<T>,
  headline: string,
): Promise<boolean> {
  const key = `${kind}:${before.id}`;
  put(kind, after);
  update({ pending: mark(directory.pending, key, true) });
  try {
    put(kind, await send(before.revision));
    return true;
  } catch (error) {
    rollBack(kind, key, before);
    if (isCode(error, "revision_conflict")) {
      const current = await readAgain().catch(() => before);
      put(kind, current);
      fault(error, headline, {
        label: t("change.again"),
        run: () => void change(kind, current, { ...after, revision: current.revision }, send, readAgain, headline),
      });
    } else fault(error, headline);
    return false;
  } finally {
    update({ pending: mark(directory.pending, key, false) });
  }
}

export function changeTag(tag: RawTag, body: TagChange): Promise<boolean> {
  const params = { id: tag.id };
  return change(
    "tag",
    tag,
    { ...tag, ...body },
    async (revision) => (await call("changeTag", { params, body, revision })).item,
    () => call("getTag", { params }),
    t("change.tagFailed", { name: tag.name ?? tag.address }),
  );
}

export async function changeEquipment(item: Equipment, body: EquipmentChange): Promise<boolean> {
  const params = { id: item.id };
  const done = await change(
    "equipment",
    item,
    { ...item, ...body },
    async (revision) => (await call("changeEquipment", { params, body, revision })).item,
    () => call("getEquipment", { params }),
    t("change.equipmentFailed", { name: item.name }),
  );
  // Paths below have changed with it.
  if (done) update({ equipment: await readEquipment() });
  return done;
}

export async function createEquipment(body: NewEquipment): Promise<Equipment | null> {
  try {
    const { item } = await call("createEquipment", { body });
    update({ equipment: await readEquipment() });
    return item;
  } catch (error) {
    fault(error, t("change.createFailed", { name: body.name }));
    return null;
  }
}

// ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export const tagName = (tag: RawTag): string => tag.name ?? tag.address;

/** Where a tag belongs, in words: its equipment's path, or its connection while it has no place. */
export function tagPlace(tag: RawTag): string {
  const equipment = tag.equipmentId === null ? undefined : directory.equipmentById.get(tag.equipmentId);
  return equipment === undefined ? tag.connection : equipment.path === "" ? equipment.name : equipment.path;
}

/** The same for narrow columns: the innermost names; the whole path belongs into a tooltip. */
export function shortPlace(tag: RawTag, names: 1 | 2 = 2): string {
  return tagPlace(tag).split("/").reverse().slice(0, names).join(" · ");
}

/** Does every word of the text occur in one of the fields, without regard to case? */
export function matches(text: string, ...fields: (string | null)[]): boolean {
  const hay = fields.join(" ").toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}
