import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type EquipmentContext,
  type IdentifierTransition,
  type MachineFacts,
  type MasterDataItem,
  type MasterDataKind,
  type Principal,
  ProblemError,
} from "@lineshaft/contract/api";
import type { Facts, Lsn, ProductionTimes, Registry } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contextDifference, contextOf, IdentifierSource } from "../context/index.ts";
import { openRegistry } from "../registry/index.ts";
import { ContextChanges, type MasterDataChange } from "./context-changes.ts";
import type { Range } from "./reach.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
const from = 1_000_000;
const to = from + 100;

let dir: string;
let registry: Registry;
let changes: ContextChanges;
let press = 0;
let site = 0;
let lsn: Lsn = 0;
let tells: IdentifierTransition[] = [];
const clock = new FakeClock();
const nothing: MachineFacts = {
  ...{ from, to, states: { count: 0, t: new Float64Array(), code: new Int32Array() } },
  increments: {
    ...{ count: 0, source: new Float64Array(), t: new Float64Array(), n: new Float64Array() },
    ...{ kind: new Uint8Array(), flags: new Uint8Array() },
  },
};
const facts = {
  identifiers: (id: number) => (id === press ? tells : []),
  progress: () => null,
} as unknown as Facts;

const production: ProductionTimes = { ofSerial: () => null, ofLot: () => null, named: () => [] };

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "told-"));
  registry = openRegistry({ path: join(dir, "registry.db"), clock });
  site = registry.createEquipment(admin, { level: "site", name: "S" }).item.id;
  press = registry.createEquipment(admin, { level: "workUnit", name: "P", parentId: site }).item.id;
  changes = new ContextChanges({ registry, facts, clock, production });
  tells = [];
  stamp();
});
afterEach(() => {
  registry.close();
  rmSync(dir, { recursive: true });
});

function stamp(): void {
  const rows = registry.outbox(1000);
  registry.stampLsn(rows.map(({ revision }) => ({ revision, lsn: ++lsn })));
}

function context(): EquipmentContext {
  const identified = new IdentifierSource({ registry, facts, clock }).of(admin, [press, site]);
  const query = { upwards: [press, site], timeZone: "UTC", facts: nothing, identified };
  return contextOf(registry.masterData, admin, query).context;
}

const stations = () => [
  {
    id: press,
    path: "S/P",
    equipmentLevel: "workUnit" as const,
    level: "workUnit" as const,
    parent: site,
    members: [press],
  },
];

/** Puts an item, or takes it away; what that touches. */
function change<K extends MasterDataKind>(kind: K, id: string, item: MasterDataItem<K> | null): Range[] {
  const { masterData } = registry;
  let known: number | null = null;
  try {
    known = masterData.get(admin, kind, id).revision;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
  }
  if (item === null && known === null) return [];
  if (item === null) masterData.remove(admin, kind, id, known as number);
  else masterData.put(admin, kind, id, item, known);
  const [row] = registry.outbox(10);
  const { after } = row.record;
  stamp();
  return [
    ...changes.touched(
      1,
      { ...after, removed: after.removed === true, lsn } as unknown as MasterDataChange,
      stations(),
    ),
  ];
}

/** The machine is known to have told something else; what that touches. */
function tell(next: IdentifierTransition[], hull: Range): Range[] {
  tells = next;
  return [...changes.toldOtherwise(1, press, hull, stations())];
}

const rule = (more: Partial<MasterDataItem<"identifierRule">> = {}): MasterDataItem<"identifierRule"> => ({
  ...{ equipmentId: site, dimension: "order", property: "order", prefix: null, padTo: null, none: null, lookUp: null },
  ...{ fromUs: 0, toUs: null },
  ...more,
});
const order = (more: Partial<MasterDataItem<"order">> = {}, ...booked: [number, number | null][]) => ({
  ...{ material: "M", unit: "1", quantity: 5 },
  operations: [
    {
      ...{ id: "10", name: null },
      executions: booked.map(([a, b]) => ({
        equipmentId: press,
        fromUs: from + a,
        toUs: b === null ? null : from + b,
      })),
    },
  ],
  ...more,
});
const told = (property: string, ...values: [number, string | null][]): IdentifierTransition[] =>
  values.map(([t, value]) => ({ property, t: from + t, value }));
const at = (ranges: Range[]): unknown[] =>
  ranges.map(({ fromUs, toUs }) => [fromUs - from, toUs === Number.MAX_SAFE_INTEGER ? null : toUs - from]);

