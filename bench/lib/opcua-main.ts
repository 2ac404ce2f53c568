// Hot path: a message of 2,000 changes is patched, not encoded. The OPC UA server of the bench `opcua-changes`, a process of its own: every tag changes as often as it is asked for.
import { attribute, type Plant, status } from "../../integration/connectivity/connectors/opcua/test/raw-nodes.ts";
import { RawServer } from "../../integration/connectivity/connectors/opcua/test/raw-server.ts";
import type {
  RawItem,
  RawSubscription,
  Source,
} from "../../integration/connectivity/connectors/opcua/test/raw-subscription.ts";
import { builtIn, ticksOf, Writer } from "../../integration/connectivity/connectors/opcua/test/wire.ts";
import { cpuSecondsSince, endWith, tellParent } from "./helper-process.ts";
import { SharedClock } from "./stats.ts";

export interface ChangesJob {
  tags: number;
  clockOffsetUs: number;
}

export type ChangesMessage =
  | { event: "ready"; port: number }
  | { event: "stopped"; sent: number; messages: number }
  | { event: "done"; cpuSeconds: number };

/** An item in a notification: handle, DataValue with value and source time, a Double, the time. */
const itemBytes = 22;
const [valueAt, timeAt] = [6, 14];

class Changes implements Source {
  readonly flatOut = true;
  readonly #clock: SharedClock;
  #items: RawItem[] = [];
  #blocks: Buffer[] = [];
  #block = 0;
  #round = 0;
  #lastUs = 0;
  #tags: number;
  open = false;
  messages = 0;
  /** Changes told since the start. */
  told = 0;

  constructor(clock: SharedClock, tags: number) {
    this.#clock = clock;
    this.#tags = tags;
  }

  added(item: RawItem): void {
    this.#items.push(item);
  }

  next(_: RawSubscription, most: number): { body: Buffer; more: boolean } | null {
    // Each item's first value comes by itself, as with any server.
    if (this.#items.length < this.#tags || (!this.open && this.told >= this.#tags)) return null;
    if (this.#blocks.length === 0) this.#prepare(most);
    const body = this.#blocks[this.#block];
    const us = Math.max(this.#clock.nowUs(), this.#lastUs + 1);
    this.#lastUs = us;
    const ticks = ticksOf(us);
    const [low, high] = [Number(ticks & 0xffffffffn), Number(ticks >> 32n)];
    for (let at = 4; at + itemBytes <= body.length; at += itemBytes) {
      body.writeDoubleLE(this.#round + at / 1000, at + valueAt);
      body.writeUInt32LE(low, at + timeAt);
      body.writeUInt32LE(high, at + timeAt + 4);
    }
    this.#block += 1;
    if (this.#block === this.#blocks.length) {
      this.#block = 0;
      this.#round += 1;
    }
    this.messages += 1;
    this.told += body.readUInt32LE(0);
    // Always more: the next is due as soon as it is asked for.
    return { body, more: true };
  }

  #prepare(most: number): void {
    for (let from = 0; from < this.#items.length; from += most) {
      const out = new Writer(itemBytes * most + 16);
      out.array(this.#items.slice(from, from + most), ({ handle }) => {
        out.u32(handle).u8(5).u8(builtIn.double).f64(0).i64(0n);
      });
      this.#blocks.push(out.u32(0).build());
    }
  }
}

function plantOf(job: ChangesJob, source: Source): Plant {
  return {
    source,
    read(nodeId, attributeId) {
      const number = Number(/^ns=1;i=(\d+)$/.exec(nodeId)?.[1] ?? 0);
      if (number < 1 || number > job.tags) return status.badNodeIdUnknown;
      if (attributeId === attribute.value) return { value: { type: builtIn.double, value: 0 } };
      return attributeId === attribute.accessLevel
        ? { value: { type: builtIn.byte, value: 1 } }
        : status.badAttributeIdInvalid;
    },
    children: () => [],
  };
}

async function run(job: ChangesJob): Promise<void> {
  const clock = new SharedClock(job.clockOffsetUs);
  const changes = new Changes(clock, job.tags);
  const server = await RawServer.start({ plant: plantOf(job, changes), nowUs: () => clock.nowUs() });
  let cpu = process.cpuUsage();
  const subscription = (): RawSubscription | undefined => [...server.subscriptions.values()][0];
  let before = { told: 0, messages: 0 };
  process.on("message", ({ command }: { command: string }) => {
    if (command === "go") {
      cpu = process.cpuUsage();
      before = { told: changes.told, messages: changes.messages };
      changes.open = true;
      subscription()?.asked();
    }
    if (command === "stop") {
      changes.open = false;
      tellParent({
        event: "stopped",
        sent: changes.told - before.told,
        messages: changes.messages - before.messages,
      } satisfies ChangesMessage);
    }
    if (command === "end") endWith({ event: "done", cpuSeconds: cpuSecondsSince(cpu) });
  });
  tellParent({ event: "ready", port: server.port });
}

process.once("message", (job) => {
  run(job as ChangesJob).catch((error: unknown) => {
    process.stderr.write(`opcua: ${(error as Error).stack}\n`);
    process.exit(1);
  });
});
process.on("disconnect", () => process.exit(1));
