import { createServer, type Server, type Socket } from "node:net";
import type { RegisterEntry } from "../plant/wiring.ts";
import { limitAbove } from "./counter-faults.ts";
import type { FaultKind, PlantRow, ProtocolEnd, Waiting } from "./end.ts";

export interface ModbusOptions {
  /** 0: a free one. */
  port: number;
  machine: string;
  map: {
    unit: number;
    running: { address: number; signal: string; state: number };
    deliveredCount: number;
    holding: readonly RegisterEntry[];
  };
  waiting: Waiting;
}

// MODBUS Application Protocol V1.1b3: exception codes, and how much fits into one response.
const illegalFunction = 1;
const illegalAddress = 2;
const illegalValue = 3;
const registersMax = 125;
const bitsMax = 2000;
const headerBytes = 7;
/** A PDU has 253 bytes at most, so the length field (unit and PDU) is at most this; who sends more does not speak Modbus. */
const longestLength = 254;

/** The register image of the press: what its counters counted since they were switched on, and the newest values. */
export class RegisterImage {
  readonly registers = new Map<number, number>();
  running = false;
  readonly #map: ModbusOptions["map"];
  readonly #counts = new Map<string, number>();
  readonly #last = new Map<string, number>();
  /** Where a counter rolls over before its register ends. */
  readonly #limits = new Map<string, number>();

  constructor(map: ModbusOptions["map"], count: number) {
    this.#map = map;
    for (const entry of map.holding) {
      this.#counts.set(keyOf(entry), entry.type === "uint16" ? count : 0);
      this.#write(entry, entry.source.of === "value" ? 0 : (this.#counts.get(keyOf(entry)) ?? 0));
    }
  }

  accept(rows: readonly PlantRow[]): void {
    for (const { signal, value } of rows) {
      const number = Number(value);
      if (!Number.isFinite(number)) continue;
      if (signal.address === this.#map.running.signal) this.running = number === this.#map.running.state;
      const before = this.#last.get(signal.address);
      this.#last.set(signal.address, number);
      for (const entry of this.#map.holding) {
        if (entry.source.signal !== signal.address) continue;
        this.#write(entry, entry.source.of === "value" ? number : this.#count(entry, before, number));
      }
    }
  }

  /** The pulse counters begin again: now, or within ten counts. */
  disturbCounters(kind: "counterReset" | "counterRollover"): void {
    for (const entry of this.#map.holding) {
      if (entry.source.of === "value") continue;
      const key = keyOf(entry);
      if (kind === "counterRollover") this.#limits.set(key, limitAbove(this.#counts.get(key) ?? 0));
      else {
        this.#counts.set(key, 0);
        this.#write(entry, 0);
      }
    }
  }

  /** A counter of the model begins again with each shift; the box at the press goes on counting. */
  #count(entry: RegisterEntry, before: number | undefined, now: number): number {
    const edge = entry.source.of === "edges";
    const grown = before === undefined ? 0 : edge ? Number(now > before) : now >= before ? now - before : now;
    const key = keyOf(entry);
    const grownTo = (this.#counts.get(key) ?? 0) + grown;
    const limit = this.#limits.get(key) ?? Infinity;
    const count = grownTo < limit ? grownTo : grownTo - limit;
    if (grownTo >= limit) this.#limits.delete(key);
    this.#counts.set(key, count);
    return count;
  }

  #write({ address, type }: RegisterEntry, value: number): void {
    if (type === "uint16") {
      this.registers.set(address, value & 0xffff);
      return;
    }
    const bytes = new DataView(new ArrayBuffer(4));
    if (type === "int32") bytes.setInt32(0, value | 0);
    else bytes.setFloat32(0, value);
    // CDAB: the low word lies in the first register, each word with its high byte first.
    this.registers.set(address, bytes.getUint16(2));
    this.registers.set(address + 1, bytes.getUint16(0));
  }
}

function keyOf({ address }: RegisterEntry): string {
  return String(address);
}

