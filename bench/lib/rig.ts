import { Api } from "./api.ts";
import { Consumer } from "./consumer.ts";
import { Generator, type GeneratorJob, type GeneratorResult, generatorDefaults } from "./generator.ts";
import type { ServerProcess } from "./server.ts";
import { round, Samples, SharedClock, sleep } from "./stats.ts";

export interface LoadOptions extends Partial<GeneratorJob> {
  consumer?: boolean;
  /** One-tag queries a second meanwhile. */
  queriesPerSecond?: number;
}

/** A server under load: one generator process, at most one consumer process, and queries from here. */
export class Rig {
  readonly server: ServerProcess;
  readonly clock = new SharedClock();
  readonly generator: Generator;
  readonly consumer: Consumer | null;
  readonly tagIds: number[];
  readonly queryMs = new Samples();
  #querying = true;
  #queries: Promise<void> = Promise.resolve();
  #serverCpuAtGo = 0;

  private constructor(server: ServerProcess, generator: Generator, consumer: Consumer | null, tagIds: number[]) {
    this.server = server;
    this.generator = generator;
    this.consumer = consumer;
    this.tagIds = tagIds;
  }

  /** Everything connected and registered; nothing sent yet. */
  static async ready(server: ServerProcess, options: LoadOptions): Promise<Rig> {
    const { consumer: consume = false, queriesPerSecond = 0, ...job } = options;
    const { key } = server.api;
    const clock = new SharedClock();
    const common = { url: server.url, key, clockOffsetUs: clock.offsetUs };
    const generator = new Generator({ ...generatorDefaults, ...job, ...common });
    const tagIds = await generator.ready();
    let consumer: Consumer | null = null;
    if (consume) {
      const markerTags = tagIds.filter((_, i) => i % 1000 === 0);
      consumer = new Consumer({ ...common, fromUs: null, rows: null, markerTags });
      await consumer.ready();
    }
    const rig = new Rig(server, generator, consumer, tagIds);
    if (queriesPerSecond > 0) rig.#queries = rig.#query(queriesPerSecond);
    return rig;
  }

  go(): void {
    this.#serverCpuAtGo = this.server.figures().cpuSeconds;
    this.generator.go();
  }

  /** CPU seconds of the server, all its threads, since `go`. */
  serverCpuSeconds(): number {
    return round(this.server.figures().cpuSeconds - this.#serverCpuAtGo);
  }

  /** Waits until the consumer has seen all these rows; throws when it stops getting nearer. */
  async consumed(rows: number, timeoutMs = 120_000): Promise<void> {
    const { consumer } = this;
    if (consumer === null) return;
    let last = consumer.rows;
    let movedAt = performance.now();
    while (consumer.rows < rows) {
      await sleep(10);
      if (consumer.rows !== last) {
        last = consumer.rows;
        movedAt = performance.now();
      }
      if (performance.now() - movedAt > timeoutMs)
        throw new Error(`The consumer stands at ${consumer.rows} of ${rows} rows.`);
    }
    if (consumer.rows > rows)
      throw new Error(`The consumer got ${consumer.rows} rows; only ${rows} were acknowledged.`);
  }

  async endQueries(): Promise<void> {
    this.#querying = false;
    await this.#queries;
  }

  end(): void {
    this.#querying = false;
    this.generator.end();
    this.consumer?.end();
  }

  /** Raw points of the last minute and 1,000 buckets of the last hour by turns, one tag each, tags spread over the factory. */
  async #query(perSecond: number): Promise<void> {
    const api = new Api(this.server.url, this.server.api.key);
    for (let n = 0; this.#querying; n++) {
      const tag = this.tagIds[(n * 7_919) % this.tagIds.length];
      const to = this.clock.nowUs();
      const path =
        n % 2 === 0
          ? `/history/raw?tag=${tag}&from=${to - 60e6}&to=${to}`
          : `/history/buckets?tag=${tag}&from=${to - 3600e6}&to=${to}&buckets=1000`;
      const before = performance.now();
      await api.get(path);
      const ms = performance.now() - before;
      this.queryMs.add(ms);
      await sleep(Math.max(0, 1000 / perSecond - ms));
    }
  }
}

/** Throws when rows were refused or counted as something else than new. */
export function expectAllStored(result: GeneratorResult): void {
  const { suspect, duplicates, rejected } = result;
  if (suspect + duplicates + rejected > 0)
    throw new Error(`Not all rows were simply new: ${JSON.stringify({ suspect, duplicates, rejected })}`);
}
