import type { Micros } from "@lineshaft/contract/api";
import type { ConnectorContext } from "@lineshaft/contract/ports";
import type { MqttSource } from "../../kit/mqtt/source.ts";
import { dataType } from "./data-type.ts";
import { encodePayload } from "./encode.ts";
import { commandTopic, encodeState, namespace, rebirthMetric, stateTopic } from "./topic.ts";

/** NCMD that asks for a new birth (5.9): QoS 0, not retained, without a sequence number. */
export async function sendRebirth(source: MqttSource, group: string, node: string, nowUs: Micros): Promise<void> {
  const timeMs = Math.floor(nowUs / 1000);
  const metrics = [{ name: rebirthMetric, timeMs, type: dataType.boolean, value: true }];
  await source.publish(commandTopic(group, node), encodePayload({ timeMs, metrics }), { qos: 0, retain: false });
}

/** A value for a metric of an edge node or device, as NCMD or DCMD (5.13). Name and type are those of the birth certificate. */
export async function sendCommand(
  source: MqttSource,
  target: { group: string; node: string; device: string | null; metric: string; type: number },
  value: number | bigint | boolean | string,
  nowUs: Micros,
): Promise<void> {
  const timeMs = Math.floor(nowUs / 1000);
  const metrics = [{ name: target.metric, timeMs, type: target.type, value }];
  const topic = commandTopic(target.group, target.node, target.device);
  await source.publish(topic, encodePayload({ timeMs, metrics }), { qos: 0, retain: false });
}

/** What we subscribe to: our own STATE first, then the groups. */
export function hostFilters(hostId: string, groups: readonly string[]): string[] {
  return [stateTopic(hostId), ...(groups.length === 0 ? [`${namespace}/#`] : groups.map((g) => `${namespace}/${g}/#`))];
}

/** Our presence on one server: the time stamp belongs to its CONNECT and is the same in will and birth (5.14). */
export class HostPresence {
  readonly #hostId: string;
  readonly #context: Pick<ConnectorContext, "clock">;
  /** UTC milliseconds of the CONNECT. */
  readonly timestamp: number;

  constructor(hostId: string, context: Pick<ConnectorContext, "clock">) {
    this.#hostId = hostId;
    this.#context = context;
    this.timestamp = Math.floor(context.clock.nowUs() / 1000);
  }

  will(): { topic: string; payload: Uint8Array; qos: 1; retain: true } {
    return { topic: stateTopic(this.#hostId), payload: encodeState(false, this.timestamp), qos: 1, retain: true };
  }

  /** Also again whenever somebody says that we are offline (5.14). */
  async announce(source: MqttSource): Promise<void> {
    await source.publish(stateTopic(this.#hostId), encodeState(true, this.timestamp), { qos: 1, retain: true });
  }

  /** Before a disconnect that we want; with the time of the disconnect. */
  async retire(source: MqttSource): Promise<void> {
    const now = Math.floor(this.#context.clock.nowUs() / 1000);
    await source.publish(stateTopic(this.#hostId), encodeState(false, now), { qos: 1, retain: true });
  }
}
