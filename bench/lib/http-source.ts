import { connect, type Socket } from "node:net";

/** What came back for one batch. `status` 0: the connection broke before the answer. */
export interface Answer {
  status: number;
  body: string;
}

/**
 * One keep-alive HTTP/1.1 connection with one request in flight, spoken by hand: a general client would cost the generator as much as the
 * server spends on the batch. Understands answers with Content-Length, which is what a small JSON answer has.
 */
export class HttpSource {
  #socket: Socket | null = null;
  #pending: ((answer: Answer) => void) | null = null;
  #received = "";
  readonly #host: string;
  readonly #port: number;
  readonly #head: string;

  constructor(url: string, key: string) {
    const { hostname, port } = new URL(url);
    this.#host = hostname;
    this.#port = Number(port);
    this.#head = `Host: ${hostname}:${port}\r\nAuthorization: Bearer ${key}\r\n`;
  }

  /** Resolves with the answer; never rejects. */
  post(path: string, mediaType: string, body: Uint8Array | string): Promise<Answer> {
    return new Promise((resolve) => {
      this.#pending = resolve;
      const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
      const head = `POST ${path} HTTP/1.1\r\n${this.#head}Content-Type: ${mediaType}\r\nContent-Length: ${length}\r\n\r\n`;
      const socket = this.#socket ?? this.#open();
      socket.cork();
      socket.write(head, "latin1");
      socket.write(body);
      socket.uncork();
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #open(): Socket {
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    this.#socket = socket;
    this.#received = "";
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#onData(text));
    const lost = (): void => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#answer({ status: 0, body: "" });
    };
    socket.on("error", lost);
    socket.on("close", lost);
    return socket;
  }

  #onData(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    const empty = head.startsWith("HTTP/1.1 204");
    if (!length && !empty) throw new Error(`The answer has no Content-Length: ${head.slice(0, 200)}`);
    const end = headEnd + 4 + Number(length?.[1] ?? 0);
    if (this.#received.length < end) return;
    const body = this.#received.slice(headEnd + 4, end);
    this.#received = this.#received.slice(end);
    if (/\r\nconnection: *close/i.test(head)) this.close();
    this.#answer({ status: Number(head.slice(9, 12)), body });
  }

  #answer(answer: Answer): void {
    const pending = this.#pending;
    this.#pending = null;
    pending?.(answer);
  }
}
