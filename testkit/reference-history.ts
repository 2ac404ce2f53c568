import type { Columns, Micros, Value } from "@lineshaft/contract/api";
import { valueAt } from "@lineshaft/contract/api";
import { decodePoints, type Frame, recordType } from "@lineshaft/contract/ports";

/** A point as the oracle keeps it. */
export interface ReferencePoint {
  tag: number;
  time: Micros;
  ordinal: number;
  value: Value;
  /** Value, type and status as text, for comparing. */
  content: string;
  type: number;
  status: number;
  originalTime: number;
  lsn: number;
  late: boolean;
  correction: boolean;
}

export interface ReferenceVerdict {
  batchLsn: number;
  new: number;
  repeats: number;
  corrections: number;
}

/**
 * History as a list that is searched from end to end: the oracle of `historyContract`. It follows the text of the port and shares nothing
 * with any implementation.
 */
export class ReferenceHistory {
  readonly points: ReferencePoint[] = [];

  apply(frames: readonly Frame[]): ReferenceVerdict[] {
    const verdicts: ReferenceVerdict[] = [];
    for (const frame of frames) {
      if (frame.type !== recordType.points) continue;
      const verdict = this.#applyPoints(frame);
      if (verdict !== null) verdicts.push(verdict);
    }
    return verdicts;
  }

  #applyPoints(frame: Frame): ReferenceVerdict | null {
    const { columns, suspect, mode } = decodePoints(frame.payload);
    const before = this.current();
    const offered = Array.from({ length: columns.rows }, (_, i) => pointAt(columns, i, frame));
    const isSuspect = new Set(suspect);
    const taken = new Set<ReferencePoint>();
    const fate = new Map<number, "repeat" | "correction">();
    const sameInstant = (p: ReferencePoint, q: ReferencePoint): boolean =>
      Number.isNaN(p.originalTime)
        ? Number.isNaN(q.originalTime) && p.tag === q.tag && p.time === q.time
        : p.tag === q.tag && p.originalTime === q.originalTime;
    const match = (
      accept: (p: ReferencePoint, q: ReferencePoint) => boolean,
      outcome: "repeat" | "correction",
    ): void => {
      for (const i of suspect) {
        if (fate.has(i)) continue;
        const candidates = before
          .filter((q) => !taken.has(q) && sameInstant(offered[i], q) && accept(offered[i], q))
          .sort((a, b) => a.ordinal - b.ordinal);
        if (candidates.length === 0) continue;
        taken.add(candidates[0]);
        fate.set(i, outcome);
      }
    };
    match((p, q) => p.ordinal === q.ordinal && p.content === q.content, "repeat");
    match((p, q) => p.content === q.content, "repeat");
    if (mode === "correct") match((p, q) => Number.isNaN(p.originalTime) && p.ordinal === q.ordinal, "correction");
    offered.forEach((point, i) => {
      if (fate.get(i) === "repeat") return;
      point.correction = fate.get(i) === "correction";
      point.late ||= isSuspect.has(i);
      this.points.push(point);
    });
    if (suspect.length === 0) return null;
    const count = (outcome: string): number => [...fate.values()].filter((f) => f === outcome).length;
    const repeats = count("repeat");
    const corrections = count("correction");
    return { batchLsn: frame.lsn, new: suspect.length - repeats - corrections, repeats, corrections };
  }

  /** What a reader sees: all points that no later correction of their identity has replaced. */
  current(asOf = Number.POSITIVE_INFINITY): ReferencePoint[] {
    const known = this.points.filter((p) => p.lsn <= asOf);
    const corrections = known.filter((p) => p.correction);
    return known.filter(
      (p) => !corrections.some((c) => c.tag === p.tag && c.time === p.time && c.ordinal === p.ordinal && c.lsn > p.lsn),
    );
  }

  /** In the order of `raw`. */
  range(tags: readonly number[], fromUs: Micros, toUs: Micros, asOf?: number): ReferencePoint[] {
    return this.current(asOf)
      .filter((p) => tags.includes(p.tag) && p.time >= fromUs && p.time < toUs)
      .sort(byStorageOrder);
  }
}

function pointAt(columns: Columns, i: number, frame: Frame): ReferencePoint {
  const value = valueAt(columns, i);
  const type = columns.type === null ? 0 : columns.type[i];
  const status = columns.status === null ? 0 : columns.status[i];
  const time = columns.time[i];
  return {
    tag: columns.tag[i],
    time,
    ordinal: columns.ordinal === null ? 0 : columns.ordinal[i],
    value,
    content: `${type}/${textOf(value)}/${status}`,
    type,
    status,
    originalTime: columns.originalTime === null ? Number.NaN : columns.originalTime[i],
    lsn: frame.lsn,
    late: frame.recordedTime - time > 60_000_000,
    correction: false,
  };
}

export function textOf(value: Value): string {
  if (Object.is(value, -0)) return "-0";
  if (value instanceof Uint8Array) return `bytes ${[...value].join(",")}`;
  return typeof value === "bigint" ? value.toString() : typeof value === "string" ? `"${value}"` : String(value);
}

/** (tag, time, ordinal, value); what the port leaves open is decided by text, and the suite compares such rows as a set. */
export function byStorageOrder(a: ReferencePoint, b: ReferencePoint): number {
  return (
    a.tag - b.tag ||
    a.time - b.time ||
    a.ordinal - b.ordinal ||
    (a.content < b.content ? -1 : a.content > b.content ? 1 : 0)
  );
}

/** The points of an answer, in its order, in the oracle's form of text. */
export function describeColumns(columns: Columns): string[] {
  return Array.from({ length: columns.rows }, (_, i) => {
    const original = columns.originalTime === null ? Number.NaN : columns.originalTime[i];
    const ordinal = columns.ordinal === null ? 0 : columns.ordinal[i];
    const type = columns.type === null ? 0 : columns.type[i];
    const status = columns.status === null ? 0 : columns.status[i];
    const content = `${type}/${textOf(valueAt(columns, i))}/${status}`;
    return describe(columns.tag[i], columns.time[i], ordinal, content, original);
  });
}

export function describePoint(p: ReferencePoint): string {
  return describe(p.tag, p.time, p.ordinal, p.content, p.originalTime);
}

function describe(tag: number, time: number, ordinal: number, content: string, original: number): string {
  return `${tag} @${time} #${ordinal} ${content}${Number.isNaN(original) ? "" : ` was ${original}`}`;
}
