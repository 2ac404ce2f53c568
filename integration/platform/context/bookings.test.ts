import { type BookingIntent, type NewBooking, ProblemError } from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { book, takeBack } from "./book.ts";
import { withBookedParts } from "./booked-parts.ts";
import { booking, memoryShelf, orderOf } from "./bookings.fixture.ts";
import { day0, min } from "./testing.ts";

const press = 1;
type Shelf = ReturnType<typeof memoryShelf>;

function floor(...bookings: NewBooking[]): Shelf {
  const shelf = memoryShelf();
  shelf.put("order", "A", orderOf("10"));
  shelf.put("order", "B", orderOf("10"));
  for (const each of bookings) book(shelf, press, each);
  return shelf;
}
const start = (order: string, others?: "keep"): BookingIntent => ({
  kind: "startOrder",
  order,
  operation: "10",
  ...(others === undefined ? {} : { others }),
});
const interrupt = (order: string): BookingIntent => ({ kind: "interruptOrder", order, operation: "10" });
const finish = (order: string): BookingIntent => ({ kind: "finishOrder", order, operation: "10" });
const begin: BookingIntent = { kind: "setUpBegin" };
const done: BookingIntent = { kind: "setUpEnd" };

const minutes = ({ fromUs, toUs }: { fromUs: number; toUs: number | null }) => [
  (fromUs - day0) / 60e6,
  toUs === null ? null : (toUs - day0) / 60e6,
];
/** Minutes in which each order runs on the press. */
const runs = (shelf: Shelf) =>
  Object.fromEntries(
    [...shelf.items("order")].map(([id, { operations }]) => [
      id,
      operations.flatMap(({ executions }) => executions.map(minutes)),
    ]),
  );
const setUps = (shelf: Shelf) =>
  [...shelf.items("setUp").values()].map(minutes).sort((a, b) => (a[0] as number) - (b[0] as number));
const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
  return "none";
};

