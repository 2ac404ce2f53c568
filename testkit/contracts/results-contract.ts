import {
  hourUs,
  type Principal,
  ProblemError,
  type Result,
  type ResultInput,
  type WorkItem,
} from "@lineshaft/contract/api";
import type { FactsChange, FactsProgress, Lsn, Registry, Results } from "@lineshaft/contract/ports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "../clock.ts";

/** A Results beside its registry and facts, as a host wires them. */
export interface ResultsFixture {
  readonly registry: Registry;
  /** Opens it on what is kept; what was open before is closed. */
  open(): Results;
  /** These machines have standard tags from now on. */
  bind(...equipmentIds: number[]): void;
  /** How far the facts of a machine go. */
  know(progress: FactsProgress): void;
  /** Facts have changed; resolves when it is known what that makes dirty. */
  tell(change: Omit<FactsChange, "lsn">): Promise<void>;
  /** All decisions of the registry are in the log and taken note of. */
  settle(): Promise<void>;
  cleanup(): void;
}

const monday = 20_780 * 24 * hourUs;
const hours = (n: number) => monday + n * hourUs;
const name = "oee";

/** What every Results must do. */
export function resultsContract(make: (clock: FakeClock) => ResultsFixture): void {
  let clock: FakeClock;
  let fixture: ResultsFixture;
  let results: Results;
  /** Above both sites. */
  let plant: number;
  let north: number;
  let press: number;
  let oven: number;
  let mill: number;
  beforeEach(async () => {
    clock = new FakeClock(hours(12));
    fixture = make(clock);
    const create = (level: "site" | "workUnit", called: string, parentId?: number) =>
      fixture.registry.createEquipment(admin, { level, name: called, parentId }).item.id;
    north = create("site", "North");
    plant = fixture.registry.getEquipment(admin, north).parentId ?? 0;
    press = create("workUnit", "Press", north);
    oven = create("workUnit", "Oven", north);
    mill = create("workUnit", "Mill", create("site", "South"));
    fixture.bind(press, oven, mill);
    for (const id of [press, oven, mill]) known(id, 2);
    results = fixture.open();
    await fixture.settle();
    await results.register(application, name, { ruleVersion: "1", periods: ["hour"] });
  });
  afterEach(() => fixture.cleanup());

  const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
  const application: Principal = { ...admin, id: "o", name: "o", role: "application" };
  const northOnly: Principal = { ...application, id: "n", scopes: ["North"] };
  const viewer: Principal = { ...admin, id: "v", role: "viewer" };

  /** Facts of a machine from midnight go on for this many hours, and are final by then. */
  const known = (equipmentId: number, n: number): void =>
    fixture.know({
      ...{ equipmentId, fromUs: monday, watermarkUs: hours(n), finalBeforeUs: hours(n), repairing: false },
    });
  const take = (p = application): Promise<WorkItem[]> => results.takeWork(p, name, { limit: 1000 });
  const resultOf = (item: WorkItem, value: number): ResultInput => ({
    ...{ equipmentId: item.equipmentId, period: item.period, key: item.key, basisLsn: item.basisLsn },
    ...{ values: { oeeIndex: value }, coverage: 1, detail: { of: value }, evidence: [] },
  });
  const publish = (items: WorkItem[], value: number) =>
    results.publish(
      application,
      name,
      items.map((item) => resultOf(item, value)),
    );
  /** Takes and publishes until nothing is left; what was taken, in its order. */
  const drain = async (value: number): Promise<WorkItem[]> => {
    const all: WorkItem[] = [];
    for (let items = await take(); items.length > 0; items = await take()) {
      expect((await publish(items, value)).faults).toEqual([]);
      all.push(...items);
    }
    return all;
  };
  const list = async (p = viewer, more: object = {}): Promise<Result[]> =>
    (await results.list(p, { application: name, ...more })).items;
  const names = (items: readonly { equipmentId: number; key: string }[]): string[] =>
    items.map(({ equipmentId, key }) => `${equipmentId} ${(Number(key) - monday) / hourUs}`);
  const code = async (run: () => unknown): Promise<string> => {
    try {
      await run();
    } catch (error) {
      if (error instanceof ProblemError) return error.code;
      throw error;
    }
    return "none";
  };
  const late = (equipmentId: number, fromUs: number, toUs: number): Promise<void> =>
    fixture.tell({ equipmentId, what: "production", fromUs, toUs, cause: "late" });
  const firstHour = (equipmentId: number) => ({ equipmentId, period: "hour" as const, key: String(monday) });

  describe("results", () => {
    test("who takes part is named once; taking part needs the right to publish, reading the right to read", async () => {
      const { dirty: _, ...taken } = await results.register(application, name, { ruleVersion: "1", periods: ["hour"] });
      expect(taken).toEqual({ ruleVersion: "1", periods: ["hour"] });
      expect(await code(() => results.takeWork(application, "other", {}))).toBe("not_found");
      expect(await code(() => results.register(viewer, name, { ruleVersion: "2", periods: ["hour"] }))).toBe(
        "forbidden",
      );
      expect(await code(() => results.takeWork(viewer, name, {}))).toBe("forbidden");
      expect(await code(() => results.publish(viewer, name, []))).toBe("forbidden");
      expect(await list()).toEqual([]);
    });

    test("what stands below comes before what stands above; each key is given to one taker", async () => {
      const items = await take();
      expect(names(items).sort()).toEqual(
        names([press, oven, mill].flatMap((id) => [0, 1].map((n) => hourOf(id, n)))).sort(),
      );
      expect(items.every(({ level, state }) => level === "workUnit" && state === "final")).toBe(true);
      expect(await take()).toEqual([]);
      await publish(
        items.filter(({ equipmentId }) => equipmentId === press),
        0.5,
      );
      expect((await take()).filter(({ equipmentId }) => equipmentId === north)).toEqual([]);
      await publish(
        items.filter(({ equipmentId }) => equipmentId !== press),
        0.5,
      );
      const above = await take();
      expect(names(above.filter(({ equipmentId }) => equipmentId === north)).sort()).toEqual(
        names([hourOf(north, 0), hourOf(north, 1)]),
      );
      for (const item of above.filter(({ equipmentId }) => equipmentId === north))
        expect(item).toMatchObject({ level: "above", below: [press, oven] });
    });

    test("what is not published within a minute is given out again, and then no longer taken on the old basis", async () => {
      const first = await take();
      clock.advanceMs(59_000);
      expect(await take()).toEqual([]);
      clock.advanceMs(2_000);
      await fixture.settle();
      const again = await take();
      expect(names(again).sort()).toEqual(names(first).sort());
      expect((await publish(again, 0.5)).published).toBe(again.length);
    });

    test("who waits for work is told when some comes, and no longer than asked", async () => {
      await drain(0.5);
      const waits = results.takeWork(application, name, { waitMs: 30_000 });
      await late(press, hours(0.5), hours(0.6));
      expect(names(await waits)).toEqual(names([hourOf(press, 0)]));
      const over = new AbortController();
      const none = results.takeWork(application, name, { waitMs: 30_000 }, over.signal);
      over.abort();
      expect(await none).toEqual([]);
    });

    test("bad results are refused by their index, good ones go through, repeating a call is harmless", async () => {
      const [item, other] = await take();
      const nowhere = { ...resultOf(item, 0.5), equipmentId: 9_999 };
      const stray = { ...resultOf(other, 0.5), basisLsn: other.basisLsn + 1_000 };
      const answer = await results.publish(application, name, [nowhere, resultOf(item, 0.5), stray]);
      expect(answer).toMatchObject({ published: 1, unchanged: 0 });
      expect(answer.lsn).not.toBeNull();
      expect(answer.faults.map(({ index, code: why }) => [index, why])).toEqual([
        [0, "not_found"],
        [2, "work_not_taken"],
      ]);
      expect(await publish([item], 0.5)).toEqual({ published: 0, unchanged: 1, lsn: null, faults: [] });
      expect(names(await list())).toEqual(names([item]));
    });

    test("a result equal to what stands is no revision", async () => {
      await drain(0.5);
      await late(press, hours(0.5), hours(0.6));
      const [item] = await take();
      expect(await publish([item], 0.5)).toMatchObject({ published: 0, unchanged: 1 });
      expect((await results.revisions(viewer, { application: name, ...firstHour(press) })).length).toBe(1);
      // Nothing is new, so nothing above it is to be computed.
      expect(await take()).toEqual([]);
    });

    test("late facts make exactly what they touch stale, then a revision with its cause; before can be read as it was", async () => {
      await drain(0.5);
      const before = (await list(viewer, { equipmentIds: [press] }))[0];
      expect(before).toMatchObject({ state: "final", revision: 1, stale: false, cause: { kind: "first" } });
      await late(press, hours(0.5), hours(0.6));
      const stale = (await list()).filter((each) => each.stale);
      expect(names(stale.filter(({ equipmentId }) => equipmentId === press))).toEqual(names([hourOf(press, 0)]));
      expect(stale.some(({ equipmentId }) => equipmentId === oven || equipmentId === mill)).toBe(false);
      const items = await drain(0.6);
      expect(names(items)).toEqual(names([press, north, plant].map((id) => hourOf(id, 0))));
      const revisions = await results.revisions(viewer, { application: name, ...firstHour(press) });
      expect(revisions.map(({ revision, values, cause }) => [revision, values.oeeIndex, cause.kind])).toEqual([
        [2, 0.6, "facts"],
        [1, 0.5, "first"],
      ]);
      expect((await results.revisions(viewer, { application: name, ...firstHour(north) }))[0].cause.kind).toBe("below");
      const asOf: Lsn = revisions[0].lsn - 1;
      expect((await list(viewer, { equipmentIds: [press], asOf }))[0]).toMatchObject({ revision: 1, lsn: before.lsn });
      expect((await list(viewer, { equipmentIds: [press] }))[0]).toMatchObject({ revision: 2, stale: false });
      expect(await list(viewer, { asOf: before.lsn - 1, equipmentIds: [press] })).toEqual([]);
    });

    test("another booking revises the hours that it touches, and names the decision", async () => {
      await drain(0.5);
      const { revision } = fixture.registry.masterData.put(
        admin,
        "order",
        "A",
        {
          ...{ material: "M", unit: "1", quantity: 5 },
          operations: [
            {
              ...{ id: "10", name: null },
              executions: [{ equipmentId: press, fromUs: hours(1.2), toUs: hours(1.4) }],
            },
          ],
        },
        null,
      );
      await fixture.settle();
      const items = await drain(0.6);
      expect(names(items)).toEqual(names([press, north, plant].map((id) => hourOf(id, 1))));
      expect(items[0].cause).toMatchObject({ kind: "context", registryRevision: revision, actor: "a" });
    });

    test("other rules make all be computed again", async () => {
      const all = await drain(0.5);
      await results.register(application, name, { ruleVersion: "2", periods: ["hour"] });
      const again = await drain(0.6);
      expect(names(again).sort()).toEqual(names(all).sort());
      expect(again[0].cause.kind).toBe("rule");
      expect((await list()).every(({ ruleVersion, revision }) => ruleVersion === "2" && revision === 2)).toBe(true);
      expect(await code(() => results.register(northOnly, name, { ruleVersion: "3", periods: ["hour"] }))).toBe(
        "forbidden",
      );
    });

    test("what is open is provisional, and final under its first revision when facts are final", async () => {
      known(press, 2.5);
      await fixture.settle();
      const open = (await drain(0.5)).filter(({ equipmentId, state }) => equipmentId === press && state !== "final");
      expect(names(open)).toEqual(names([hourOf(press, 2)]));
      const standing = async () => (await list(viewer, { equipmentIds: [press], fromUs: hours(2), toUs: hours(3) }))[0];
      expect(await standing()).toMatchObject({ state: "provisional", revision: 0 });
      known(press, 3);
      clock.advanceMs(10_000);
      await fixture.settle();
      await drain(0.7);
      expect(await standing()).toMatchObject({ state: "final", revision: 1, toUs: hours(3) });
    });

    test("a scope sees and computes its own, and hears of nothing else", async () => {
      const own = await take(northOnly);
      expect(new Set(own.map(({ equipmentId }) => equipmentId))).toEqual(new Set([press, oven]));
      await drain(0.5);
      const others = await results.takeWork(application, name, { limit: 1000 });
      expect(others).toEqual([]);
      const south = { ...resultOf(own[0], 0.5), equipmentId: mill };
      expect((await results.publish(northOnly, name, [south])).faults).toMatchObject([{ index: 0, code: "not_found" }]);
      expect(names(await list(northOnly)).some((each) => each.startsWith(`${mill} `))).toBe(false);
      expect(results.find(northOnly, name, [firstHour(mill)])).toEqual([null]);
      expect(await code(() => results.revisions(northOnly, { application: name, ...firstHour(mill) }))).toBe(
        "not_found",
      );
      expect(names(await list()).some((each) => each.startsWith(`${mill} `))).toBe(true);
    });

    test("lists are in order of equipment, start and key, and pages hold each result once", async () => {
      await drain(0.5);
      const all = await list();
      const sorted = [...all].sort((a, b) => a.equipmentId - b.equipmentId || a.fromUs - b.fromUs);
      expect(names(all)).toEqual(names(sorted));
      const paged: Result[] = [];
      let cursor: string | undefined;
      do {
        const page = await results.list(viewer, { application: name, limit: 3, cursor });
        expect(page.items.length).toBeLessThanOrEqual(3);
        paged.push(...page.items);
        cursor = page.cursor ?? undefined;
      } while (cursor !== undefined);
      expect(paged).toEqual(all);
      expect((await list(viewer, { detail: "none" }))[0].detail).toBeNull();
      expect((await list(viewer, { equipmentIds: [press], fromUs: hours(1), toUs: hours(2) })).length).toBe(1);
      const [there, none] = results.find(viewer, name, [firstHour(press), { ...firstHour(press), key: "1" }]);
      expect(there).toMatchObject({ values: { oeeIndex: 0.5 }, revision: 1 });
      expect(none).toBeNull();
    });

    test("after a restart all that was published stands, and what waited still waits", async () => {
      await drain(0.5);
      const before = await list();
      await late(press, hours(0.5), hours(0.6));
      results = fixture.open();
      await fixture.settle();
      expect((await list()).map(({ stale: _, ...each }) => each)).toEqual(before.map(({ stale: _, ...each }) => each));
      expect(names((await list()).filter(({ stale }) => stale))).toContain(names([hourOf(press, 0)])[0]);
      expect(names(await drain(0.6))).toEqual(names([press, north, plant].map((id) => hourOf(id, 0))));
    });
  });

  const hourOf = (equipmentId: number, n: number) => ({ equipmentId, key: String(hours(n)) });
}
