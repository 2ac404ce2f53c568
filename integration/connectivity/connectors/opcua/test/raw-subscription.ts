import type { Call } from "./raw-channel.ts";
import { type Reader, ticksOf, type WireValue, Writer } from "./wire.ts";

export interface RawItem {
  readonly id: number;
  readonly handle: number;
  readonly nodeId: string;
  readonly queueSize: number;
  /** Whatever the source keeps for it. */
  at: number;
}

export interface RawChange {
  handle: number;
  value: WireValue;
  us: number;
  status?: number;
}

/** Where the changes of a subscription come from. */
export interface Source {
  /** An item is watched from now on. */
  added(item: RawItem): void;
  /** The encoded DataChangeNotification of what has changed, `most` items at most; null: nothing has. */
  next(subscription: RawSubscription, most: number): { body: Buffer; more: boolean } | null;
  /** True: the next notification is there as soon as it is asked for, whatever the publishing interval says. */
  flatOut?: boolean;
}

/** Body of a DataChangeNotification. */
export function encodeChanges(changes: readonly RawChange[]): Buffer {
  const out = new Writer(32 * changes.length + 16);
  out.array(changes, ({ handle, value, us, status }) => out.u32(handle).dataValue(value, status, us, us));
  return out.u32(0).build();
}

interface Requests {
  take(): Call | null;
  back(call: Call): void;
}

/** One subscription: sequence numbers, the queue for republishing, keep-alives (Part 4, 5.14). */
export class RawSubscription {
  readonly id: number;
  readonly items = new Map<number, RawItem>();
  /** Messages that are not acknowledged, encoded as NotificationMessage. */
  readonly kept = new Map<number, Buffer>();
  readonly publishingMs: number;
  readonly #keepAliveCount: number;
  readonly #lifetimeCount: number;
  readonly #most: number;
  readonly #source: Source;
  readonly #nowUs: () => number;
  readonly #timer: NodeJS.Timeout;
  #requests: Requests | null = null;
  #sequence = 1;
  #quiet = 0;
  #ids = 0;
  /** Changes sent, each once. */
  sent = 0;
  keepAlives = 0;

  constructor(id: number, body: Reader, source: Source, nowUs: () => number) {
    this.id = id;
    this.#source = source;
    this.#nowUs = nowUs;
    this.publishingMs = Math.max(10, body.f64());
    this.#lifetimeCount = body.u32();
    this.#keepAliveCount = Math.max(1, body.u32());
    this.#most = body.u32() || 10_000;
    this.#timer = setInterval(() => this.#cycle(), this.publishingMs);
  }

  revised(out: Writer): void {
    out.u32(this.id).f64(this.publishingMs).u32(this.#lifetimeCount).u32(this.#keepAliveCount);
  }

  attach(requests: Requests): void {
    this.#requests = requests;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#requests = null;
  }

  createItems(call: Call, exists: (nodeId: string) => unknown): void {
    const { body } = call;
    body.u32();
    const asked = body.array(() => {
      const nodeId = body.nodeId();
      body.u32();
      body.string();
      body.qualifiedName();
      body.u32();
      const handle = body.u32();
      body.f64();
      body.structure();
      const queueSize = body.u32();
      body.bool();
      return { nodeId, handle, queueSize };
    });
    call.channel.answer(call, (out) => {
      out.array(asked, ({ nodeId, handle, queueSize }) => {
        const found = exists(nodeId);
        if (typeof found === "number") return out.u32(found).u32(0).f64(0).u32(0).noStructure();
        const item: RawItem = { id: ++this.#ids, handle, nodeId, queueSize, at: Number.NaN };
        this.items.set(item.id, item);
        this.#source.added(item);
        out.u32(0).u32(item.id).f64(0).u32(queueSize).noStructure();
      });
      out.u32(0);
    });
  }

  deleteItems(call: Call): void {
    const ids = call.body.array(() => call.body.u32());
    for (const id of ids) this.items.delete(id);
    call.channel.answer(call, (out) => out.array(ids, () => out.u32(0)).u32(0));
  }

  /** A Publish request has come. */
  asked(): void {
    if (this.#source.flatOut === true) setImmediate(() => this.#say());
  }

  #cycle(): void {
    if (this.#say()) return;
    this.#quiet += 1;
    // The first cycle says that it lives, then each keep-alive count does.
    if (this.#quiet < this.#keepAliveCount && this.#sequence > 1) return;
    const call = this.#requests?.take() ?? null;
    if (call === null) return;
    this.#quiet = 0;
    this.keepAlives += 1;
    this.#publish(call, this.#message(this.#sequence, null), false);
  }

  /** Sends notifications for as long as there are requests. */
  #say(): boolean {
    let said = false;
    for (;;) {
      const call = this.#requests?.take() ?? null;
      if (call === null) return said;
      const next = this.#source.next(this, this.#most);
      if (next === null) {
        this.#requests?.back(call);
        return said;
      }
      const sequence = this.#sequence++;
      const message = this.#message(sequence, next.body);
      this.kept.set(sequence, message);
      this.#quiet = 0;
      said = true;
      this.sent += next.body.readUInt32LE(0);
      this.#publish(call, message, next.more);
      if (this.#source.flatOut === true) return said;
    }
  }

  #message(sequence: number, body: Buffer | null): Buffer {
    const out = new Writer((body?.length ?? 0) + 64).u32(sequence).i64(ticksOf(this.#nowUs()));
    if (body === null) return out.u32(0).build();
    return out.u32(1).structure(811, body).build();
  }

  #publish(call: Call, message: Buffer, more: boolean): void {
    call.channel.answer(
      call,
      (out) => {
        out.u32(this.id).array([...this.kept.keys()].slice(-20), (sequence) => out.u32(sequence));
        out.bool(more).raw(message).u32(0).u32(0);
      },
      message.length + 256,
    );
  }
}
