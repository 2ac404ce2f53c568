import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connector, ConnectorContext, TagBinding } from "@lineshaft/contract/ports";
import { RecordingSink, realClock } from "@lineshaft/testkit";
import { opcua } from "../index.ts";
import { testUser } from "./server.ts";
import { trustServer } from "./state.ts";

/** A connector with its context, whose rows and logs a test looks at. */
export class Bench {
  readonly stateDir = mkdtempSync(join(tmpdir(), "opcua-state-"));
  readonly secrets = new Map([["pw", testUser.password]]);
  readonly logged: string[] = [];
  readonly sink = new RecordingSink();
  readonly context: ConnectorContext;
  readonly connector: Connector;
  #abort = new AbortController();
  #shared = new Map<string, object>();
  ended: Promise<unknown> = Promise.resolve();

  private constructor(config: Record<string, unknown>) {
    const shared = this.#shared;
    this.context = {
      clock: realClock,
      secret: (reference) => this.secrets.get(reference) ?? null,
      stateDir: this.stateDir,
      share<T extends object>(key: string, make: () => T): T {
        const there = shared.get(key) ?? make();
        shared.set(key, there);
        return there as T;
      },
      log: (_, text) => void this.logged.push(text),
    };
    this.connector = opcua.create(config as never, this.context);
  }

  /** Quick periods, encrypted, as a user; the server of `folder` is trusted. */
  static async make(url: string, folder: string, more: Record<string, unknown> = {}): Promise<Bench> {
    const bench = new Bench({
      endpointUrl: url,
      identity: { kind: "user", userName: testUser.name, password: "pw" },
      publishingMs: 50,
      samplingMs: 0,
      keepAliveMs: 500,
      ...more,
    });
    await trustServer(folder, bench.stateDir);
    return bench;
  }

  /** The same for a server without security. */
  static async makePlain(url: string, more: Record<string, unknown> = {}): Promise<Bench> {
    return new Bench({
      endpointUrl: url,
      securityPolicy: "none",
      allowInsecure: true,
      publishingMs: 50,
      samplingMs: 0,
      keepAliveMs: 500,
      ...more,
    });
  }

  connect(): Promise<void> {
    return this.connector.connect(new AbortController().signal);
  }

  read(bindings: readonly (string | TagBinding)[], resumeFrom: string | null = null, sink = this.sink): void {
    this.#abort = new AbortController();
    const full = bindings.map((b) => (typeof b === "string" ? { address: b } : b));
    this.ended = this.connector.read(full, resumeFrom, sink, this.#abort.signal).catch((error: unknown) => error);
  }

  async until(what: string, holds: () => boolean, ms = 30_000): Promise<void> {
    const end = performance.now() + ms;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`Within ${ms} ms this did not happen: ${what}.`);
      await sleep(5);
    }
  }

  values(tag: string): unknown[] {
    return this.sink.rows.filter((row) => row.tag === tag).map((row) => row.value);
  }

  /** Values of the tag, each once, in order of their times. */
  distinct(tag: string): number[] {
    return [...new Set(this.values(tag).map(Number))].sort((a, b) => a - b);
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error("the test is over"));
    await this.connector.close();
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}
