import { UnreachableError } from "@lineshaft/client";
import { type BookingIntent, type NewBooking, ProblemError } from "@lineshaft/contract/api";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Entries, type EntryStore, mostEntries, StoreFullError } from "./entries.ts";
import { type BookingApi, Sender } from "./sender.ts";

class MemoryStore implements EntryStore {
  readonly map = new Map<string, string>();
  get length(): number {
    return this.map.size;
  }
  key = (i: number): string | null => [...this.map.keys()][i] ?? null;
  getItem = (key: string): string | null => this.map.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.map.set(key, value);
  removeItem = (key: string): void => void this.map.delete(key);
}

/** A server that keeps each booking once and may lose a question or its answer on the way. */
class FakeServer implements BookingApi {
  readonly kept: (NewBooking & { equipmentId: number })[] = [];
  readonly takenBack: string[] = [];
  asked = 0;
  away = false;
  refuses: (booking: NewBooking) => ProblemError | null = () => null;
  loses: (nth: number) => "nothing" | "question" | "answer" = () => "nothing";

  async book(equipmentId: number, booking: NewBooking): Promise<{ revision: number; cause: null }> {
    this.#question();
    const refused = this.refuses(booking);
    if (refused !== null) throw refused;
    if (!this.kept.some(({ id }) => id === booking.id)) this.kept.push({ ...booking, equipmentId });
    this.#answer();
    return { revision: this.kept.findIndex(({ id }) => id === booking.id) + 1, cause: null };
  }
  async takeBack(id: string): Promise<void> {
    this.#question();
    if (!this.takenBack.includes(id)) this.takenBack.push(id);
    else throw new ProblemError("not_found", "Gone.");
    this.#answer();
  }
  #question(): void {
    this.asked++;
    if (this.away || this.loses(this.asked) === "question") throw new UnreachableError("No answer.");
  }
  #answer(): void {
    if (this.loses(this.asked) === "answer") throw new UnreachableError("No answer.");
  }
}

const start = (order: string): BookingIntent => ({ kind: "startOrder", order });

