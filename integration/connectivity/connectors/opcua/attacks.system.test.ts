import { ConnectionError } from "@lineshaft/contract/ports";
import { realClock } from "@lineshaft/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { Bench } from "./test/bench.ts";
import { type RawChannel, service } from "./test/raw-channel.ts";
import { RawMachine } from "./test/raw-machine.ts";
import { RawServer, type RawServerOptions } from "./test/raw-server.ts";
import { builtIn, Writer } from "./test/wire.ts";

/** A server that lies: whatever it says, the connector ends the conversation or marks the value, in bounded memory and time. */
const [tag, second] = ["ns=1;i=1", "ns=1;i=2"];
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});

async function liar(more: Partial<RawServerOptions>): Promise<RawServer> {
  const nowUs = (): number => realClock.nowUs();
  const machine = new RawMachine({ startUs: nowUs() - 1_000_000, stepUs: 20_000, nowUs, tags: 3 });
  const server = await RawServer.start({ plant: machine, nowUs, ...more });
  cleanUp.push(() => server.stop());
  return server;
}
async function benchTo(url: string, more: Record<string, unknown> = {}): Promise<Bench> {
  const bench = await Bench.makePlain(url, { requestTimeoutMs: 2_000, ...more });
  cleanUp.push(() => bench.stop());
  return bench;
}
const failure = async (work: Promise<unknown>): Promise<ConnectionError> => {
  const error = await work.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(ConnectionError);
  return error as ConnectionError;
};
/** What `work` adds to the memory at most, in MB. */
async function memoryOf(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const look = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 10);
  await work();
  clearInterval(look);
  return (Math.max(most, process.memoryUsage.rss()) - before) / 1e6;
}
const boundMB = 400;

describe("The transport", () => {
  test("A40: buffers of 4 GB in the ACK are taken for what they are", async () => {
    const server = await liar({
      onHello(channel) {
        channel.acknowledge(0xffffffff, 0xffffffff, 0xffffffff);
        return true;
      },
    });
    const bench = await benchTo(server.url);
    const added = await memoryOf(async () => {
      await bench.connect();
      bench.read([tag]);
      await bench.until("a value", () => bench.values(tag).length > 0);
    });
    expect(added).toBeLessThan(boundMB);
  });

  test("A40: errors without end in place of an ACK are one failed attempt", async () => {
    const server = await liar({
      onHello(channel) {
        for (let i = 0; i < 10_000; i++) channel.error(0x80820000, `reason ${i}`);
        return true;
      },
    });
    const bench = await benchTo(server.url);
    const error = await failure(bench.connect());
    expect(["protocol", "unreachable"]).toContain(error.fault);
    expect(server.connections, "no retry loop inside").toBe(1);
  });

  test("A40: an error in the middle of a session loses the connection", async () => {
    const channels: RawChannel[] = [];
    const server = await liar({
      onHello(channel) {
        channels.push(channel);
        return false;
      },
    });
    const bench = await benchTo(server.url);
    await bench.connect();
    bench.read([tag]);
    await bench.until("a value", () => bench.values(tag).length > 0);
    for (let i = 0; i < 100; i++) channels.at(-1)?.error(0x80820000, "no more");
    expect(await bench.ended).toMatchObject({ fault: "lost" });
  });

  for (const [name, at] of [
    ["in place of the endpoints", service.getEndpoints],
    ["in place of a notification", service.publish],
  ] as const) {
    test(`A41: chunks without a final one ${name} end the connection`, async () => {
      let sent = 0;
      const server = await liar({
        intercept(call) {
          if (call.service !== at) return false;
          const body = Buffer.alloc(60_000);
          const { socket } = call.channel;
          const pump = (): void => {
            while (!socket.destroyed && sent < 1e9) {
              sent += body.length;
              if (!call.channel.chunk("C", call.requestId, body)) return;
            }
          };
          socket.on("drain", pump);
          pump();
          return true;
        },
      });
      const bench = await benchTo(server.url, { keepAliveMs: 60_000 });
      const added = await memoryOf(async () => {
        if (at === service.getEndpoints) await failure(bench.connect());
        else {
          await bench.connect();
          bench.read([tag]);
          expect(await bench.ended).toMatchObject({ fault: "lost" });
        }
      });
      expect(added).toBeLessThan(boundMB);
      expect(sent).toBeLessThan(1e9);
    });
  }
});

