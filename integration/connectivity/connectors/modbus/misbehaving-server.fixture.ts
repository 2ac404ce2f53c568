import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A request as it came. */
export interface Asked {
  transaction: number;
  unit: number;
  function: number;
  start: number;
  count: number;
}

/** What the server sends: whole frames by `frame`, or any bytes; null: nothing. */
export type Behaviour = (asked: Asked, times: number) => Uint8Array | null;

export function frame(transaction: number, unit: number, pdu: number[]): Uint8Array {
  const length = pdu.length + 1;
  return Uint8Array.of(transaction >> 8, transaction & 255, 0, 0, length >> 8, length & 255, unit, ...pdu);
}

/** The right answer: register n holds n, coil n is n mod 2. */
export function right({ transaction, unit, function: code, start, count }: Asked): Uint8Array {
  const bytes: number[] = [];
  if (code >= 3) for (let i = start; i < start + count; i++) bytes.push(i >> 8, i & 255);
  else {
    for (let i = 0; i < count; i++) {
      if (i % 8 === 0) bytes.push(0);
      bytes[bytes.length - 1] |= ((start + i) & 1) << (i % 8);
    }
  }
  return frame(transaction, unit, [code, bytes.length, ...bytes]);
}

export function refusal({ transaction, unit, function: code }: Asked, exception: number): Uint8Array {
  return frame(transaction, unit, [code | 0x80, exception]);
}

/** A Modbus server that answers as the test says, byte by byte. */
export class MisbehavingServer {
  behaviour: Behaviour;
  /** Runs for each chunk before it is answered: e.g. to collect what came together. */
  readonly asked: Asked[] = [];
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async start(behaviour: Behaviour = right): Promise<MisbehavingServer> {
    const server = new MisbehavingServer(behaviour);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  private constructor(behaviour: Behaviour) {
    this.behaviour = behaviour;
    this.#server = createServer((socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => this.#sockets.delete(socket));
      let rest = Buffer.alloc(0);
      socket.on("data", (chunk) => {
        rest = Buffer.concat([rest, chunk]);
        for (; rest.length >= 12; rest = rest.subarray(12)) {
          const asked = {
            transaction: rest.readUInt16BE(0),
            unit: rest[6],
            function: rest[7],
            start: rest.readUInt16BE(8),
            count: rest.readUInt16BE(10),
          };
          this.asked.push(asked);
          const bytes = this.behaviour(asked, this.asked.length);
          if (bytes !== null) socket.write(bytes);
        }
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  send(bytes: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  /** Cuts all connections; new ones are welcome. */
  drop(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
