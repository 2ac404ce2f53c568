import { ConnectionError } from "@lineshaft/contract/ports";
import { realClock } from "@lineshaft/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { SessionFigures } from "./figures.ts";
import { type Asked, type Behaviour, frame, MisbehavingServer, refusal, right } from "./misbehaving-server.fixture.ts";
import { ModbusSession, type SessionOptions } from "./session.ts";

const never = new AbortController().signal;
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

async function rig(behaviour?: Behaviour, more: Partial<SessionOptions> = {}) {
  const server = await MisbehavingServer.start(behaviour);
  cleanUp.push(() => server.stop());
  const figures = new SessionFigures();
  const options: SessionOptions = {
    host: "127.0.0.1",
    port: server.port,
    connectTimeoutMs: 500,
    timeoutMs: 2000,
    inFlight: 1,
    timeoutsUntilLost: 3,
    violationsUntilError: 3,
    clock: realClock,
    figures,
    ...more,
  };
  const session = await ModbusSession.open(options, never);
  cleanUp.push(() => session.close());
  return { server, session, figures };
}

const ask = (session: ModbusSession, start = 100, count = 2) => session.read(1, "holding", start, count);

describe("ModbusSession", () => {
  it("reads registers and coils", async () => {
    const { session } = await rig();
    expect(await ask(session)).toEqual({ kind: "data", bytes: Buffer.from([0, 100, 0, 101]) });
    expect(await session.read(9, "coil", 1, 9)).toEqual({ kind: "data", bytes: Buffer.from([0x55, 1]) });
  });

  it("names exceptions", async () => {
    const { session, figures } = await rig((asked) => refusal(asked, 2));
    expect(await ask(session)).toEqual({ kind: "exception", code: 2 });
    expect(figures.toJSON()).toMatchObject({ exceptions: { "exception 2 (illegal data address)": 1 } });
  });

  it("keeps to the number in flight, and sorts answers by their transaction", async () => {
    const held: Asked[] = [];
    const hold = (asked: Asked): null => {
      held.push(asked);
      return null;
    };
    const { server, session } = await rig(hold, { inFlight: 3 });
    const answers = [10, 20, 30, 40].map((start) => ask(session, start, 1));
    await expect.poll(() => held.length, { interval: 2 }).toBe(3);
    server.behaviour = right;
    for (const asked of held.splice(0).reverse()) server.send(right(asked));
    expect((await Promise.all(answers)).map((a) => (a.kind === "data" ? a.bytes[1] : a.kind))).toEqual([
      10, 20, 30, 40,
    ]);
  });

  it.each<[string, Behaviour]>([
    ["unit", (a) => right({ ...a, unit: a.unit + 1 })],
    ["function", (a) => right({ ...a, function: 4 })],
    ["length", (a) => right({ ...a, count: a.count + 1 })],
  ])("a wrong %s fails its request at once, and the connection when it goes on", async (violation, behaviour) => {
    const { session, figures } = await rig(behaviour);
    expect(await ask(session)).toEqual({ kind: "violation", violation });
    expect(await ask(session)).toEqual({ kind: "violation", violation });
    await ask(session);
    const error = await session.ended;
    expect(error.fault).toBe("protocol");
    expect(error.technical).toContain(violation);
    expect(figures.violations).toMatchObject({ [violation]: 3 });
    await expect(ask(session)).rejects.toBe(error);
  });

  it("a wrong transaction id is no answer", async () => {
    const { session, figures } = await rig((a) => right({ ...a, transaction: a.transaction + 1000 }), {
      violationsUntilError: 2,
      timeoutMs: 60,
    });
    expect(await ask(session)).toEqual({ kind: "timeout" });
    await expect(ask(session)).rejects.toMatchObject({ fault: "protocol" });
    expect(figures.violations.transaction).toBe(2);
  });

  it("right answers in between forgive wrong ones", async () => {
    const { session, figures } = await rig((a, times) => right(times % 3 === 0 ? a : { ...a, unit: 9 }));
    for (let i = 0; i < 9; i++) await ask(session);
    expect(figures.violations.unit).toBe(6);
    expect(await Promise.race([session.ended, "open"])).toBe("open");
  });

  it("a late answer is counted and harms nobody", async () => {
    const { server, session, figures } = await rig(() => null, { timeoutMs: 60 });
    expect(await ask(session)).toEqual({ kind: "timeout" });
    server.send(right(server.asked[0]));
    server.behaviour = right;
    expect(await ask(session, 7, 1)).toEqual({ kind: "data", bytes: Buffer.from([0, 7]) });
    expect(figures.late).toBe(1);
    expect(figures.violations.transaction).toBe(0);
  });

  it("is lost after time-outs in a row", async () => {
    const { session, figures } = await rig(() => null, { timeoutMs: 60 });
    for (let i = 0; i < 3; i++) expect(await ask(session)).toEqual({ kind: "timeout" });
    expect((await session.ended).fault).toBe("lost");
    expect(figures.timeouts).toBe(3);
  });

  it.each<[string, Uint8Array]>([
    ["HTTP", new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n")],
    ["a frame without end", Uint8Array.of(0, 1, 0, 0, 0xff, 0xff, 1, 3)],
  ])("%s is not Modbus", async (_, bytes) => {
    const { session } = await rig(() => bytes);
    await expect(ask(session)).rejects.toMatchObject({ fault: "protocol" });
  });

  it("unasked-for frames are counted, and end the connection when there is nothing else", async () => {
    const { server, session } = await rig();
    await ask(session);
    for (let i = 0; i < 3; i++) server.send(frame(999, 1, [3, 2, 0, 0]));
    expect((await session.ended).fault).toBe("protocol");
  });

  it("rejects what is under way when the peer goes", async () => {
    const { server, session } = await rig(() => null);
    const answers = [ask(session), ask(session)];
    await expect.poll(() => server.asked.length, { interval: 2 }).toBe(1);
    server.drop();
    for (const answer of answers) await expect(answer).rejects.toMatchObject({ fault: "lost" });
  });

  it("refuses to open where nobody listens, or when aborted", async () => {
    const { server, session } = await rig();
    session.close();
    const options = { host: "127.0.0.1", port: server.port, connectTimeoutMs: 500, timeoutMs: 60 };
    const rest = { inFlight: 1, timeoutsUntilLost: 3, violationsUntilError: 3, clock: realClock };
    const open = (signal: AbortSignal) =>
      ModbusSession.open({ ...options, ...rest, figures: new SessionFigures() }, signal);
    const reason = new Error("enough");
    await expect(open(AbortSignal.abort(reason))).rejects.toBe(reason);
    await server.stop();
    const error: unknown = await open(never).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ fault: "unreachable", technical: "ECONNREFUSED" });
  });
});
