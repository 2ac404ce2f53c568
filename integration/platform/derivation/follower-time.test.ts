import { ColumnsBuilder, stateCode } from "@lineshaft/contract/api";
import type { FactsChange, FactsProgress } from "@lineshaft/contract/ports";
import { describe, expect, it } from "vitest";
import { MemoryStore, nowUs, OneMachine, secondUs } from "./follower.fixture.ts";

const running = stateCode("Executing");
const standing = stateCode("NotExecuting");
const state = { property: "state", kind: "itemState", mapping: { preset: "running" } } as const;
const minute = 60;

async function plant(...of: ConstructorParameters<typeof OneMachine>): Promise<OneMachine> {
  const machine = new OneMachine(...of);
  await machine.facts.begin(0);
  return machine;
}

describe("silence", () => {
  it("holds the watermark at the last proof of life; after 15 minutes it is a gap in the log, and behind that it passes", async () => {
    const machine = await plant([state]);
    await machine.point(1, -10, 1, { receivedS: 0 });
    await machine.later(14 * minute, 30);
    expect(machine.facts.progress(1)?.watermarkUs).toBe(nowUs);
    expect(machine.states(-20, 10 * minute)).toEqual([
      [-20, 0],
      [-10, running],
    ]);
    await machine.later(2 * minute, 30);
    expect(machine.states(-20, 10 * minute)).toEqual([
      [-20, 0],
      [-10, running],
      [0, 0],
    ]);
    // The tick that stated the gap held; the next one passes.
    await machine.later(1);
    expect(machine.facts.progress(1)?.watermarkUs).toBe(nowUs + (16 * minute + 1 - 2) * secondUs);
  });

  it("ends where the first that is heard again lies, which may be long ago", async () => {
    const machine = await plant([state]);
    await machine.point(1, 0, 1);
    await machine.later(20 * minute, 30);
    await machine.point(1, 5, 0, { receivedS: 20 * minute });
    await machine.stated();
    await machine.point(1, 15 * minute, 1, { receivedS: 20 * minute });
    await machine.stated();
    expect(machine.states(-1, 19 * minute)).toEqual(
      [
        [-1, 0],
        [0, 0],
        [5, standing],
        [15 * minute, running],
      ].filter(([at]) => at !== 0),
    );
  });

  it("was none where batches are numbered without a break", async () => {
    const machine = await plant([state]);
    await machine.point(1, 0, 1, { generation: 4, sequence: 7 });
    await machine.later(20 * minute, 30);
    await machine.point(1, 19 * minute, 0, { generation: 4, sequence: 8, receivedS: 20 * minute });
    await machine.stated();
    expect(machine.states(-1, 20 * minute)).toEqual([
      [-1, 0],
      [0, running],
      [19 * minute, standing],
    ]);
  });

  it("is no silence while the connection is open", async () => {
    const machine: OneMachine = await plant([state], { aliveUs: () => machine.clock.nowUs() });
    await machine.point(1, 0, 1);
    await machine.later(30 * minute, 30);
    expect(machine.facts.progress(1)?.watermarkUs).toBe(nowUs + (30 * minute - 2) * secondUs);
    expect(machine.states(0, 29 * minute)).toEqual([[0, running]]);
  });

  it("is ended by the process after the one that stated it", async () => {
    const machine = await plant([state]);
    await machine.point(1, 0, 1);
    await machine.later(16 * minute, 30);
    const gap = { connectionId: 1, fromUs: nowUs, toUs: null };
    const { silenceReason: reason } = await import("./proof-of-life.ts");
    machine.facts = machine.again({ gaps: [{ ...gap, reason }], heard: [{ connectionId: 1, lastUs: nowUs }] });
    await machine.facts.begin(0);
    await machine.point(1, 17 * minute, 0);
    expect(machine.silences).toMatchObject([{ connectionId: 1, fromUs: nowUs, toUs: nowUs + 17 * minute * secondUs }]);
  });
});

