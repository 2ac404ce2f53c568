import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from "mqtt-packet";

/** An MQTT server that takes everything and writes down what our host does, in order. */
export interface RecordingServer {
  port: number;
  packets: Packet[];
  connects(): IConnectPacket[];
  publishes(topic?: string): IPublishPacket[];
  /** To every connected client, as if it had subscribed. */
  send(topic: string, payload: Uint8Array, options?: { qos?: 0 | 1; retain?: boolean }): void;
  drop(): void;
  close(): Promise<void>;
}

export async function recordingServer(protocolVersion: 4 | 5 = 4): Promise<RecordingServer> {
  const packets: Packet[] = [];
  const sockets = new Set<Socket>();
  let id = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    const answer = (packet: Packet): void => void socket.write(generate(packet, { protocolVersion }));
    const decode = parser({ protocolVersion });
    decode.on("packet", (packet) => {
      packets.push(packet);
      if (packet.cmd === "connect") answer({ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false });
      if (packet.cmd === "subscribe")
        answer({ cmd: "suback", messageId: packet.messageId, granted: packet.subscriptions.map(() => 1) });
      if (packet.cmd === "publish" && packet.qos === 1) answer({ cmd: "puback", messageId: packet.messageId });
      if (packet.cmd === "pingreq") answer({ cmd: "pingresp" });
    });
    socket.on("data", (bytes) => void decode.parse(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    packets,
    connects: () => packets.filter((packet) => packet.cmd === "connect"),
    publishes: (topic) =>
      packets.filter(
        (packet) => packet.cmd === "publish" && (topic === undefined || packet.topic === topic),
      ) as IPublishPacket[],
    send: (topic, payload, { qos = 0, retain = false } = {}) => {
      const packet: Packet = { cmd: "publish", topic, payload: Buffer.from(payload), qos, retain, dup: false };
      if (qos > 0) packet.messageId = ++id;
      for (const socket of sockets) socket.write(generate(packet, { protocolVersion }));
    },
    drop: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export async function until(condition: () => boolean, what: string, timeoutMs = 3000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Timed out: ${what}.`);
    await sleep(4);
  }
}
