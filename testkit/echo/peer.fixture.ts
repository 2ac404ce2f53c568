import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { ConnectionFault } from "@lineshaft/contract/ports";
import type { ConnectorFixture, ConnectorPeer, PeerAddress } from "@lineshaft/testkit";

const password = "correct-horse-battery";

/** The device that the tests talk to: it keeps one value a tag and sends it to who watches the tag. */
async function start(): Promise<ConnectorPeer> {
  const tags = ["speed", "count", "level"];
  const values = new Map<string, object>(
    tags.map((tag) => [tag, { tag, value: 0, timeUs: 1_700_000_000_000_000, status: 0 }]),
  );
  const watchers = new Map<Socket, string[]>();
  const sockets = new Set<Socket>();
  let sent = 0;
  let acknowledged = 0;

  const send = (socket: Socket, message: object): void => void socket.write(`${JSON.stringify(message)}\n`);
  const publish = (tag: string, value: object): void => {
    values.set(tag, value);
    for (const [socket, watched] of watchers) if (watched.includes(tag)) send(socket, { n: ++sent, ...value });
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      watchers.delete(socket);
    });
    const lines = createInterface({ input: socket });
    lines.on("error", () => socket.destroy());
    lines.on("line", (line) => {
      const { hello, watch, ack } = JSON.parse(line) as { hello?: string; watch?: string[]; ack?: number };
      if (hello !== undefined) send(socket, hello === password ? { welcome: true } : { refused: "bad password" });
      if (ack !== undefined) acknowledged++;
      if (watch === undefined) return;
      watchers.set(socket, watch);
      for (const tag of watch) send(socket, { n: ++sent, ...values.get(tag) });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const config = (address: PeerAddress): Record<string, unknown> => ({ ...address, password: "device" });
  return {
    address: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    config,
    refusedConfig(fault: ConnectionFault, address) {
      if (fault === "unauthorised") return { ...config(address), password: "wrong" };
      if (fault === "misconfigured") return { ...config(address), password: "unknown" };
      return null;
    },
    tags,
    bind: (tag) => ({ address: tag, options: { min: 0, max: 1000 } }),
    set: async (tag, value, timeUs) => publish(tag, { tag, value, timeUs, status: 0 }),
    async spoil(tag, how) {
      const timeUs = 1_700_000_000_000_000;
      if (how === "outsideType") publish(tag, { tag, value: 70_000, timeUs, status: 0 });
      else publish(tag, { tag, value: null, timeUs, status: how === "unreadable" ? 0x803a0000 : 0x80000000 });
    },
    acknowledged: () => acknowledged,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const echoFixture: ConnectorFixture = { start, secrets: { device: password, wrong: "wrong-password" } };