describe("who listens", () => {
  it("is told what changed, why and by which record, and how far facts go", async () => {
    const machine = await plant([state], {
      machines: { idealCycles: () => ({ from: [], us: [] }), changed: () => [], microStopUs: 3 * secondUs },
    });
    const told: FactsChange[] = [];
    const progress: FactsProgress[] = [];
    const ends = [
      machine.facts.onChanged((changes) => void told.push(...changes)),
      machine.facts.onProgress((moved) => void progress.push(...moved)),
    ];
    await machine.point(1, 0, 1);
    await machine.point(1, 10, 0);
    await machine.later(20, 20);
    expect(told.splice(0)).toEqual([
      {
        equipmentId: 1,
        what: "production",
        fromUs: nowUs - 3 * secondUs,
        toUs: Number.POSITIVE_INFINITY,
        cause: "points",
        lsn: 2,
      },
    ]);
    expect(progress).toEqual([
      {
        equipmentId: 1,
        fromUs: nowUs,
        watermarkUs: nowUs + 10 * secondUs,
        finalBeforeUs: nowUs + 10 * secondUs,
        repairing: false,
      },
    ]);
    await machine.point(1, 5, 9);
    await machine.gap(2, 3);
    machine.facts.tick();
    expect(told.splice(0)).toEqual([
      {
        equipmentId: 1,
        what: "production",
        fromUs: nowUs + 2 * secondUs,
        toUs: nowUs + 13 * secondUs,
        cause: "late",
        lsn: 3,
      },
      {
        equipmentId: 1,
        what: "production",
        fromUs: nowUs - secondUs,
        toUs: nowUs + 13 * secondUs,
        cause: "gap",
        lsn: 4,
      },
    ]);
    for (const end of ends) end();
    await machine.point(1, 30, 1);
    machine.facts.tick();
    expect(told).toEqual([]);
  });

  it("is not told what a start derives again", async () => {
    const machine = await plant([state]);
    await machine.point(1, 0, 1);
    const told: FactsChange[] = [];
    const again = machine.again({ heard: [{ connectionId: 1, lastUs: nowUs }] });
    again.onChanged((changes) => void told.push(...changes));
    await again.begin(1);
    again.tick();
    expect(told).toEqual([]);
    expect(machine.states(0, 1, again)).toEqual([[0, running]]);
  });
});

describe("mappings", () => {
  it("say nothing of a value: it is counted, the state is unknown, and everything goes on, also after a repair", async () => {
    const good = {
      property: "good",
      kind: "counter",
      counts: "good",
      mapping: { counter: { width: "uint16" } },
    } as const;
    const machine = await plant([state, good]);
    await machine.point(1, 0, 1);
    await machine.point(1, 10, 9);
    await machine.point(1, 20, 0);
    await machine.point(2, 0, 5);
    await machine.point(2, 10, 70_000);
    await machine.point(2, 20, 8);
    expect(machine.states(0, 30)).toEqual([
      [0, running],
      [10, 0],
      [20, standing],
    ]);
    const expected = [
      { tagId: 1, equipmentId: 1, values: 1 },
      { tagId: 2, equipmentId: 1, values: 1 },
    ];
    expect(machine.facts.mappingErrors()).toEqual(expected);
    expect(machine.facts.machine(1, nowUs, nowUs + 30 * secondUs).facts.increments.n).toEqual(Float64Array.of(0, 3));
    await machine.point(1, 5, 8);
    expect(machine.facts.mappingErrors()[0].values).toBe(2);
    expect(machine.facts.status).toEqual({ bindings: 2, repairing: 0, mappingErrors: 3 });
    const again = machine.again();
    await again.begin(0);
    expect(again.mappingErrors()[0].values).toBe(2);
  });

  it("of two pulse tags are each its own: one piece a row here, one an edge there", async () => {
    const pulse = {
      kind: "pulse",
      property: "made",
      counts: "good",
      mapping: { pulse: { idealCycleMs: 10_000 } },
    } as const;
    const reject = {
      ...pulse,
      property: "rejects",
      counts: "scrap",
      mapping: { pulse: { edge: "rising", idealCycleMs: 60_000 } },
    } as const;
    const machine = await plant([pulse, reject]);
    for (const [tag, at, value] of [
      [1, 0, 1],
      [2, 1, 0],
      [2, 2, 1],
      [2, 3, 1],
    ])
      await machine.point(tag, at, value);
    await machine.point(1, 400, 1);
    await machine.later(500, 50);
    await machine.stated();
    const { increments } = machine.facts.machine(1, nowUs, nowUs + 300 * secondUs).facts;
    expect([...increments.t].map((t) => (t - nowUs) / secondUs)).toEqual([0, 2]);
    // The last pulse before the stop is the reject's, so its ideal cycle tells how long is too long: 3 × 60 s.
    expect(machine.states(0, 300)).toEqual([
      [0, running],
      [2, standing],
    ]);
  });
});

