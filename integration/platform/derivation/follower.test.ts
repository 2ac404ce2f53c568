import { ColumnsBuilder, type Mapping } from "@lineshaft/contract/api";
import {
  encodeJson,
  encodePoints,
  encodeVerdict,
  type Frame,
  type GapRecord,
  type HistoryStatus,
  recordType,
  type StandardBinding,
} from "@lineshaft/contract/ports";
import { FakeClock, seeded } from "@lineshaft/testkit";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "./follower.fixture.ts";
import { FactsFollower } from "./index.ts";

const hourUs = 3_600_000_000;
const now = 500_000 * hourUs;
const from = now - 30 * hourUs;
const tags = [1, 2, 3, 4, 5, 6];
const mappings: Mapping[] = [{ preset: "running" }, { preset: "packml" }, { otherwise: { itemState: "OutOfService" } }];

const machines = { idealCycles: () => ({ from: [], us: [] }), changed: () => [], microStopUs: 0 };
const unsaved = { store: null, checkpoint: null, saveEveryMs: 0, saved: () => undefined };
/** Neither orders nor supervised connections. */
const alone = { machines, aliveUs: () => null, silence: () => undefined, tell: null, ...unsaved };

/** A log with history and registry beside it, as plain lists: points in order and late, verdicts, gaps that open and end, bindings that change. */
class Plant {
  readonly clock = new FakeClock(now);
  readonly rows: { tag: number; time: number; value: number | string }[] = [];
  readonly gaps: GapRecord[] = [];
  readonly #random: () => number;
  readonly #newest = new Map<number, number>();
  #bindings: StandardBinding[] = [];
  #lsn = 0;
  #openFrom: number | null = null;
  /** Small pages, so that a repair reads several. */
  readonly history = {
    status: { appliedLsn: Number.MAX_SAFE_INTEGER, frozenBeforeUs: null } as HistoryStatus,
    raw: async ({
      tags: [tag],
      fromUs,
      toUs,
      limit,
    }: {
      tags: number[];
      fromUs: number;
      toUs: number;
      limit: number;
    }) => {
      const found = this.rows
        .filter((row) => row.tag === tag && row.time >= fromUs && row.time < toUs)
        .sort((a, b) => a.time - b.time);
      const page = Math.min(limit, Math.max(7, limit / 400));
      const columns = new ColumnsBuilder();
      for (const { time, value } of found.slice(0, page)) columns.add(tag, time, value);
      return { columns: columns.build(), warnings: [], more: found.length > page };
    },
  };
  readonly registry = { standardBindings: () => ({ revision: 1, items: this.#bindings }) };

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.#rebind();
  }

  /** From what was saved, where there is something. */
  follower(store: MemoryStore | null = null): FactsFollower {
    const { clock, history, registry, gaps } = this;
    const heard = this.#lsn === 0 ? [] : [{ connectionId: 1, lastUs: now }];
    return new FactsFollower({
      ...alone,
      clock,
      history,
      registry,
      registryApplied: async () => undefined,
      gaps: [...gaps],
      heard,
      ...{ store, checkpoint: store?.load() ?? null, saveEveryMs: Number.POSITIVE_INFINITY },
      saved: (save) => {
        try {
          save();
        } catch {
          // Refused; the next one has it all.
        }
      },
    });
  }

  below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  /** The next record, and what follows from it. */
  frames(): Frame[] {
    const what = this.below(20);
    if (what === 0) {
      this.#rebind();
      return [
        this.#frame(
          recordType.registryChanged,
          encodeJson({ entity: "binding", id: 1, revision: 1, actor: "", after: {} }),
        ),
      ];
    }
    return what < 3 ? [this.#gap()] : this.#points();
  }

  #points(): Frame[] {
    const columns = new ColumnsBuilder();
    const suspect: number[] = [];
    const verdict = new ColumnsBuilder();
    for (let i = 0; i < 1 + this.below(6); i++) {
      const tag = tags[this.below(tags.length)];
      const newest = this.#newest.get(tag) ?? from;
      const time =
        this.below(8) === 0 ? from + this.below(29 * 3600) * 1_000_000 : newest + this.below(900) * 1_000_000 + 1;
      // What lies ahead of the watermark is not merged yet by the one and is by the other.
      if (time > now - hourUs || this.rows.some((row) => row.tag === tag && row.time === time)) continue;
      const number = tag === 2 ? Math.floor((time - from) / 60_000_000) : this.below(7);
      const value = tag === 5 ? `lot ${number}` : tag === 6 && number > 3 ? `E${number}` : number;
      if (time <= newest) {
        suspect.push(columns.rows);
        verdict.add(tag, time, value);
      } else this.#newest.set(tag, time);
      columns.add(tag, time, value);
      this.rows.push({ tag, time, value });
    }
    const record = {
      connectionId: 1,
      generation: 0,
      sequence: 0,
      mode: "append",
      receivedTime: now,
      sourceCursor: null,
    } as const;
    const batch = this.#frame(
      recordType.points,
      encodePoints({ ...record, suspect: Uint32Array.from(suspect), columns: columns.build() }),
    );
    if (suspect.length === 0) return [batch];
    const judged = {
      batchLsn: batch.lsn,
      connectionId: 1,
      new: suspect.length,
      repeats: 0,
      corrections: 0,
      corrected: [],
    };
    return [batch, this.#frame(recordType.verdict, encodeVerdict({ ...judged, columns: verdict.build() }))];
  }

  #gap(): Frame {
    const at = from + this.below(29 * 3600) * 1_000_000;
    const fromUs = this.#openFrom ?? at;
    const ends = this.#openFrom !== null || this.below(2) === 0;
    const toUs = ends ? fromUs + 1 + this.below(hourUs) : null;
    this.#openFrom = ends ? null : fromUs;
    const gap: GapRecord = { connectionId: 1, connection: "one", fromUs, toUs, points: null, reason: "" };
    this.gaps.push(gap);
    return this.#frame(recordType.gap, encodeJson(gap));
  }

