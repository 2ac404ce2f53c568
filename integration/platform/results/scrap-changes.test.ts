import {
  type Cell,
  defaultOeePolicy,
  type EquipmentContext,
  type FactRecordItem,
  hourUs,
  type MachineFacts,
  type MasterDataItem,
  minuteUs,
  quantityPlaces,
  startingReasons,
  stateCode,
} from "@lineshaft/contract/api";
import type { FactRecordedRecord, Facts, MasterData, ProductionTimes } from "@lineshaft/contract/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cellsOf, machineScrapSources } from "../context/index.ts";
import { placeLateScrap } from "../context/late-scrap.ts";
import { ScrapChanges, type ScrapMove } from "./scrap-changes.ts";

type Late = MasterDataItem<"lateScrap">;
type Order = MasterDataItem<"order">;

const day = 20_783 * 24 * hourUs;
const at = (minute: number): number => day + minute * minuteUs;
const hours = 12;
const machine = 7;
const running = stateCode("Executing", "Processing");
const codes = [running, stateCode("NotExecuting", "Processing"), 0];
const forever = Number.MAX_SAFE_INTEGER;

/** One machine by the minute, with the scrap of each hour as it was computed last: only what is dirty is computed again. */
class World {
  /** By minute, up to the watermark. */
  readonly states: number[] = [];
  readonly late = new Map<string, Late>();
  readonly orders = new Map<string, Order>();
  readonly records: { item: FactRecordItem<"unitProduced">; lsn: number; until: number }[] = [];
  readonly kept = new Map<number, string>();
  lsn = 1;
  readonly facts = {
    machine: (_: number, from: number, to: number) => ({ facts: this.factsOf(from, to) }),
    progress: () => ({ equipmentId: machine, fromUs: at(0), watermarkUs: at(this.states.length) }),
  } as unknown as Facts;
  readonly production: ProductionTimes = {
    ofSerial: (_t, _e, serial, asOf) => this.#made((item) => item.serial === serial, asOf).at(-1) ?? null,
    ofLot: (_t, _e, lot, asOf) => {
      const all = this.#made((item) => item.lot === lot, asOf);
      if (all.length === 0) return null;
      return { fromUs: Math.min(...all.map((m) => m.fromUs)), toUs: Math.max(...all.map((m) => m.toUs)) };
    },
    named: (_t, id) => this.records.filter(({ item }) => item.id === id).map(({ item }) => item),
  };
  changes = this.start();

  /** A process that knows nothing of those before it. */
  start(): ScrapChanges {
    const data = {
      list: () => ({ items: [...this.late].map(([id, item]) => ({ id, item })), cursor: null }),
      find: (_p: unknown, _k: unknown, id: string) => ({ id, item: this.orders.get(id) }),
    } as unknown as MasterData;
    const changes = new ScrapChanges(data, this.facts, this.production);
    changes.begin(1);
    return changes;
  }

