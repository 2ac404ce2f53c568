import { connect, type Socket } from "node:net";
import { ConnectionError, type ConnectorContext } from "@lineshaft/contract/ports";

const linesMax = 1000;

/** One TCP connection as lines: what came waits here, bounded, until it is taken. */
export class LineSession {
  readonly #socket: Socket;
  readonly #wire: ConnectorContext["wire"];
  #lines: string[] = [];
  #rest = "";
  #ended: ConnectionError | null = null;
  #wake: () => void = () => undefined;

  static async open(
    host: string,
    port: number,
    signal: AbortSignal,
    wire: ConnectorContext["wire"],
  ): Promise<LineSession> {
    const socket = connect({ host, port });
    const failed = (technical: string): ConnectionError => {
      const hint = "Is it switched on, and is the address right?";
      return new ConnectionError("unreachable", `Nobody answers at ${host}:${port}.`, hint, technical);
    };
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        socket.destroy();
        reject(failed("timeout"));
      };
      signal.addEventListener("abort", stop, { once: true });
      socket.once("connect", () => {
        signal.removeEventListener("abort", stop);
        resolve();
      });
      socket.once("error", (error: NodeJS.ErrnoException) => {
        signal.removeEventListener("abort", stop);
        reject(failed(error.code ?? error.message));
      });
      if (signal.aborted) stop();
    });
    return new LineSession(socket, `${host}:${port}`, wire);
  }

  private constructor(socket: Socket, peer: string, wire: ConnectorContext["wire"]) {
    this.#socket = socket;
    this.#wire = wire;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#receive(text));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#ended = new ConnectionError(
        "lost",
        `${peer} closed the connection.`,
        "Look at the device and the network.",
      );
      this.#wake();
    });
  }

  send(message: object): void {
    const line = `${JSON.stringify(message)}\n`;
    this.#wire?.("out", Buffer.from(line));
    if (this.#socket.writable) this.#socket.write(line);
  }

  /** The lines that have come, at least one. Throws "lost" when there will be no more. */
  async take(signal: AbortSignal): Promise<string[]> {
    const woken = (): void => this.#wake();
    signal.addEventListener("abort", woken, { once: true });
    try {
      while (this.#lines.length === 0) {
        signal.throwIfAborted();
        if (this.#ended !== null) throw this.#ended;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener("abort", woken);
    }
    this.#socket.resume();
    return this.#lines.splice(0);
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#wire?.("in", Buffer.from(text));
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() as string;
    this.#lines.push(...lines);
    // What is not taken yet holds the device back.
    if (this.#lines.length >= linesMax) this.#socket.pause();
    this.#wake();
  }
}