/** The answer to one request PDU: the response PDU, or an exception. Reads only; the press takes no orders. */
export function answer(image: RegisterImage, runningAddress: number, request: Uint8Array): Buffer {
  const code = request[0];
  const refuse = (exception: number): Buffer => Buffer.from([code | 0x80, exception]);
  if (code < 1 || code > 4) return refuse(illegalFunction);
  if (request.length !== 5) return refuse(illegalValue);
  const start = (request[1] << 8) | request[2];
  const count = (request[3] << 8) | request[4];
  const bits = code <= 2;
  if (count === 0 || count > (bits ? bitsMax : registersMax)) return refuse(illegalValue);
  if (bits) {
    if (start !== runningAddress || count !== 1) return refuse(illegalAddress);
    return Buffer.from([code, 1, image.running ? 1 : 0]);
  }
  const response = Buffer.alloc(2 + count * 2);
  response[0] = code;
  response[1] = count * 2;
  for (let i = 0; i < count; i++) {
    const word = image.registers.get(start + i);
    // A gap in the map is no zero: this device refuses the whole read, as many do.
    if (word === undefined) return refuse(illegalAddress);
    response.writeUInt16BE(word, 2 + i * 2);
  }
  return response;
}

/** A Modbus TCP server on loopback. Holding and input registers show the same image. */
export class ModbusServer implements ProtocolEnd {
  readonly protocol = "modbus";
  #image: RegisterImage;
  #port: number;
  #server: Server | null = null;
  #down: { cancel(): void } | null = null;
  #dead = false;
  #closed = false;
  readonly #sockets = new Set<Socket>();
  readonly #options: ModbusOptions;

  private constructor(options: ModbusOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#image = new RegisterImage(options.map, options.map.deliveredCount);
  }

  static async start(options: ModbusOptions): Promise<ModbusServer> {
    const server = new ModbusServer(options);
    await server.#listen();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  accept(rows: readonly PlantRow[]): void {
    if (!this.#dead) this.#image.accept(rows);
  }

  /** Without times and without messages there is nothing to delay, to mix up or to send twice. */
  faultsOf(): readonly FaultKind[] {
    return ["cut", "restart", "freeze", "counterReset", "counterRollover", "plcDownload"];
  }

  fault(_machine: string, kind: FaultKind, ms: number): readonly string[] | null {
    const { machine, map, waiting } = this.#options;
    if (kind === "counterReset" || kind === "counterRollover") {
      this.#image.disturbCounters(kind);
      return [machine];
    }
    if (kind !== "cut" && kind !== "restart" && kind !== "plcDownload") return null;
    this.#down?.cancel();
    this.#unlisten();
    if (kind !== "cut") {
      this.#dead = true;
      // Pulse counters live in RAM: whoever switches the box off loses them.
      this.#image = new RegisterImage(map, 0);
    }
    this.#down = waiting.alarm(ms, () => {
      this.#down = null;
      this.#dead = false;
      // The port was ours a moment ago; if somebody took it, the box stays away until the next fault.
      this.#listen().catch(() => undefined);
    });
    return [machine];
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#down?.cancel();
    this.#unlisten();
  }

  #unlisten(): void {
    this.#server?.close();
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return resolve();
      const server = createServer((socket) => this.#serve(socket));
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", () => {
        const address = server.address();
        if (address !== null && typeof address === "object") this.#port = address.port;
        resolve();
      });
      this.#server = server;
    });
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    let pending = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= headerBytes) {
        const length = pending.readUInt16BE(4);
        if (pending.readUInt16BE(2) !== 0 || length < 2 || length > longestLength) return void socket.destroy();
        if (pending.length < 6 + length) return;
        const header = Buffer.from(pending.subarray(0, headerBytes));
        const response = this.#respond(header[6], pending.subarray(headerBytes, 6 + length));
        pending = Buffer.from(pending.subarray(6 + length));
        header.writeUInt16BE(response.length + 1, 4);
        socket.write(Buffer.concat([header, response]));
      }
    });
  }

  #respond(unit: number, request: Uint8Array): Buffer {
    const { map } = this.#options;
    // Messaging on TCP/IP implementation guide: 255 (and 0) mean the device itself. Another unit would be behind a gateway: exception 11.
    if (unit !== map.unit && unit !== 255 && unit !== 0) return Buffer.from([request[0] | 0x80, 11]);
    return answer(this.#image, map.running.address, request);
  }
}
