import type { WireRecord } from "@lineshaft/contract/api";
import { describe, expect, test } from "vitest";
import { openWireView, WireTap } from "./wire.ts";

const record = (t: number): WireRecord => ({ t, dir: "in", b64: "AAAA" });

describe("a live view of traffic", () => {
  test("gives what comes until it is ended, and then leaves the tap", async () => {
    const tap = new WireTap();
    const over = new AbortController();
    const view = openWireView((listener) => tap.listen(listener), over.signal);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { t } of view) if (seen.push(t) === 3) over.abort();
    })();
    expect(tap.watched).toBe(true);
    for (let t = 1; t <= 3; t++) tap.add(record(t));
    await reading;
    expect(seen).toEqual([1, 2, 3]);
    expect(tap.watched).toBe(false);
  });

  test("leaves out and counts what a slow reader has no room for", async () => {
    const tap = new WireTap();
    const over = new AbortController();
    const view = openWireView((listener) => tap.listen(listener), over.signal, 10);
    const iterator = view[Symbol.asyncIterator]();
    const first = iterator.next();
    for (let t = 1; t <= 6; t++) tap.add(record(t));
    expect((await first).value).toMatchObject({ t: 1 });
    expect((await iterator.next()).value).toMatchObject({ t: 2 });
    expect(view.missed).toBe(4);
    over.abort();
    expect((await iterator.next()).done).toBe(true);
    expect(tap.watched).toBe(false);
  });
});
