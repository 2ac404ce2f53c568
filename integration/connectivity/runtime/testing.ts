import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionSpec, qualityOf } from "@lineshaft/contract/api";
import type { ConnectionHealth, Offer, Sink, SourceBatch } from "@lineshaft/contract/ports";
import { realClock } from "@lineshaft/testkit";
import { type Connectivity, type ConnectivityOptions, openConnectivity } from "./index.ts";
import { connectorKinds } from "./scripted.fixture.ts";

/** The platform's sink for tests: keeps everything, and refuses or holds back when told. */
export class MemorySink implements Sink {
  batches: SourceBatch[] = [];
  gaps: Parameters<Sink["gap"]>[1][] = [];
  rejected: Parameters<Sink["reject"]>[1][] = [];
  told: Record<string, string>[] = [];
  /** Thrown by the next offers, one each. */
  failures: Error[] = [];
  held: (() => void)[] | null = null;
  creditRows = 1_000_000;
  #lsn = 0;

  async offer(_tenant: number, batch: SourceBatch): Promise<Offer> {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const { held } = this;
    if (held !== null) await new Promise<void>((resolve) => held.push(resolve));
    this.batches.push(batch);
    const { rows } = batch.columns;
    return {
      kind: "durable",
      lsn: ++this.#lsn,
      offered: rows,
      accepted: rows,
      suspect: 0,
      duplicates: 0,
      rejected: 0,
      faults: [],
    };
  }

  credit(): { rows: number; bytes: number } {
    return { rows: this.creditRows, bytes: 1e9 };
  }

  async reject(_tenant: number, item: Parameters<Sink["reject"]>[1]): Promise<number> {
    this.rejected.push(item);
    return ++this.#lsn;
  }

  async gap(_tenant: number, gap: Parameters<Sink["gap"]>[1]): Promise<number> {
    this.gaps.push(gap);
    return ++this.#lsn;
  }

  async units(_tenant: number, _connection: string, units: ReadonlyMap<string, string>): Promise<void> {
    this.told.push(Object.fromEntries(units));
  }

  rows(connection: string): { tag: string; time: number; value: number; status: number }[] {
    return this.batches
      .filter((batch) => batch.connection === connection)
      .flatMap(({ names, columns }) =>
        Array.from({ length: columns.rows }, (_, i) => ({
          tag: names?.[columns.tag[i]] ?? "",
          time: columns.time[i],
          value: columns.value[i],
          status: columns.status?.[i] ?? 0,
        })),
      );
  }

  bad(connection: string) {
    return this.rows(connection).filter(({ status }) => qualityOf(status) === "bad");
  }
}

export interface Rig {
  connectivity: Connectivity;
  sink: MemorySink;
  health: { connection: string; health: ConnectionHealth }[];
  logged: string[];
  state(connection: string): ConnectionHealth["state"] | undefined;
  until(what: string, holds: () => boolean, ms?: number): Promise<void>;
  close(): Promise<void>;
}

export function rig(options: Partial<ConnectivityOptions> = {}): Rig {
  const stateDir = mkdtempSync(join(tmpdir(), "connectivity-"));
  const sink = new MemorySink();
  const health: Rig["health"] = [];
  const logged: string[] = [];
  const connectivity = openConnectivity({
    tenant: 1,
    sink,
    clock: realClock,
    random: () => 0,
    kinds: connectorKinds,
    kindsModule: new URL("./scripted.fixture.ts", import.meta.url),
    secret: (name) => (name === "plc" ? "s3cr3t-word" : null),
    stateDir,
    sourceCursor: () => null,
    onHealth: (connection, state) => void health.push({ connection, health: state }),
    log: (level, connection, text) => void logged.push(`${level} ${connection}: ${text}`),
    ...options,
  });
  return {
    connectivity,
    sink,
    health,
    logged,
    state: (connection) => connectivity.get(connection)?.health.state,
    async until(what, holds, ms = 8000) {
      const end = performance.now() + ms;
      while (!holds()) {
        if (performance.now() > end)
          throw new Error(`Within ${ms} ms this did not happen: ${what}. ${logged.join("\n")}`);
        await sleep(5);
      }
    },
    async close() {
      await connectivity.close();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

export const spec = (
  name: string,
  kind: string,
  config: Record<string, unknown> = {},
  tags = ["a", "b"],
): ConnectionSpec => ({
  name,
  kind,
  config,
  tags: tags.map((address) => ({ address })),
});
