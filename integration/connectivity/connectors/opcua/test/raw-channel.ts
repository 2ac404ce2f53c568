// One TCP connection of the raw server: frames, chunks, the secure channel without security (Part 6, 6.7 and 7.1).
import type { Socket } from "node:net";
import { Reader, Writer } from "./wire.ts";

/** Numbers of the services' messages in binary encoding (Part 6, Annex A). */
export const service = {
  fault: 397,
  getEndpoints: 428,
  openChannel: 446,
  closeChannel: 452,
  createSession: 461,
  activateSession: 467,
  closeSession: 473,
  browse: 527,
  browseNext: 533,
  translate: 554,
  read: 631,
  historyRead: 664,
  createItems: 751,
  deleteItems: 781,
  createSubscription: 787,
  publish: 826,
  republish: 832,
  transfer: 841,
  deleteSubscriptions: 847,
} as const;

/** A request with what is needed to answer it. */
export interface Call {
  channel: RawChannel;
  service: number;
  requestId: number;
  /** The request header's. */
  token: string;
  handle: number;
  /** Stands behind the request header. */
  body: Reader;
}

const nothing = new Uint8Array(0);
const headerBytes = 24;

export interface ChannelOptions {
  nowUs(): number;
  onCall(call: Call): void;
  onHello?(channel: RawChannel): boolean;
  onClose(channel: RawChannel): void;
}

export class RawChannel {
  readonly socket: Socket;
  readonly #options: ChannelOptions;
  readonly #id: number;
  #token = 0;
  #sequence = 0;
  #received: Buffer = Buffer.alloc(0);
  /** Chunks of a request that is not complete yet. */
  #parts: Buffer[] = [];
  /** What the client takes in one chunk. */
  #chunkBytes = 65_536;

  constructor(socket: Socket, id: number, options: ChannelOptions) {
    this.socket = socket;
    this.#id = id;
    this.#options = options;
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => options.onClose(this));
    socket.on("data", (chunk) => this.#take(chunk));
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 8) {
      const size = this.#received.readUInt32LE(4);
      if (this.#received.length < size) return;
      const frame = this.#received.subarray(0, size);
      this.#received = this.#received.subarray(size);
      this.#frame(frame);
    }
  }

  #frame(frame: Buffer): void {
    const kind = frame.toString("latin1", 0, 3);
    if (kind === "HEL") {
      this.#chunkBytes = Math.min(65_536, frame.readUInt32LE(12));
      if (this.#options.onHello?.(this) !== true) this.acknowledge(65_536, 0, 0);
    } else if (kind === "OPN") this.#open(frame);
    else if (kind === "MSG") this.#message(frame);
    else if (kind === "CLO") this.socket.end();
  }

  /** ACK with these limits of ours. */
  acknowledge(bufferBytes: number, messageBytes: number, chunks: number): void {
    const writer = new Writer(28).raw(Buffer.from("ACKF")).u32(28).u32(0);
    this.socket.write(writer.u32(bufferBytes).u32(bufferBytes).u32(messageBytes).u32(chunks).build());
  }

  /** ERR with a StatusCode and its reason. */
  error(status: number, reason: string): void {
    const body = new Writer().u32(status).string(reason).build();
    this.socket.write(
      new Writer()
        .raw(Buffer.from("ERRF"))
        .u32(8 + body.length)
        .raw(body)
        .build(),
    );
  }

  #open(frame: Buffer): void {
    const reader = new Reader(frame, 12);
    reader.string();
    reader.bytes();
    reader.bytes();
    reader.u32();
    const requestId = reader.u32();
    reader.nodeId();
    const { handle } = requestHeader(reader);
    this.#token += 1;
    const body = new Writer();
    this.responseHeader(body, handle, 0);
    body.u32(0).u32(this.#id).u32(this.#token).time(this.#options.nowUs()).u32(3_600_000).bytes(nothing);
    const head = new Writer().raw(Buffer.from("OPNF")).u32(0).u32(this.#id);
    head.string("http://opcfoundation.org/UA/SecurityPolicy#None").bytes(null).bytes(null);
    head
      .u32(++this.#sequence)
      .u32(requestId)
      .nodeId(`i=${service.openChannel + 3}`)
      .raw(body.build());
    const message = head.build();
    message.writeUInt32LE(message.length, 4);
    this.socket.write(message);
  }

  #message(frame: Buffer): void {
    const requestId = frame.readUInt32LE(20);
    this.#parts.push(frame.subarray(headerBytes));
    if (frame[3] !== 0x46) return;
    const parts = this.#parts.splice(0);
    const body = new Reader(parts.length === 1 ? parts[0] : Buffer.concat(parts));
    const type = Number(body.nodeId().slice(2));
    const { token, handle } = requestHeader(body);
    this.#options.onCall({ channel: this, service: type, requestId, token, handle, body });
  }

  responseHeader(writer: Writer, handle: number, status: number): Writer {
    return writer.time(this.#options.nowUs()).u32(handle).u32(status).u8(0).u32(0).noStructure();
  }

  /** The answer to a call; `write` adds what follows the response header. */
  answer(call: Call, write: (body: Writer) => void, capacity = 256): void {
    const body = new Writer(capacity);
    body.nodeId(`i=${call.service + 3}`);
    this.responseHeader(body, call.handle, 0);
    write(body);
    this.send(call.requestId, body.build());
  }

  refuse(call: Call, status: number): void {
    const body = new Writer().nodeId(`i=${service.fault}`);
    this.send(call.requestId, this.responseHeader(body, call.handle, status).build());
  }

  /** A message in as many chunks as the client wants. */
  send(requestId: number, body: Buffer): void {
    const room = this.#chunkBytes - headerBytes;
    for (let at = 0; at < body.length; at += room)
      this.chunk(at + room >= body.length ? "F" : "C", requestId, body.subarray(at, at + room));
  }

  /** One chunk: `F` final, `C` more follow, `A` aborts. False: the socket has enough for now. */
  chunk(kind: "F" | "C" | "A", requestId: number, body: Uint8Array): boolean {
    const head = Buffer.allocUnsafe(headerBytes);
    head.write(`MSG${kind}`, 0, "latin1");
    head.writeUInt32LE(headerBytes + body.length, 4);
    head.writeUInt32LE(this.#id, 8);
    head.writeUInt32LE(this.#token, 12);
    head.writeUInt32LE(++this.#sequence, 16);
    head.writeUInt32LE(requestId, 20);
    this.socket.cork();
    this.socket.write(head);
    const more = this.socket.write(body);
    this.socket.uncork();
    return more;
  }
}

function requestHeader(reader: Reader): { token: string; handle: number } {
  const token = reader.nodeId();
  reader.time();
  const handle = reader.u32();
  reader.u32();
  reader.string();
  reader.u32();
  reader.structure();
  return { token, handle };
}
