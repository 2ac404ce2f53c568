import type { ConnectorContext } from "@lineshaft/contract/ports";
import { realClock } from "@lineshaft/testkit";
import { Value as Schema } from "typebox/value";
import { type SparkplugConfig, SparkplugConfigSchema } from "../config.ts";
import { dataType } from "../data-type.ts";
import { PayloadDecoder } from "../decode.ts";
import { encodePayload, type MetricInput } from "../encode.ts";
import { type Effect, type HostState, newHostState, step, tick } from "../machine.ts";
import type { RawMessage } from "../node.ts";
import { SparkplugPayload } from "../payload.ts";
import { parseTopic } from "../topic.ts";

export const context = (change: Partial<ConnectorContext> = {}): ConnectorContext => ({
  clock: realClock,
  secret: () => null,
  stateDir: "/dev/null/none",
  share: (_, make) => make(),
  log: () => {},
  ...change,
});

export const configOf = (ports: readonly number[], change: Record<string, unknown> = {}): SparkplugConfig =>
  Schema.Default(SparkplugConfigSchema, {
    servers: ports.map((port) => ({ host: "127.0.0.1", port })),
    hostId: "hub",
    ...change,
  }) as SparkplugConfig;

export const bdSeq = (value: number): MetricInput => ({ name: "bdSeq", type: dataType.int64, value });
export const double = (name: string, alias: number | undefined, value: number, timeMs = 1000): MetricInput => ({
  name,
  type: dataType.double,
  value,
  timeMs,
  ...(alias === undefined ? {} : { alias }),
});
/** A value as DATA carry it: alias only, no data type. */
export const byAlias = (alias: number, value: number, timeMs = 2000): MetricInput => ({
  alias,
  type: dataType.double,
  value,
  timeMs,
  omitType: true,
});

/** The state machine alone, with a clock of its own; replays are followed as the connector does. */
export class MachineBench {
  readonly state: HostState;
  readonly rows: { address: string; value: number; birth: boolean }[] = [];
  readonly effects: Effect[] = [];
  nowMs = 1_000_000;
  readonly #decoder = new PayloadDecoder();

  constructor(settings: Parameters<typeof newHostState>[0] = {}) {
    this.state = newHostState(settings);
  }

  /** Sends one message; what it caused, without values and replays. */
  send(topic: string, metrics: MetricInput[], seq?: number, server = 0, timeMs = this.nowMs): Effect[] {
    const parsed = parseTopic(topic);
    if (parsed === null || parsed.verb === "STATE") throw new Error(`${topic} is no message of an edge node.`);
    const payload = encodePayload({ timeMs, metrics, ...(seq === undefined ? {} : { seq }) });
    return this.#step({ server, topic: parsed, payload, receivedUs: this.nowMs * 1000, judged: false });
  }

  wait(ms: number): Effect[] {
    const done: Effect[] = [];
    for (const end = this.nowMs + ms; this.nowMs < end; ) {
      this.nowMs += Math.min(200, end - this.nowMs);
      done.push(...this.#follow(tick(this.state, this.#now()), null));
    }
    return done;
  }

  values(): number[] {
    return this.rows.filter((row) => !row.birth).map((row) => row.value);
  }

  #now(): { us: number; ms: number } {
    return { us: this.nowMs * 1000, ms: this.nowMs };
  }

  #step(message: RawMessage): Effect[] {
    const payload = this.#decoder.decode(message.payload, new SparkplugPayload());
    return this.#follow(step(this.state, message, payload, this.#now()), payload);
  }

  #follow(effects: Effect[], payload: SparkplugPayload | null): Effect[] {
    const rest: Effect[] = [];
    for (const effect of effects) {
      if (effect.kind === "values") {
        effect.entries.forEach((entry, row) => {
          if (entry === null || payload === null) return;
          this.rows.push({ address: entry.address, value: payload.metrics.number[row], birth: effect.birth });
        });
      } else if (effect.kind === "replay") {
        for (const message of effect.messages) rest.push(...this.#step(message));
      } else rest.push(effect);
    }
    this.effects.push(...rest);
    return rest;
  }
}
