import type { BookingIntent, Work } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import type { Entry } from "./entries.ts";
import { foreseen } from "./foreseen.ts";

const order = (id: string) => ({
  order: id,
  operation: "10",
  name: null,
  material: "M",
  materialName: "Cap",
  unit: "1",
  quantity: 500,
});
const work: Work = {
  equipmentId: 7,
  name: "Press",
  path: "S/Press",
  atUs: 1000,
  watermarkUs: 1000,
  timeZone: "UTC",
  state: { itemState: "NotExecuting", operationMode: null, sinceUs: 900 },
  running: [{ ...order("A"), fromUs: 100, made: { good: 5, scrap: 0, rework: 0 } }],
  next: [{ ...order("B"), plannedFromUs: 2000 }],
  setUp: { fromUs: 50, order: "A" },
  stops: [
    { fromUs: 900, toUs: null, micro: false, reasons: [], proposal: null, proposedBy: null, alarm: null, comments: [] },
    {
      fromUs: 300,
      toUs: 500,
      micro: false,
      reasons: [{ fromUs: 300, toUs: 500, reason: 1 }],
      proposal: null,
      proposedBy: null,
      alarm: null,
      comments: [],
    },
  ],
  usualReasons: [],
};
const entry = (intent: BookingIntent, more: Partial<Entry> = {}): Entry => ({
  id: "e",
  atUs: 1100,
  intent,
  equipmentId: 7,
  state: "waiting",
  sent: false,
  withdrawn: false,
  revision: null,
  cause: null,
  problem: null,
  answeredMs: null,
  ...more,
});
const foreseenBy = (...entries: Entry[]) => foreseen({ work, askedMs: 10 }, entries);
const orders = ({ running, next }: Work) => [running.map((each) => each.order), next.map((each) => each.order)];

describe("what a terminal foresees", () => {
  it("a start interrupts, unless both run; an order it does not know it shows by its number", () => {
    expect(orders(foreseenBy(entry({ kind: "startOrder", order: "B" })))).toEqual([["B"], ["A"]]);
    expect(orders(foreseenBy(entry({ kind: "startOrder", order: "B", others: "keep" })))).toEqual([["A", "B"], []]);
    expect(orders(foreseenBy(entry({ kind: "startOrder", order: "X" })))).toEqual([["X"], ["A", "B"]]);
    expect(foreseenBy(entry({ kind: "startOrder", order: "A" }))).toEqual(work);
  });

  it("an interrupted order comes next, a finished one is gone, and its set-up ends with it", () => {
    const interrupted = foreseenBy(entry({ kind: "interruptOrder", order: "A" }));
    expect([orders(interrupted), interrupted.setUp]).toEqual([[[], ["A", "B"]], null]);
    expect(orders(foreseenBy(entry({ kind: "finishOrder", order: "A", operation: "10" })))).toEqual([[], ["B"]]);
  });

  it("a reason is of the whole stop, a split of its part", () => {
    const [open, closed] = foreseenBy(
      entry({ kind: "reason", fromUs: 900, toUs: 1100, reason: 2 }),
      entry({ kind: "split", fromUs: 350, toUs: 400, reason: 3 }),
    ).stops;
    expect(open.reasons).toEqual([{ fromUs: 900, toUs: 1100, reason: 2 }]);
    expect(closed.reasons.map(({ fromUs, toUs, reason }) => [fromUs, toUs, reason])).toEqual([
      [300, 350, 1],
      [350, 400, 3],
      [400, 500, 1],
    ]);
  });

  it("takes what waits and what was answered since; not what is refused, taken back, without effect, or of another machine", () => {
    const finish: BookingIntent = { kind: "finishOrder", order: "A" };
    const booked = (more: Partial<Entry>) => foreseenBy(entry(finish, { state: "booked", ...more })).running.length;
    expect(booked({ answeredMs: 10 })).toBe(0);
    expect(booked({ answeredMs: 9 })).toBe(1);
    expect(booked({ answeredMs: 10, cause: "notRunning" })).toBe(1);
    for (const more of [{ state: "refused" as const }, { withdrawn: true }, { equipmentId: 8 }])
      expect(foreseenBy(entry(finish, more))).toEqual(work);
  });
});
