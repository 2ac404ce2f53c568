import { FakeClock } from "@lineshaft/testkit";
import type { NotificationMessage } from "node-opcua-client";
import { beforeAll, expect, test } from "vitest";
import { Feed, type FeedItem, type FeedMessage, SubscriptionGone } from "./feed.ts";
import { loadOpcua, type Opcua } from "./library.ts";
import type { RawSession } from "./link.ts";

let opcua: Opcua;
beforeAll(async () => {
  opcua = await loadOpcua();
});

type Answer = (error: Error | null, response?: unknown) => void;
const id = 7;

/** A server's side of Publish and Republish, by hand. */
class FakeServer {
  waiting: Answer[] = [];
  acknowledged: number[] = [];
  kept = new Map<number, NotificationMessage>();
  republishError: Error | null = null;

  session = {
    publish: (request: { subscriptionAcknowledgements: { sequenceNumber: number }[] }, answer: Answer) => {
      this.acknowledged.push(...request.subscriptionAcknowledgements.map((a) => a.sequenceNumber));
      this.waiting.push(answer);
    },
    republish: (request: { retransmitSequenceNumber: number }, answer: Answer) => {
      const message = this.kept.get(request.retransmitSequenceNumber);
      if (this.republishError !== null) answer(this.republishError);
      else if (message === undefined) answer(new Error("BadMessageNotAvailable"));
      else answer(null, { notificationMessage: message });
    },
  } as unknown as RawSession;

  send(sequenceNumber: number, data = true): void {
    this.waiting.shift()?.(null, {
      subscriptionId: id,
      responseHeader: {},
      moreNotifications: false,
      notificationMessage: message(sequenceNumber, data),
    });
  }
}

const message = (sequenceNumber: number, data = true): NotificationMessage =>
  ({ sequenceNumber, notificationData: data ? [{}] : [] }) as unknown as NotificationMessage;
const made = () => {
  const server = new FakeServer();
  return { server, feed: new Feed(opcua, server.session, new FakeClock(), id, 1000) };
};
const never = new AbortController().signal;
const told = (item: FeedItem): string =>
  item.kind === "message" ? `m${item.sequence}` : item.kind === "loss" ? `loss ${item.count}` : item.kind;
const take = async (feed: Feed, n: number): Promise<string[]> => {
  const items: string[] = [];
  for (let i = 0; i < n; i++) items.push(told(await feed.next(never)));
  return items;
};

test("messages come in order, and are acknowledged when they are settled and not before", async () => {
  const { server, feed } = made();
  const first = feed.next(never);
  expect(server.waiting.length).toBe(2);
  server.send(1);
  expect(told(await first)).toBe("m1");
  expect(server.acknowledged).toEqual([]);
  feed.settle(1);
  await Promise.resolve();
  expect(server.acknowledged).toEqual([1]);
});

test("asks for no more while nobody asks: the server's queue fills, not ours", async () => {
  const { server, feed } = made();
  const first = feed.next(never);
  server.send(1);
  await first;
  for (let sequence = 2; server.waiting.length > 0; sequence++) {
    server.send(sequence);
    await new Promise(setImmediate);
  }
  expect(await take(feed, 2)).toEqual(["m2", "m3"]);
});

test("a hole is fetched again before what follows", async () => {
  const { server, feed } = made();
  const first = feed.next(never);
  server.kept.set(1, message(1)).set(2, message(2));
  server.send(3);
  expect([told(await first), ...(await take(feed, 2))]).toEqual(["m1", "m2", "m3"]);
  expect(feed.republished).toBe(2);
});

test("what the server does not keep any more is a loss, in its place", async () => {
  const { server, feed } = made();
  const first = feed.next(never);
  server.kept.set(1, message(1));
  server.send(4);
  expect([told(await first), ...(await take(feed, 2))]).toEqual(["m1", "loss 2", "m4"]);
});

test("a keep-alive tells a hole as well, and is nothing else", async () => {
  const { server, feed } = made();
  const first = feed.next(never);
  server.send(1, false);
  server.kept.set(1, message(1));
  server.send(2, false);
  expect(told(await first)).toBe("m1");
});

test("what the sink did not take comes again, before what is newer", async () => {
  const { server, feed } = made();
  const first = feed.next(never);
  server.send(1);
  await first;
  const second = feed.next(never);
  server.send(2);
  await second;
  feed.returned(2);
  feed.returned(1);
  expect(await take(feed, 2)).toEqual(["m1", "m2"]);
});

test("over a new channel the missed messages are asked for, and unsettled ones stay", async () => {
  const { server, feed } = made();
  const first = feed.next(never);
  server.send(1);
  await first;
  server.waiting.shift()?.(new Error("connection lost"));
  await expect(feed.next(never)).rejects.toThrow("connection lost");
  const again = new FakeServer();
  again.kept.set(2, message(2)).set(3, message(3));
  await feed.resume(again.session);
  feed.returned(1);
  expect(await take(feed, 3)).toEqual(["m1", "m2", "m3"]);
});

test("what a lost subscription had delivered and nobody made durable is delivered by the next one, first and unacknowledged", async () => {
  const { server, feed } = made();
  for (const sequence of [1, 2]) {
    const next = feed.next(never);
    server.send(sequence);
    await next;
  }
  feed.returned(1);
  const heir = made();
  feed.bequeath(heir.feed);
  feed.returned(2);
  const [older, newer] = [await heir.feed.next(never), await heir.feed.next(never)];
  expect([older, newer]).toMatchObject([{ message: { sequenceNumber: 1 } }, { message: { sequenceNumber: 2 } }]);
  heir.feed.settle((older as FeedMessage).sequence);
  heir.feed.returned((newer as FeedMessage).sequence);
  expect(await heir.feed.next(never)).toMatchObject({ message: { sequenceNumber: 2 } });
  const fresh = heir.feed.next(never);
  heir.server.send(1);
  expect(told(await fresh)).toBe("m1");
  expect(heir.server.acknowledged).toEqual([]);
});

test("a subscription that is gone says so", async () => {
  const { server, feed } = made();
  const first = feed.next(never);
  server.waiting.shift()?.(new Error("serviceResult = BadNoSubscription (0x80790000)"));
  await expect(first).rejects.toThrow(SubscriptionGone);
  server.republishError = new Error("BadSubscriptionIdInvalid");
  await expect(feed.resume(server.session)).rejects.toThrow(SubscriptionGone);
});

test("an abort ends the wait with its reason", async () => {
  const { feed } = made();
  const abort = new AbortController();
  const first = feed.next(abort.signal);
  abort.abort(new Error("enough"));
  await expect(first).rejects.toThrow("enough");
});
