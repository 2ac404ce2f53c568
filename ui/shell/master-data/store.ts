import {
  type MasterDataItem,
  type MasterDataKind,
  type MasterDataRevision,
  ProblemError,
  type Recorded,
  transferKinds,
  type WriteReceipt,
} from "@lineshaft/contract/api";
import { useEffect, useSyncExternalStore } from "react";
import { observeEvents } from "../feed.ts";
import { ask } from "../platform.ts";
import { isCode } from "../problem.tsx";

/** Where the items of a kind stand below /api/v1. */
const pathOfKind = {
  material: "/materials",
  idealCycleTime: "/ideal-cycle-times",
  order: "/orders",
  calendar: "/calendars",
  calendarAssignment: "/calendar-assignments",
  reason: "/reasons",
  identifierRule: "/identifier-rules",
  lookUp: "/look-ups",
  setUp: "/set-ups",
  lineTopology: "/line-topologies",
  physicalAsset: "/physical-assets",
  policyAssignment: "/oee-policies",
  countingAssignment: "/counting",
  kpiTarget: "/kpi-targets",
} as const satisfies Partial<Record<MasterDataKind, string>>;
/** The kinds that the console's own pages work with. */
export type PlanKind = keyof typeof pathOfKind;
const addressOf = (kind: PlanKind, id: string): string => `${pathOfKind[kind]}/${encodeURIComponent(id)}`;

const pageSize = 1000;
/** More are not held by the console; a search on the server finds the rest. */
const itemsMax = 20_000;
const settleMs = 300;
const markMs = 4_000;

export interface Held<K extends PlanKind = PlanKind> {
  items: readonly Recorded<MasterDataItem<K>>[];
  state: "loading" | "ready" | "failed";
  error: unknown;
  /** Sent and not yet answered. */
  pending: ReadonlySet<string>;
  /** Refused a moment ago and set back. */
  rolledBack: ReadonlySet<string>;
}

const nothing: Held = { items: [], state: "loading", error: null, pending: new Set(), rolledBack: new Set() };
const held = new Map<PlanKind, Held>();
const listeners = new Set<() => void>();
const due = new Map<PlanKind, number>();

function update(kind: PlanKind, part: Partial<Held>): void {
  held.set(kind, { ...(held.get(kind) ?? nothing), ...part });
  for (const listener of listeners) listener();
}

async function readAll<K extends PlanKind>(kind: K): Promise<Recorded<MasterDataItem<K>>[]> {
  const items: Recorded<MasterDataItem<K>>[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: String(pageSize), ...(cursor === null ? {} : { cursor }) });
    const response = await ask("GET", `${pathOfKind[kind]}?${query}`);
    const page = (await response.json()) as { items: Recorded<MasterDataItem<K>>[]; cursor: string | null };
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null && items.length < itemsMax);
  return items;
}

async function load(kind: PlanKind): Promise<void> {
  try {
    const items = await readAll(kind);
    // What is on its way would be overwritten by what the server still has.
    if ((held.get(kind)?.pending.size ?? 0) > 0) loadSoon(kind);
    else update(kind, { items, state: "ready", error: null });
  } catch (error) {
    update(kind, { state: held.get(kind)?.state === "ready" ? "ready" : "failed", error });
  }
}

function loadSoon(kind: PlanKind): void {
  if (due.has(kind)) return;
  due.set(
    kind,
    window.setTimeout(() => {
      due.delete(kind);
      void load(kind);
    }, settleMs),
  );
}

export const reloadKind = (kind: PlanKind): Promise<void> => load(kind);

/** The items of a kind, kept up to date while somebody looks. */
export function useMasterData<K extends PlanKind>(kind: K): Held<K> {
  useEffect(() => {
    void load(kind);
    return observeEvents((event) => {
      if (event.type === "registry.changed") loadSoon(kind);
    });
  }, [kind]);
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => (held.get(kind) ?? nothing) as Held<K>,
  );
}

const withKey = (set: ReadonlySet<string>, key: string, on: boolean): ReadonlySet<string> => {
  const next = new Set(set);
  if (on) next.add(key);
  else next.delete(key);
  return next;
};

const replaced = (items: Held["items"], id: string, item: Recorded<MasterDataItem<PlanKind>> | null): Held["items"] => {
  const rest = items.filter((one) => one.id !== id);
  return item === null ? rest : [...rest, item].sort((a, b) => (a.id < b.id ? -1 : 1));
};

/** What became of a change: either an error, or the item as it was kept. */
interface Kept<K extends PlanKind> {
  error: unknown;
  kept: Recorded<MasterDataItem<K>> | null;
}

