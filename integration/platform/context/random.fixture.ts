import {
  type EquipmentContext,
  itemStates,
  type MachineFacts,
  operationModes,
  secondUs,
  stateCode,
} from "@lineshaft/contract/api";
import fc from "fast-check";
import { setUpsFromOrderChange } from "./set-up.ts";
import { type Count, context, day0, facts, order } from "./testing.ts";

/** Random plants on whole seconds: an hour and a half, with everything that the rules speak of, small enough to be looked at second by second. */
export const spanMinutes = 90;

/** Minutes with seconds. */
const minute = (from = 0, to = spanMinutes) =>
  fc.integer({ min: from * 60, max: to * 60 }).map((seconds) => seconds / 60);
const range = fc.tuple(minute(), minute()).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const us = (minutes: number) => day0 + Math.round(minutes * 60) * 1_000_000;
const dated = ({ from, to }: { from: number; to: number }) => ({ fromUs: us(from), toUs: us(to) });
const some = <T>(one: fc.Arbitrary<T>, maxLength: number) => fc.array(one, { maxLength });

const anyState = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(stateCode("Executing", "Processing"), stateCode("NotExecuting", "Processing"), 0),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...itemStates),
        fc.constantFrom(null, ...operationModes),
        fc.constantFrom(0, 7_100_000, 7_400_000),
      )
      .map(([state, mode, cause]) => stateCode(state, mode, cause)),
  },
);

const counts = some(
  fc
    .tuple(
      range,
      fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constantFrom(0.5, 7.25)),
      fc.constantFrom("good", "scrap", "rework", "total"),
      fc.constantFrom(0, 0, 1, 2, 2, 3),
    )
    .map(([{ from, to }, n, kind, flags]): Count => [from, Math.max(to, from + 1 / 60), n, kind, flags]),
  10,
).map((list) => list.filter(([, t]) => t <= spanMinutes).sort((a, b) => a[1] - b[1]));

export const randomFacts = fc
  .tuple(fc.uniqueArray(fc.tuple(minute(), anyState), { maxLength: 14, selector: ([at]) => at }), counts)
  .map(([states, increments]) =>
    facts(
      0,
      spanMinutes,
      states.sort(([a], [b]) => a - b),
      increments,
    ),
  );

/** One after another, never two at once. */
const apart = <T>(items: { from: number; to: number; value: T }[]): { from: number; to: number; value: T }[] => {
  let end = 0;
  return items
    .sort((a, b) => a.from - b.from)
    .flatMap((item) => {
      const from = Math.max(item.from, end);
      if (from >= item.to) return [];
      end = item.to;
      return [{ ...item, from }];
    });
};
const ranged = <T>(value: fc.Arbitrary<T>, maxLength: number) =>
  some(
    fc.tuple(range, value).map(([at, of]) => ({ ...at, value: of })),
    maxLength,
  ).map(apart);

const policy = fc.record({
  version: fc.constantFrom("1", "2"),
  microStopUs: fc.constantFrom(0, 60e6, 300e6, 900e6),
  microStopTo: fc.constantFrom("availability" as const, "effectiveness" as const),
  outsidePlan: fc.constantFrom("extend" as const, "exclude" as const),
  noOrder: fc.constantFrom("busy" as const, "notBusy" as const),
  setUp: fc.constantFrom("booked" as const, "firstGoodPart" as const),
  setUpParts: fc.integer({ min: 1, max: 3 }),
  setUpQuantity: fc.constant("outside" as const),
});

export const randomContext: fc.Arbitrary<EquipmentContext> = fc
  .record({
    lifecycle: ranged(fc.constantFrom("commissioning" as const, "productive" as const), 2),
    shifts: ranged(some(range, 2), 3),
    executions: some(fc.tuple(range, fc.constantFrom("A", "B", "C"), fc.constantFrom(1, 1, 3), fc.boolean()), 4),
    reasons: ranged(fc.constantFrom(3_000_000, 6_200_000, 7_100_000, 7_400_000), 4),
    setUps: some(fc.tuple(range, fc.constantFrom(null, "A", "B")), 2),
    idealCycles: ranged(fc.tuple(fc.constantFrom("M", "N", null), fc.constantFrom(30e6, 7e6)), 4),
    counting: ranged(
      fc.record({
        counts: fc.constantFrom("units" as const, "cycles" as const),
        continuous: fc.boolean(),
        quantities: fc.constantFrom("sum" as const, "totalAndScrap" as const, "totalAndGood" as const),
      }),
      3,
    ),
    blocked: some(fc.tuple(range, fc.constantFrom("A", "B")), 2),
    policies: fc.tuple(policy, policy, minute()),
  })
  .map((r) => {
    const [one, two, change] = r.policies;
    const executions = new Map<string, { from: number; to: number; share: number; odd: boolean }[]>();
    for (const [at, name, share, odd] of r.executions)
      executions.set(name, [...(executions.get(name) ?? []), { ...at, share, odd }]);
    return context({
      lifecycle: r.lifecycle.map((item) => ({ ...dated(item), state: item.value })),
      shifts: r.shifts.map((item, i) => ({
        id: `s${i}`,
        calendar: "c",
        name: `s${i}`,
        crew: null,
        productionDay: "2026-11-26",
        ...dated(item),
        breaks: apart(item.value.map((pause) => ({ ...pause, value: 0 })))
          .map((pause) => ({ from: Math.max(pause.from, item.from), to: Math.min(pause.to, item.to) }))
          .filter(({ from, to }) => from < to)
          .map((pause) => ({ name: null, ...dated(pause) })),
        resolved: [],
      })),
      executions: [...executions].flatMap(([name, list]) =>
        apart(list.map((item) => ({ ...item, value: item }))).map(({ from, to, value }) =>
          order(name, from, to, {
            share: value.share,
            material: name === "C" ? null : name === "B" ? "N" : "M",
            cavities: value.odd ? 2 : 4,
            ...(value.odd ? { outputShare: 2 } : {}),
            ...dated({ from, to }),
          }),
        ),
      ),
      reasons: r.reasons.map((item) => ({ ...dated(item), reason: item.value })),
      setUps: r.setUps.map(([at, name]) => ({ ...dated(at), order: name, by: "booked" as const })),
      idealCycles: r.idealCycles.map((item) => ({
        ...dated(item),
        material: item.value[0],
        cycleUs: item.value[1],
        unitsPerCycle: 2,
      })),
      counting: r.counting.map((item) => ({ ...dated(item), ...item.value, unitsPerCount: 1, unit: "1" })),
      blockedCavities: r.blocked.map(([at, name]) => ({ ...dated(at), order: name, cavities: 1 })),
      policies: [
        { fromUs: us(-1), toUs: us(change), policy: { ...one, version: "1" } },
        { fromUs: us(change), toUs: us(spanMinutes + 1), policy: { ...two, version: "2" } },
      ],
    });
  });

/** With the set-ups that follow from order changes; a good part may lie between two seconds, and who looks at seconds sees it at the next. */
export function withSetUps(facts: MachineFacts, context: EquipmentContext): EquipmentContext {
  const running = setUpsFromOrderChange(facts, context).map((setUp) => ({
    ...setUp,
    toUs: Math.ceil(setUp.toUs / secondUs) * secondUs,
  }));
  return { ...context, setUps: [...context.setUps, ...running] };
}