describe("bookings at a machine", () => {
  it("an order is started, interrupted, taken up again and finished", () => {
    const shelf = floor(
      booking("1", 10, start("A")),
      booking("2", 30, interrupt("A")),
      booking("3", 50, start("A")),
      booking("4", 90, finish("A")),
    );
    expect(runs(shelf)).toEqual({
      A: [
        [10, 30],
        [50, 90],
      ],
      B: [],
    });
    expect(shelf.items("order").get("A")?.operations[0].finished).toEqual([
      { equipmentId: press, atUs: min(90), by: "4" },
    ]);
    expect(code(() => book(shelf, press, booking("5", 95, start("A"))))).toBe("order_finished");
    // Before it was finished it could be started; elsewhere it still can.
    expect(book(shelf, press, booking("6", 40, start("A"))).cause).toBeNull();
    expect(book(shelf, 2, booking("7", 95, start("A"))).cause).toBeNull();
    expect(runs(shelf).A).toEqual([
      [10, 30],
      [40, 90],
      [95, null],
    ]);
  });

  it("a start interrupts what runs, unless both are to run", () => {
    expect(runs(floor(booking("1", 10, start("A")), booking("2", 30, start("B"))))).toEqual({
      A: [[10, 30]],
      B: [[30, null]],
    });
    expect(runs(floor(booking("1", 10, start("A")), booking("2", 30, start("B", "keep"))))).toEqual({
      A: [[10, null]],
      B: [[30, null]],
    });
  });

  it("an entry that comes late takes its place: what follows is as if it had been there", () => {
    const shelf = floor(booking("1", 10, start("A")), booking("3", 60, start("B")));
    book(shelf, press, booking("2", 30, interrupt("A")));
    expect(runs(shelf)).toEqual({ A: [[10, 30]], B: [[60, null]] });
    // B was done before it was started by mistake: A would have gone on, had nobody interrupted it.
    book(shelf, press, booking("0", 20, finish("B")));
    expect(runs(shelf)).toEqual({ A: [[10, 30]], B: [] });
  });

  it("taken back, it never was; sent again it stays so", () => {
    const shelf = floor(booking("1", 10, start("A")), booking("2", 30, finish("A")));
    takeBack(shelf, shelf.find("booking", "2")!);
    expect([runs(shelf).A, shelf.items("order").get("A")?.operations[0].finished]).toEqual([[[10, null]], undefined]);
    expect(code(() => book(shelf, press, booking("2", 30, finish("A"))))).toBe("booking_conflict");
  });

  it("what an ERP put stays its own: a booking ends it, and taken back it has its old end", () => {
    const shelf = floor();
    const order = orderOf("10");
    order.operations[0].executions = [{ equipmentId: press, fromUs: min(0), toUs: min(200), share: 2 }];
    shelf.put("order", "E", order);
    book(shelf, press, booking("1", 100, start("A")));
    expect(runs(shelf)).toMatchObject({ A: [[100, null]], E: [[0, 100]] });
    takeBack(shelf, shelf.find("booking", "1")!);
    expect(shelf.items("order").get("E")).toEqual(order);
  });

  it("an order that the ERP sends again keeps what was booked on it; its own part is as it is sent", () => {
    const shelf = floor(booking("1", 10, start("A")), booking("2", 30, interrupt("A")), booking("3", 50, finish("A")));
    const before = shelf.items("order").get("A")!;
    const again = withBookedParts(before, { ...orderOf("10", "20"), quantity: 900 });
    expect(again.operations[0]).toEqual(before.operations[0]);
    expect([again.quantity, again.operations[1].executions]).toEqual([900, []]);
    // What was put with everything, as it was read, is the same.
    expect(withBookedParts(before, before)).toEqual(before);
    // An operation that is gone stays for what was made in it.
    expect(withBookedParts(before, orderOf("20")).operations.map(({ id }) => id)).toEqual(["20", "10"]);
    const own = orderOf("10");
    own.operations[0].executions = [{ equipmentId: press, fromUs: min(0), toUs: null }];
    shelf.put("order", "E", own);
    book(shelf, press, booking("4", 100, start("B")));
    const [ended] = withBookedParts(shelf.items("order").get("E")!, own).operations[0].executions;
    expect(ended).toMatchObject({ toUs: min(100), endedBy: { booking: "4", otherwiseUs: null } });
    own.operations[0].executions[0].toUs = min(90);
    expect(withBookedParts(shelf.items("order").get("E")!, own)).toEqual(own);
  });

  it("set-up runs from its begin to its end, or to the end of its order", () => {
    expect(setUps(floor(booking("1", 10, begin), booking("2", 25, done)))).toEqual([[10, 25]]);
    const shelf = floor(
      booking("1", 10, start("A")),
      booking("2", 10, { kind: "setUpBegin", order: "A" }),
      booking("3", 40, finish("A")),
    );
    expect(setUps(shelf)).toEqual([[10, 40]]);
    expect(book(shelf, press, booking("4", 50, done)).cause).toBe("notSettingUp");
  });

  it("reasons, scrap and rework are items of their own, with the time they were said", () => {
    const shelf = floor(
      booking("r", 80, { kind: "reason", fromUs: min(20), toUs: min(80), reason: 7_100_000 }),
      booking("s", 90, { kind: "scrap", order: "A", quantity: 3, reason: 8_100_000 }),
      booking("w", 91, { kind: "rework", order: "A", operation: "10", quantity: 2.5 }),
    );
    expect(shelf.items("annotation").get("r")).toMatchObject({
      anchorUs: min(50),
      saidUs: min(80),
      reason: 7_100_000,
      kind: "reason",
    });
    expect(shelf.items("lateScrap").get("s")).toMatchObject({ operation: "10", quantity: 3, becomes: "scrap" });
    expect(shelf.items("lateScrap").get("w")).toMatchObject({ quantity: 2.5, becomes: "rework", madeUs: null });
    takeBack(shelf, shelf.find("booking", "s")!);
    expect([...shelf.items("lateScrap").keys()]).toEqual(["w"]);
  });

  it("says what is wrong, and keeps nothing of it", () => {
    const shelf = floor();
    shelf.put("order", "two", orderOf("10", "20"));
    const before = shelf.writes;
    const scrap = (quantity: number): BookingIntent => ({ kind: "scrap", order: "A", quantity });
    const reason = (number: number): BookingIntent => ({
      kind: "reason",
      fromUs: min(1),
      toUs: min(2),
      reason: number,
    });
    const cases: [code: string, equipment: number, minute: number, intent: BookingIntent][] = [
      ["order_unknown", press, 10, start("C")],
      ["order_unknown", press, 10, { kind: "startOrder", order: "A", operation: "30" }],
      ["operation_ambiguous", press, 10, { kind: "startOrder", order: "two" }],
      ["quantity_negative", press, 10, scrap(-1)],
      ["quantity_negative", press, 10, scrap(0)],
      ["reference_unknown", press, 10, reason(4711)],
      ["range_invalid", press, 10, { kind: "split", fromUs: min(2), toUs: min(2), reason: 7_100_000 }],
      ["booking_time_invalid", press, 1006, start("A")],
      ["booking_time_invalid", press, 1000 - 36 * 1440, start("A")],
      ["equipment_not_bookable", 9, 10, start("A")],
    ];
    for (const [expected, equipment, minute, intent] of cases)
      expect(
        code(() => book(shelf, equipment, booking("x", minute, intent))),
        JSON.stringify(intent),
      ).toBe(expected);
    expect(shelf.writes).toBe(before);
    expect(book(shelf, press, booking("x", 1004, start("A"))).cause).toBeNull();
  });

  it("with several operations takes the one that is planned here", () => {
    const shelf = floor();
    const order = orderOf("10", "20");
    order.operations[1].planned = [{ equipmentId: press, fromUs: min(0), toUs: null }];
    shelf.put("order", "two", order);
    const { item } = book(shelf, press, booking("1", 10, { kind: "startOrder", order: "two" }));
    expect(item.item.intent).toMatchObject({ operation: "20" });
    // The repeat says as little as the first time.
    expect(book(shelf, press, booking("1", 10, { kind: "startOrder", order: "two" })).repeated).toBe(true);
  });

  it("the same id with other content is refused", () => {
    const shelf = floor(booking("1", 10, start("A")));
    expect(code(() => book(shelf, press, booking("1", 11, start("A"))))).toBe("booking_conflict");
    expect(code(() => book(shelf, 2, booking("1", 10, start("A"))))).toBe("booking_conflict");
  });
});

