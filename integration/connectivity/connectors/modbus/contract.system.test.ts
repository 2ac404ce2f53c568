import { connectorContract } from "@lineshaft/testkit";
import { ServerTCP } from "modbus-serial";
import { modbus } from "./index.ts";

/** The other side is modbus-serial's server: a peer that is not ours. */
connectorContract(modbus, {
  async start() {
    const registers = new Map<number, number>();
    const unreadable = new Set<number>();
    const port = await freePort();
    const server = new ServerTCP(
      {
        getHoldingRegister: async (address: number) => {
          // Its own way to say exception 2.
          if (unreadable.has(address)) throw Object.assign(new Error("no such register"), { modbusErrorCode: 2 });
          return registers.get(address) ?? 0;
        },
      },
      { host: "127.0.0.1", port, unitID: 1 },
    );
    await new Promise<void>((resolve) => server.on("initialized", () => resolve()));
    const bcd = (value: number): number => Number.parseInt(String(value), 16);
    const at = (tag: string): number => Number(tag.split(":")[1]);
    return {
      address: { host: "127.0.0.1", port },
      config: ({ host, port }) => ({ host, port, periodMs: 10, timeoutMs: 150, connectTimeoutMs: 1000 }),
      refusedConfig: (fault, { host, port }) =>
        fault === "misconfigured" ? { host, port, neverRead: ["holding:9-3"] } : null,
      tags: ["holding:10", "holding:11", "holding:14"],
      // BCD, so that a value can lie outside its type.
      bind: (tag) => ({ address: tag, options: { dataType: "bcd16" } }),
      async set(tag, value) {
        registers.set(at(tag), bcd(value));
      },
      async spoil(tag, how) {
        if (how === "outsideType") registers.set(at(tag), 0x12ab);
        else unreadable.add(at(tag));
      },
      stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
    };
  },
  waivers: {
    unauthorised: "Modbus TCP has no credentials and no sign-in.",
    "secrets-absent": "Modbus TCP has no secrets that could turn up anywhere.",
    "source-time": "Modbus carries no times; all rows of a poll stand at the time of its last answer.",
    "acknowledge-last": "A poll acknowledges nothing: the device does not know who has read what.",
  },
});

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
