import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Rig, rig, spec } from "./testing.ts";

describe("connectors in the worker", () => {
  let it: Rig;
  beforeEach(() => {
    it = rig({ hungAfterMs: 1000 });
  });
  afterEach(() => it.close());

  const flowing = (name: string): Promise<void> =>
    it.until(`${name} flows`, () => it.state(name) === "flowing" && it.sink.rows(name).length > 3);
  const goesOn = async (name: string): Promise<void> => {
    const before = it.sink.rows(name).length;
    await it.until(`${name} goes on`, () => it.sink.rows(name).length > before + 5);
  };

  test("rows, cursors and credit cross over; secrets do not come back", async () => {
    await it.connectivity.start(spec("line", "in-worker", { password: ["$", "{secret:plc}"].join("") }));
    await flowing("line");
    const [first] = it.sink.batches;
    expect(first).toMatchObject({ connection: "line", names: ["a", "b"], sequence: 0, sourceCursor: "+1" });
    expect(first.columns.rows).toBe(2);
    // Each batch says it; it is told once.
    expect(it.sink.told).toEqual([{ a: "bar", b: "bar" }]);
    const records: string[] = [];
    const end = it.connectivity.tap("line", ({ b64 }) => void records.push(Buffer.from(b64, "base64").toString()));
    await it.until("traffic is heard", () => records.length > 2);
    await it.connectivity.restart("line");
    const before = records.length;
    await it.until("traffic is heard over a restart", () => records.length > before + 2);
    end();
    expect(records.join()).toMatch(/row \d+ \*+/);
    const told = JSON.stringify([await it.connectivity.diagnose("line"), records]);
    expect(told).toContain("•••");
    expect(told).not.toContain("s3cr3t-word");
  });

  test("a list of names that a connector keeps crosses over once, and what it grows by after it", async () => {
    await it.connectivity.start(spec("line", "in-worker", { script: "grows" }));
    await it.until("ten batches", () => it.sink.batches.length >= 10);
    const lists = it.sink.batches.slice(0, 10).map(({ names, columns, namesKept }) => {
      expect(namesKept).toBe(true);
      return { names, rows: [...columns.tag].map((at) => (names as string[])[at]) };
    });
    for (const [i, { names, rows }] of lists.entries()) {
      // Whatever the list, the row of the name that is new in this batch has it.
      expect(rows.at(-1)).toBe(`grown-${i + 1}`);
      expect(names === lists[Math.max(0, i - 1)].names).toBe(i === 0 || (i + 1) % 4 !== 0);
    }
  });

  test("a connector waits when its credit is spent, and goes on with the verdicts", async () => {
    await it.close();
    it = rig({ credit: { rows: 6, bytes: 1e6 } });
    it.sink.held = [];
    await it.connectivity.start(spec("line", "in-worker"));
    const { held } = it.sink;
    await it.until("the credit is spent", () => held.length === 3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(held.length).toBe(3);
    it.sink.held = null;
    for (const answer of held.splice(0)) answer();
    await goesOn("line");
  });

  test("an uncaught exception ends its own connection only; after three in a row it is parked", async () => {
    await it.connectivity.start(spec("good", "in-worker"));
    await it.connectivity.start(spec("bad", "in-worker", { script: "throwsLater" }));
    await flowing("good");
    await it.until("bad is parked", () => it.state("bad") === "parked");
    expect(it.connectivity.get("bad")?.health).toMatchObject({
      technical: expect.stringContaining("properties of null"),
    });
    expect(
      it.health.filter(({ connection, health }) => connection === "bad" && health.state === "waiting").length,
    ).toBe(2);
    await goesOn("good");
    expect(it.sink.bad("good")).toEqual([]);
    expect(it.connectivity.get("good")?.figures.reconnects).toBe(0);
  });

  test("a malformed batch ends its own connection only, and is kept with its reason", async () => {
    await it.connectivity.start(spec("good", "in-worker"));
    await it.connectivity.start(spec("bad", "in-worker", { script: "malformed" }));
    await it.until("bad is parked", () => it.state("bad") === "parked");
    expect(it.sink.rejected[0]).toMatchObject({ connection: "bad", code: "columns_invalid" });
    await goesOn("good");
    expect(it.connectivity.get("good")?.figures.reconnects).toBe(0);
  });

  for (const script of ["spins", "spinsInPromises"]) {
    test(`a connector that ${script} is parked as the culprit, the others resume`, async () => {
      await it.connectivity.start(spec("good", "in-worker"));
      await it.connectivity.start(spec("other", "in-worker"));
      await flowing("good");
      await it.connectivity.start(spec("bad", "in-worker", { script, afterRows: 40 }));
      await flowing("bad");
      // The last to be called is not the one that hangs.
      await it.connectivity.diagnose("good");
      await it.until("bad is parked", () => it.state("bad") === "parked");
      expect(it.connectivity.get("bad")?.health).toMatchObject({ message: expect.stringContaining("hung") });
      await it.until("good is back", () => it.state("good") === "flowing");
      await goesOn("good");
      await goesOn("other");
      expect(it.connectivity.get("good")?.figures.reconnects).toBe(1);
    });
  }

  test("a connector that ends the process ends the worker; it is counted as the culprit", async () => {
    await it.connectivity.start(spec("good", "in-worker"));
    await it.connectivity.start(spec("bad", "in-worker", { script: "exits" }));
    await it.until("bad is parked", () => it.state("bad") === "parked");
    await it.until("good is back", () => it.state("good") === "flowing");
    await goesOn("good");
  });
});
