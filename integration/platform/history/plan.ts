import { dayUs, hourUs, type Micros } from "@lineshaft/contract/api";
import type { StoredFile } from "./file-name.ts";

/** Rows of a partition that are not worth a file of their own stay in a side file until they are more than this share of it. */
const lateShare = 0.1;
/** A closed partition that has no file yet gets one from so many rows on. */
const partRowsMin = 20_000;
/** Partitions that one compaction writes; each costs a pass over its inputs. */
const partitionsMax = 32;
const sidesMax = 3;
/** Rows of one day file; days that are larger stay in hour files, which are then large enough to be read well. */
const dayRowsMax = 1_000_000_000;

export interface Partition {
  fromUs: Micros;
  toUs: Micros;
}

/** Reads the inputs and writes one part for each partition, and a side file with what lies in none of them. */
export interface Job {
  inputs: StoredFile[];
  partitions: Partition[];
}

type PlannedFile = Pick<StoredFile, "name" | "kind" | "lsnFrom"> & {
  meta: Pick<StoredFile["meta"], "rows" | "hours" | "partition" | "fromUs" | "toUs">;
};

const floorTo = (time: Micros, step: number): Micros => Math.floor(time / step) * step;

/** The partition of an hour: the hour itself today and later, the whole day before. */
export function partitionOf(hour: Micros, nowUs: Micros): Partition {
  const day = floorTo(hour, dayUs);
  if (day + dayUs <= floorTo(nowUs, dayUs)) return { fromUs: day, toUs: day + dayUs };
  return { fromUs: hour, toUs: hour + hourUs };
}

/**
 * What to compact next, or null. `nowUs` is the newest recordedTime. `force` lowers all thresholds, so that repeated calls end with one part
 * for each partition and at most one side file.
 *
 * Amount of work: a row is written as a run, two or three times in its hour, once with its day; parts are merged only with parts of their
 * own size or less, as in any log-structured merge.
 */
export function planJob<F extends PlannedFile>(
  files: readonly F[],
  nowUs: Micros,
  options: { runsPerMerge: number; force: boolean },
): { inputs: F[]; partitions: Partition[] } | null {
  const runs = files.filter((file) => file.kind === "run").sort((a, b) => a.lsnFrom - b.lsnFrom);
  const sides = files.filter((file) => file.kind === "side");
  const parts = files.filter((file) => file.kind === "part");
  if (runs.length >= options.runsPerMerge || (options.force && runs.length > 0)) {
    const taken = runs.slice(0, 2 * options.runsPerMerge);
    return planLoose(
      [...taken, ...(sides.length > sidesMax || options.force ? sides : [])],
      parts,
      nowUs,
      options.force,
    );
  }
  if (sides.length > sidesMax || (options.force && sides.length > 1))
    return planLoose(sides, parts, nowUs, options.force);
  return planParts(parts, nowUs);
}

/** Runs and side files into parts: only where there are enough rows; the rest goes into one side file. */
function planLoose<F extends PlannedFile>(
  loose: readonly F[],
  parts: readonly F[],
  nowUs: Micros,
  force: boolean,
): { inputs: F[]; partitions: Partition[] } {
  const incoming = new Map<Micros, { partition: Partition; rows: number }>();
  for (const file of loose) {
    for (const [hour, rows] of file.meta.hours) {
      const partition = partitionOf(hour, nowUs);
      const entry = incoming.get(partition.fromUs) ?? { partition, rows: 0 };
      entry.rows += rows;
      incoming.set(partition.fromUs, entry);
    }
  }
  const inputs = [...loose];
  const partitions: Partition[] = [];
  // The largest first: they are the ones worth a file if there are too many.
  for (const { partition, rows } of [...incoming.values()].sort((a, b) => b.rows - a.rows)) {
    if (partitions.length === partitionsMax) break;
    const existing = parts.filter((part) => within(part, partition));
    const stored = existing.reduce((sum, part) => sum + part.meta.rows, 0);
    const open = partition.toUs > nowUs - hourUs;
    const enough = stored > 0 ? rows > stored * lateShare : rows >= partRowsMin;
    if (!enough && !open && !(force && stored === 0)) continue;
    partitions.push(partition);
    inputs.push(...mergeable(existing, rows));
  }
  return { inputs, partitions: partitions.sort((a, b) => a.fromUs - b.fromUs) };
}

/** Those of the existing parts that are not much larger than what comes in, smallest first. */
function mergeable<F extends PlannedFile>(existing: readonly F[], rows: number): F[] {
  const chosen: F[] = [];
  let size = rows;
  for (const part of [...existing].sort((a, b) => a.meta.rows - b.meta.rows)) {
    if (part.meta.rows > 2 * size) break;
    chosen.push(part);
    size += part.meta.rows;
  }
  return chosen;
}

/** Several parts of one closed hour, or what is left of a closed day in hours, into one. */
function planParts<F extends PlannedFile>(
  parts: readonly F[],
  nowUs: Micros,
): { inputs: F[]; partitions: Partition[] } | null {
  const groups = new Map<Micros, { partition: Partition; parts: F[] }>();
  for (const part of parts) {
    const { fromUs } = part.meta.partition ?? part.meta;
    const partition = partitionOf(floorTo(fromUs, hourUs), nowUs);
    const group = groups.get(partition.fromUs) ?? { partition, parts: [] };
    group.parts.push(part);
    groups.set(partition.fromUs, group);
  }
  for (const { partition, parts: group } of groups.values()) {
    const rows = group.reduce((sum, part) => sum + part.meta.rows, 0);
    const isDay = partition.toUs - partition.fromUs === dayUs;
    if (isDay && rows > dayRowsMax) continue;
    const closed = partition.toUs + hourUs / 6 <= nowUs;
    const single = group.length === 1 && group[0].meta.partition?.toUs === partition.toUs;
    if (closed && !single) return { inputs: group, partitions: [partition] };
  }
  return null;
}

function within(file: PlannedFile, partition: Partition): boolean {
  const own = file.meta.partition;
  return own !== null && own.fromUs >= partition.fromUs && own.toUs <= partition.toUs;
}
