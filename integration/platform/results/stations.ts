import type { Equipment, EquipmentLevel, Micros, WorkItem } from "@lineshaft/contract/api";
import type { KeySpan } from "./keys.ts";
import type { Row, Task } from "./tasks.ts";

/** An equipment that results stand for, and how. */
export interface StationPlan {
  id: number;
  path: string;
  equipmentLevel: EquipmentLevel;
  level: WorkItem["level"];
  /** The next station above; null: none. */
  parent: number | null;
  /** Machines whose facts it is made of: itself, or those along the line. Empty for `above`. */
  members: readonly number[];
}

/** A period that is not final yet, and when it is due again. */
export interface OpenKey extends KeySpan {
  dueMs: number;
  /** How far facts went when it was last given out. */
  watermarkUs: Micros;
  /** Has it been published? */
  stored: boolean;
}

/** What an application's agenda keeps of one equipment. */
export interface Station extends StationPlan {
  /** Directly below, in order of their numbers. */
  below: Station[];
  /** Depth in the tree: what is deeper is computed first. */
  depth: number;
  tasks: Map<string, Task>;
  /** Of the tasks of everything below, by key: while one stands, the key waits here. */
  busy: Map<string, number>;
  /** Ranges of time that are dirty and not taken apart into keys yet. */
  windows: Row[];
  open: Map<string, OpenKey>;
  /** Keys that begin before are known; null: it has not been looked at. */
  seenUs: Micros | null;
  watermarkUs: Micros;
  /** When it came. */
  sinceMs: number;
  /** When new keys were last looked for. */
  lookedMs: number;
}

export function newStation(plan: StationPlan, sinceMs: number): Station {
  return {
    ...plan,
    ...{ below: [], depth: 0, tasks: new Map(), busy: new Map(), windows: [], open: new Map() },
    ...{ sinceMs, seenUs: null, watermarkUs: Number.NEGATIVE_INFINITY, lookedMs: Number.NEGATIVE_INFINITY },
  };
}

/**
 * Which equipment takes part: machines of which something is derived, lines by their topology, and all above. What stands below a line or a machine that speaks for itself is
 * no part of what is above.
 */
export function planStations(
  equipment: readonly Equipment[],
  machines: ReadonlySet<number>,
  lines: ReadonlyMap<number, readonly number[]>,
): StationPlan[] {
  const byId = new Map(equipment.map((each) => [each.id, each]));
  const plans = new Map<number, StationPlan>();
  const plan = (id: number): void => {
    const each = byId.get(id);
    if (each === undefined || plans.has(id)) return;
    const line = lines.get(id);
    const level = line !== undefined ? "line" : machines.has(id) ? "workUnit" : "above";
    const members = line ?? (level === "workUnit" ? [id] : []);
    const { path, level: equipmentLevel, parentId } = each;
    plans.set(id, { id, path, equipmentLevel, level, parent: parentId, members });
    if (parentId !== null) plan(parentId);
  };
  for (const id of [...machines, ...lines.keys()]) plan(id);
  return [...plans.values()].sort((a, b) => a.id - b.id);
}
