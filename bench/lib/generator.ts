import { Helper } from "./child.ts";

/** What a generator process shall send. */
export interface GeneratorJob {
  url: string;
  key: string;
  clockOffsetUs: number;
  /** A multiple of 1,000; the batches of the factory are shared out among the sources. */
  tags: number;
  /** Platform connections, each with one keep-alive HTTP connection and one batch in flight. */
  sources: number;
  format: "binary" | "json";
  /** Datapoints a second, sent on time; null: each source sends its next batch when the last one is acknowledged. */
  ratePerSecond: number | null;
  /** Stops by itself after this; null: at the command `stop`. */
  seconds: number | null;
  /** Old scans as fast as they are taken, instead of live ones. */
  backdated: { fromUs: number; stepUs: number; scans: number } | null;
  /** Prefix of the connections' names. */
  name: string;
}

export interface GeneratorResult {
  offered: number;
  requests: number;
  /** Of these rows the platform will judge later whether they are new; 0 in a run without kills. */
  suspect: number;
  duplicates: number;
  rejected: number;
  /** Answers that asked to wait (429, 503). */
  refusals: number;
  lastLsn: number;
  seconds: number;
  /** Since the first batch. */
  cpuSeconds: number;
  ackMs: { count: number; p50: number; p99: number; max: number };
}

export type GeneratorMessage =
  | { event: "ready"; tagIds: number[] }
  | { event: "progress"; acknowledged: number }
  /** First acknowledgement on a source after its connection was lost. */
  | { event: "recovered"; sentUs: number; acknowledgedUs: number }
  | { event: "done"; result: GeneratorResult };

export class Generator extends Helper<GeneratorJob, GeneratorMessage> {
  acknowledged = 0;
  readonly recovered: { sentUs: number; acknowledgedUs: number }[] = [];

  constructor(job: GeneratorJob) {
    super("generator-main.ts", job, (message) => {
      if (message.event === "progress") this.acknowledged = message.acknowledged;
      if (message.event === "recovered") this.recovered.push(message);
    });
  }

  /** Tags are registered; their ids in the order of the factory. */
  async ready(): Promise<number[]> {
    return (await this.next("ready")).tagIds;
  }

  go(): void {
    this.send({ command: "go" });
  }

  stop(): void {
    this.send({ command: "stop" });
  }

  async done(): Promise<GeneratorResult> {
    return (await this.next("done")).result;
  }
}

export const generatorDefaults = {
  tags: 20_000,
  sources: 10,
  format: "binary",
  ratePerSecond: null,
  seconds: null,
  backdated: null,
  name: "gateway",
} as const satisfies Partial<GeneratorJob>;
