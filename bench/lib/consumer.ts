import { Helper } from "./child.ts";

/** What a consumer process shall follow. */
export interface ConsumerJob {
  url: string;
  key: string;
  clockOffsetUs: number;
  /** Replay from this instant; null: live from now. */
  fromUs: number | null;
  /** Stops after this many rows; null: at the command `stop`. */
  rows: number | null;
  /** Tags whose rows carry the instant of their batch; their age on arrival is the latency. */
  markerTags: number[];
}

export interface ConsumerResult {
  rows: number;
  /** Of these, rows that history had to judge first. */
  late: number;
  events: number;
  reconnects: number;
  /** From the first row to the last. */
  seconds: number;
  /** Since the subscription. */
  cpuSeconds: number;
  latencyMs: { count: number; p50: number; p99: number; max: number };
}

export type ConsumerMessage =
  | { event: "ready" }
  | { event: "progress"; rows: number; tags: number }
  | { event: "done"; result: ConsumerResult };

export class Consumer extends Helper<ConsumerJob, ConsumerMessage> {
  rows = 0;
  /** Different tags that have been seen. */
  tags = 0;

  constructor(job: ConsumerJob) {
    super("consumer-main.ts", job, (message) => {
      if (message.event !== "progress") return;
      this.rows = message.rows;
      this.tags = message.tags;
    });
  }

  async ready(): Promise<void> {
    await this.next("ready");
  }

  stop(): void {
    this.send({ command: "stop" });
  }

  async done(): Promise<ConsumerResult> {
    return (await this.next("done")).result;
  }
}
