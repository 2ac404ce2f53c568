import type { Clock } from "@lineshaft/contract/ports";
import type { MqttPrincipal } from "./broker-access.ts";
import type { MqttClaim, MqttMessage, MqttSource } from "./source.ts";
import { TopicTree, topicFilterFault } from "./topic.ts";

export interface Claims {
  clock: Clock;
  holdMs: number;
  sources: Set<BrokerSource>;
}

type Handler = (message: MqttMessage) => Promise<void>;
interface Claim {
  handler: Handler;
  active: number;
  idle: (() => void) | null;
}

/**
 * One realm of the embedded broker as one connection sees it. Filters once claimed stay reserved until `end`: between two reads of a connection, and while it is
 * restarted, a message waits for the next claim instead of being acknowledged and lost.
 */
export class BrokerSource implements MqttSource {
  readonly realm: string;
  readonly lost: Promise<Error> = new Promise(() => {});
  readonly publish: MqttSource["publish"];
  /** Does the connection take what this one publishes? */
  readonly accepts: (publisher: MqttPrincipal) => boolean;
  readonly #claims: Claims;
  readonly #reserved = new Set<string>();
  readonly #reservedTree = new TopicTree<true>();
  readonly #tree = new TopicTree<Claim>();
  #waiting: (() => void)[] = [];

  constructor(
    realm: string,
    claims: Claims,
    publish: MqttSource["publish"],
    accepts: (publisher: MqttPrincipal) => boolean,
  ) {
    this.realm = realm;
    this.accepts = accepts;
    this.#claims = claims;
    this.publish = publish;
    claims.sources.add(this);
  }

  /** Does somebody take messages at the moment? */
  get claimed(): boolean {
    return this.#tree.size > 0;
  }

  /** Says before the first claim what will be claimed, so that nothing is missed at a start. */
  reserve(filters: readonly string[]): void {
    for (const filter of filters) {
      const fault = topicFilterFault(filter);
      if (fault !== null) throw new Error(`Topic filter "${filter}": ${fault}.`);
      if (this.#reserved.has(filter)) continue;
      this.#reserved.add(filter);
      this.#reservedTree.add(filter, true);
    }
  }

  async claim(filters: readonly string[], handler: Handler): Promise<MqttClaim> {
    // What the last claim wanted and this one does not is given up.
    if (this.#tree.size === 0) {
      for (const filter of this.#reserved) {
        if (filters.includes(filter)) continue;
        this.#reserved.delete(filter);
        this.#reservedTree.remove(filter, () => true);
      }
    }
    this.reserve(filters);
    const claim: Claim = { handler, active: 0, idle: null };
    for (const filter of filters) this.#tree.add(filter, claim);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
    return {
      release: async () => {
        for (const filter of filters) this.#tree.remove(filter, (value) => value === claim);
        if (claim.active > 0) {
          await new Promise<void>((resolve) => {
            claim.idle = resolve;
          });
        }
      },
    };
  }

  /** Null when this source does not want the message; else resolves when it is durable or refused for good. */
  hand(message: MqttMessage): Promise<void> | null {
    const claims = this.#tree.match(message.topic);
    if (claims.length === 0) {
      return this.#reservedTree.match(message.topic).length === 0 ? null : this.#hold(message);
    }
    // Two filters of one claim may match the same message.
    if (claims.length === 1 || claims.every((claim) => claim === claims[0])) return run(claims[0], message);
    return Promise.all([...new Set(claims)].map((claim) => run(claim, message))).then(() => undefined);
  }

  diagnose(): Record<string, unknown> {
    return {
      realm: this.realm,
      filters: [...this.#reserved],
      claimed: this.claimed,
      waiting: this.#waiting.length,
    };
  }

  /** The connection leaves but belongs here: what it reserved stays reserved. */
  close(): void {}

  /** The connection is gone for good. */
  end(): void {
    this.#claims.sources.delete(this);
    for (const wake of this.#waiting) wake();
    this.#waiting = [];
  }

  async #hold(message: MqttMessage): Promise<void> {
    const { clock, holdMs } = this.#claims;
    // A QoS 0 message that is held would only delay those behind it; its sender expects no promise.
    if (message.qos === 0) throw new Error("Nobody reads this topic at the moment.");
    const until = clock.monotonicMs() + holdMs;
    for (;;) {
      const left = until - clock.monotonicMs();
      if (left <= 0) throw new Error("Nobody reads this topic at the moment.");
      const over = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => this.#waiting.push(resolve)),
        clock.sleep(left, over.signal).catch(() => undefined),
      ]);
      over.abort();
      if (!this.#claims.sources.has(this)) return;
      if (this.#tree.match(message.topic).length > 0) return this.hand(message) ?? undefined;
    }
  }
}

async function run(claim: Claim, message: MqttMessage): Promise<void> {
  claim.active++;
  try {
    await claim.handler(message);
  } finally {
    claim.active--;
    if (claim.active === 0) claim.idle?.();
  }
}
