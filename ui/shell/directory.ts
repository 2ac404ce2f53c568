import type { Connection, Equipment, EquipmentChange, NewEquipment, RawTag, TagChange } from "@lineshaft/contract/api";
import { useEffect, useSyncExternalStore } from "react";
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

/** What is read only while a page wants it: a plant of a thousand machines has ten thousand tags, and most pages show none. */
type Part = "equipment" | "tags" | "connections";

/** Everything with a name, as the pages know it. Immutable: a new object whenever something changed. */
export interface Directory {
  tags: readonly RawTag[];
  tagById: ReadonlyMap<number, RawTag>;
  equipment: readonly Equipment[];
  equipmentById: ReadonlyMap<number, Equipment>;
  connections: readonly Connection[];
  connectionByName: ReadonlyMap<string, Connection>;
  /** `loading` until the first reading of all that was asked for has ended. */
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
  state: "ready",
  error: null,
  moreTags: false,
  pending: new Set(),
  rolledBack: new Set(),
};
const listeners = new Set<() => void>();
/** By how many components a part is wanted now, and which parts have been read and are kept up since. */
const wanted: Record<Part, number> = { equipment: 0, tags: 0, connections: 0 };
const held = new Set<Part>();
/** Tags that were asked for one by one. */
let single: ReadonlyMap<number, RawTag> = new Map();

function update(part: Partial<Directory>): void {
  directory = { ...directory, ...part };
  if (part.tags) directory.tagById = new Map([...single, ...part.tags.map((tag) => [tag.id, tag] as const)]);
  if (part.equipment) directory.equipmentById = new Map(part.equipment.map((item) => [item.id, item]));
  if (part.connections) directory.connectionByName = new Map(part.connections.map((item) => [item.name, item]));
  for (const listener of listeners) listener();
}

export const getDirectory = (): Directory => directory;
const observe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Equipment, and what else is named: that is read from now on, and `state` tells when it is there. */
export function useDirectory(...more: Exclude<Part, "equipment">[]): Directory {
  const all = useSyncExternalStore(observe, getDirectory);
  const text = ["equipment", ...more].join();
  useEffect(() => {
    const own = text.split(",") as Part[];
    for (const part of own) wanted[part]++;
    if (own.some((part) => !held.has(part))) void readParts(own.filter((part) => !held.has(part)));
    return () => {
      for (const part of own) wanted[part]--;
    };
  }, [text]);
  const reads = all.state === "ready" && (text.split(",") as Part[]).some((part) => !held.has(part));
  return reads ? { ...all, state: "loading" } : all;
}

/** Why the names could not be read; null: they could, or nobody wants them. */
export function useDirectoryError(): unknown {
  const { state, error } = useSyncExternalStore(observe, getDirectory);
  return state === "failed" ? error : null;
}

/** A few tags by their ids, without reading all of them. `settled`: those that are not among them are not there, or may not be seen. */
export function useTagsById(ids: readonly number[]): { tagById: Directory["tagById"]; settled: boolean } {
  const { tagById } = useSyncExternalStore(observe, getDirectory);
  const missing = ids.filter((id) => !tagById.has(id) && !absent.has(id)).join();
  useEffect(() => {
    if (missing !== "") void readSingle(missing.split(",").map(Number));
  }, [missing]);
  return { tagById, settled: missing === "" };
}

/** Asked for, and refused. */
const absent = new Set<number>();
const asked = new Set<number>();

async function readSingle(ids: readonly number[]): Promise<void> {
  const fresh = ids.filter((id) => !asked.has(id));
  for (const id of fresh) asked.add(id);
  const found = await Promise.all(
    fresh.map((id) =>
      call("getTag", { params: { id } }).catch((error: unknown) => {
        if (isCode(error, "not_found")) absent.add(id);
        return null;
      }),
    ),
  );
  for (const id of fresh) asked.delete(id);
  single = new Map([...single, ...found.flatMap((tag) => (tag === null ? [] : [[tag.id, tag] as const]))]);
  update({ tagById: new Map([...single, ...directory.tags.map((tag) => [tag.id, tag] as const)]) });
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
  const first = !held.has("tags");
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

const readers: Record<Part, () => Promise<void>> = {
  equipment: async () => update({ equipment: await readEquipment() }),
  tags: readTags,
  connections: readConnections,
};

/** What is being read just now: whoever wants it too waits for the same answer. */
const running = new Map<Part, Promise<void>>();

function readPart(part: Part): Promise<void> {
  const known = running.get(part);
  if (known !== undefined) return known;
  const reading = readers[part]()
    .then(() => void held.add(part))
    .finally(() => running.delete(part));
  running.set(part, reading);
  return reading;
}

/** `again`: what is on its way may be older than what made us ask. */
async function readParts(parts: readonly Part[], again = false): Promise<void> {
  try {
    if (again) await Promise.allSettled(parts.map((part) => running.get(part)));
    await Promise.all(parts.map(readPart));
    update({ state: "ready", error: null });
  } catch (error) {
    // What was read before is still shown.
    update({ state: parts.every((part) => held.has(part)) ? "ready" : "failed", error });
  }
}

let settle = 0;
const stale = new Set<Part>();
function readSoon(...parts: Part[]): void {
  for (const part of parts) stale.add(part);
  if (settle !== 0) return;
  settle = window.setTimeout(() => {
    settle = 0;
    // What is on its way would be overwritten by what the server still has.
    if (directory.pending.size > 0) readSoon();
    else void readStale();
  }, settleMs);
}

async function readStale(): Promise<void> {
  const all = [...stale];
  stale.clear();
  // What nobody shows any more is read anew when it is wanted again.
  for (const part of all) if (wanted[part] === 0) held.delete(part);
  const shown = all.filter((part) => wanted[part] > 0);
  await Promise.all([
    shown.length > 0 ? readParts(shown, true) : null,
    all.includes("tags") && single.size > 0 ? readSingle([...single.keys()]) : null,
  ]);
}

/** Reads again what is held. */
export async function reloadDirectory(): Promise<void> {
  await readParts([...held], true);
}

/** Reads what is wanted and follows changes. Returns how to stop. */
export function startDirectory(): () => void {
  const stop = observeEvents((event) => {
    if (event.type === "registry.changed") {
      // Orders, shifts and reasons are no names: a floor that books all day does not make everything be read again.
      if (event.data.entity !== "masterData") readSoon("equipment", "tags", "connections");
    } else if (event.type === "tag.registered") readSoon("tags", "connections");
    else if (event.type === "connection.changed") readSoon("connections");
  });
  const timer = setInterval(() => {
    if (directory.state === "failed") readSoon("equipment", "tags", "connections");
    if (document.hidden || wanted.connections === 0 || !held.has("connections")) return;
    const known = directory.connections.reduce((sum, c) => sum + c.tags, 0);
    readConnections()
      .then(() => {
        // Tags may have come while the event stream was away.
        if (directory.connections.reduce((sum, c) => sum + c.tags, 0) !== known) readSoon("tags");
      })
      .catch(() => {});
  }, connectionsEveryMs);
  return () => {
    stop();
    clearInterval(timer);
    clearTimeout(settle);
    settle = 0;
    forget();
  };
}

/** Whoever signs in next may see something else. */
function forget(): void {
  held.clear();
  stale.clear();
  absent.clear();
  single = new Map();
  update({ tags: [], equipment: [], connections: [], state: "ready", error: null, moreTags: false });
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
