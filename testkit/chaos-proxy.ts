import { randomInt } from "node:crypto";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/**
 * `pass`: as if it were not there; `refuse`: connections are reset at once; `blackHole`: bytes are swallowed and nobody hears of it (a pulled cable).
 * `noAnswers`: what is sent arrives, and nothing comes back; `noRequests`: the other way round. After these three `drop` what stands: bytes are missing in it.
 */
export type ProxyMode = "pass" | "refuse" | "blackHole" | "noAnswers" | "noRequests";

/** A TCP proxy on loopback that counts, cuts and stalls the connections through it. */
export class ChaosProxy {
  mode: ProxyMode = "pass";
  /** Connections accepted since the start, refused ones included. */
  attempts = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  static async start(target: { host: string; port: number }): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  private constructor(target: { host: string; port: number }) {
    this.#server = createServer({ allowHalfOpen: false }, (near) => {
      this.attempts++;
      near.on("error", () => near.destroy());
      if (this.mode === "refuse") {
        near.resetAndDestroy();
        return;
      }
      this.#open.add(near);
      near.on("close", () => this.#open.delete(near));
      if (this.mode === "blackHole") {
        near.resume();
        return;
      }
      const far = connect(target);
      this.#join(near, far, "noRequests");
      this.#join(far, near, "noAnswers");
    });
  }

  get address(): { host: string; port: number } {
    return { host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  /** Connections that stand at the moment. */
  get open(): number {
    return this.#open.size;
  }

  /** Resets all connections; new ones are treated by `mode`. */
  drop(): void {
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(from: Socket, to: Socket, cut: ProxyMode): void {
    from.on("data", (chunk: Buffer) => {
      if (this.mode === "blackHole" || this.mode === cut) return;
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => from.resume());
    from.on("end", () => to.end());
    from.on("error", () => from.destroy());
    from.on("close", () => to.destroy());
  }
}

/**
 * A loopback port on which nobody listens, nor will: it lies below those that the system hands out, so that no server which asks for a free one gets it
 * in the meantime.
 */
export async function deadPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
