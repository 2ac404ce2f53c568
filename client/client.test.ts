import {
  type Columns,
  columnsMediaType,
  decodeColumns,
  encodeColumns,
  encodePointsFrame,
  type Problem,
  type ProblemCode,
  ProblemError,
  type StreamEvent,
} from "@lineshaft/contract/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pauseMs } from "./back-off.ts";
import { UnreachableError } from "./call.ts";
import { Platform } from "./platform.ts";
import { eventFromJson, toNamedColumns } from "./points.ts";
import type { SocketEvents, Transport, WireRequest, WireResponse } from "./transport.ts";

type Answer = object | ProblemError | Error;

/** A server that answers as the test says and remembers what it was asked. */
class FakeServer implements Transport {
  readonly requests: WireRequest[] = [];
  readonly batches: { sequence: number; generation: number; names: string[] | null; columns: Columns }[] = [];
  readonly sockets: { events: SocketEvents; sent: string[]; closed: boolean }[] = [];
  readonly ids = new Map<string, number>();
  resolves = 0;
  /** Answers of ingest, in turn; then durable. */
  verdicts: Answer[] = [];
  inFlight = 0;
  mostInFlight = 0;
  hold: Promise<void> = Promise.resolve();

  async request(request: WireRequest): Promise<WireResponse> {
    this.requests.push(request);
    await new Promise((resolve) => setTimeout(resolve, 1));
    request.signal?.throwIfAborted();
    const answer = await this.#answer(request);
    if (answer instanceof ProblemError) return wire(answer.toProblem().status, answer.toProblem());
    if (answer instanceof Error) throw answer;
    return wire(200, answer);
  }

  async #answer({ path, body }: WireRequest): Promise<Answer> {
    const url = new URL(path, "http://x");
    if (url.pathname.endsWith("/tags/resolve")) {
      this.resolves++;
      const { addresses } = JSON.parse(body as string) as { addresses: string[] };
      const ids = addresses.map((address) => {
        if (address.startsWith("bad")) return null;
        if (!this.ids.has(address)) this.ids.set(address, 100 + this.ids.size);
        return this.ids.get(address) as number;
      });
      return { ids, faults: [] };
    }
    if (!url.pathname.startsWith("/api/v1/ingest/")) return this.verdicts.shift() ?? {};
    const { columns, names } = decodeColumns(body as Uint8Array);
    const sequence = Number(url.searchParams.get("sequence"));
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    await this.hold;
    this.inFlight--;
    const verdict = this.verdicts.shift();
    if (verdict !== undefined) return verdict;
    this.batches.push({ sequence, generation: Number(url.searchParams.get("generation")), names, columns });
    return {
      ack: "durable",
      lsn: sequence,
      offered: columns.rows,
      accepted: columns.rows,
      suspect: 0,
      duplicates: 0,
      rejected: 0,
      faults: [],
    };
  }

  socket(_path: string, events: SocketEvents) {
    const socket = { events, sent: [] as string[], closed: false };
    this.sockets.push(socket);
    queueMicrotask(() => events.open());
    return {
      send: (text: string) => void socket.sent.push(text),
      close: () => {
        socket.closed = true;
        events.closed(1000, "");
      },
    };
  }
}