  #made(of: (item: FactRecordItem<"unitProduced">) => boolean, asOf = forever) {
    return this.records
      .filter(({ item, lsn, until }) => of(item) && lsn <= asOf && until > asOf)
      .map(({ item }) => ({ fromUs: item.fromUs ?? item.toUs, toUs: item.toUs }))
      .sort((a, b) => a.toUs - b.toUs);
  }

  factsOf(from: number, to: number): MachineFacts {
    const rows: [number, number][] = [];
    const codeAt = (minute: number): number => this.states[Math.min(minute, this.states.length - 1)] ?? 0;
    for (let minute = Math.floor((from - day) / minuteUs); at(minute) < to; minute++) {
      const code = minute < 0 ? 0 : codeAt(minute);
      if (rows.at(-1)?.[1] !== code) rows.push([Math.max(from, at(minute)), code]);
    }
    const none = { count: 0, source: [], t: [], n: [], kind: [], flags: [] };
    return {
      ...{ from, to },
      states: {
        count: rows.length,
        t: Float64Array.from(rows.map(([t]) => t)),
        code: Int32Array.from(rows.map(([, code]) => code)),
      },
      increments: none as unknown as MachineFacts["increments"],
    };
  }

  /** The scrap of [from, to), as far as facts are final; from facts of this time alone, as cells are. */
  scrap(from: number, to: number): Cell[] {
    const end = Math.min(to, at(this.states.length));
    const found = this.factsOf(from - hourUs, to + hourUs);
    const executions = [...this.orders].flatMap(([order, item]) =>
      item.operations.flatMap(({ id: operation, executions: all }) =>
        all.map(({ fromUs, toUs }) => ({
          ...{ order, operation, material: null, unit: "1", share: 1, fromUs, toUs: toUs ?? forever },
        })),
      ),
    );
    const sources = machineScrapSources({
      ...{ facts: this.facts, production: this.production, tenant: 1, machine, place: machine },
    });
    const context: EquipmentContext = {
      ...{ timeZone: "UTC", lifecycle: [], shifts: [], executions, reasons: [], reasonTree: startingReasons },
      ...{ materials: [], setUps: [], idealCycles: [], counting: [], blockedCavities: [] },
      lateScrap: placeLateScrap(sources, executions, [...this.late.values()]).placed,
      policies: [{ fromUs: 0, toUs: forever, policy: defaultOeePolicy }],
    };
    return from >= end ? [] : cellsOf({ equipment: machine, facts: found, context }, { from, to: end });
  }

  compute(hour: number): void {
    this.kept.set(hour, sums(this.scrap(at(hour * 60), at((hour + 1) * 60))));
  }

  dirty(...moves: { fromUs: number; toUs: number }[]): void {
    for (const { fromUs, toUs } of moves)
      for (let hour = 0; hour < hours; hour++)
        if (at((hour + 1) * 60) >= fromUs && at(hour * 60) <= toUs) this.compute(hour);
  }

  moved(moves: readonly ScrapMove[]): void {
    this.dirty(...moves);
    for (const { moves: late } of this.changes.settled()) this.dirty(...late);
  }

  /** From scratch, all hours at once. */
  fresh(): Map<number, string> {
    const cells = this.scrap(at(0), at(hours * 60));
    const byHour = Map.groupBy(cells, ({ gridUs }) => Math.floor((gridUs - day) / hourUs));
    return new Map(Array.from({ length: hours }, (_, hour) => [hour, sums(byHour.get(hour) ?? [])]));
  }
}

function sums(cells: readonly Cell[]): string {
  const by = new Map<string, [number, number]>();
  for (const cell of cells) {
    const sq = quantityPlaces.reduce((sum, place) => sum + cell.quantities[place].sq, 0);
    if (sq === 0) continue;
    const [all, assigned] = by.get(cell.order ?? "") ?? [0, 0];
    by.set(cell.order ?? "", [all + sq, assigned + cell.assignedSq]);
  }
  const rounded = [...by].map(([order, figures]) => [order, ...figures.map((n) => Math.round(n * 1e6) / 1e6)]);
  return JSON.stringify(rounded.sort());
}

const minute = fc.integer({ min: 0, max: hours * 60 - 1 });
const order = fc.constantFrom("A", "B");
const serial = fc.constantFrom("s1", "s2", "s3");
const late = fc.record({
  ...{ what: fc.constant("late" as const), from: fc.nat(350) },
  ...{ for: fc.integer({ min: 1, max: 150 }), code: fc.nat(2) },
});
const op = fc.oneof(
  { arbitrary: late, weight: 3 },
  fc.record({ what: fc.constant("advance" as const), by: fc.integer({ min: 1, max: 60 }), code: fc.nat(2) }),
  fc.record({
    what: fc.constant("late" as const),
    from: minute,
    for: fc.integer({ min: 1, max: 90 }),
    code: fc.nat(2),
  }),
  fc.record({
    ...{ what: fc.constant("book" as const), id: fc.nat(4), order, ahead: fc.boolean(), back: minute },
    quantity: fc.integer({ min: 1, max: 50 }),
    how: fc.oneof(
      { arbitrary: fc.constant({}), weight: 3 },
      fc.constant({ lot: "L" }),
      fc.uniqueArray(serial, { minLength: 1, maxLength: 3 }).map((serials) => ({ serials })),
      fc.tuple(minute, fc.nat(200)).map(([a, b]) => ({ madeUs: { fromUs: at(a), toUs: at(a + b) } })),
    ),
  }),
  fc.record({ what: fc.constant("restart" as const), by: fc.nat(30), code: fc.nat(2) }),
  fc.record({ what: fc.constant("remove" as const), id: fc.nat(4) }),
  fc.record({ what: fc.constant("run" as const), order, from: minute, for: fc.integer({ min: 5, max: 400 }) }),
  fc.record({
    ...{ what: fc.constant("make" as const), id: fc.nat(2), serial, from: minute, for: fc.nat(90) },
    retract: fc.boolean(),
  }),
);
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;

