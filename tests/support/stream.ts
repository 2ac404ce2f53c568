import WebSocket from "ws";

export interface StreamMessage {
  type?: string;
  lsn?: number | null;
  cursor: string;
  tag?: number[];
  time?: number[];
  value?: unknown[];
  data?: Record<string, unknown>;
  problem?: { code: string };
}

/** A plain WebSocket on the event stream, JSON in and out, as a stranger would use it. */
export class Stream {
  readonly messages: StreamMessage[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | null = null;
  #waiting: (() => void)[] = [];

  constructor(url: string, key: string, subscribe: object) {
    this.socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/stream`, {
      headers: { authorization: `Bearer ${key}` },
    });
    this.socket.on("open", () => this.socket.send(JSON.stringify({ subscribe })));
    this.socket.on("message", (data, binary) => {
      if (!binary) this.messages.push(JSON.parse(String(data)) as StreamMessage);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: String(reason) };
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.socket.on("error", () => undefined);
  }

  /** All points so far: [tag, time, value]. */
  points(): [number, number, unknown][] {
    return this.messages
      .filter((m) => m.type === "points.recorded")
      .flatMap((m) => m.time!.map((time, i): [number, number, unknown] => [m.tag![i], time, m.value![i]]));
  }

  get cursor(): string {
    return this.messages.findLast((m) => m.cursor !== undefined)!.cursor;
  }

  async until(condition: () => boolean, what: string, timeoutMs = 15_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!condition()) {
      if (Date.now() > end)
        throw new Error(
          `Waited in vain for ${what}; ${this.messages.length} messages, closed ${JSON.stringify(this.closed)}.`,
        );
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        setTimeout(resolve, 100);
      });
    }
  }

  close(): void {
    this.socket.terminate();
  }
}