const wire = (status: number, body: object): WireResponse => ({
  status,
  header: () => null,
  bytes: async () => new TextEncoder().encode(JSON.stringify(body)),
});
const problem = (code: ProblemCode, retryAfterSeconds?: number): ProblemError =>
  new ProblemError(code, "Said the test.", retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
const lost = new TypeError("fetch failed");
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let server: FakeServer;
let platform: Platform;
beforeEach(() => {
  server = new FakeServer();
  platform = new Platform(server, { firstMs: 2, maxMs: 10 });
});
afterEach(() => platform.close());

describe("a writer", () => {
  it("resolves names once, and sends ids in frames", async () => {
    await platform.ingest("p", [
      { tag: "a", time: 1, value: 5 },
      { tag: "b", time: "1970-01-01T00:00:00.000002Z", value: 2n ** 60n },
    ]);
    await platform.ingest("p", [{ tag: "b", value: "x", status: 0x80000000, ordinal: 3 }]);
    expect(server.resolves).toBe(1);
    expect(
      server.requests
        .filter((r) => r.path.includes("/ingest/"))
        .every((r) => r.headers["content-type"] === columnsMediaType),
    ).toBe(true);
    const [first, second] = server.batches;
    expect([first.names, [...first.columns.tag], [...first.columns.time], first.columns.exact?.value]).toEqual([
      null,
      [100, 101],
      [1, 2],
      [2n ** 60n],
    ]);
    expect([
      [...second.columns.tag],
      [...second.columns.time],
      second.columns.status?.[0],
      second.columns.ordinal?.[0],
    ]).toEqual([[101], [NaN], 0x80000000, 3]);
    expect(first.generation).toBe(second.generation);
    expect([first.sequence, second.sequence]).toEqual([0, 1]);
  });

  it("lets the names travel when one is refused, so that the server keeps the refused rows", async () => {
    await platform.ingest("p", [
      { tag: "a", value: 1 },
      { tag: "bad\0", value: 2 },
      { tag: "x".repeat(600), value: 3 },
    ]);
    expect(server.batches[0].names).toEqual(["a", "bad\0", "x".repeat(600)]);
    expect(server.batches[0].columns.rows).toBe(3);
  });

  it.each([
    ["no answer", lost],
    ["an answer that is not ours", new ProblemError("overloaded", "x")],
    ["disk full", problem("disk_full")],
    ["a stop", problem("shutting_down")],
  ])("sends the same batch with the same number again after %s", async (_, failure) => {
    server.verdicts = [failure, failure];
    const receipt = await platform.ingest("p", [{ tag: "a", value: 1 }]);
    expect(receipt.lsn).toBe(0);
    const sent = server.requests.filter((request) => request.path.includes("/ingest/"));
    expect(sent.length).toBe(3);
    expect(new Set(sent.map((request) => request.path)).size).toBe(1);
  });

  it("gives a refused batch back to its caller and goes on with the next", async () => {
    server.verdicts = [problem("correction_undeclared")];
    await expect(platform.ingest("p", [{ tag: "a", value: 1 }])).rejects.toMatchObject({
      code: "correction_undeclared",
    });
    await platform.ingest("p", [{ tag: "a", value: 2 }]);
    expect(server.batches.map((batch) => batch.sequence)).toEqual([1]);
  });

  it("gives up on a batch that breaks the server again and again", async () => {
    server.verdicts = Array.from({ length: 5 }, () => problem("internal"));
    await expect(platform.ingest("p", [{ tag: "a", value: 1 }])).rejects.toMatchObject({ code: "internal" });
  });

  it("keeps the order and a few requests under way; offer waits for room", async () => {
    let release = (): void => {};
    server.hold = new Promise((resolve) => {
      release = resolve;
    });
    const writer = platform.writer("p", { inFlight: 3, queuedRows: 10 });
    await writer.offer([{ tag: "a", value: 0 }]);
    const receipts: Promise<unknown>[] = [];
    let accepted = 0;
    const feeding = (async () => {
      for (let i = 1; i < 30; i++) {
        const { receipt } = await writer.offer([{ tag: "a", value: i }]);
        receipts.push(receipt);
        accepted++;
      }
    })();
    await wait(30);
    expect([server.inFlight, accepted, writer.pendingRows]).toEqual([3, 9, 10]);
    release();
    await feeding;
    await Promise.all(receipts);
    expect(server.batches.map((batch) => batch.columns.value[0])).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(server.mostInFlight).toBe(3);
    expect(writer.pendingRows).toBe(0);
  });

  it("asks for ids anew after a lost connection: the server may be a restored one", async () => {
    await platform.ingest("p", [{ tag: "a", value: 1 }]);
    server.ids.clear();
    server.ids.set("other", 100);
    server.verdicts = [lost];
    await platform.ingest("p", [{ tag: "a", value: 2 }]);
    expect([...server.batches[1].columns.tag]).toEqual([101]);
  });

  it("rejects what is not durable when it is closed", async () => {
    server.hold = new Promise(() => {});
    const { receipt } = await platform.writer("p").offer([{ tag: "a", value: 1 }]);
    await wait(10);
    platform.close();
    await expect(platform.ingest("p", [{ tag: "a", value: 2 }])).rejects.toMatchObject({ name: "AbortError" });
    void receipt;
  });
});

describe("a subscription", () => {
  const frame = (n: number): Uint8Array =>
    encodePointsFrame(
      {
        type: "points.recorded",
        lsn: n,
        cursor: `c${n}`,
        recordedTime: 0,
        connectionId: 1,
        late: false,
        corrected: [],
      },
      encodeColumns(toNamedColumns([{ tag: "a", time: n, value: n }]).columns),
    );
  const follow = (request: object, got: StreamEvent[], states: string[] = [], cursors: string[] = []) => {
    const stop = new AbortController();
    const done = (async () => {
      const options = {
        signal: stop.signal,
        onState: (state: string) => void states.push(state),
        onCursor: (cursor: string) => void cursors.push(cursor),
      };
      for await (const event of platform.subscribe(request, options)) got.push(event);
    })();
    return { stop, done };
  };
  const sockets = async (n: number): Promise<void> => {
    for (let i = 0; i < 300 && server.sockets.length < n; i++) await wait(2);
    expect(server.sockets.length).toBe(n);
    await wait(5);
  };

  it("resumes at the last cursor after a loss, without gap or repeat, and tells its state once each", async () => {
    const got: StreamEvent[] = [];
    const states: string[] = [];
    const cursors: string[] = [];
    const { stop, done } = follow({ from: 0, tags: [1] }, got, states, cursors);
    await sockets(1);
    expect(JSON.parse(server.sockets[0].sent[0])).toEqual({ subscribe: { format: "columns", from: 0, tags: [1] } });
    void server.sockets[0].events.message('{"cursor":"c0"}');
    void server.sockets[0].events.message(frame(1));
    void server.sockets[0].events.message('{"type":"tag.registered","lsn":2,"cursor":"c2","recordedTime":0,"data":{}}');
    await wait(5);
    server.sockets[0].events.closed(1006, "");
    await sockets(2);
    expect(JSON.parse(server.sockets[1].sent[0])).toEqual({
      subscribe: { format: "columns", cursor: "c2", tags: [1] },
    });
    void server.sockets[1].events.message(JSON.stringify({ problem: problem("slow_consumer").toProblem() }));
    await sockets(3);
    void server.sockets[2].events.message(frame(3));
    await wait(5);
    stop.abort();
    await done;
    expect(got.map((event) => event.cursor)).toEqual(["c1", "c2", "c3"]);
    expect(cursors).toEqual(["c0", "c1", "c2", "c3"]);
    expect(states).toEqual(["open", "waiting", "open", "waiting", "open"]);
    expect(server.sockets[2].closed).toBe(true);
  });

  it("throws what trying again cannot mend", async () => {
    const { done } = follow({ cursor: "old" }, []);
    await sockets(1);
    void server.sockets[0].events.message(
      JSON.stringify({ problem: problem("cursor_expired").toProblem() as Problem }),
    );
    await expect(done).rejects.toMatchObject({ code: "cursor_expired" });
  });

  it("asks why when the socket is refused without a word", async () => {
    const socket = server.socket.bind(server);
    server.socket = (path, events) => socket(path, { ...events, open: () => events.closed(1006, "") });
    server.verdicts = [lost, problem("key_revoked")];
    await expect(follow({}, []).done).rejects.toMatchObject({ code: "key_revoked" });
    expect(server.sockets.length).toBe(2);
  });

  it("keeps a bounded queue: it hangs up, lets the reader catch up, and resumes at what it kept", async () => {
    const columns = toNamedColumns(Array.from({ length: 50_000 }, (_, i) => ({ tag: "a", time: i, value: i }))).columns;
    const block = encodeColumns(columns);
    const big = (n: number): Uint8Array =>
      encodePointsFrame(
        {
          type: "points.recorded",
          lsn: n,
          cursor: `c${n}`,
          recordedTime: 0,
          connectionId: 1,
          late: false,
          corrected: [],
        },
        block,
      );
    const events = platform.subscribe({})[Symbol.asyncIterator]();
    const first = events.next();
    await sockets(1);
    for (let n = 1; n <= 60; n++) void server.sockets[0].events.message(big(n));
    expect(server.sockets[0].closed).toBe(true);
    let last = (await first).value as StreamEvent;
    const kept = Math.ceil((32 * 1024 * 1024) / big(1).length);
    while (last.lsn !== kept) last = (await events.next()).value as StreamEvent;
    const next = events.next();
    await sockets(2);
    expect(JSON.parse(server.sockets[1].sent[0])).toEqual({ subscribe: { format: "columns", cursor: `c${kept}` } });
    void server.sockets[1].events.message(frame(kept + 1));
    expect(((await next).value as StreamEvent).lsn).toBe(kept + 1);
  });

  it("reads the JSON form exactly", () => {
    const event = eventFromJson({
      type: "points.recorded",
      lsn: 1,
      cursor: "c",
      recordedTime: 0,
      connectionId: 1,
      late: true,
      corrected: [0],
      tag: [1, 1, 1],
      time: [1, 2, 3],
      value: [{ int64: "9007199254740993" }, 7, { double: "NaN" }],
      valueType: [1, 1, 0],
      status: [0, 0, 5],
    });
    if (event.type !== "points.recorded") throw new Error("It is points.");
    const { type, value, exact, status } = event.columns;
    expect([[...(type ?? [])], [...value.slice(1)], exact?.value, [...(status ?? [])]]).toEqual([
      [1, 1, 0],
      [7, NaN],
      [9007199254740993n],
      [0, 0, 5],
    ]);
    expect([event.late, event.corrected]).toEqual([true, [0]]);
  });
});

describe("a call", () => {
  it("fills the address, sends the revision, and types what comes", async () => {
    await platform.call("changeTag", { params: { id: 7 }, body: { name: "n" }, revision: 3 });
    await platform.call("getConnection", { params: { connection: "a/b" } });
    await platform.call("lastValues", { query: { tag: [1, 2] } });
    const body = { version: 1, enterprise: "Acme" } as const;
    await platform.call("planConfiguration", { body });
    await platform.call("applyConfiguration", { body, revision: 9 });
    expect(server.requests.splice(3)).toMatchObject([
      { method: "POST", path: "/api/v1/configuration/plan", body: JSON.stringify(body) },
      { method: "PUT", path: "/api/v1/configuration", headers: { "if-match": '"9"' }, body: JSON.stringify(body) },
    ]);
    expect(server.requests).toMatchObject([
      { method: "PATCH", path: "/api/v1/tags/7", headers: { "if-match": '"3"' }, body: '{"name":"n"}' },
      { method: "GET", path: "/api/v1/connections/a%2Fb" },
      { method: "GET", path: "/api/v1/values?tag=1%2C2" },
    ]);
  });

  it("rejects with the server's problem, or says that there was no answer of it", async () => {
    server.verdicts = [problem("not_found")];
    await expect(platform.call("getTag", { params: { id: 1 } })).rejects.toMatchObject({
      code: "not_found",
      message: "Said the test.",
    });
    server.verdicts = [lost];
    await expect(platform.call("getTag", { params: { id: 1 } })).rejects.toBeInstanceOf(UnreachableError);
    server.request = async () => ({
      status: 502,
      header: () => null,
      bytes: async () => new TextEncoder().encode("<html>"),
    });
    await expect(platform.call("getTag", { params: { id: 1 } })).rejects.toBeInstanceOf(UnreachableError);
    const strange = { code: "from_the_future", detail: "d", retry: "later" };
    server.request = async () => wire(503, strange);
    await expect(platform.call("getTag", { params: { id: 1 } })).rejects.toMatchObject({
      retry: "later",
      message: "from_the_future: d",
    });
  });
});

it("pauses grow, are bounded, and differ from client to client", () => {
  const backOff = { firstMs: 100, maxMs: 1000 };
  expect([1, 2, 3, 4, 5, 99].map((n) => pauseMs(backOff, n, () => 1))).toEqual([100, 200, 400, 800, 1000, 1000]);
  expect(pauseMs(backOff, 1, () => 0)).toBe(50);
});
