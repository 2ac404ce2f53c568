import type { ConnectorContext } from "@lineshaft/contract/ports";
import { generate, type Packet } from "mqtt-packet";
import type { MqttMessage, MqttSource } from "./source.ts";

type Source = MqttSource & { close(): Promise<void> | void; diagnose(): Record<string, unknown> };

/** One packet in words, for whoever looks at the traffic. */
export function packetNote(packet: Packet): string {
  const name = packet.cmd.toUpperCase();
  if (packet.cmd === "publish") {
    const { topic, qos, retain, payload } = packet;
    const size = `${Buffer.byteLength(payload)} bytes`;
    return [name, topic.slice(0, 300), `QoS ${qos}`, ...(retain ? ["retained"] : []), size].join(", ");
  }
  if (packet.cmd === "subscribe")
    return `${name} ${packet.subscriptions.map(({ topic }) => topic).join(" ")}`.slice(0, 400);
  return packet.messageId === undefined ? name : `${name} ${packet.messageId}`;
}

/** Messages of the embedded broker never were packets of ours: they are shown as MQTT 3.1.1 would carry them, so that a capture of them can be decoded too. */
export function tapped(source: Source, wire: () => ConnectorContext["wire"]): Source {
  const show = (direction: "in" | "out", packet: Packet): void =>
    wire()?.(direction, generate(packet, { protocolVersion: 4 }), packetNote(packet));
  return {
    lost: source.lost,
    claim: (filters, handler) =>
      source.claim(filters, (message) => {
        if (wire() !== undefined) show("in", publishOf(message));
        return handler(message);
      }),
    publish(topic, payload, { qos, retain }) {
      show("out", publishOf({ topic, payload, qos, retain, dup: false, packetId: 1 }));
      return source.publish(topic, payload, { qos, retain });
    },
    close: () => source.close(),
    diagnose: () => source.diagnose(),
  };
}

function publishOf({
  topic,
  payload,
  qos,
  retain,
  dup,
  packetId,
}: Omit<MqttMessage, "clientId" | "receivedUs">): Packet {
  const numbered = qos > 0 ? { messageId: packetId ?? 1 } : {};
  return { cmd: "publish", topic, payload: Buffer.from(payload), qos, retain, dup: qos > 0 && dup, ...numbered };
}
