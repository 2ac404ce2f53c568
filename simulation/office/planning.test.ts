import { hourUs, type MasterDataItem, minuteUs, parseTimeUs } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { machineSheets } from "../plant/index.ts";
import type { MachineSheet } from "../plant/machine-kind.ts";
import type { MachineTruth } from "../plant/truth.ts";
import { TruthBook } from "../truth/truth-book.ts";
import { ordersOf } from "./bookings.ts";
import { Planner } from "./planning.ts";

const now = parseTimeUs("2026-11-26T09:00:00Z") as number;
const sheetOf = (name: string) => machineSheets.find(({ machine }) => machine === name) as MachineSheet;
const at = (minute: number): number => now + minute * minuteUs;

describe("the plant's planner", () => {
  it("looks four hours ahead, in portions, and plans what will come, in round times", () => {
    const press = sheetOf("Press2");
    const planner = new Planner(new TruthBook(2));
    expect(planner.of(press, now)).toEqual([]);
    for (let i = 0; i < 24; i++) planner.lookAhead(now);
    const planned = planner.of(press, now);
    const future = new TruthBook(2).machine("Press2", now, now + 4 * hourUs)?.executions ?? [];
    const whole = future.filter(({ fromUs, toUs }) => fromUs > at(1) && toUs < now + 4 * hourUs);
    expect(planned.map(({ order, quantity }) => [order, quantity])).toEqual(
      whole.map(({ order, quantity }) => [order, quantity]),
    );
    expect(planned.length).toBeGreaterThan(0);
    for (const [i, { fromUs, toUs }] of planned.entries()) {
      expect([fromUs % (5 * minuteUs), toUs % (5 * minuteUs)]).toEqual([0, 0]);
      expect(Math.abs(fromUs - whole[i].fromUs)).toBeLessThanOrEqual(2.5 * minuteUs);
      expect(toUs).toBeGreaterThan(fromUs);
    }
  });

  it("what has begun is no plan any more; what the machine tells stays meant for it, and is closed when it was left for half an hour", () => {
    const run = (order: string, from: number, to: number) => ({
      ...{ order, material: "M", cavities: 1, quantity: 5, fromUs: at(from), toUs: at(to) },
    });
    const ahead = [run("B", -10, 30), run("C", 30, 60)].map(({ cavities: _, ...each }) => each);
    const truth = { executions: [run("A", -90, -40), run("B", -40, 0)], toUs: now } as unknown as MachineTruth;
    const operations = (machine: string) =>
      Object.fromEntries(
        ordersOf([{ sheet: sheetOf(machine), equipmentId: 1, truth, ahead }]).map(({ id, item }) => {
          const [{ executions, planned = [], finished = [] }] = (item as MasterDataItem<"order">).operations;
          const plans = planned.map(({ fromUs, toUs }) => [fromUs, toUs]);
          return [id, { runs: executions.length, plans, finished: finished.map(({ atUs }) => atUs) }];
        }),
      );
    expect(operations("Press2")).toEqual({
      A: { runs: 1, plans: [], finished: [at(-40)] },
      B: { runs: 1, plans: [], finished: [] },
      C: { runs: 0, plans: [[at(30), at(60)]], finished: [] },
    });
    expect(operations("MC1")).toEqual({
      A: { runs: 0, plans: [[at(-90), null]], finished: [at(-10)] },
      B: { runs: 0, plans: [[at(-40), null]], finished: [] },
      C: { runs: 0, plans: [[at(30), at(60)]], finished: [] },
    });
  });
});
