import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { type BatchFrame, FactoryMix, rowsPerBatch } from "../factory-mix.ts";
import { drive, type PeerResult, peerSources, peerTags } from "./peer.ts";
import { freePort } from "./ports.ts";
import { processFigures } from "./process.ts";
import { round, sleep } from "./stats.ts";

const binDir = "/usr/lib/postgresql/15/bin";

export const postgresInstalled = (): boolean => existsSync(join(binDir, "postgres"));

/** COPY BINARY into one plain table without an index, its fastest way in; fsync and synchronous_commit on, one commit a batch. */
export async function runPostgres(dir: string, seconds: number, batchRows: number): Promise<PeerResult> {
  const cluster = await Cluster.start(join(dir, `postgres-${batchRows}`));
  try {
    const mix = new FactoryMix(Array.from({ length: peerTags }, (_, i) => i + 1));
    const setup = await PgConnection.open(cluster.port);
    await setup.query("CREATE TABLE point (tag int4, time timestamptz, value float8)");
    setup.close();
    const connections = await Promise.all(Array.from({ length: peerSources }, () => PgConnection.open(cluster.port)));
    const perSend = batchRows / rowsPerBatch;
    const senders = connections.map((connection, i) => {
      const frame = mix.newFrame();
      const copy = new CopyBinary(batchRows);
      const step = peerSources;
      return async (n: number) => {
        for (let part = 0; part < perSend; part++) {
          const scan = n * perSend + part;
          const batch = (i + (scan % 2) * step) % mix.batches;
          mix.fill(frame, batch, scan >> 1, Date.now() * 1000);
          copy.put(part, frame);
        }
        await connection.copy("COPY point FROM STDIN BINARY", copy.bytes);
        return batchRows;
      };
    });
    const cpuBefore = cluster.cpuSeconds();
    const sent = await drive(senders, seconds);
    // The backends still live, so their CPU seconds can be read.
    const cpuSeconds = round(cluster.cpuSeconds() - cpuBefore);
    for (const connection of connections) connection.close();
    const check = await PgConnection.open(cluster.port);
    const stored = Number(await check.value("SELECT count(*) FROM point"));
    if (stored !== sent.points) throw new Error(`PostgreSQL holds ${stored} rows of ${sent.points}.`);
    const bytes = Number(await check.value("SELECT pg_total_relation_size('point')"));
    check.close();
    return {
      pointsPerSecond: Math.round(sent.points / sent.seconds),
      points: sent.points,
      batchRows,
      ackMs: sent.ackMs,
      cpuSeconds,
      bytesPerPoint: round(bytes / sent.points),
      acknowledged: "durable (commit with fsync)",
    };
  } finally {
    await cluster.stop();
  }
}

/** A PostgreSQL cluster of its own in a temporary directory, as user postgres where we are root. */
class Cluster {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(dir: string): Promise<Cluster> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    let user: { uid?: number; gid?: number } = {};
    if (process.getuid?.() === 0) {
      const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
      user = { uid: id("-u"), gid: id("-g") };
      chownSync(dir, user.uid as number, user.gid as number);
      // A temporary directory is closed to others; the way through it must be open.
      chmodSync(dirname(dir), 0o711);
    }
    const options = { ...user, cwd: "/", stdio: "ignore" as const };
    execFileSync(
      join(binDir, "initdb"),
      ["-D", dir, "-U", "bench", "--auth=trust", "-E", "UTF8", "--no-locale"],
      options,
    );
    const port = await freePort();
    const settings = [
      "fsync=on",
      "synchronous_commit=on",
      "max_wal_size=4GB",
      "shared_buffers=512MB",
      "unix_socket_directories=",
    ];
    const child = spawn(
      join(binDir, "postgres"),
      ["-D", dir, "-h", "127.0.0.1", "-p", String(port), ...settings.flatMap((s) => ["-c", s])],
      options,
    );
    const cluster = new Cluster(child, port);
    for (let tries = 0; ; tries++) {
      try {
        (await PgConnection.open(port)).close();
        return cluster;
      } catch (error) {
        if (tries > 100 || child.exitCode !== null) throw error;
        await sleep(100);
      }
    }
  }

  /** The postmaster and its children. */
  cpuSeconds(): number {
    const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(this.#child.pid)], { encoding: "utf8" });
    const pids = [this.#child.pid as number, ...children.trim().split(/\s+/).map(Number)];
    return pids.reduce((sum, pid) => sum + (processFigures(pid)?.cpuSeconds ?? 0), 0);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null) return resolve();
      this.#child.once("exit", () => resolve());
      // Immediate shutdown: the data are thrown away anyway.
      this.#child.kill("SIGQUIT");
    });
  }
}