/** A morning with an order after the other, each with stops. */
const beginning: Op[] = [
  { what: "run", order: "A", from: 0, for: 200 },
  { what: "run", order: "B", from: 180, for: 500 },
  ...Array.from({ length: 10 }, (_, i): Op => ({ what: "advance", by: 20 + 3 * i, code: i % 2 })),
];

/** Booked where the machine last ran; a process later it has run again before the time of booking. */
const restarted: Op[] = [
  { what: "restart", by: 6, code: 0 },
  { what: "advance", by: 20, code: 1 },
  { what: "book", id: 0, order: "B", ahead: true, back: 0, quantity: 1, how: {} },
  { what: "restart", by: 1, code: 0 },
];

function act(world: World, op: Op): void {
  const { states } = world;
  switch (op.what) {
    case "advance": {
      const from = states.length;
      for (let i = 0; i < op.by && states.length < hours * 60; i++) states.push(codes[op.code]);
      // What comes in its order is progress: the hours that were open are computed again.
      world.dirty({ fromUs: at(from), toUs: at(states.length) });
      world.moved([]);
      return;
    }
    case "restart": {
      // Facts went on while nobody looked.
      const from = states.length;
      for (let i = 0; i < op.by && states.length < hours * 60; i++) states.push(codes[op.code]);
      world.dirty({ fromUs: at(from), toUs: at(states.length) });
      world.changes = world.start();
      world.moved([]);
      return;
    }
    case "late": {
      const to = Math.min(op.from + op.for, states.length - 1);
      if (op.from >= to) return;
      states.fill(codes[op.code], op.from, to);
      const change = { fromUs: at(op.from), toUs: at(to) };
      world.dirty(change);
      world.moved(world.changes.factsChanged(1, machine, change));
      return;
    }
    case "book": {
      const bookedUs = op.ahead ? at(states.length + 4) : at(Math.min(op.back, states.length));
      const base = { equipmentId: machine, order: op.order, operation: "10", quantity: op.quantity, bookedUs };
      const late: Late = { ...base, madeUs: null, ...op.how };
      const before = world.late.get(String(op.id)) ?? null;
      world.late.set(String(op.id), late);
      world.moved(world.changes.booked(1, String(op.id), before, late));
      return;
    }
    case "remove": {
      const before = world.late.get(String(op.id)) ?? null;
      world.late.delete(String(op.id));
      world.moved(world.changes.booked(1, String(op.id), before, null));
      return;
    }
    case "run": {
      const before = world.orders.get(op.order) ?? null;
      const executions = [{ equipmentId: machine, fromUs: at(op.from), toUs: at(op.from + op.for) }];
      const after: Order = {
        ...{ material: null, unit: "1", quantity: 1, operations: [{ id: "10", name: null, executions }] },
      };
      world.orders.set(op.order, after);
      // Under which order an hour's scrap is told is the context's own change.
      for (let hour = 0; hour < hours; hour++) if (world.kept.get(hour) !== "[]") world.compute(hour);
      world.moved(world.changes.ordered(1, op.order, before, after));
      return;
    }
    case "make": {
      const lsn = ++world.lsn;
      const id = String(op.id);
      const item: FactRecordItem<"unitProduced"> = {
        ...{ kind: "unitProduced", id, equipmentId: machine, serial: op.serial, lot: "L", verdict: "good" },
        ...{ fromUs: at(op.from), toUs: at(op.from + op.for) },
      };
      for (const record of world.records) if (record.item.id === id && record.until === forever + 1) record.until = lsn;
      if (!op.retract) world.records.push({ item, lsn, until: forever + 1 });
      const record = { by: "mes", items: [{ item, equipmentId: machine, path: "m" }] } as FactRecordedRecord;
      world.moved(world.changes.produced(1, record, lsn));
      return;
    }
  }
}

describe("late scrap that moves", () => {
  test("with late facts, orders, records and bookings in any order, computing what is dirty equals computing all", () => {
    fc.assert(
      fc.property(fc.array(op, { minLength: 10, maxLength: 30 }), (ops) => {
        const world = new World();
        for (const each of beginning) act(world, each);
        for (let hour = 0; hour < hours; hour++) world.compute(hour);
        for (const [i, each] of ops.entries()) {
          act(world, each);
          expect(Object.fromEntries(world.kept), `after ${i}: ${JSON.stringify(each)}`).toEqual(
            Object.fromEntries(world.fresh()),
          );
        }
      }),
      { numRuns: Number(process.env.SCRAP_RUNS ?? 40), examples: [[restarted]] },
    );
  });
});