describe("a start", () => {
  it("goes on from what was saved: history is not read, what is saved is not told again, and later points go on", async () => {
    const store = new MemoryStore();
    const parts = { store, saved: (save: () => number) => void save(), saveEveryMs: Number.POSITIVE_INFINITY };
    const machine = await plant([state], parts);
    for (let i = 0; i < 5; i++) await machine.point(1, 10 * i, i % 2);
    await machine.later(2);
    machine.facts.saveNow();
    const before = machine.states(-1, 60);
    const read: number[] = [];
    const told: FactsChange[] = [];
    const raw = async () => {
      read.push(1);
      throw new Error("History was asked.");
    };
    const history = { status: { appliedLsn: 1_000_000, frozenBeforeUs: null } as never, raw };
    machine.facts = machine.again({ ...parts, checkpoint: store.load(), history });
    machine.facts.onChanged((changes) => void told.push(...changes));
    await machine.facts.begin(store.lsn);
    await machine.later(2);
    expect(machine.states(-1, 60)).toEqual(before);
    expect([read, told]).toEqual([[], []]);
    await machine.point(1, 50, 1);
    await machine.later(2);
    expect(machine.states(-1, 60)).toEqual([...before, [50, running]]);
    expect(told).toMatchObject([{ cause: "points", fromUs: nowUs + 50 * secondUs }]);
  });

  it("has what a repair changed in the hour that is still written, though it looks the same from outside", async () => {
    const store = new MemoryStore();
    const parts = { store, saved: (save: () => number) => void save(), saveEveryMs: Number.POSITIVE_INFINITY };
    const machine = await plant([state], parts);
    await machine.point(1, 0, 1);
    await machine.point(1, 10, 0);
    machine.facts.saveNow();
    await machine.point(1, 5, 0);
    machine.facts.saveNow();
    const again = machine.again({ ...parts, checkpoint: store.load() });
    await again.begin(store.lsn);
    expect(machine.states(0, 20, again)).toEqual([
      [0, running],
      [5, standing],
    ]);
  });

  it("leaves facts as they are where retention has taken the points they rest on", async () => {
    const machine = await plant([state]);
    await machine.point(1, -7200, 1);
    await machine.point(1, -3600 * 5, 0);
    const before = machine.states(-3600 * 6, 0);
    const frozenBeforeUs = nowUs - 3 * 3600 * secondUs;
    const store = new MemoryStore();
    const parts = { store, saved: (save: () => number) => void save() };
    const kept = machine.again(parts);
    await kept.begin(0);
    kept.saveNow();
    const raw = async () => ({ columns: new ColumnsBuilder().build(), warnings: [], more: false });
    const history = { status: { appliedLsn: 1_000_000, frozenBeforeUs } as never, raw };
    machine.facts = machine.again({ ...parts, checkpoint: store.load(), history });
    await machine.facts.begin(store.lsn);
    // A gap of long ago would have to be derived from points that are gone.
    await machine.gap(-3600 * 4.5, -3600 * 4);
    expect(machine.states(-3600 * 6, 0)).toEqual(before);
  });
});