/** The bytes of one COPY BINARY: header, rows of (tag, time, value), trailer; patched in place. */
class CopyBinary {
  readonly bytes: Buffer;
  static readonly #headBytes = 19;
  static readonly #rowBytes = 2 + 4 + 4 + 4 + 8 + 4 + 8;
  // timestamptz counts from 2000-01-01.
  static readonly #epochUs = Date.UTC(2000, 0, 1) * 1000;

  constructor(rows: number) {
    this.bytes = Buffer.alloc(CopyBinary.#headBytes + rows * CopyBinary.#rowBytes + 2);
    this.bytes.write("PGCOPY\n\xff\r\n\0", 0, "latin1");
    for (let i = 0; i < rows; i++) {
      const at = CopyBinary.#headBytes + i * CopyBinary.#rowBytes;
      this.bytes.writeInt16BE(3, at);
      this.bytes.writeInt32BE(4, at + 2);
      this.bytes.writeInt32BE(8, at + 10);
      this.bytes.writeInt32BE(8, at + 22);
    }
    this.bytes.writeInt16BE(-1, this.bytes.length - 2);
  }

  put(part: number, frame: BatchFrame): void {
    let at = CopyBinary.#headBytes + part * rowsPerBatch * CopyBinary.#rowBytes;
    for (let i = 0; i < rowsPerBatch; i++) {
      this.bytes.writeInt32BE(frame.tag[i], at + 6);
      const time = frame.time[i] - CopyBinary.#epochUs;
      const high = Math.floor(time / 4_294_967_296);
      this.bytes.writeInt32BE(high, at + 14);
      this.bytes.writeUInt32BE(time - high * 4_294_967_296, at + 18);
      this.bytes.writeDoubleBE(frame.value[i], at + 26);
      at += CopyBinary.#rowBytes;
    }
  }
}

/** As much of PostgreSQL's protocol (version 3) as COPY needs; trust authentication. */
class PgConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #row: string | null = null;
  #error: string | null = null;
  #copyReady: (() => void) | null = null;
  #ready: { resolve(): void; reject(error: Error): void } | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.#onData(bytes));
    const lost = (error?: Error): void => this.#ready?.reject(error ?? new Error("PostgreSQL closed the connection."));
    socket.on("error", lost);
    socket.on("close", () => lost());
  }

  static async open(port: number): Promise<PgConnection> {
    const connection = new PgConnection(connect({ host: "127.0.0.1", port, noDelay: true }));
    const parameters = Buffer.from("user\0bench\0database\0postgres\0\0");
    const startup = Buffer.alloc(8 + parameters.length);
    startup.writeInt32BE(startup.length, 0);
    startup.writeInt32BE(196_608, 4);
    parameters.copy(startup, 8);
    connection.#socket.write(startup);
    await connection.#untilReady();
    return connection;
  }

  async query(sql: string): Promise<void> {
    this.#row = null;
    this.#socket.write(message("Q", Buffer.from(`${sql}\0`)));
    await this.#untilReady();
  }

  async value(sql: string): Promise<string | null> {
    await this.query(sql);
    return this.#row;
  }

  async copy(sql: string, data: Buffer): Promise<void> {
    const done = this.#untilReady();
    const copyReady = new Promise<void>((resolve) => {
      this.#copyReady = resolve;
    });
    this.#socket.write(message("Q", Buffer.from(`${sql}\0`)));
    await Promise.race([copyReady, done]);
    this.#socket.cork();
    const head = Buffer.alloc(5);
    head.write("d");
    head.writeInt32BE(data.length + 4, 1);
    this.#socket.write(head);
    this.#socket.write(data);
    this.#socket.write(message("c", Buffer.alloc(0)));
    this.#socket.uncork();
    await done;
  }

  close(): void {
    this.#ready = null;
    this.#socket.destroy();
  }

  #untilReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ready = { resolve, reject };
    });
  }

  #onData(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= 5) {
      const length = this.#received.readInt32BE(1) + 1;
      if (this.#received.length < length) return;
      this.#take(String.fromCharCode(this.#received[0]), this.#received.subarray(5, length));
      this.#received = this.#received.subarray(length);
    }
  }

  #take(type: string, body: Buffer): void {
    if (type === "G") this.#copyReady?.();
    else if (type === "D") this.#row = body.toString("utf8", 6);
    else if (type === "E") this.#error = body.toString("utf8").replaceAll("\0", " ");
    else if (type === "Z") {
      const { resolve, reject } = this.#ready ?? { resolve: () => {}, reject: () => {} };
      this.#ready = null;
      if (this.#error === null) resolve();
      else reject(new Error(`PostgreSQL: ${this.#error}`));
      this.#error = null;
    }
  }
}

function message(type: string, body: Buffer): Buffer {
  const out = Buffer.alloc(5 + body.length);
  out.write(type);
  out.writeInt32BE(body.length + 4, 1);
  body.copy(out, 5);
  return out;
}