  #rebind(): void {
    const common = { tenant: 1, connectionId: 1, equipmentId: 1, validFromUs: null, validToUs: null };
    const dated = this.below(2) === 0 ? null : from + this.below(20) * hourUs;
    const pulse = { ...common, kind: "pulse", mapping: { pulse: { idealCycleMs: 60_000 } } } as const;
    const state = { ...common, kind: "itemState", counts: null, tagId: 1, property: "state" } as const;
    this.#bindings = [
      { ...state, validToUs: dated, mapping: mappings[this.below(3)] },
      ...(dated === null ? [] : [{ ...state, validFromUs: dated, mapping: mappings[this.below(3)] }]),
      {
        ...common,
        kind: "counter",
        counts: "good",
        tagId: 2,
        property: "good",
        mapping: { counter: { sampling: "sampled" } },
      },
      { ...pulse, equipmentId: 2, counts: "good", tagId: 3, property: "pulse" },
      { ...common, kind: "identifier", counts: null, tagId: 5, property: "lot", mapping: {} },
      {
        ...{ ...common, kind: "alarm", counts: null, equipmentId: 2, tagId: 6, property: "fault" },
        mapping: { alarm: { severity: 1 + this.below(3), rows: [{ from: 0, to: 1 + this.below(3), active: false }] } },
      },
      ...(this.below(3) === 0
        ? []
        : [{ ...pulse, equipmentId: 2, counts: "scrap" as const, tagId: 4, property: "reject" }]),
    ];
  }

  #frame(type: Frame["type"], payload: Uint8Array): Frame {
    return { tenant: 1, partition: 0, type, payload, lsn: ++this.#lsn, generation: 1, recordedTime: now };
  }
}

/** All that is told of a machine. */
const all = (facts: FactsFollower, machine: number) => ({
  ...facts.machine(machine, from, now),
  alarms: facts.alarms(machine, from, now),
  identifiers: facts.identifiers(machine, from, now),
});