/**
 * Shows a change at once and sends it. Refused, it is set back visibly and told; `onConflict` gets the item as it is now, where somebody else was faster.
 * Answers whether it was kept.
 */
async function change<K extends PlanKind>(
  kind: K,
  id: string,
  after: MasterDataItem<K> | null,
  send: () => Promise<Recorded<MasterDataItem<K>>>,
): Promise<Kept<K>> {
  const current = held.get(kind) ?? nothing;
  const before = current.items.find((one) => one.id === id) ?? null;
  const shown =
    after === null ? null : { id, revision: before?.revision ?? 0, changedUs: before?.changedUs ?? 0, item: after };
  update(kind, { items: replaced(current.items, id, shown), pending: withKey(current.pending, id, true) });
  try {
    const kept = await send();
    update(kind, { items: replaced(held.get(kind)?.items ?? [], id, after === null ? null : kept) });
    return { error: null, kept };
  } catch (error) {
    update(kind, {
      items: replaced(held.get(kind)?.items ?? [], id, before),
      rolledBack: withKey(held.get(kind)?.rolledBack ?? new Set(), id, true),
    });
    window.setTimeout(
      () => update(kind, { rolledBack: withKey(held.get(kind)?.rolledBack ?? new Set(), id, false) }),
      markMs,
    );
    if (isCode(error, "revision_conflict")) await load(kind);
    return { error, kept: null };
  } finally {
    update(kind, { pending: withKey(held.get(kind)?.pending ?? new Set(), id, false) });
  }
}

const json = "application/json";
interface Written<K extends PlanKind> {
  item: Recorded<MasterDataItem<K>>;
  receipt: WriteReceipt;
}

/** Creates (`revision` null) or changes an item. The error is null when it was kept. */
export function saveItem<K extends PlanKind>(
  kind: K,
  id: string,
  item: MasterDataItem<K>,
  revision: number | null,
): Promise<Kept<K>> {
  return change(kind, id, item, async () => {
    const response = await ask("PUT", addressOf(kind, id), {
      body: JSON.stringify(item),
      type: json,
      ...(revision === null ? {} : { revision }),
    });
    return ((await response.json()) as Written<K>).item;
  });
}

export function removeItem<K extends PlanKind>(kind: K, id: string, revision: number): Promise<Kept<K>> {
  return change(kind, id, null, async () => {
    const response = await ask("DELETE", addressOf(kind, id), { revision });
    return ((await response.json()) as Written<K>).item;
  });
}

/** Several items of a kind in one transaction, or none; `revision` is what each was shown at, null for a new one. */
export async function saveTogether<K extends PlanKind>(
  kind: K,
  items: readonly { id: string; item: MasterDataItem<K>; revision: number | null }[],
): Promise<{ error: unknown }> {
  try {
    const body = JSON.stringify({ kind, items: Object.fromEntries(items.map(({ id, item }) => [id, item])) });
    const dry = await ask("POST", `/master-data/${kind}/import?dryRun=true`, { body, type: json });
    const { revision } = (await dry.json()) as { revision: number };
    // Nobody may have changed what was looked at; from here on the revision of the kind sees to that.
    for (const { id, revision: shown } of items) {
      if (shown === null) continue;
      const now = (await (await ask("GET", addressOf(kind, id))).json()) as Recorded<MasterDataItem<K>>;
      if (now.revision !== shown)
        throw new ProblemError(
          "revision_conflict",
          `${id} is at revision ${now.revision}; the change was based on ${shown}.`,
        );
    }
    await ask("POST", `/master-data/${kind}/import`, { body, type: json, revision });
    await load(kind);
    return { error: null };
  } catch (error) {
    await load(kind);
    return { error };
  }
}

export async function revisionsOf(kind: PlanKind, id: string, signal?: AbortSignal): Promise<MasterDataRevision[]> {
  const path = `/master-data/${kind}/${encodeURIComponent(id)}/revisions?limit=100`;
  const response = await ask("GET", path, signal === undefined ? {} : { signal });
  return ((await response.json()) as { items: MasterDataRevision[] }).items;
}

export async function restoreItem(kind: PlanKind, id: string, to: number, revision: number): Promise<void> {
  await ask("POST", `/master-data/${kind}/${encodeURIComponent(id)}/restore`, {
    body: JSON.stringify({ revision: to }),
    type: json,
    revision,
  });
  await load(kind);
}

/** Does a kind travel as files, with revisions that can be restored? */
export const isTransferred = (kind: PlanKind): boolean => (transferKinds as readonly string[]).includes(kind);
