import type { Micros, WorkItem } from "@lineshaft/contract/api";
import type { KeySpan } from "./keys.ts";
import type { Station } from "./stations.ts";
import type { AgendaInputs, Task } from "./tasks.ts";

/** So long a machine of which nothing was ever heard keeps what stands above from being final. */
const unheardMs = 60_000;

/** What a key stands for now, and whether it will change by itself. */
export interface Standing {
  fromUs: Micros;
  toUs: Micros;
  state: "provisional" | "final";
}

/** A task as it is given out. */
export function itemOf(task: Task, { fromUs, toUs, state }: Standing, basisLsn: number): WorkItem {
  const { station, period, key, cause } = task;
  return {
    ...{ equipmentId: station.id, period, key, path: station.path, equipmentLevel: station.equipmentLevel },
    ...{ fromUs, toUs, level: station.level, state, cause, basisLsn },
    below: station.level === "above" ? station.below.map(({ id }) => id) : [],
  };
}

/** null: there is nothing to compute. `later`: it cannot be said yet. */
export function standingOf(inputs: AgendaInputs, task: Task): Standing | "later" | null {
  return task.station.level === "above" ? standingAbove(inputs, task.station, task) : standingOfMachine(inputs, task);
}

function standingOfMachine(inputs: AgendaInputs, { station, fromUs, toUs }: Task): Standing | "later" {
  const progress = inputs.progress(station.members);
  if (progress === null) return "later";
  const { watermarkUs, finalBeforeUs, repairing } = progress;
  const final = toUs <= finalBeforeUs;
  // What is final should not have to be corrected as soon as the repair is done.
  if (final && repairing) return "later";
  const end = Number.isFinite(toUs) ? toUs : Math.max(fromUs + 1, watermarkUs);
  return { fromUs, toUs: end, state: final ? "final" : "provisional" };
}

/** Final when all that it is made of is, and nothing below may still bring a part of it. */
export function standingAbove(
  inputs: AgendaInputs,
  station: Station,
  { period, key }: Pick<KeySpan, "period" | "key">,
): Standing | null {
  const below = station.below.map(({ id }) => id);
  const hull = inputs.hull(below, { period, key });
  if (hull === null) return null;
  const now = inputs.nowMs();
  const ended = machinesBelow(station).every(({ members, seenUs, sinceMs }) => {
    const progress = inputs.progress(members);
    if (seenUs === null || progress === null) return now - sinceMs > unheardMs;
    return progress.finalBeforeUs >= hull.toUs;
  });
  return { fromUs: hull.fromUs, toUs: hull.toUs, state: ended ? hull.state : "provisional" };
}

const machinesBelow = (station: Station): Station[] =>
  station.below.flatMap((each) => (each.level === "above" ? machinesBelow(each) : [each]));
