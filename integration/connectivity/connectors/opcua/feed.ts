import type { Clock } from "@lineshaft/contract/ports";
import type { NotificationMessage, PublishResponse } from "node-opcua-client";
import type { Opcua } from "./library.ts";
import type { RawSession } from "./link.ts";

export interface FeedMessage {
  kind: "message";
  sequence: number;
  message: NotificationMessage;
  /** With this message we have all that the server had queued until then, by its clock in µs; null: it did not say, or has more. */
  completeUs: number | null;
}

/** One step of a subscription's stream: a message, messages that are gone for good before the next one, or all that had been queued is here. */
export type FeedItem = FeedMessage | { kind: "loss"; count: number } | { kind: "caughtUp" };

/** Publish requests that wait at the server: enough to keep it sending while an answer is on its way. */
const depth = 2;
/** So many may wait because they had something to acknowledge: a full server-side queue is no place for durable messages. */
export const publishRequestsMax = 5;
/** Messages that are asked for again one by one, at most; beyond, a gap is the faster answer. */
const republishMax = 2_000;

/** Sequence numbers run from 1 to 2^32 − 1, then from 1 again (Part 4, 5.14.1.1). */
const after = (sequence: number): number => (sequence >= 0xffffffff ? 1 : sequence + 1);
/** How far `to` lies ahead of `from`; negative: behind. */
const ahead = (from: number, to: number): number => {
  const span = 0xffffffff;
  const distance = (((to - from) % span) + span) % span;
  return distance > span / 2 ? distance - span : distance;
};

/** The subscription is gone at the server: a new one has to be made. */
export class SubscriptionGone extends Error {
  override name = "SubscriptionGone";
}

/**
 * One subscription's messages in order, without holes that are not said. The Publish service is driven here and not by the library, because the library
 * acknowledges before it delivers: here a message is acknowledged when it is durable, and until then the server keeps it. Asks for more only when
 * asked itself, so that a stalled sink stalls the server's queue and not our memory.
 */
export class Feed {
  readonly id: number;
  readonly #opcua: Opcua;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #session: RawSession;
  #expected = 1;
  #queue: FeedItem[] = [];
  /** Delivered, and not yet durable or refused for good. */
  #unsettled = new Map<number, FeedMessage>();
  #acknowledgements: number[] = [];
  #outstanding = 0;
  #depth = depth;
  #depthMax = publishRequestsMax;
  #flushing = false;
  /** Answers are worked through one after the other, also while a missing one is fetched. */
  #chain: Promise<void> = Promise.resolve();
  #failure: Error | null = null;
  #epoch = 0;
  #announce = false;
  #heir: Feed | null = null;
  #adopted = 0;
  #wake: () => void = () => {};
  /** The server's clock against ours, by its newest answer. */
  skewUs = 0;
  /** When the server was last heard, by the monotonic clock. */
  heardMs: number;
  /** For diagnosis. */
  republished = 0;

  constructor(opcua: Opcua, session: RawSession, clock: Clock, id: number, timeoutMs: number) {
    this.#opcua = opcua;
    this.#session = session;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.id = id;
    this.heardMs = clock.monotonicMs();
  }

  get acknowledgedUpTo(): number {
    return this.#expected - 1;
  }