describe("what other identifiers, rules and look-ups touch", () => {
  it("is exactly where the work of the machine becomes another", () => {
    change("order", "A", order());
    change("order", "B", order());
    tells = told("order", [0, "A"], [40, "7"], [60, ""]);
    expect(at(change("identifierRule", "r", rule()))).toEqual([[0, 40]]);
    const table = { dimension: "order", rows: [{ value: "7", id: "B", fromUs: 0, toUs: null }] } as const;
    expect(at(change("lookUp", "t", { ...table, rows: [...table.rows] }))).toEqual([]);
    expect(at(change("identifierRule", "r", rule({ lookUp: "t" })))).toEqual([[0, 60]]);
    // A row of yesterday is corrected.
    expect(at(change("lookUp", "t", { ...table, rows: [{ ...table.rows[0], fromUs: from + 50 }] }))).toEqual([
      [40, 50],
    ]);
    expect(at(change("order", "B", order({ material: "N" })))).toEqual([[50, 60]]);
    expect(at(change("order", "B", order({ material: "N", quantity: 6 })))).toEqual([[50, 60]]);
    expect(at(change("order", "A", order({ material: "N" })))).toEqual([]);
    // People book over it, and take that back.
    expect(at(change("order", "A", order({}, [30, 55])))).toEqual([[30, 55]]);
    expect(at(change("order", "A", order()))).toEqual([[30, 55]]);
  });

  it("is told of identifiers by comparing with what was told before; at first by the range that changed", () => {
    change("order", "A", order());
    change("order", "B", order());
    change("identifierRule", "r", rule());
    tells = told("order", [0, "A"], [40, null], [80, "A"]);
    // Late: in the gap it was B for a while. Nobody has looked before: what the gap was bridged by is touched too.
    const late = told("order", [0, "A"], [40, null], [50, "B"], [60, null], [80, "A"]);
    expect(at(tell(late, { fromUs: from + 50, toUs: from + 60 }))).toEqual([[40, 80]]);
    expect(at(tell(late, { fromUs: from + 50, toUs: from + 60 }))).toEqual([]);
    const later = told("order", [0, "A"], [40, null], [80, "A"]);
    expect(at(tell(later, { fromUs: from + 50, toUs: Number.POSITIVE_INFINITY }))).toEqual([[40, 80]]);
  });

  it("covers every instant at which the context is another, for any edits in any order", () => {
    const minute = fc.integer({ min: 0, max: 90 });
    const until = fc.option(fc.integer({ min: 91, max: 110 }));
    const name = fc.constantFrom("A", "B");
    const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 4 });
    const edits = fc.array(
      fc.oneof(
        fc.record({
          what: fc.constant("order" as const),
          name,
          item: some(fc.tuple(fc.constantFrom("M", "N", null), minute, until)),
          books: fc.boolean(),
        }),
        fc.record({
          what: fc.constant("rule" as const),
          dimension: fc.constantFrom("order" as const, "material" as const),
          item: some(fc.tuple(minute, until, fc.boolean(), fc.boolean())),
        }),
        fc.record({
          what: fc.constant("table" as const),
          rows: fc.uniqueArray(
            fc.record({
              value: fc.constantFrom("A", "B", "7"),
              id: fc.constantFrom("A", "B", "X"),
              fromUs: minute,
              toUs: until,
            }),
            { maxLength: 3, selector: ({ value }) => value },
          ),
        }),
        fc.record({ what: fc.constant("material" as const), unit: some(fc.constantFrom("1", "kg")) }),
        fc.record({
          what: fc.constant("tell" as const),
          moves: fc.uniqueArray(fc.tuple(minute, fc.constantFrom(null, "", "A", "B", "7", "X")), {
            maxLength: 5,
            selector: ([t]) => t,
          }),
        }),
      ),
      { minLength: 2, maxLength: 8 },
    );
    const open = (toUs: number | null): number | null => (toUs === null ? null : from + toUs);
    const table = (rows: MasterDataItem<"lookUp">["rows"] = []) => {
      // Each rule has the look-up of its dimension.
      const touched = change("lookUp", "order", { dimension: "order", rows });
      return [...touched, ...change("lookUp", "material", { dimension: "material", rows })];
    };
    fc.assert(
      fc.property(edits, (all) => {
        table();
        for (const id of ["A", "B"]) change("order", id, order());
        for (const dimension of ["order", "material"] as const)
          change("identifierRule", dimension, rule({ dimension }));
        change("material", "X", null);
        changes = new ContextChanges({ registry, facts, clock, production });
        tells = told("order", [0, "A"], [20, null], [30, "X"], [60, "7"]);
        changes.toldOtherwise(1, press, { fromUs: 0, toUs: to }, stations()).next();
        for (const edit of all) {
          const before = context();
          let touched: Range[] = [];
          if (edit.what === "tell") {
            const moves = [...edit.moves].sort(([a], [b]) => a - b);
            touched = tell(told("order", ...moves), { fromUs: 0, toUs: Number.POSITIVE_INFINITY });
          } else if (edit.what === "material")
            touched = change(
              "material",
              "X",
              edit.unit === null ? null : { name: null, unit: edit.unit, conversions: [] },
            );
          else if (edit.what === "table")
            touched = table(edit.rows.map((row) => ({ ...row, fromUs: from + row.fromUs, toUs: open(row.toUs) })));
          else if (edit.what === "order") {
            const [material = null, a = 0, b = null] = edit.item ?? [];
            touched = change(
              "order",
              edit.name,
              edit.item && order({ material }, ...(edit.books ? [[a, b] as [number, number | null]] : [])),
            );
          } else {
            const [a = 0, b = null, near, by] = edit.item ?? [];
            const { dimension } = edit;
            const more = { dimension, equipmentId: near ? press : site, lookUp: by ? dimension : null };
            touched = change(
              "identifierRule",
              dimension,
              edit.item && rule({ ...more, fromUs: from + a, toUs: open(b) }),
            );
          }
          for (const window of contextDifference(before, context())) {
            const [a, b] = [Math.max(window.from, from), Math.min(window.to, to)];
            const missed = Array.from({ length: Math.max(0, b - a) }, (_, i) => a + i).filter(
              (t) => !touched.some(({ fromUs, toUs }) => fromUs <= t && t < toUs),
            );
            expect(missed).toEqual([]);
          }
        }
      }),
      { seed: 11, numRuns: 20 },
    );
  });
});
