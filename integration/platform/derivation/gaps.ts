import type { Micros } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";

/**
 * What is known of lost data, over both times: each statement is kept with its LSN. `lost`: the data of a connection for [from, to) are missing (to Infinity while it lasts).
 * `covered`: the source has shown by cursor, sequence or spool that [from, to) is complete, or is heard again from `from` on. Points alone show nothing: a tag may
 * simply have been silent.
 */
export interface GapStatement {
  lsn: Lsn;
  connection: number;
  from: Micros;
  to: Micros;
  says: "lost" | "covered";
}

export interface Interval {
  from: Micros;
  to: Micros;
}

export class GapLedger {
  readonly #statements = new Map<number, GapStatement[]>();
  readonly #now = new Map<number, Interval[]>();

  /** All that is known now, to go on from here. */
  get state(): [connection: number, Interval[]][] {
    return [...this.#now];
  }

  restore(state: readonly (readonly [connection: number, Interval[]])[]): void {
    for (const [connection, intervals] of state) this.#now.set(connection, intervals);
  }

  /** Where the gap begins that a connection has now; null: it has none. */
  lostFrom(connection: number): Micros | null {
    return this.intervals(connection).find(({ to }) => to === Number.POSITIVE_INFINITY)?.from ?? null;
  }

  /** Takes a statement in and tells where lost has become another thing. */
  add(statement: GapStatement): (Interval & { lost: boolean })[] {
    const { connection } = statement;
    const all = this.#statements.get(connection) ?? [];
    const last = all.at(-1)?.lsn ?? 0;
    this.#statements.set(
      connection,
      [...all, statement].sort((a, b) => a.lsn - b.lsn),
    );
    const before = this.intervals(connection);
    const after =
      statement.lsn >= last ? applied(before, statement) : this.intervals(connection, Number.POSITIVE_INFINITY);
    this.#now.set(connection, after);
    return [
      ...minus(after, before).map((range) => ({ ...range, lost: true })),
      ...minus(before, after).map((range) => ({ ...range, lost: false })),
    ].sort((a, b) => a.from - b.from);
  }

  /** Where data are lost: disjoint, ascending, never touching. `asOf`: as was known at that LSN. */
  intervals(connection: number, asOf?: Lsn): Interval[] {
    if (asOf === undefined) return this.#now.get(connection) ?? [];
    return (this.#statements.get(connection) ?? []).filter(({ lsn }) => lsn <= asOf).reduce(applied, []);
  }
}

const applied = (intervals: Interval[], { from, to, says }: GapStatement): Interval[] =>
  says === "lost" ? united([...intervals, { from, to }]) : minus(intervals, [{ from, to }]);

/** Intervals that touch become one: no data between them. */
export function united(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const { from, to } of [...intervals].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (from >= to) continue;
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else result.push({ from, to });
  }
  return result;
}

function minus(intervals: readonly Interval[], cut: readonly Interval[]): Interval[] {
  let rest: Interval[] = [...intervals];
  for (const { from, to } of cut)
    rest = rest.flatMap((interval) =>
      [
        { from: interval.from, to: Math.min(interval.to, from) },
        { from: Math.max(interval.from, to), to: interval.to },
      ].filter((part) => part.from < part.to),
    );
  return rest;
}
