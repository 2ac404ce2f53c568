import { type Cause, hourUs, type ResultKey, type WorkItem } from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Agenda } from "./agenda.ts";
import { revisionAfter } from "./book.ts";
import { type ExecutionSpan, type KeySpan, keysIn, keyText } from "./keys.ts";
import type { StationPlan } from "./stations.ts";
import { firstCause, followsFromContext, progressCause, type Row, type StoredKey, tellsMore } from "./tasks.ts";

const day = 20_783 * 24 * hourUs;
const at = (hour: number): number => day + hour * hourUs;
const context: Cause = { kind: "context", text: "", lsn: 7, registryRevision: 3, actor: "me" };
const plan = (id: number, level: StationPlan["level"], parent: number | null): StationPlan => ({
  ...{ id, path: `p${id}`, equipmentLevel: level === "above" ? "area" : "workUnit", level, parent },
  members: level === "above" ? [] : [id],
});
/** 1 above 2 and 5; 2 above the machines 3 and 4; 5 above the machine 6. */
const plans = [
  plan(1, "above", null),
  plan(2, "above", 1),
  plan(3, "workUnit", 2),
  plan(4, "workUnit", 2),
  plan(5, "above", 1),
  plan(6, "workUnit", 5),
];
const machines = [3, 4, 6];

/** A plant whose machines count: the value of a machine's hour is in `truth`; above is a sum. */
class World {
  ms = 0;
  watermark = at(4);
  repairing = false;
  readonly truth = new Map<string, number>();
  readonly results = new Map<string, StoredKey & { value: number; equipmentId: number; revision: number }>();
  readonly rows = new Map<number, Row>();
  executions: ExecutionSpan[] = [];
  agenda = this.make();

  make(): Agenda {
    const agenda = new Agenda(
      {
        nowMs: () => this.ms,
        basisLsn: () => 1,
        progress: () => ({
          fromUs: at(0),
          watermarkUs: this.watermark,
          finalBeforeUs: this.watermark,
          repairing: this.repairing,
        }),
        keys: (_, fromUs, toUs) =>
          keysIn(
            { fromUs, toUs },
            { timeZone: "UTC", shifts: [], executions: this.executions },
            new Set(["hour", "order"]),
          ),
        stored: (id, fromUs, toUs) =>
          [...this.results.values()].filter((r) => r.equipmentId === id && r.fromUs <= toUs && r.toUs >= fromUs),
        find: (key) => this.results.get(this.id(key)) ?? null,
        hull: (ids, key) => {
          const found = ids.flatMap((equipmentId) => this.results.get(this.id({ ...key, equipmentId })) ?? []);
          if (found.length === 0) return null;
          const state = found.every((each) => each.state === "final") ? "final" : "provisional";
          return { ...found[0], state };
        },
      },
      { add: (row) => void this.rows.set(row.id, structuredClone(row)), drop: (row) => void this.rows.delete(row.id) },
      { progressMs: 5000, givenMs: 60_000 },
    );
    agenda.setStations(plans);
    return agenda;
  }

  id(key: ResultKey): string {
    return `${key.equipmentId} ${keyText(key)}`;
  }

  /** From scratch: what each key is worth. */
  worth(id: number, key: string): number {
    if (machines.includes(id)) return this.truth.get(`${id} ${key}`) ?? 0;
    return plans.filter(({ parent }) => parent === id).reduce((sum, child) => sum + this.worth(child.id, key), 0);
  }

  compute({ equipmentId, period, key, level, below }: WorkItem): number {
    if (level !== "above") return this.worth(equipmentId, key);
    return below.reduce(
      (sum, id) => sum + (this.results.get(this.id({ equipmentId: id, period, key }))?.value ?? 0),
      0,
    );
  }

  publish(item: WorkItem): void {
    const task = this.agenda.givenFor(item);
    if (task === null) return;
    const { equipmentId, period, key, fromUs, toUs, state } = item;
    const value = this.compute(item);
    const known = this.results.get(this.id(item)) ?? null;
    if (known?.value !== value || known.state !== state) {
      this.results.set(this.id(item), {
        equipmentId,
        period,
        key,
        fromUs,
        toUs,
        state,
        value,
        revision: revisionAfter(known, state),
      });
      const { parent } = plans.find(({ id }) => id === equipmentId) as StationPlan;
      if (parent !== null) this.agenda.dirtyAbove(parent, item as KeySpan, { ...item.cause, kind: "below" });
    }
    this.agenda.done(task);
  }

  /** Works until nothing is to be done. */
  settle(batch = 1000): WorkItem[] {
    const all: WorkItem[] = [];
    for (let idle = 0; idle < 3; ) {
      const items = this.agenda.take(batch, () => true).items;
      idle = items.length === 0 ? idle + 1 : 0;
      if (items.length === 0) this.ms += 5001;
      for (const item of items) this.publish(item);
      all.push(...items);
    }
    return all;
  }

