import type { Packet } from "mqtt-packet";

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
