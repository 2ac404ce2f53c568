import { setImmediate as turn } from "node:timers/promises";
import { ProblemError } from "@lineshaft/contract/api";
import { ConnectionError, type ConnectionFault, type Offer } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { BindingsChanged, ConnectorCrash, keepConnected, offerUntilTaken, pauseMs } from "./retry.ts";

const error = (fault: ConnectionFault): ConnectionError =>
  new ConnectionError(fault, `It is ${fault}.`, "Do something.");

describe("pauses", () => {
  test("double from 0.2 s to 30 s, half of each by chance", () => {
    const pauses = Array.from({ length: 12 }, (_, attempt) => pauseMs("unreachable", attempt, () => 1));
    expect(pauses).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000, 30_000]);
    expect(pauseMs("lost", 3, () => 0)).toBe(800);
    expect(pauseMs("lost", 10_000, () => 1)).toBe(30_000);
  });

  test("are long where trying again could lock an account", () => {
    expect(pauseMs("unauthorised", 0, () => 1)).toBe(60_000);
    expect(pauseMs("untrusted", 30, () => 1)).toBe(900_000);
  });
});

describe("the loop", () => {
  let clock: FakeClock;
  let told: string[];
  let connects: number;
  let reads: number;
  let stop: AbortController;
  beforeEach(() => {
    clock = new FakeClock();
    told = [];
    connects = 0;
    reads = 0;
    stop = new AbortController();
  });

  /** Runs the loop with what each connect and each read does: an error, or "hang". */
  function run(script: { connect?: (n: number) => Error | null; read?: (n: number) => Error | "hang" }): Promise<void> {
    return keepConnected(
      {
        clock,
        random: () => 1,
        async connect(signal) {
          connects++;
          const failure = script.connect?.(connects) ?? null;
          if (failure?.message === "never") await new Promise((_, reject) => signal.addEventListener("abort", reject));
          if (failure !== null) throw failure;
        },
        async read(signal): Promise<never> {
          const failure = script.read?.(++reads) ?? "hang";
          if (failure !== "hang") throw failure;
          return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        },
        waiting: ({ fault }, pause, { wasConnected }) =>
          told.push(`${fault} ${pause}${wasConnected ? " after it worked" : ""}`),
        parked: ({ message, technical }) => told.push(`parked: ${message} ${technical}`),
      },
      stop.signal,
    );
  }
  const pass = async (ms: number): Promise<void> => {
    for (let i = 0; i < 5; i++) await turn();
    clock.advanceMs(ms);
    for (let i = 0; i < 5; i++) await turn();
  };

  test("tries again with growing pauses, one attempt each", async () => {
    void run({ connect: () => error("unreachable") });
    for (const ms of [200, 400, 800]) await pass(ms);
    expect(told).toEqual(["unreachable 200", "unreachable 400", "unreachable 800", "unreachable 1600"]);
    expect(connects).toBe(4);
    await pass(1599);
    expect(connects).toBe(4);
    stop.abort();
  });

  test("a configuration that cannot work is not tried again", async () => {
    await run({ connect: () => error("misconfigured") });
    expect(told).toEqual(["misconfigured null"]);
    expect(connects).toBe(1);
  });

  test("a refused credential is tried once a minute", async () => {
    void run({ connect: () => error("unauthorised") });
    await pass(59_999);
    expect(connects).toBe(1);
    await pass(1);
    expect(connects).toBe(2);
    stop.abort();
  });

  test("after some steady seconds the pauses begin anew; before, they go on growing", async () => {
    void run({ read: (n) => (n === 3 ? "hang" : error("lost")) });
    await pass(200);
    await pass(400);
    await pass(0);
    expect(told).toEqual(["lost 200 after it worked", "lost 400 after it worked"]);
    stop.abort();
    stop = new AbortController();
    told = [];
    let loseIt = (): void => undefined;
    void keepConnected(
      {
        clock,
        random: () => 1,
        connect: async () => undefined,
        read: () =>
          new Promise((_, reject) => {
            loseIt = () => reject(error("lost"));
          }),
        waiting: (_, pause) => told.push(`${pause}`),
        parked: () => undefined,
      },
      stop.signal,
    );
    await pass(10);
    loseIt();
    await pass(200);
    loseIt();
    await pass(400);
    await pass(4_999);
    loseIt();
    await pass(800);
    await pass(5_000);
    loseIt();
    await pass(0);
    expect(told).toEqual(["200", "400", "800", "200"]);
    stop.abort();
  });

  test("three crashes in a row park it; an ordinary failure in between does not count as one", async () => {
    const crash = new ConnectorCrash("culprit", "boom");
    await Promise.all([
      run({ read: (n) => (n === 3 ? error("lost") : crash) }),
      (async () => {
        for (let i = 0; i < 8; i++) await pass(30_000);
      })(),
    ]);
    expect(reads).toBe(6);
    expect(told.at(-1)).toBe("parked: The connector failed. boom");
  });

  test("an error that is no ConnectionError counts as a crash", async () => {
    await Promise.all([
      run({ read: () => new TypeError("x is undefined") }),
      (async () => {
        for (let i = 0; i < 4; i++) await pass(30_000);
      })(),
    ]);
    expect(told).toEqual([
      "lost 200 after it worked",
      "lost 400 after it worked",
      "parked: The connector failed. x is undefined",
    ]);
  });

  test("one that hung its worker is parked at once, an innocent one never", async () => {
    await run({ read: (n) => new ConnectorCrash(n === 1 ? "hung" : "innocent", "stuck") });
    expect(told).toEqual(["parked: The connector hung and was stopped. stuck"]);
    told = [];
    void run({ read: () => new ConnectorCrash("innocent", "stuck") });
    for (let i = 0; i < 6; i++) await pass(200);
    expect(told.slice(0, 5)).toEqual(Array(5).fill("lost 200 after it worked"));
    stop.abort();
  });

  test("changed bindings are read on the same connection", async () => {
    void run({ read: (n) => (n < 3 ? new BindingsChanged("others") : "hang") });
    await pass(0);
    expect([connects, reads, told]).toEqual([1, 3, []]);
    stop.abort();
  });

  test("an attempt without an answer is ended after a minute", async () => {
    void run({ connect: () => new Error("never") });
    await pass(60_000);
    expect(told).toEqual(["unreachable 200"]);
    stop.abort();
  });

  test("a stop ends it at once, in a pause and in a read", async () => {
    const pausing = run({ connect: () => error("unreachable") });
    await pass(0);
    stop.abort(new Error("enough"));
    await pausing;
    stop = new AbortController();
    const reading = run({});
    await pass(0);
    stop.abort(new Error("enough"));
    await reading;
    expect(told).toEqual(["unreachable 200"]);
  });
});

