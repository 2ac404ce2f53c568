import { RecordingSink } from "@lineshaft/testkit";
import { describe, expect, it } from "vitest";
import { Batcher, type RowSlot } from "./batcher.ts";

const never = new AbortController().signal;
const slot = (address: string): RowSlot => ({ address, batch: -1, list: -1, index: -1 });

describe("batcher", () => {
  it("what comes within one turn is one offer; each message learns when it is durable", async () => {
    const sink = new RecordingSink();
    sink.hold();
    const batcher = new Batcher(sink, never);
    const [a, b] = [slot("a"), slot("b")];
    batcher.add(a, 1, 10, 0, false);
    const first = batcher.settled();
    batcher.add(b, 1, 20, 0, true);
    batcher.add(a, 2, "text", 0, false);
    let settled = false;
    void first.then(() => {
      settled = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect([sink.batches.length, settled]).toEqual([1, false]);
    expect(sink.rows.map((r) => [r.tag, r.time, r.value])).toEqual([
      ["a", 1, 10],
      ["b", 1, 20],
      ["a", 2, "text"],
    ]);
    sink.release();
    await first;
    expect(sink.breaches).toEqual([]);
  });

  it("the list of names is kept over the batches: a name is put into it once", async () => {
    const sink = new RecordingSink();
    const batcher = new Batcher(sink, never);
    const [a, b] = [slot("a"), slot("b")];
    batcher.add(a, 1, 10, 0, false);
    await batcher.settled();
    batcher.add(b, 1, 20, 0, false);
    batcher.add(a, 2, 11, 0, false);
    await batcher.settled();
    const [first, second] = sink.batches;
    expect(second.names).toBe(first.names);
    expect(second).toMatchObject({ names: ["a", "b"], namesKept: true });
    expect(sink.rows.map((r) => [r.tag, r.value])).toEqual([
      ["a", 10],
      ["b", 20],
      ["a", 11],
    ]);
  });

  it("a message in several batches waits for all of them", async () => {
    const sink = new RecordingSink();
    const batcher = new Batcher(sink, never);
    const a = slot("a");
    for (let i = 0; i < 12_000; i++) batcher.add(a, i, i, 0, false);
    await batcher.settled();
    expect(sink.batches.map((batch) => batch.columns.rows)).toEqual([5000, 5000, 2000]);
  });

  it("an offer that is not taken rejects its messages only; without credit nothing is offered", async () => {
    const sink = new RecordingSink(1);
    const offer = sink.offer.bind(sink);
    let failures = 1;
    sink.offer = (batch) => (failures-- > 0 ? Promise.reject(new Error("disk full")) : offer(batch));
    const batcher = new Batcher(sink, never);
    const a = slot("a");
    batcher.add(a, 1, 1, 0, false);
    await expect(batcher.settled()).rejects.toThrow("disk full");
    sink.hold();
    batcher.add(a, 2, 2, 0, false);
    const second = batcher.settled();
    await new Promise((resolve) => setTimeout(resolve, 5));
    batcher.add(a, 3, 3, 0, false);
    const third = batcher.settled();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect([sink.batches.length, sink.overdrafts]).toEqual([1, 0]);
    sink.release();
    await Promise.all([second, third]);
    expect(sink.rows.map((r) => r.value)).toEqual([2, 3]);
  });

  it("an abort while there is no credit ends the wait with its reason", async () => {
    const sink = new RecordingSink(0);
    const stop = new AbortController();
    const batcher = new Batcher(sink, stop.signal);
    batcher.add(slot("a"), 1, 1, 0, false);
    const settled = batcher.settled();
    setTimeout(() => stop.abort(new Error("enough")), 5);
    await expect(settled).rejects.toThrow("enough");
    expect(sink.batches).toEqual([]);
  });
});