describe("facts that follow the log", () => {
  it("are at any time those that a fresh start derives from history", async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const plant = new Plant(seed);
      const live = plant.follower();
      await live.begin(0);
      for (let step = 0; step < 60; step++) {
        const portion = [...plant.frames(), ...(plant.below(3) === 0 ? plant.frames() : [])];
        if (portion.length > 0) await live.apply(portion);
        if (plant.below(10) === 0) live.machine(1 + plant.below(2), from, now);
      }
      // Several channels are merged behind the watermark, so the last reading comes once it has passed them.
      for (const machine of [1, 2]) live.machine(machine, from, now);
      const fresh = plant.follower();
      await fresh.begin(1_000_000);
      for (const machine of [1, 2])
        expect(all(live, machine), `seed ${seed}, machine ${machine}`).toEqual(all(fresh, machine));
    }
  });

  it("are those after a process was killed at any time and went on from what was saved", async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const plant = new Plant(seed);
      const store = new MemoryStore();
      const frames: Frame[] = [];
      let live = plant.follower(store);
      await live.begin(0);
      let restarts = 0;
      for (let step = 0; step < 80; step++) {
        const portion = plant.frames();
        frames.push(...portion);
        if (portion.length > 0) await live.apply(portion);
        if (plant.below(6) === 0) live.tick();
        store.refuse = plant.below(4) === 0;
        if (plant.below(5) === 0) live.saveNow();
        if (plant.below(12) > 0 || store.saves === 0) continue;
        restarts++;
        live = plant.follower(store);
        await live.begin(store.lsn);
        const missed = frames.filter(({ lsn }) => lsn > store.lsn);
        const cut = plant.below(missed.length + 1);
        for (const part of [missed.slice(0, cut), missed.slice(cut)]) if (part.length > 0) await live.apply(part);
      }
      expect(restarts).toBeGreaterThan(0);
      for (const machine of [1, 2]) live.machine(machine, from, now);
      const fresh = plant.follower();
      await fresh.begin(1_000_000);
      for (const machine of [1, 2])
        expect(all(live, machine), `seed ${seed}, machine ${machine}`).toEqual(all(fresh, machine));
      expect(live.mappingErrors(), `seed ${seed}`).toEqual(fresh.mappingErrors());
    }
  });

  it("know nothing while a connection is away, and again what its first values say when it is back", async () => {
    const binding: StandardBinding = {
      ...{
        tenant: 1,
        connectionId: 1,
        equipmentId: 1,
        validFromUs: null,
        validToUs: null,
        tagId: 1,
        property: "state",
      },
      ...{ kind: "itemState", counts: null, mapping: { preset: "running" } },
    };
    const rows: { time: number; value: number }[] = [];
    const raw = async ({ fromUs, toUs }: { fromUs: number; toUs: number }) => {
      const columns = new ColumnsBuilder();
      for (const { time, value } of rows) if (time >= fromUs && time < toUs) columns.add(1, time, value);
      return { columns: columns.build(), warnings: [], more: false };
    };
    const facts = new FactsFollower({
      ...alone,
      ...{ clock: new FakeClock(now), registryApplied: async () => undefined, gaps: [], heard: [] },
      history: { status: { appliedLsn: 1_000, frozenBeforeUs: null } as HistoryStatus, raw },
      registry: { standardBindings: () => ({ revision: 1, items: [binding] }) },
    });
    await facts.begin(0);
    let lsn = 0;
    const record = async (type: Frame["type"], payload: Uint8Array): Promise<void> =>
      facts.apply([{ tenant: 1, partition: 0, type, payload, lsn: ++lsn, generation: 1, recordedTime: now }]);
    const point = async (seconds: number, value: number): Promise<void> => {
      const time = from + seconds * 1e6;
      rows.push({ time, value });
      const columns = new ColumnsBuilder();
      columns.add(1, time, value);
      const batch = { connectionId: 1, generation: 0, sequence: 0, mode: "append", receivedTime: now } as const;
      const payload = { ...batch, sourceCursor: null, suspect: new Uint32Array(0), columns: columns.build() };
      await record(recordType.points, encodePoints(payload));
    };
    const gap = async (begin: number, end: number | null): Promise<void> => {
      const toUs = end === null ? null : from + end * 1e6;
      const lost = { connectionId: 1, connection: "one", fromUs: from + begin * 1e6, toUs, points: null, reason: "" };
      await record(recordType.gap, encodeJson(lost));
    };
    const states = (): [number, number][] => {
      const { t, code } = facts.machine(1, from, now).facts.states;
      return Array.from(t, (at, i) => [(at - from) / 1e6, code[i]]);
    };
    await point(10, 1);
    await gap(20, null);
    expect(states()).toEqual([
      [0, 0],
      [10, 4],
      [20, 0],
    ]);
    await point(49, 0);
    await gap(20, 50);
    expect(states()).toEqual([
      [0, 0],
      [10, 4],
      [20, 0],
      [50, 3],
    ]);
    await point(60, 1);
    expect(states()).toEqual([
      [0, 0],
      [10, 4],
      [20, 0],
      [50, 3],
      [60, 4],
    ]);
  });
});
