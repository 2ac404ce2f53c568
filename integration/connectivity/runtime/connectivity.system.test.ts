import { setTimeout as sleep } from "node:timers/promises";
import { ColumnsBuilder, ProblemError, statusBadNoCommunication, valueAt } from "@lineshaft/contract/api";
import { ConnectionError } from "@lineshaft/contract/ports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Rig, rig, spec } from "./testing.ts";

describe("supervised connections", () => {
  let it: Rig;
  beforeEach(() => {
    it = rig();
  });
  afterEach(() => it.close());

  const flowing = (name: string): Promise<void> =>
    it.until(`${name} flows`, () => it.state(name) === "flowing" && it.sink.rows(name).length > 3);

  test("a start connects, and it is green only when data flow", async () => {
    await it.connectivity.start(spec("line", "on-main"));
    await flowing("line");
    expect(it.health.map(({ health }) => health.state)).toEqual(["connecting", "connecting", "flowing"]);
    expect(it.connectivity.get("line")).toMatchObject({
      delivery: "bestEffort",
      figures: { rejected: 0, reconnects: 0 },
    });
    expect(it.connectivity.get("line")?.figures.lastGoodAtUs).toBeGreaterThan(0);
  });

  test("batches carry the connection, one generation for each start, and numbers without a gap", async () => {
    await it.connectivity.start(spec("line", "on-main"));
    await flowing("line");
    await it.connectivity.restart("line");
    const before = it.sink.batches.length;
    await it.until("it flows again", () => it.sink.batches.length > before + 2);
    const generations = [...new Set(it.sink.batches.map(({ generation }) => generation))];
    expect(generations.length).toBe(2);
    expect(generations[1]).toBeGreaterThan(generations[0]);
    for (const generation of generations) {
      const numbers = it.sink.batches
        .filter((batch) => batch.generation === generation)
        .map(({ sequence }) => sequence);
      expect(numbers).toEqual(numbers.map((_, i) => i));
    }
  });

  test("a lost connection marks its tags stale with their value kept, leaves a gap record, and is told once", async () => {
    await it.connectivity.start(spec("line", "on-main", { script: "lost" }));
    await it.until("it is back", () => (it.connectivity.get("line")?.figures.reconnects ?? 0) > 0);
    await it.until("the gap is closed", () => it.sink.gaps.length >= 2);
    const rows = it.sink.rows("line");
    const [a, b] = it.sink.bad("line");
    expect(a).toMatchObject({ tag: "a", value: 3, status: statusBadNoCommunication });
    expect(b).toMatchObject({ tag: "b", value: 3, status: statusBadNoCommunication });
    expect(a.time).toBeGreaterThan(rows.filter(({ tag, status }) => tag === "a" && status === 0)[2].time);
    expect(it.sink.gaps[0]).toMatchObject({ connection: "line", toUs: null, points: null });
    expect(it.sink.gaps[1]).toMatchObject({ fromUs: it.sink.gaps[0].fromUs, toUs: expect.any(Number) });
    expect(it.logged.slice(0, 2)).toEqual(["warning line: lost: The device has gone.", "info line: restored"]);
  });

  test("an event is not repeated as stale", async () => {
    const { tags, ...rest } = spec("line", "on-main", { script: "lost" });
    await it.connectivity.start({ ...rest, tags: [{ ...tags[0], behaviour: "event" }, tags[1]] });
    await it.until("rows are stale", () => it.sink.bad("line").length > 0);
    expect(new Set(it.sink.bad("line").map(({ tag }) => tag))).toEqual(new Set(["b"]));
  });

  test("an outage of many attempts is one loss, and a peer that never answered is none", async () => {
    await it.connectivity.start(spec("line", "on-main", { script: "refused", password: "plc" }));
    await it.until("three attempts", () => it.health.filter(({ health }) => health.state === "waiting").length > 2);
    expect(it.logged).toEqual([]);
    expect(it.sink.gaps).toEqual([]);
    const waiting = it.connectivity.get("line")?.health;
    expect(waiting).toMatchObject({ fault: "unreachable", message: "Nobody answers (•••).", hint: "Switch it on." });
  });

  test("nothing for longer than expected is silent, and data make it green again", async () => {
    await it.close();
    it = rig({ silentAfterMs: 100 });
    await it.connectivity.start(spec("line", "on-main", { script: "quiet" }));
    await it.until("it is silent", () => it.state("line") === "silent");
    expect(it.sink.bad("line")).toEqual([]);
  });

  test("a stop marks the tags stale and ends everything", async () => {
    await it.connectivity.start(spec("line", "on-main"));
    await flowing("line");
    await it.connectivity.stop("line");
    expect(it.connectivity.get("line")).toBe(null);
    expect(it.sink.bad("line").map(({ tag }) => tag)).toEqual(["a", "b"]);
    const rows = it.sink.rows("line").length;
    await sleep(50);
    expect(it.sink.rows("line").length).toBe(rows);
    expect(it.health.at(-1)?.health.state).toBe("stopped");
  });

  test("other tags are read without a new connection; those no longer read go stale", async () => {
    await it.connectivity.start(spec("line", "on-main"));
    await flowing("line");
    await it.connectivity.update(spec("line", "on-main", {}, ["b", "c"]));
    await it.until("c comes", () => it.sink.rows("line").some(({ tag }) => tag === "c"));
    expect(it.sink.bad("line").map(({ tag }) => tag)).toEqual(["a"]);
    expect(await it.connectivity.diagnose("line")).toMatchObject({ connector: { connects: 1 } });
    await it.connectivity.update(spec("line", "on-main", { everyMs: 2 }, ["b", "c"]));
    await it.until("a new one flows", () => it.state("line") === "flowing");
    expect(new Set(it.sink.batches.map(({ generation }) => generation)).size).toBe(2);
  });

  test("what cannot be configured says so and waits for a change", async () => {
    await it.connectivity.start(spec("line", "on-main", { everyMs: 0 }));
    await it.until("it waits", () => it.state("line") === "waiting");
    expect(it.connectivity.get("line")?.health).toMatchObject({ fault: "misconfigured", retryAt: null });
    expect(it.connectivity.get("line")?.health).toMatchObject({ message: expect.stringContaining("everyMs") });
    await it.connectivity.update(spec("line", "on-main"));
    await flowing("line");
    await expect(it.connectivity.start(spec("line", "on-main"))).rejects.toThrow(ConnectionError);
    await expect(it.connectivity.start(spec("x", "carrier-pigeon"))).rejects.toThrow(/no kind of connection/);
  });

  test("three failures that a connector may not have park it; a restart tries again", async () => {
    await it.connectivity.start(spec("line", "on-main", { script: "throwsNow" }));
    await it.until("it is parked", () => it.state("line") === "parked");
    const before = it.sink.batches.length;
    await it.connectivity.restart("line");
    await it.until("it tries again", () => it.sink.batches.length > before);
  });

  test("a malformed batch stops its connection and stays with its reason", async () => {
    await it.connectivity.start(spec("line", "on-main", { script: "malformed" }));
    await it.until("it is parked", () => it.state("line") === "parked");
    expect(it.sink.rejected[0]).toMatchObject({ connection: "line", code: "columns_invalid", points: 7 });
    expect(it.connectivity.get("line")?.figures.rejected).toBe(21);
  });

  test("nothing is offered beyond the credit, the connection's own or the platform's", async () => {
    await it.close();
    it = rig({ credit: { rows: 6, bytes: 1e6 } });
    it.sink.held = [];
    const { held } = it.sink;
    await it.connectivity.start(spec("line", "on-main"));
    await it.until("the credit is spent", () => held.length === 3);
    await sleep(60);
    expect(held.length).toBe(3);
    it.sink.held = null;
    it.sink.creditRows = 0;
    for (const answer of held.splice(0)) answer();
    await it.until("verdicts", () => it.sink.batches.length === 3);
    await sleep(60);
    expect(it.sink.batches.length).toBe(3);
    it.sink.creditRows = 1000;
    await it.until("it goes on", () => it.sink.batches.length > 6);
  });

  test("a full disk delays verdicts and loses neither rows nor their order", async () => {
    it.sink.failures = [1, 2, 3, 4].map(() => new ProblemError("disk_full", "The disk is full."));
    await it.connectivity.start(spec("line", "on-main"));
    await it.until("rows come", () => it.sink.rows("line").length > 60);
    const numbers = it.sink.batches.map(({ sequence }) => sequence);
    expect(numbers).toEqual(numbers.map((_, i) => i));
    expect(it.logged[0]).toContain("waiting for the platform");
  });

  test("what the platform refuses for good is kept as rejected", async () => {
    it.sink.failures = [new ProblemError("name_invalid", "That is no name.")];
    await it.connectivity.start(spec("line", "on-main"));
    await flowing("line");
    expect(it.sink.rejected).toMatchObject([{ connection: "line", code: "name_invalid", points: 2 }]);
    expect(it.connectivity.get("line")?.figures.rejected).toBe(2);
  });

  test("reading resumes from the last durable position", async () => {
    await it.close();
    it = rig({ sourceCursor: () => "from-disk" });
    await it.connectivity.start(spec("line", "on-main", { script: "lost", afterRows: 1 }));
    await it.until(
      "it has read twice",
      () => it.sink.batches.filter(({ sourceCursor }) => sourceCursor !== null).length > 1,
    );
    const cursors = it.sink.batches.map(({ sourceCursor }) => sourceCursor).filter((cursor) => cursor !== null);
    expect(cursors.slice(0, 2)).toEqual(["from-disk+1", "from-disk+1+1"]);
  });

  test("a check yields its steps; the first that fails says what to do", async () => {
    const steps = [];
    for await (const step of it.connectivity.check("on-main", {}, AbortSignal.timeout(1000))) steps.push(step);
    expect(steps.map(({ ok }) => ok)).toEqual([true, true]);
    const failing = [];
    for await (const step of it.connectivity.check("on-main", { everyMs: -1 }, AbortSignal.timeout(1000)))
      failing.push(step);
    expect(failing).toMatchObject([{ ok: false, hint: "Correct the configuration." }]);
  });

  test("a read that does not end after its abort is left behind", async () => {
    await it.connectivity.start(spec("line", "on-main", { script: "stubborn" }));
    await it.until("it is connected", () => it.state("line") === "connecting");
    const began = performance.now();
    await it.connectivity.stop("line");
    // The host waits five seconds for everything.
    expect(performance.now() - began).toBeLessThan(4500);
  });

  test("one that neither ends its read nor closes, over a sink that takes nothing, is left behind in time too", async () => {
    await it.connectivity.start(spec("line", "on-main", { script: "neverEnds", afterRows: 3 }));
    await flowing("line");
    it.sink.held = [];
    const began = performance.now();
    await it.connectivity.stop("line");
    expect(performance.now() - began).toBeLessThan(4500);
  });

  test("F6: what an earlier process left looks live only when the source confirms it; until then it is a gap", async () => {
    await it.close();
    const columns = new ColumnsBuilder();
    columns.add(0, 1000, 2n ** 60n + 1n);
    columns.add(1, 9000, "running");
    const standing = { names: ["a", "b"], columns: columns.build(), heardUs: 5000 };
    it = rig({ standing: () => standing });
    await it.connectivity.start(spec("line", "on-main", { script: "lost", afterRows: 0 }));
    await it.until("rows are marked", () => it.sink.rows("line").length >= 2);
    expect(it.sink.rows("line").slice(0, 2)).toMatchObject([
      { tag: "a", time: 5000, status: statusBadNoCommunication },
      { tag: "b", time: 9001, status: statusBadNoCommunication },
    ]);
    const [marked] = it.sink.batches;
    expect([valueAt(marked.columns, 0), valueAt(marked.columns, 1)]).toEqual([2n ** 60n + 1n, "running"]);
    expect(it.sink.gaps).toMatchObject([{ fromUs: 5000, toUs: null, reason: "The server was not running." }]);
    await it.connectivity.stop("line");
    await it.connectivity.start(spec("line", "on-main"));
    await flowing("line");
    // Marked once a process: what a restart by hand leaves was marked at its stop.
    expect(it.sink.batches.filter(({ columns: { time } }) => time.includes(9001)).length).toBe(1);
  });
});