  /** The next item, in order. Rejects with SubscriptionGone, or with what broke the channel. */
  async next(signal: AbortSignal): Promise<FeedItem> {
    for (;;) {
      signal.throwIfAborted();
      const item = this.#queue.shift();
      if (item !== undefined) {
        if (item.kind === "message") this.#unsettled.set(item.sequence, item);
        this.#ask();
        return item;
      }
      if (this.#failure !== null) throw this.#failure;
      this.#ask();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener("abort", wake);
          this.#wake = () => {};
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener("abort", wake, { once: true });
      });
    }
  }

  /** Asks for one "caughtUp" in its place in the stream. */
  announceCatchUp(): void {
    this.#announce = true;
  }

  /** Durable, or refused for good: the server may forget it. */
  settle(sequence: number): void {
    if (!this.#unsettled.delete(sequence) || sequence < 0) return;
    this.#acknowledgements.push(sequence);
    if (this.#flushing) return;
    this.#flushing = true;
    // Verdicts come in groups; one request acknowledges them all.
    queueMicrotask(() => {
      this.#flushing = false;
      if (this.#failure !== null || this.#acknowledgements.length === 0 || this.#outstanding >= this.#depthMax) return;
      this.#publish(this.#epoch);
    });
  }

  /** Not taken: it comes again, before what is newer. */
  returned(sequence: number): void {
    const returned = this.#unsettled.get(sequence);
    if (returned === undefined) return;
    this.#unsettled.delete(sequence);
    if (this.#heir === null) this.#insert(returned);
    else this.#heir.#adopt(returned);
  }

  /** This subscription is gone; what was received and is not durable is the next one's to deliver. */
  bequeath(heir: Feed): void {
    this.#heir = heir;
    for (const item of this.#queue.splice(0)) if (item.kind === "message") heir.#adopt(item);
  }

  /** Numbers below 0 are of former subscriptions: the older, the nearer to 0. Nobody waits for their acknowledgement. */
  #adopt(item: FeedMessage): void {
    this.#adopted -= 1;
    this.#insert({ ...item, sequence: this.#adopted });
  }

  #insert(message: FeedMessage): void {
    const isNewer = (item: FeedItem): boolean => {
      if (item.kind !== "message") return false;
      if (message.sequence < 0) return item.sequence > 0 || item.sequence < message.sequence;
      return item.sequence > 0 && ahead(message.sequence, item.sequence) > 0;
    };
    const behind = this.#queue.findIndex(isNewer);
    this.#queue.splice(behind === -1 ? this.#queue.length : behind, 0, message);
    this.#wake();
  }

  /** Goes on over a new channel: fetches what the server sent and we did not receive. Rejects with SubscriptionGone. */
  async resume(session: RawSession): Promise<void> {
    this.#epoch += 1;
    await this.#chain.catch(() => {});
    this.#session = session;
    this.#outstanding = 0;
    this.#failure = null;
    this.heardMs = this.#clock.monotonicMs();
    for (let i = 0; i < republishMax; i++) {
      const message = await this.#republish(this.#expected);
      if (message === null) return;
      this.#take(message, null);
    }
  }

  #ask(): void {
    while (this.#failure === null && this.#outstanding < this.#depth && this.#queue.length < this.#depth) {
      this.#publish(this.#epoch);
    }
  }

  #publish(epoch: number): void {
    this.#outstanding += 1;
    const acknowledged = this.#acknowledgements.splice(0);
    const request = new this.#opcua.PublishRequest({
      requestHeader: { timeoutHint: this.#timeoutMs },
      subscriptionAcknowledgements: acknowledged.map((sequenceNumber) => ({ subscriptionId: this.id, sequenceNumber })),
    });
    this.#session.publish(request, (error, response) => {
      if (epoch !== this.#epoch) return;
      this.#outstanding -= 1;
      if (error !== null || response === undefined) {
        // Acknowledging twice is harmless; not at all makes the server keep them for its lifetime.
        this.#acknowledgements.unshift(...acknowledged);
        this.#refused(error ?? new Error("no answer to Publish"));
        return;
      }
      this.heardMs = this.#clock.monotonicMs();
      const answeredMs = response.responseHeader.timestamp?.getTime() ?? 0;
      if (answeredMs > 0) this.skewUs = answeredMs * 1000 - this.#clock.nowUs();
      this.#chain = this.#chain
        .then(() => this.#answered(epoch, response))
        .catch((reason: Error) => this.#fail(reason));
    });
  }

  #refused(error: Error): void {
    if (/BadTooManyPublishRequests/.test(error.message) && this.#outstanding > 0) {
      this.#depthMax = this.#outstanding;
      this.#depth = Math.min(this.#depth, this.#depthMax);
      this.#wake();
      return;
    }
    const gone = /BadNoSubscription|BadSubscriptionIdInvalid/.test(error.message);
    this.#fail(gone ? new SubscriptionGone(error.message) : error);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  async #answered(epoch: number, response: PublishResponse): Promise<void> {
    if (epoch !== this.#epoch) return;
    // The session has this one subscription; an answer for another is a leftover of a former one.
    if (response.subscriptionId !== this.id) return this.#wake();
    const message = response.notificationMessage;
    // A keep-alive carries the number that the next message will have; numbers before it that we do not have are missing.
    const missing = Math.min(ahead(this.#expected, message.sequenceNumber), republishMax + 1);
    if (missing > 0) await this.#fetchMissing(message.sequenceNumber, missing);
    if (epoch !== this.#epoch) return;
    if ((message.notificationData?.length ?? 0) > 0 && message.sequenceNumber === this.#expected)
      this.#take(message, completeUs(response));
    if (this.#announce && !response.moreNotifications) {
      this.#announce = false;
      this.#queue.push({ kind: "caughtUp" });
    }
    this.#wake();
  }

  async #fetchMissing(until: number, count: number): Promise<void> {
    let lost = count > republishMax ? count : 0;
    while (lost === 0 && this.#expected !== until) {
      const message = await this.#republish(this.#expected);
      if (message === null) lost = ahead(this.#expected, until);
      else this.#take(message, null);
    }
    if (lost > 0) {
      this.#queue.push({ kind: "loss", count: ahead(this.#expected, until) });
      this.#expected = until;
    }
  }

  #take(message: NotificationMessage, complete: number | null): void {
    this.#expected = after(message.sequenceNumber);
    this.#queue.push({ kind: "message", sequence: message.sequenceNumber, message, completeUs: complete });
  }

  /** Null: the server does not keep it (any more, or not yet). */
  #republish(sequence: number): Promise<NotificationMessage | null> {
    const request = new this.#opcua.RepublishRequest({ subscriptionId: this.id, retransmitSequenceNumber: sequence });
    return new Promise((resolve, reject) => {
      this.#session.republish(request, (error, response) => {
        if (error === null && response !== undefined) {
          this.republished += 1;
          resolve(response.notificationMessage);
        } else if (/BadMessageNotAvailable/.test(error?.message ?? "")) resolve(null);
        else if (/BadSubscriptionIdInvalid/.test(error?.message ?? "")) reject(new SubscriptionGone(error?.message));
        else reject(error ?? new Error("no answer to Republish"));
      });
    });
  }
}

/** Some servers leave the publish time empty; the answer's own time will do, since it is never earlier than what it carries. */
function completeUs(response: PublishResponse): number | null {
  if (response.moreNotifications) return null;
  const times = [response.notificationMessage.publishTime, response.responseHeader.timestamp];
  const ms = times.map((time) => time?.getTime() ?? 0).find((time) => time > 0);
  return ms === undefined ? null : ms * 1000;
}
