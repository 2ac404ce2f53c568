import { connect as dial, type Socket } from "node:net";
import { setImmediate as inputRead } from "node:timers/promises";
import { type Clock, ConnectionError, type ConnectorContext } from "@lineshaft/contract/ports";
import { functionOf, type Table } from "./address.ts";
import {
  encodeRequest,
  FrameReader,
  FramingError,
  judgeReply,
  type ReadRequest,
  type Reply,
  type Violation,
} from "./codec.ts";
import type { SessionFigures } from "./figures.ts";

export interface SessionOptions {
  host: string;
  port: number;
  connectTimeoutMs: number;
  /** How long an answer may take. */
  timeoutMs: number;
  /** Requests under way at once. */
  inFlight: number;
  /** So many time-outs without an answer in between are a lost connection. */
  timeoutsUntilLost: number;
  /** So many wrong answers without a right one in between are no Modbus. */
  violationsUntilError: number;
  clock: Clock;
  figures: SessionFigures;
  /** Asked each time: somebody may begin to look, or cease to. */
  wire?(): ConnectorContext["wire"];
}

/** What a request ended with; only the end of the connection is thrown. */
export type Answer = Reply | { kind: "timeout" };

interface Pending {
  request: ReadRequest;
  sentMs: number;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Transaction ids of requests that timed out and may still be answered. */
const rememberedLate = 64;

/**
 * One TCP connection. Requests wait in order for their place in flight; each is answered, timed out, or rejected when the connection ends. The
 * first trouble ends the connection: `ended` resolves with the reason, and a new session has to be opened.
 */
export class ModbusSession {
  readonly ended: Promise<ConnectionError>;
  readonly #options: SessionOptions;
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  readonly #inFlight = new Map<number, Pending>();
  #waiting: Pending[] = [];
  #late: number[] = [];
  #transaction = 0;
  #timeoutsInRow = 0;
  #violationsInRow = 0;
  #end: ConnectionError | null = null;
  #resolveEnded: (error: ConnectionError) => void = () => {};
  readonly #closing = new AbortController();