describe("entries of a terminal", () => {
  let store: MemoryStore;
  let server: FakeServer;
  let nowUs: number;
  let pauses: number[];
  let entries: Entries;
  let sender: Sender;
  let ids = 0;
  const never = new AbortController().signal;
  const open = (): void => {
    entries = new Entries({ store, nowUs: () => nowUs, nowMs: () => nowUs / 1000, newId: () => `id${ids++}` });
    sender = new Sender({
      entries,
      api: server,
      nowMs: () => nowUs / 1000,
      pause: async (ms) => {
        pauses.push(ms);
        if (pauses.length > 100) throw new Error("It waits for ever.");
      },
    });
  };
  beforeEach(() => {
    store = new MemoryStore();
    server = new FakeServer();
    nowUs = 1_795_000_000_000_000;
    pauses = [];
    open();
  });

  it("keep their own time and order while the server is away, over a restart, and arrive once", async () => {
    server.away = true;
    const first = entries.add(7, start("A"));
    const second = entries.add(7, { kind: "setUpBegin" });
    expect(second.atUs).toBe(first.atUs + 1);
    nowUs += 60e6;
    open();
    entries.add(7, { kind: "setUpEnd" }, "0815");
    const run = sender.run(never);
    // The third pause is long enough for the server to come back.
    while (pauses.length < 3) await Promise.resolve();
    expect(sender.state).toBe("offline");
    server.away = false;
    await run;
    expect(sender.state).toBe("online");
    expect(pauses.slice(0, 3)).toEqual([1000, 2000, 4000]);
    expect(server.kept).toEqual([
      { id: first.id, equipmentId: 7, atUs: first.atUs, intent: start("A") },
      { id: second.id, equipmentId: 7, atUs: second.atUs, intent: { kind: "setUpBegin" } },
      { id: "id2", equipmentId: 7, atUs: nowUs, by: "0815", intent: { kind: "setUpEnd" } },
    ]);
    expect(entries.waiting).toEqual([]);
    expect(entries.all.map(({ state }) => state)).toEqual(["booked", "booked", "booked"]);
  });

  it("whatever is lost on the way, each arrives once and in its order", async () => {
    const lost = fc.array(fc.constantFrom("nothing" as const, "question" as const, "answer" as const), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(lost, fc.integer({ min: 1, max: 8 }), async (loses, count) => {
        store = new MemoryStore();
        server = new FakeServer();
        pauses = [];
        server.loses = (nth) => loses[nth - 1] ?? "nothing";
        open();
        const added = Array.from({ length: count }, (_, i) => entries.add(7, start(`${i}`)).id);
        await sender.run(never);
        expect(server.kept.map(({ id }) => id)).toEqual(added);
        expect(entries.waiting).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it("each change may ask to send: there is one run at a time, and each entry goes once", async () => {
    const runs: Promise<void>[] = [];
    entries.observe(() => void runs.push(sender.run(never)));
    for (const order of ["A", "B", "C"]) entries.add(7, start(order));
    while (entries.waiting.length > 0) await Promise.all(runs);
    expect([server.asked, server.kept.length]).toEqual([3, 3]);
  });

  it("a refusal is kept with its cause, and the next goes on", async () => {
    server.refuses = ({ intent }) =>
      "order" in intent && intent.order === "X" ? new ProblemError("order_unknown", "There is no order X.") : null;
    entries.add(7, start("X"));
    entries.add(7, start("A"));
    await sender.run(never);
    open();
    expect(entries.all.map(({ state, problem }) => [state, problem?.code ?? null])).toEqual([
      ["refused", "order_unknown"],
      ["booked", null],
    ]);
    entries.withdraw(entries.all[0].id);
    expect(entries.all).toHaveLength(2);
  });

  it("a server that asks to come again is waited for, and so is a sign-in", async () => {
    let times = 0;
    server.refuses = () => {
      times++;
      if (times === 1) return new ProblemError("overloaded", "Later.");
      return times === 2 ? new ProblemError("auth_invalid", "Who?") : null;
    };
    entries.add(7, start("A"));
    const states: string[] = [];
    sender.observe(() => states.push(sender.state));
    await sender.run(never);
    expect(states).toEqual(["offline", "signedOut", "online"]);
    expect(server.kept).toHaveLength(1);
  });

  it("taken back before it was sent it never was; afterwards the server is told", async () => {
    const never1 = entries.add(7, start("A"));
    entries.withdraw(never1.id);
    expect([entries.all, store.length]).toEqual([[], 0]);
    const sent = entries.add(7, start("B"));
    server.loses = (nth) => (nth === 1 ? "answer" : "nothing");
    const run = sender.run(never);
    while (pauses.length < 1) await Promise.resolve();
    entries.withdraw(sent.id);
    await run;
    expect([server.kept.length, server.takenBack, entries.all]).toEqual([1, [sent.id], []]);
  });

  it("taken back while it was on its way to a refusal, it is gone", async () => {
    const { id } = entries.add(7, start("X"));
    server.refuses = () => {
      entries.withdraw(id);
      return new ProblemError("order_unknown", "There is no order X.");
    };
    await sender.run(never);
    expect(entries.all).toEqual([]);
  });

  it("changed meanwhile, it is read again and taken back all the same", async () => {
    const { id } = entries.add(7, start("A"));
    await sender.run(never);
    let conflicts = 0;
    const takeBack = server.takeBack.bind(server);
    server.takeBack = async (which) => {
      if (conflicts++ === 0) throw new ProblemError("revision_conflict", "Changed.");
      await takeBack(which);
    };
    entries.withdraw(id);
    await sender.run(never);
    expect(server.takenBack).toEqual([id]);
  });

  it("one that was half written holds nothing up, and stays", async () => {
    const { id } = entries.add(7, start("A"));
    store.map.set("lineshaft.terminal.entry.x", '{"id":"x","atU');
    store.map.set("lineshaft.theme", "dark");
    open();
    expect(entries.all.map((each) => each.id)).toEqual([id]);
    expect(store.length).toBe(3);
  });

  it("are bounded: of those the server has the last are kept, of the others all, and beyond the bound it says so", async () => {
    for (let i = 0; i < 60; i++) entries.add(7, start(`${i}`));
    await sender.run(never);
    expect(entries.all).toHaveLength(40);
    server.away = true;
    while (entries.all.length < mostEntries) entries.add(7, start("n"));
    expect(() => entries.add(7, start("n"))).toThrow(StoreFullError);
    store.setItem = () => {
      throw new DOMException("Full.", "QuotaExceededError");
    };
    expect(() => entries.change(entries.all[0].id, { sent: true })).toThrow(StoreFullError);
  });
});
