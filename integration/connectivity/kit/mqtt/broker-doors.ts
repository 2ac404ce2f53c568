import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { BrokerLimits, BrokerListener } from "./broker-options.ts";

/** The ports of the embedded broker: sockets until they are handed to it, bounded in number. */
export class BrokerDoors {
  readonly #limits: BrokerLimits;
  readonly #enter: (socket: Socket) => void;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #closed = false;

  constructor(limits: BrokerLimits, enter: (socket: Socket) => void) {
    this.#limits = limits;
    this.#enter = enter;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Resolves with the port. */
  async open({ host, port, tls }: BrokerListener): Promise<number> {
    const enter = (socket: Socket): void => {
      if (this.#closed) return void socket.destroy();
      socket.setNoDelay(true);
      this.#enter(socket);
    };
    const server =
      tls === undefined
        ? createServer(enter)
        : createTlsServer(
            {
              key: tls.key,
              cert: tls.certificate,
              ca: tls.authorities,
              minVersion: "TLSv1.2",
              handshakeTimeout: this.#limits.connectTimeoutMs,
              requestCert: tls.clientCertificate !== "none",
              rejectUnauthorized: tls.clientCertificate === "required",
            },
            enter,
          );
    // Before TLS: a peer that never ends its handshake counts too.
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.maxConnections = this.#limits.connections;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    this.#servers.push(server);
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  /** No new connections; resolves when the last one has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  /** Ends what is left, whoever it is. */
  dismiss(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
