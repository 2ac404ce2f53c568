import type { ConnectionEntry, EquipmentEntry, Model, TagEntry } from "@lineshaft/contract/api";
import { useSyncExternalStore } from "react";

/** The steps from nothing to a running connection. The address of the page says at which one somebody stands. */
export const steps = ["kind", "settings", "check", "tags", "place", "apply"] as const;
export type Step = (typeof steps)[number];

export interface DraftTag extends TagEntry {
  /** As the source told when it was browsed: what to show, nothing that is saved. */
  dataType?: string;
}

/** A machine that is being added, or a connection that is being edited. Nothing of it is on the server yet. */
export interface Draft {
  /** Name of the connection that exists already; null: it is a new one. */
  editing: string | null;
  kind: string | null;
  name: string;
  scope: string;
  config: Record<string, unknown>;
  tags: DraftTag[];
  equipment: EquipmentEntry[];
  models: Model[];
  /** Models that equipment gets which is there already, by path. */
  modelOf: Record<string, string>;
  /** What the connection has besides, which no step asks for. */
  rest: Partial<ConnectionEntry>;
}

const empty: Draft = {
  editing: null,
  kind: null,
  name: "",
  scope: "",
  config: {},
  tags: [],
  equipment: [],
  models: [],
  modelOf: {},
  rest: {},
};
const stored = "lineshaft.machine";
const listeners = new Set<() => void>();
let draft: Draft = kept();

/** A reload loses nothing either. Secrets are references, so nothing secret is kept. */
function kept(): Draft {
  try {
    const text = sessionStorage.getItem(stored);
    return text === null ? empty : { ...empty, ...(JSON.parse(text) as Partial<Draft>) };
  } catch {
    return empty;
  }
}

export function changeDraft(part: Partial<Draft>): void {
  draft = { ...draft, ...part };
  try {
    sessionStorage.setItem(stored, JSON.stringify(draft));
  } catch {
    // Too large for the browser's store, or none: it holds for this visit.
  }
  for (const listener of listeners) listener();
}

export const getDraft = (): Draft => draft;
export function clearDraft(): void {
  changeDraft(empty);
}

const observe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const useDraft = (): Draft => useSyncExternalStore(observe, () => draft);

/** A workbook chosen before its connection is there: the server reads it, so it waits until then. It does not outlive the page. */
let workbook: File | null = null;
export function attachWorkbook(file: File | null): void {
  workbook = file;
  for (const listener of listeners) listener();
}
export const useWorkbook = (): File | null => useSyncExternalStore(observe, () => workbook);
export function takeWorkbook(): File | null {
  const taken = workbook;
  workbook = null;
  return taken;
}

/** A connection as it stands in the configuration, to be edited. */
export function draftOf(entry: ConnectionEntry): Draft {
  const { name, kind, scope = "", config = {}, tags = [], ...rest } = entry;
  return { ...empty, editing: name, kind, name, scope, config, tags: [...tags], rest };
}

/** What the draft becomes in the configuration. */
export function entryOf({ kind, name, scope, config, tags, rest }: Draft): ConnectionEntry {
  return {
    ...rest,
    name,
    kind: kind ?? "",
    ...(scope === "" ? {} : { scope }),
    config,
    ...(tags.length === 0 ? {} : { tags: tags.map(savedTag) }),
  };
}

function savedTag({ dataType: _, ...tag }: DraftTag): TagEntry {
  return tag;
}

/** More of what is there stays as it was; what is new stands last; what is gone is gone. */
export function withTags(tags: readonly DraftTag[], wanted: readonly DraftTag[]): DraftTag[] {
  const known = new Map(tags.map((tag) => [tag.address, tag]));
  return wanted.map((tag) => known.get(tag.address) ?? tag);
}
