import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Clock } from "@lineshaft/contract/ports";
import type { BrokerLimits, BrokerListener } from "./broker-options.ts";

/** The queue at the door is looked at so often. */
const tickMs = 10;
/** What is let in at once after a quiet time, in seconds of the rate. */
const burstSeconds = 0.2;

/**
 * The ports of the embedded broker: sockets until they are handed to it. So many a second are let in; when everybody comes back at once (F36) the rest waits in
 * line before anything is spent on it, so that those who are in, and the rest of the server, go on. What would wait for too long is reset and comes again.
 */
export class BrokerDoors {
  readonly #limits: BrokerLimits;
  readonly #clock: Clock;
  readonly #enter: (socket: Socket) => void;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #line: { socket: Socket; admit(socket: Socket): void }[] = [];
  #admitting = false;
  #tokens: number;
  #filledMs: number;
  #closed = false;
  readonly counts = { waited: 0, turnedAway: 0 };

  constructor(limits: BrokerLimits, clock: Clock, enter: (socket: Socket) => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#enter = enter;
    this.#tokens = limits.connectsPerSecond * burstSeconds;
    this.#filledMs = clock.monotonicMs();
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
    let admit = enter;
    if (tls !== undefined) {
      const handshakes = createTlsServer(
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
      // The handshake is the dearest part, so it begins only behind the line.
      admit = (socket) => void handshakes.emit("connection", socket);
    }
    const server = createServer((socket) => this.#arrive(socket, admit));
    server.maxConnections = this.#limits.connections;
    server.on("drop", () => this.counts.turnedAway++);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    // Out of descriptors (F36): whoever came is gone and comes again.
    server.on("error", () => this.counts.turnedAway++);
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

  #arrive(socket: Socket, admit: (socket: Socket) => void): void {
    // A peer that never ends its handshake counts too.
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#line.length === 0 && this.#takeToken()) {
      admit(socket);
      return;
    }
    const { connectsPerSecond, connectTimeoutMs } = this.#limits;
    if (this.#line.length >= (connectsPerSecond * connectTimeoutMs) / 1000) {
      this.counts.turnedAway++;
      socket.resetAndDestroy();
      return;
    }
    this.counts.waited++;
    // It may give up meanwhile; nobody else listens to it yet.
    socket.on("error", () => undefined);
    this.#line.push({ socket, admit });
    if (!this.#admitting) void this.#admitInTurn();
  }

  async #admitInTurn(): Promise<void> {
    this.#admitting = true;
    while (this.#line.length > 0 && !this.#closed) {
      await this.#clock.sleep(tickMs);
      let next = 0;
      while (next < this.#line.length && (this.#line[next].socket.destroyed || this.#takeToken())) next++;
      for (const { socket, admit } of this.#line.splice(0, next)) if (!socket.destroyed) admit(socket);
    }
    this.#admitting = false;
  }

  #takeToken(): boolean {
    const now = this.#clock.monotonicMs();
    const { connectsPerSecond: rate } = this.#limits;
    this.#tokens = Math.min(rate * burstSeconds, this.#tokens + ((now - this.#filledMs) / 1000) * rate);
    this.#filledMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