const intents = fc.constantFrom<BookingIntent>(
  start("A"),
  start("B"),
  start("B", "keep"),
  interrupt("A"),
  interrupt("B"),
  finish("A"),
  finish("B"),
  begin,
  { kind: "setUpBegin", order: "A" },
  done,
);
const some = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 30 }), intents), { maxLength: 12 })
  .map((all) => all.map(([minute, intent], i) => booking(`b${i}`, minute, intent)));

/** In the order of arrival; a start that is refused is lost, as it is at a terminal. */
function arrived(bookings: readonly NewBooking[]): Shelf {
  const shelf = floor();
  for (const each of bookings) {
    const told = code(() => book(shelf, press, each));
    if (told !== "none" && told !== "order_finished") throw new Error(told);
  }
  return shelf;
}
const made = (shelf: Shelf) => ({ orders: shelf.items("order"), setUps: new Map([...shelf.items("setUp")].sort()) });

describe("whatever way they come", () => {
  it("in any order of arrival, bookings make the same", () => {
    fc.assert(
      fc.property(some, fc.infiniteStream(fc.nat()), (bookings, chance) => {
        const shuffled = bookings.map((each) => ({ each, at: chance.next().value as number }));
        shuffled.sort((a, b) => a.at - b.at);
        expect(made(arrived(shuffled.map(({ each }) => each)))).toEqual(made(arrived(bookings)));
      }),
      { numRuns: 400 },
    );
  });

  it("a repeat changes nothing and writes nothing", () => {
    fc.assert(
      fc.property(some, (bookings) => {
        const shelf = arrived(bookings);
        const { writes } = shelf;
        for (const each of bookings)
          if (shelf.find("booking", each.id) !== null) expect(book(shelf, press, each).repeated).toBe(true);
        expect(shelf.writes).toBe(writes);
      }),
      { numRuns: 200 },
    );
  });

  it("is minute by minute what a foreman would have noted", () => {
    fc.assert(
      fc.property(some, (bookings) => {
        const shelf = arrived(bookings);
        const noted = foreman(bookings);
        const running = runs(shelf);
        for (let minute = 0; minute < 40; minute++) {
          const now = Object.keys(running).filter((id) =>
            running[id].some(([from, to]) => (from as number) <= minute && (to === null || to > minute)),
          );
          expect(now, `minute ${minute}`).toEqual(noted[minute].orders);
          const settingUp = setUps(shelf).some(
            ([from, to]) => (from as number) <= minute && (to === null || to > minute),
          );
          expect(settingUp, `set-up at ${minute}`).toBe(noted[minute].setUp);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("taking one back is as if it had never come", () => {
    fc.assert(
      fc.property(some, fc.nat(), (bookings, which) => {
        fc.pre(bookings.length > 0);
        const gone = bookings[which % bookings.length];
        const shelf = floor();
        for (const each of bookings) if (each.intent.kind !== "finishOrder") book(shelf, press, each);
        const kept = shelf.find("booking", gone.id);
        fc.pre(kept !== null);
        takeBack(shelf, kept!);
        const without = bookings.filter((each) => each !== gone && each.intent.kind !== "finishOrder");
        expect(made(shelf)).toEqual(made(arrived(without)));
      }),
      { numRuns: 200 },
    );
  });
});

/** The oracle: walks through the day with a sheet of paper. */
function foreman(bookings: readonly NewBooking[]): { orders: string[]; setUp: boolean }[] {
  const paper: { orders: string[]; setUp: boolean }[] = [];
  const running = new Set<string>();
  const finished = new Set<string>();
  let setUp: string | null | undefined;
  const stop = (order: string): void => {
    running.delete(order);
    if (setUp === order) setUp = undefined;
  };
  for (let minute = 0; minute < 40; minute++) {
    const now = bookings.filter(({ atUs }) => atUs === min(minute)).sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const { intent } of now)
      if (intent.kind === "startOrder" && !finished.has(intent.order)) {
        if (intent.others !== "keep") running.clear();
        running.add(intent.order);
      } else if (intent.kind === "interruptOrder") stop(intent.order);
      else if (intent.kind === "finishOrder" && !finished.has(intent.order)) {
        stop(intent.order);
        finished.add(intent.order);
      } else if (intent.kind === "setUpBegin") setUp = intent.order ?? null;
      else if (intent.kind === "setUpEnd") setUp = undefined;
    paper.push({ orders: [...running].sort(), setUp: setUp !== undefined });
  }
  return paper;
}