describe("an offer", () => {
  const durable: Offer = {
    kind: "durable",
    lsn: 7,
    offered: 1,
    accepted: 1,
    suspect: 0,
    duplicates: 0,
    rejected: 0,
    faults: [],
  };
  const never = new AbortController().signal;
  const tools = (clock: FakeClock, delayed: string[] = []) => ({
    clock,
    random: () => 1,
    delayed: (detail: string) => void delayed.push(detail),
  });

  test("waits for a full disk and goes on", async () => {
    const clock = new FakeClock();
    const delayed: string[] = [];
    let tries = 0;
    const verdict = offerUntilTaken(
      async () => {
        if (++tries < 3) throw new ProblemError("disk_full", "The disk is full.");
        return durable;
      },
      tools(clock, delayed),
      never,
    );
    for (const ms of [200, 400]) {
      for (let i = 0; i < 5; i++) await turn();
      clock.advanceMs(ms);
    }
    expect(await verdict).toBe(durable);
    expect([tries, delayed.length]).toEqual([3, 2]);
  });

  test("waits as long as the platform asks for", async () => {
    const clock = new FakeClock();
    let tries = 0;
    const verdict = offerUntilTaken(
      async () => {
        if (++tries < 2) throw new ProblemError("quota_rate", "Too fast.", { retryAfterSeconds: 5 });
        return durable;
      },
      tools(clock),
      never,
    );
    for (const ms of [4999, 1]) {
      for (let i = 0; i < 5; i++) await turn();
      expect(tries).toBe(1);
      clock.advanceMs(ms);
    }
    await verdict;
    expect(tries).toBe(2);
  });

  test("that would be refused again is answered as rejected", async () => {
    const refused = async (): Promise<Offer> => {
      throw new ProblemError("correction_undeclared", "No corrections.");
    };
    expect(await offerUntilTaken(refused, tools(new FakeClock()), never)).toMatchObject({
      kind: "rejected",
      code: "correction_undeclared",
    });
  });
});
