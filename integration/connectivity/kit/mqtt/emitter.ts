import { TopicTree } from "./topic.ts";

/** What aedes hands round: its packet, of which only this is needed here. */
export interface EmittedPacket {
  topic: string;
  brokerCounter?: number;
}
type Listener = (packet: EmittedPacket, done: () => void) => void;

const nothing = (): void => {};

/**
 * The hub between publishers and subscribers, given to aedes as its `mq`. Unlike mqemitter it has no queue that all publishers share and that one slow subscriber
 * holds up: a publisher is done as soon as its message is handed over, and each subscriber's backlog is bounded at its own socket (FACTS: fan-out).
 */
export class Emitter {
  readonly #tree = new TopicTree<Listener>();
  #waiting: EmittedPacket[] = [];
  #scheduled = false;
  closed = false;

  on(filter: string, listener: Listener, done?: () => void): this {
    this.#tree.add(filter, listener);
    if (done !== undefined) setImmediate(done);
    return this;
  }

  removeListener(filter: string, listener: Listener, done?: () => void): this {
    this.#tree.remove(filter, (value) => value === listener);
    if (done !== undefined) setImmediate(done);
    return this;
  }

  emit(packet: EmittedPacket, done?: (error?: Error) => void): this {
    if (this.closed) {
      done?.(new Error("The broker is closed."));
      return this;
    }
    this.#waiting.push(packet);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#deliver());
    }
    done?.();
    return this;
  }

  close(done: () => void): this {
    this.closed = true;
    setImmediate(done);
    return this;
  }

  /**
   * aedes numbers packets as they come and drops at a subscriber what has a lower number than the last one; but QoS 1 passes its store first, so a QoS 0
   * packet behind it would overtake it and have it dropped. Delivered tick by tick in the order of the numbers, nothing is overtaken.
   */
  #deliver(): void {
    this.#scheduled = false;
    const packets = this.#waiting;
    this.#waiting = [];
    for (let i = 1; i < packets.length; i++) {
      if ((packets[i].brokerCounter ?? 0) < (packets[i - 1].brokerCounter ?? 0)) {
        packets.sort((a, b) => (a.brokerCounter ?? 0) - (b.brokerCounter ?? 0));
        break;
      }
    }
    for (const packet of packets) {
      for (const listener of this.#tree.match(packet.topic)) listener(packet, nothing);
    }
  }
}