  /** One attempt. Rejects with ConnectionError, or with the signal's reason. */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<ModbusSession> {
    signal.throwIfAborted();
    const { host, port, connectTimeoutMs, clock } = options;
    const settled = new AbortController();
    const socket = dial({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once("connect", resolve);
        socket.once("error", (error) => reject(unreachable(host, port, error)));
        signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: settled.signal });
        clock.sleep(connectTimeoutMs, settled.signal).then(
          () => reject(unreachable(host, port, new Error(`no answer within ${connectTimeoutMs} ms`))),
          () => {}, // Connected, refused or aborted in time.
        );
      });
    } catch (error) {
      socket.on("error", () => {}).destroy();
      throw error;
    } finally {
      settled.abort();
    }
    return new ModbusSession(options, socket);
  }

  private constructor(options: SessionOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    socket.removeAllListeners("error");
    socket.on("error", (error) => this.#fail(this.#lost(error.message)));
    socket.on("close", () => this.#fail(this.#lost("closed by the peer")));
    socket.on("data", (chunk) => this.#receive(chunk));
    // Its rejection is the end of the session, not an error.
    this.#watch().catch(() => {});
  }

  read(unit: number, table: Table, start: number, count: number): Promise<Answer> {
    if (this.#end !== null) return Promise.reject(this.#end);
    this.#transaction = (this.#transaction + 1) & 0xffff;
    const request = { transaction: this.#transaction, unit, function: functionOf[table], start, count };
    return new Promise((resolve, reject) => {
      const pending = { request, sentMs: 0, resolve, reject };
      if (this.#inFlight.size < this.#options.inFlight) this.#send(pending);
      else this.#waiting.push(pending);
    });
  }

  /** Ends the connection; what is under way is rejected. */
  close(): void {
    this.#fail(this.#lost("closed by ourselves"));
  }

  #send(pending: Pending): void {
    pending.sentMs = this.#options.clock.monotonicMs();
    this.#inFlight.set(pending.request.transaction, pending);
    const bytes = encodeRequest(pending.request);
    this.#options.figures.requests++;
    this.#options.wire?.()?.("out", bytes, requestNote(pending.request));
    this.#socket.write(bytes);
  }

  #receive(chunk: Uint8Array): void {
    this.#options.wire?.()?.("in", chunk);
    try {
      this.#frames.push(chunk, (frame) => {
        if (this.#end !== null) return;
        const pending = this.#inFlight.get(frame.transaction);
        if (pending) this.#settle(pending, judgeReply(pending.request, frame));
        else if (this.#forgetLate(frame.transaction)) this.#options.figures.late++;
        else this.#violated("transaction");
      });
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.#options.figures.violations.framing++;
      this.#fail(this.#notModbus(error.message));
    }
  }

  #settle(pending: Pending, reply: Reply): void {
    const { figures, clock } = this.#options;
    this.#inFlight.delete(pending.request.transaction);
    this.#timeoutsInRow = 0;
    if (reply.kind === "violation") this.#violated(reply.violation);
    else this.#violationsInRow = 0;
    if (reply.kind === "exception") figures.addException(reply.code);
    figures.addLatency(clock.monotonicMs() - pending.sentMs);
    pending.resolve(reply);
    this.#sendNext();
  }

  #sendNext(): void {
    while (this.#end === null && this.#waiting.length > 0 && this.#inFlight.size < this.#options.inFlight)
      this.#send(this.#waiting.shift()!);
  }

  #violated(violation: Violation): void {
    this.#options.figures.violations[violation]++;
    if (++this.#violationsInRow >= this.#options.violationsUntilError)
      this.#fail(this.#notModbus(`${this.#violationsInRow} answers in a row with a wrong ${violation}`));
  }

  /** One timer for all requests: looks for the ones that have waited too long. */
  async #watch(): Promise<void> {
    const { clock, timeoutMs } = this.#options;
    const stepMs = Math.max(5, timeoutMs / 5);
    while (this.#end === null) {
      await clock.sleep(stepMs, this.#closing.signal);
      if (this.#inFlight.size === 0) continue;
      // After a stall of this process answers may lie in the socket: they are read before anything is called late.
      await inputRead();
      const before = clock.monotonicMs() - timeoutMs;
      // In the order in which they were sent.
      for (const pending of this.#inFlight.values()) {
        if (pending.sentMs > before) break;
        this.#timeOut(pending);
      }
      this.#sendNext();
    }
  }

  #timeOut(pending: Pending): void {
    const { figures, timeoutsUntilLost, timeoutMs } = this.#options;
    this.#inFlight.delete(pending.request.transaction);
    figures.timeouts++;
    this.#late.push(pending.request.transaction);
    if (this.#late.length > rememberedLate) this.#late.shift();
    pending.resolve({ kind: "timeout" });
    if (++this.#timeoutsInRow >= timeoutsUntilLost)
      this.#fail(this.#lost(`${this.#timeoutsInRow} requests in a row without an answer within ${timeoutMs} ms`));
  }

  #forgetLate(transaction: number): boolean {
    const at = this.#late.indexOf(transaction);
    if (at >= 0) this.#late.splice(at, 1);
    return at >= 0;
  }

  #fail(error: ConnectionError): void {
    if (this.#end !== null) return;
    this.#end = error;
    this.#closing.abort();
    this.#socket.destroy();
    const open = [...this.#inFlight.values(), ...this.#waiting];
    this.#inFlight.clear();
    this.#waiting = [];
    for (const pending of open) pending.reject(error);
    this.#resolveEnded(error);
  }

  #lost(technical: string): ConnectionError {
    const { host, port } = this.#options;
    const hint =
      "Check power and network of the device, and whether it takes another connection: many allow only a few.";
    return new ConnectionError("lost", `The connection to ${host}:${port} was lost.`, hint, technical);
  }

  #notModbus(technical: string): ConnectionError {
    const { host, port } = this.#options;
    const hint =
      "Check that port and device speak Modbus TCP (not RTU over TCP), and set inFlight to 1: some mix up answers.";
    return new ConnectionError("protocol", `${host}:${port} answers, but not as Modbus TCP asks.`, hint, technical);
  }
}

function unreachable(host: string, port: number, error: Error & { code?: string }): ConnectionError {
  const refused = error.code === "ECONNREFUSED";
  const unknown = error.code === "ENOTFOUND" || error.code === "EAI_AGAIN";
  const hint = refused
    ? "The device is there, but nothing listens on this port: check the port and that Modbus TCP is enabled."
    : unknown
      ? "Check the spelling of the host, or give its IP address."
      : "Check address, cable, and firewalls between this machine and the device.";
  const technical = error.code ?? error.message;
  return new ConnectionError("unreachable", `${host}:${port} cannot be reached.`, hint, technical, { cause: error });
}

function requestNote({ transaction, unit, function: code, start, count }: ReadRequest): string {
  return `Request ${transaction}: unit ${unit}, function ${code}, ${count} from ${start}`;
}