describe("What is inside the messages", () => {
  /** The first notification holds these bytes as the value of the first tag, and a good value of the second; later ones are good. */
  async function told(bytes: Uint8Array): Promise<{ bench: Bench; addedMB: number }> {
    let sequence = 0;
    const nowUs = (): number => realClock.nowUs();
    const server = await liar({
      intercept(call) {
        if (call.service !== service.publish) return false;
        const [subscription] = server.subscriptions.values();
        const [first, second] = [...subscription.items.values()].map((item) => item.handle);
        const number = ++sequence;
        const good = new Writer().variant({ type: builtIn.double, value: number }).build();
        const body = new Writer().u32(2).u32(second).u8(1).raw(good);
        body
          .u32(first)
          .u8(1)
          .raw(number === 1 ? bytes : good);
        // Answered a little later, or the connector would be asked to read without end.
        setTimeout(() => {
          call.channel.answer(call, (out) => {
            out.u32(subscription.id).u32(0).bool(false).u32(number).time(nowUs());
            out.u32(1).structure(811, body.u32(0).build()).u32(0).u32(0);
          });
        }, 20);
        return true;
      },
    });
    const bench = await benchTo(server.url);
    await bench.connect();
    const addedMB = await memoryOf(async () => {
      bench.read([tag, second]);
      await bench.until("later notifications", () => bench.values(second).length > 2);
    });
    expect(bench.sink.staled, "the connection stands").toEqual([]);
    return { bench, addedMB };
  }

  const deep = (levels: number): Buffer => Buffer.concat([Buffer.alloc(levels, 24), Buffer.from([1, 1])]);
  const refused: [name: string, bytes: Uint8Array][] = [
    ["A42: Variants nested 10,000 deep", deep(10_000)],
    ["A42: Variants nested a million deep", deep(1_000_000)],
    [
      "A42: DataValues nested 10,000 deep",
      Buffer.concat([Buffer.alloc(20_000, Buffer.from([23, 1])), Buffer.from([1, 1])]),
    ],
    [
      "A42: DiagnosticInfo nested a million deep",
      Buffer.concat([Buffer.from([25]), Buffer.alloc(1_000_000, 0x40), Buffer.from([0])]),
    ],
    [
      "A44: a matrix of 2^31 × 2^31 without elements",
      Buffer.from([0xcb, 0, 0, 0, 0, 2, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f]),
    ],
    ["A44: an array of 10⁹ values that have no bytes", Buffer.from([0x80, 0x00, 0xca, 0x9a, 0x3b])],
  ];
  test.each(refused)("%s: the value is bad, and its neighbour in the message arrives", async (_, bytes) => {
    const { bench, addedMB } = await told(bytes);
    const [row, later] = bench.sink.rows.filter((r) => r.tag === tag);
    expect(row).toMatchObject({ value: null, status: 0x80080000 });
    expect(later).toMatchObject({ value: 2, status: 0 });
    expect(bench.values(second).slice(0, 2)).toEqual([1, 2]);
    expect(addedMB).toBeLessThan(boundMB);
  });

  const broken: [name: string, bytes: Uint8Array][] = [
    ["A44: an array of 10⁹ doubles that are not there", Buffer.from([0x8b, 0x00, 0xca, 0x9a, 0x3b])],
    ["A44: an array of 10⁹ texts that are not there", Buffer.from([0x8c, 0x00, 0xca, 0x9a, 0x3b])],
    ["A44: a text of 2 GB that is not there", Buffer.from([12, 0xff, 0xff, 0xff, 0x7f])],
  ];
  test.each(broken)(
    "%s: the notification is kept as rejected, with a gap record, and the stream goes on (F29)",
    async (_, bytes) => {
      const { bench, addedMB } = await told(bytes);
      expect(bench.sink.rejected).toMatchObject([{ code: "opcua_message_invalid" }]);
      expect(Buffer.from(bench.sink.rejected[0].payload ?? []).includes(Buffer.from(bytes))).toBe(true);
      expect(bench.sink.gaps.length).toBe(1);
      expect(bench.values(tag)[0]).toBe(2);
      expect(addedMB).toBeLessThan(boundMB);
    },
  );

  test("A44: 10⁹ endpoints that are not there are no endpoints", async () => {
    const server = await liar({
      intercept(call) {
        if (call.service !== service.getEndpoints) return false;
        call.channel.answer(call, (out) => out.u32(1_000_000_000));
        return true;
      },
    });
    const bench = await benchTo(server.url);
    const added = await memoryOf(async () => void (await failure(bench.connect())));
    expect(added).toBeLessThan(boundMB);
  });

  test("A44: an endpoint at another host is not dialled", async () => {
    const foreign = await liar({});
    const server = await liar({ endpointUrl: () => foreign.url });
    const bench = await benchTo(server.url);
    await bench.connect();
    bench.read([tag]);
    await bench.until("values", () => bench.values(tag).length > 2);
    expect(foreign.connections).toBe(0);
  });

  test("A44: a level that never ends is not followed for ever, and cyclic references lead nowhere by themselves", async () => {
    let number = 10;
    let pages = 0;
    const server = await liar({
      intercept(call) {
        if (call.service !== service.browse && call.service !== service.browseNext) return false;
        pages += 1;
        const released = call.service === service.browseNext && call.body.bool();
        call.channel.answer(call, (out) => {
          // Always one more page; each holds the level itself as its own child, and 500 new objects.
          out
            .u32(1)
            .u32(0)
            .bytes(released ? null : Buffer.from("more"))
            .u32(released ? 0 : 501);
          const child = (id: string): void => {
            out.nodeId("i=35").bool(true).nodeId(id).qualifiedName(id, 1).localizedText(id).u32(1).nodeId("i=61");
          };
          if (!released) {
            child("i=85");
            for (let i = 0; i < 500; i++) child(`ns=1;i=${++number}`);
          }
          out.u32(0);
        });
        return true;
      },
    });
    const bench = await benchTo(server.url);
    await bench.connect();
    let found = 0;
    let itself = 0;
    const walk = async (): Promise<void> => {
      for await (const { address } of bench.connector.browse?.("", new AbortController().signal) ?? []) {
        found += 1;
        if (address === "ns=0;i=85") itself += 1;
      }
    };
    expect((await failure(walk())).message).toContain("more than 100000 children");
    expect(itself).toBe(1);
    expect(found).toBeGreaterThanOrEqual(100_000);
    expect(found).toBeLessThan(101_000);
    expect(pages).toBeLessThan(210);
  });
});