  /** A killed process: only what was kept is left. */
  restart(): void {
    const kept = [...this.rows.values()].sort((a, b) => a.id - b.id).map((row) => ({ ...row, left: 0, endsBy: null }));
    this.agenda = this.make();
    for (const row of kept) this.agenda.restore(row);
    for (const { id } of plans) this.agenda.resume(id, machines.includes(id) ? at(0) : null, []);
  }

  expectRight(): void {
    for (const { id } of plans)
      for (let hour = 0; hour < 4; hour++) {
        const key = String(at(hour));
        const found = this.results.get(this.id({ equipmentId: id, period: "hour", key }));
        expect(found, `${id} ${hour}`).toMatchObject({ value: this.worth(id, key), state: "final" });
      }
  }
}

describe("what is to be computed", () => {
  test("all that was recorded, machines first, and nothing twice", () => {
    const world = new World();
    for (const id of machines) for (let hour = 0; hour < 4; hour++) world.truth.set(`${id} ${at(hour)}`, id + hour);
    const items = world.settle();
    world.expectRight();
    const closed = items.filter(({ toUs }) => toUs <= at(4)).map((item) => world.id(item));
    expect(new Set(closed).size).toBe(closed.length);
    expect(closed.filter((id) => id.startsWith("1 "))).toHaveLength(4);
    expect(world.rows.size).toBe(0);
  });

  test("a change makes exactly its hours dirty, and what stands above waits for all that is below", () => {
    const world = new World();
    world.settle();
    world.truth.set(`3 ${at(1)}`, 5);
    world.truth.set(`6 ${at(1)}`, 7);
    world.agenda.dirty(3, at(1) + 1, at(2) - 1, context);
    world.agenda.dirty(6, at(1) + 1, at(2) - 1, context);
    const first = world.agenda.take(1000, () => true).items;
    expect(first.map(({ equipmentId, key }) => [equipmentId, key])).toEqual([
      [3, String(at(1))],
      [6, String(at(1))],
    ]);
    world.publish(first[1]);
    // 5 is complete; 2 and 1 wait for machine 3.
    const second = world.agenda.take(1000, () => true).items;
    expect(second.map(({ equipmentId }) => equipmentId)).toEqual([5]);
    expect(second[0].cause).toMatchObject({ kind: "below", lsn: 7 });
    const key = {
      equipmentId: 1,
      period: "hour" as const,
      key: String(at(1)),
      fromUs: at(1),
      toUs: at(2),
      state: "final" as const,
    };
    expect(world.agenda.isStale(key)).toBe(true);
    world.publish(second[0]);
    world.publish(first[0]);
    world.settle();
    world.expectRight();
    expect(world.agenda.isStale(key)).toBe(false);
    expect(world.results.get(world.id(key))?.revision).toBe(2);
  });

  test("a change keeps its cause when a first pass over the past comes to the same key after it", () => {
    const world = new World();
    // What would be final waits for the repair, and meanwhile all that was recorded before becomes due.
    world.repairing = true;
    world.agenda.dirty(3, at(1), at(2), context);
    expect(world.agenda.take(1000, () => true).items).toEqual([]);
    expect(world.agenda.size.tasks).toBeGreaterThan(machines.length);
    world.repairing = false;
    const own = world.settle().filter(({ equipmentId }) => equipmentId === 3);
    const causeOf = (hour: number) => own.find(({ key }) => key === String(at(hour)))?.cause.kind;
    expect([0, 1, 2, 3].map(causeOf)).toEqual(["context", "context", "context", "first"]);
  });

  test("where changes pile up beside a past that waits, they stay changes", () => {
    const world = new World();
    world.repairing = true;
    world.agenda.take(1, () => true);
    for (let i = 0; i < 80; i++) world.agenda.dirty(3, at(0), at(1), { ...context, lsn: i });
    const first = { ...context, kind: "first" as const };
    world.agenda.dirty(3, at(0), at(4), first);
    for (let i = 0; i < 80; i++) world.agenda.dirty(3, at(0), at(1), { ...context, lsn: 100 + i });
    world.repairing = false;
    const own = world.settle().filter(({ equipmentId }) => equipmentId === 3);
    expect(own.find(({ key }) => key === String(at(0)))?.cause).toMatchObject({ kind: "context", lsn: 179 });
  });

  test("what comes out as it was is no news above", () => {
    const world = new World();
    world.settle();
    world.agenda.dirty(3, at(1) + 1, at(2) - 1, context);
    expect(world.settle().map(({ equipmentId }) => equipmentId)).toEqual([3]);
  });

  test("what was given out and not published is given out again; what never comes holds nobody up for ever", () => {
    const world = new World();
    world.settle();
    world.truth.set(`4 ${at(2)}`, 9);
    world.agenda.dirty(3, at(2) + 1, at(3) - 1, context);
    world.agenda.dirty(4, at(2) + 1, at(3) - 1, context);
    const [lost, kept] = world.agenda.take(1000, () => true).items;
    expect([lost.equipmentId, kept.equipmentId]).toEqual([3, 4]);
    world.publish(kept);
    expect(world.agenda.take(1000, () => true).items).toEqual([]);
    world.ms += 60_000;
    expect(world.agenda.take(1000, () => true).items.map(({ equipmentId }) => equipmentId)).toEqual([3]);
    world.ms += 60_000;
    expect(world.agenda.take(1000, () => true).items.map(({ equipmentId }) => equipmentId)).toEqual([2]);
  });

  test("a key that changes while it is computed is computed once more", () => {
    const world = new World();
    world.settle();
    world.agenda.dirty(3, at(2) + 1, at(3) - 1, context);
    const [item] = world.agenda.take(1000, () => true).items;
    world.agenda.dirty(3, at(2) + 1, at(3) - 1, { ...context, lsn: 8 });
    expect(world.agenda.take(1000, () => true).items).toEqual([]);
    world.publish(item);
    world.truth.set(`3 ${at(2)}`, 4);
    expect(world.agenda.take(1000, () => true).items).toMatchObject([{ equipmentId: 3, cause: { lsn: 8 } }]);
  });

  test("an open period is computed again as time goes on, at most every few seconds, and becomes final", () => {
    const world = new World();
    world.watermark = at(3) + hourUs / 2;
    world.settle();
    const key = world.id({ equipmentId: 3, period: "hour", key: String(at(3)) });
    expect(world.results.get(key)?.state).toBe("provisional");
    world.watermark += 1;
    expect(world.settle().filter(({ equipmentId }) => equipmentId === 3)).toHaveLength(1);
    world.watermark = at(4);
    world.settle();
    expect(world.results.get(key)).toMatchObject({ state: "final", revision: 1 });
    world.expectRight();
  });

  test("a long open period is computed again more seldom than a short one", () => {
    const world = new World();
    world.watermark = at(3) + hourUs / 2;
    world.executions = [{ order: "o", operation: "10", fromUs: at(0), toUs: Number.POSITIVE_INFINITY }];
    world.settle();
    const later = (ms: number): string[] => {
      world.ms += ms;
      world.watermark += ms * 1000;
      const items = world.agenda.take(1000, () => true).items;
      for (const item of items) world.publish(item);
      return items.filter(({ equipmentId }) => equipmentId === 3).map(({ period }) => period);
    };
    const open = (period: string) =>
      [...(world.agenda.stations.get(3)?.open.values() ?? [])].some((o) => o.period === period);
    expect([open("hour"), open("order")]).toEqual([true, true]);
    later(20_000);
    // 3.5 hours: every 17.5 s.
    expect([later(5001), later(5001), later(5001), later(5001)]).toEqual([
      ["hour"],
      ["hour"],
      ["hour"],
      ["hour", "order"],
    ]);
  });

  test("in any order of changes, batches, lost answers and restarts the numbers end as from scratch", () => {
    const change = fc.record({
      machine: fc.constantFrom(...machines),
      hour: fc.integer({ min: 0, max: 3 }),
      value: fc.integer({ min: 0, max: 3 }),
    });
    const step = fc.oneof(
      { weight: 4, arbitrary: change.map((of) => ({ kind: "change" as const, ...of })) },
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 6 }).map((limit) => ({ kind: "work" as const, limit })) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }).map((limit) => ({ kind: "lose" as const, limit })) },
      { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const world = new World();
        for (const each of steps) {
          if (each.kind === "change") {
            world.truth.set(`${each.machine} ${at(each.hour)}`, each.value);
            world.agenda.dirty(each.machine, at(each.hour) + 1, at(each.hour + 1) - 1, context);
          } else if (each.kind === "restart") world.restart();
          else {
            const items = world.agenda.take(each.limit, () => true).items;
            if (each.kind === "work") for (const item of items) world.publish(item);
          }
        }
        world.ms += 60_000;
        world.settle(5);
        world.expectRight();
      }),
      { numRuns: 150 },
    );
  });
});

test("revisions count from the first final number; one that is open again has its next number at once", () => {
  const steps = ["provisional", "provisional", "final", "final", "provisional", "provisional", "final"] as const;
  let standing: { state: "provisional" | "final"; revision: number } | null = null;
  const revisions = steps.map((state) => {
    standing = { state, revision: revisionAfter(standing, state) };
    return standing.revision;
  });
  expect(revisions).toEqual([0, 0, 1, 2, 3, 3, 3]);
});

test("what people changed is told, not what followed from it, whichever is looked at first", () => {
  const booked: Cause = { kind: "context", text: "Order B.", lsn: 7, registryRevision: 3, actor: "p" };
  const followed: Cause = { kind: "facts", text: followsFromContext, lsn: 9, registryRevision: null, actor: null };
  const late: Cause = { ...followed, text: "Points came late." };
  expect([tellsMore(followed, booked), tellsMore(booked, followed)]).toEqual([false, true]);
  expect([tellsMore(late, booked), tellsMore(booked, late)]).toEqual([true, false]);
  expect([tellsMore(followed, firstCause), tellsMore(progressCause, followed)]).toEqual([true, false]);
});
