// Hot path. The sender process: machines that publish over MQTT as told by its job (mqtt-sender.ts), spoken by hand on bare sockets.
import { connect, type Socket } from "node:net";
import { encodePayload, type MetricInput } from "../../integration/connectivity/connectors/sparkplug/encode.ts";
import { cpuSecondsSince, endWith, tellParent } from "./helper-process.ts";
import {
  connectPacket,
  counterMin,
  disconnectPacket,
  type Frame,
  jsonFrame,
  metricKind,
  metricTypes,
  payloadFrame,
  putDigits,
  putId,
  putTenths,
  putVarint,
  scalarFrame,
  sparkplugFrame,
} from "./mqtt-frames.ts";
import {
  devicesPerNode,
  jsonValues,
  type MqttSenderJob,
  type MqttSenderMessage,
  type MqttSenderResult,
  metricsPerDevice,
} from "./mqtt-sender.ts";
import { round, Samples, SharedClock, sleep } from "./stats.ts";

const tell = (message: MqttSenderMessage): void => tellParent(message);
const dialling = 100;
const dialsMax = 60;
const keepAliveSeconds = 240;
/** Messages that one client writes before the next one's turn. */
const burst = 8;

let random = 20_261_126;
function chance(): number {
  random ^= random << 13;
  random ^= random >>> 17;
  random ^= random << 5;
  return random >>> 0;
}

/** One machine. Acknowledgements come in order, so the oldest message is the one that is meant. */
class Client {
  readonly name: string;
  readonly #sender: Sender;
  readonly #socket: Socket;
  readonly #frames: Frame[];
  readonly #dueUs: Float64Array;
  /** Due, but beyond what may be in flight. */
  readonly #late: number[] = [];
  #oldest = 0;
  #id = 0;
  #seq = 0;
  #turn = 0;
  /** Of the last message: µs, or ms for Sparkplug. */
  #lastTime = 0;
  #tenths = 5000;
  #count = counterMin;
  #left: Buffer | null = null;
  #connected: (() => void) | null = null;
  #refused: ((error: Error) => void) | null = null;
  #letIn = false;
  #closed = false;
  unacknowledged = 0;
  starved = false;

  constructor(sender: Sender, index: number, frames: Frame[]) {
    const { host, port, inFlight, addresses } = sender.job;
    this.#sender = sender;
    this.name = machineName(index);
    this.#frames = frames;
    this.#dueUs = new Float64Array(inFlight);
    const localAddress = addresses === 0 ? undefined : `127.0.0.${2 + (index % addresses)}`;
    this.#socket = connect({ host, port, localAddress, noDelay: true });
    this.#socket.on("data", (bytes: Buffer) => this.#received(bytes));
    this.#socket.on("drain", () => this.pump());
    // What went wrong shows in that the connection is gone.
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => {
      this.#closed = true;
      this.#refused?.(new Error(`${this.name} was not let in.`));
      if (this.#letIn) sender.closed();
    });
  }

  connected(): Promise<void> {
    const { username, password } = this.#sender.job;
    return new Promise((resolve, reject) => {
      this.#refused = reject;
      this.#connected = () => {
        this.#letIn = true;
        resolve();
      };
      this.#socket.write(connectPacket({ clientId: this.name, username, password, keepAliveSeconds }));
    });
  }

  /** Sends at QoS 1 before the run and waits for the answer, whatever the run's QoS. */
  async announce(topic: string, payload: Uint8Array): Promise<void> {
    const { bytes, idAt } = payloadFrame(topic, payload);
    putId(bytes, idAt, this.#nextId());
    await new Promise<void>((resolve) => {
      this.#connected = resolve;
      this.#socket.write(bytes);
    });
  }

  /** A birth sets the next sequence number. */
  born(seq: number): void {
    this.#seq = seq;
  }

  /** One message that was due at this instant. */
  due(atUs: number): void {
    if (this.#sender.job.qos === 1 && this.unacknowledged === this.#dueUs.length) this.#late.push(atUs);
    else this.#send(1, atUs);
  }

  /** As many as may go now. */
  pump(): void {
    const sender = this.#sender;
    if (!sender.flatOut || this.#closed) return;
    const nowUs = sender.clock.nowUs();
    if (sender.job.qos === 0) {
      if (this.#socket.writableNeedDrain) return;
      if (this.#send(sender.allowed(burst, this), nowUs)) sender.later(this);
      return;
    }
    const room = this.#dueUs.length - this.unacknowledged;
    this.#send(sender.allowed(room, this), nowUs);
  }

  /** False when the socket wants a pause, or nothing was to be sent. */
  #send(count: number, dueUs: number): boolean {
    if (count === 0) return false;
    const sender = this.#sender;
    const chosen: Frame[] = [];
    let length = 0;
    for (let i = 0; i < count; i++) {
      const frame = this.#next(i);
      chosen.push(frame);
      length += frame.bytes.length;
    }
    const out = Buffer.allocUnsafe(length);
    let at = 0;
    for (const frame of chosen) {
      frame.bytes.copy(out, at);
      this.#patch(out, at, frame, sender.clock.nowUs());
      at += frame.bytes.length;
      sender.sent++;
      sender.points += frame.points;
      if (frame.idAt < 0) continue;
      this.#dueUs[(this.#oldest + this.unacknowledged++) % this.#dueUs.length] = dueUs;
    }
    return this.#socket.write(out);
  }

  #next(ahead: number): Frame {
    const frames = this.#frames;
    if (frames.length === 1) return frames[0];
    const device = this.#turn++ % devicesPerNode;
    return frames[2 * device + (((this.#seq + ahead) & 255) < 128 ? 0 : 1)];
  }

  #nextId(): number {
    this.#id = (this.#id % 65_535) + 1;
    return this.#id;
  }

  #patch(out: Buffer, at: number, frame: Frame, nowUs: number): void {
    const { idAt, timeDigitsAt, valueDigitsAt, timeVarintAt, doubleAt, stateAt, counterAt, seqAt } = frame;
    if (idAt >= 0) putId(out, at + idAt, this.#nextId());
    for (let i = 0; i < valueDigitsAt.length; i++) putTenths(out, at + valueDigitsAt[i], this.#walk());
    if (timeDigitsAt >= 0) {
      this.#lastTime = Math.max(nowUs, this.#lastTime + 1);
      putDigits(out, at + timeDigitsAt, this.#lastTime, 16);
    }
    if (seqAt < 0) return;
    // Every tag ascends strictly in the milliseconds that Sparkplug has.
    const ms = Math.max(Math.floor(nowUs / 1000), this.#lastTime + 1);
    this.#lastTime = ms;
    const firstTime = at + timeVarintAt[0];
    putVarint(out, firstTime, ms);
    for (let i = 1; i < timeVarintAt.length; i++) out.copy(out, at + timeVarintAt[i], firstTime, firstTime + 6);
    for (let i = 0; i < doubleAt.length; i++) out.writeDoubleLE(this.#walk() / 10, at + doubleAt[i]);
    const state = chance();
    for (let i = 0; i < stateAt.length; i++) out[at + stateAt[i]] = (state >>> i) & 1;
    this.#count++;
    for (let i = 0; i < counterAt.length; i++) putVarint(out, at + counterAt[i], this.#count);
    putVarint(out, at + seqAt, this.#seq);
    this.#seq = (this.#seq + 1) & 255;
  }

  /** A value near the one before, in tenths. */
  #walk(): number {
    const next = this.#tenths + (chance() % 7) - 3;
    this.#tenths = next < 1000 || next > 9999 ? 5000 : next;
    return this.#tenths;
  }

  #received(chunk: Buffer): void {
    const bytes = this.#left === null ? chunk : Buffer.concat([this.#left, chunk]);
    const nowUs = this.#sender.clock.nowUs();
    let at = 0;
    let acknowledged = 0;
    for (; at + 2 <= bytes.length && at + 2 + bytes[at + 1] <= bytes.length; at += 2 + bytes[at + 1]) {
      const kind = bytes[at] >> 4;
      if (kind === 2 && bytes[at + 3] !== 0) this.#sender.failed(new Error(`CONNACK ${bytes[at + 3]}`));
      if (kind !== 4 && kind !== 2) continue;
      if (this.#connected !== null) {
        const done = this.#connected;
        this.#connected = null;
        done();
        continue;
      }
      if (this.unacknowledged === 0) this.#sender.failed(new Error("An acknowledgement too many."));
      this.#sender.acknowledgedOne((nowUs - this.#dueUs[this.#oldest]) / 1000);
      this.#oldest = (this.#oldest + 1) % this.#dueUs.length;
      this.unacknowledged--;
      acknowledged++;
    }
    this.#left = at === bytes.length ? null : bytes.subarray(at);
    if (acknowledged === 0) return;
    while (this.#late.length > 0 && this.unacknowledged < this.#dueUs.length)
      this.#send(1, this.#late.shift() as number);
    this.pump();
    this.#sender.maybeOver();
  }

  /** In order, so that nobody has to wonder. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) return resolve();
      this.#socket.once("close", () => resolve());
      this.#socket.end(disconnectPacket);
    });
  }

  get idle(): boolean {
    return this.#closed || (this.unacknowledged === 0 && this.#late.length === 0);
  }
}

class Sender {
  readonly job: MqttSenderJob;
  readonly clock: SharedClock;
  readonly clients: Client[] = [];
  readonly #ackMs = new Samples();
  readonly #phases: { ackMs: Samples; startUs: number; endUs: number }[] = [];
  readonly #starved: Client[] = [];
  #ready: Client[] = [];
  #scheduled = false;
  #taken = 0;
  #stopped = false;
  #ended = false;
  #over: (() => void) | null = null;
  #startUs = 0;
  #ratePerSecond: number | null;
  sent = 0;
  points = 0;
  acknowledged = 0;
  lost = 0;

  constructor(job: MqttSenderJob) {
    this.job = job;
    this.clock = new SharedClock(job.clockOffsetUs);
    this.#ratePerSecond = job.ratePerSecond;
  }

  get flatOut(): boolean {
    return !this.#stopped && this.#startUs > 0 && this.#ratePerSecond === null;
  }

  /** Of `wanted` messages those that the bound over all clients allows; a client that gets fewer is asked again later. */
  allowed(wanted: number, client: Client): number {
    const { outstandingMax } = this.job;
    if (outstandingMax === null) return wanted;
    const free = Math.max(0, Math.min(wanted, outstandingMax - (this.sent - this.#taken)));
    if (free < wanted && !client.starved) {
      client.starved = true;
      this.#starved.push(client);
    }
    return free;
  }

  taken(count: number): void {
    this.#taken = Math.max(this.#taken, count);
    for (const client of this.#starved.splice(0)) {
      client.starved = false;
      client.pump();
    }
  }

  /** It has more to send, after the others. */
  later(client: Client): void {
    this.#ready.push(client);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const ready = this.#ready;
      this.#ready = [];
      for (const one of ready) one.pump();
    });
  }

  acknowledgedOne(ms: number): void {
    this.acknowledged++;
    this.#ackMs.add(ms);
    this.#phases.at(-1)?.ackMs.add(ms);
  }

  /** The server does what it must not. */
  failed(error: Error): void {
    throw error;
  }

  closed(): void {
    if (this.#ended) return;
    this.lost++;
    this.maybeOver();
  }

  async connectAll(): Promise<number> {
    const { job } = this;
    let birthPoints = 0;
    for (let i = 0; i < job.clients; i += dialling) {
      const batch: Promise<number>[] = [];
      for (let k = i; k < Math.min(job.clients, i + dialling); k++) batch.push(this.#connect(job.firstClient + k));
      for (const points of await Promise.all(batch)) birthPoints += points;
    }
    return birthPoints;
  }

  async #connect(index: number): Promise<number> {
    const client = await this.#dial(index);
    this.clients.push(client);
    return this.job.traffic === "sparkplug" ? await giveBirth(client, this.clock.nowUs()) : 0;
  }

  /** A machine that is not let in because the server is busy dials again. */
  async #dial(index: number): Promise<Client> {
    for (let tries = 1; ; tries++) {
      const client = new Client(this, index, framesOf(this.job, index));
      try {
        await client.connected();
        return client;
      } catch (error) {
        if (tries === dialsMax) throw error;
        await sleep(Math.min(2000, 100 * tries));
      }
    }
  }

  async run(): Promise<MqttSenderResult> {
    const { seconds } = this.job;
    const cpu = process.cpuUsage();
    this.#startUs = this.clock.nowUs();
    const progress = setInterval(() => this.#tellProgress(), 20);
    if (this.#ratePerSecond === null) for (const client of this.clients) client.pump();
    else void this.#onTime();
    if (seconds !== null) setTimeout(() => this.stop(), seconds * 1000);
    await new Promise<void>((resolve) => {
      this.#over = resolve;
    });
    this.#ended = true;
    clearInterval(progress);
    this.#tellProgress();
    const nowUs = this.clock.nowUs();
    this.#endPhase(nowUs);
    return {
      sent: this.sent,
      points: this.points,
      acknowledged: this.acknowledged,
      lost: this.lost,
      seconds: (nowUs - this.#startUs) / 1e6,
      cpuSeconds: cpuSecondsSince(cpu),
      ackMs: this.#ackMs.summary(),
      phases: this.#phases.map(({ ackMs, startUs, endUs }) => ({
        ...ackMs.summary(),
        seconds: round((endUs - startUs) / 1e6),
      })),
    };
  }

  phase(): void {
    const nowUs = this.clock.nowUs();
    this.#endPhase(nowUs);
    this.#phases.push({ ackMs: new Samples(), startUs: nowUs, endUs: nowUs });
  }

  rate(perSecond: number): void {
    this.#ratePerSecond = perSecond;
  }

  stop(): void {
    this.#stopped = true;
    this.maybeOver();
  }

  maybeOver(): void {
    if (!this.#stopped) return;
    if (this.clients.every(({ idle }) => idle)) this.#over?.();
  }

  #endPhase(nowUs: number): void {
    const last = this.#phases.at(-1);
    if (last !== undefined) last.endUs = nowUs;
  }

  /** Messages on time, one client after the other. */
  async #onTime(): Promise<void> {
    let perSecond = 0;
    let baseUs = 0;
    let issued = 0;
    for (let turn = 0; !this.#stopped; ) {
      const nowUs = this.clock.nowUs();
      if (perSecond !== this.#ratePerSecond) {
        perSecond = this.#ratePerSecond ?? 0;
        baseUs = nowUs;
        issued = 0;
      }
      const dueNow = Math.floor(((nowUs - baseUs) * perSecond) / 1e6);
      for (; issued < dueNow; issued++)
        this.clients[turn++ % this.clients.length].due(baseUs + (issued / perSecond) * 1e6);
      await sleep(1);
    }
  }

  #tellProgress(): void {
    tell({ event: "progress", sent: this.sent, acknowledged: this.acknowledged, lost: this.lost });
  }
}

const machineName = (index: number): string => `machine-${String(index).padStart(5, "0")}`;
const deviceName = (device: number): string => `device-${device}`;

function framesOf({ traffic, qos }: MqttSenderJob, index: number): Frame[] {
  const name = machineName(index);
  if (traffic === "json") return [jsonFrame(`plant/${name}/values`, qos, jsonValues)];
  if (traffic === "scalar")
    return [index === 0 ? jsonFrame(`marker/${name}/value`, qos, 1) : scalarFrame(`plant/${name}/value`, qos)];
  const frames: Frame[] = [];
  for (let device = 0; device < devicesPerNode; device++) {
    const topic = `spBv1.0/bench/DDATA/${name}/${deviceName(device)}`;
    const firstAlias = device * metricsPerDevice;
    for (const wideSeq of [false, true])
      frames.push(sparkplugFrame(topic, qos, { metrics: metricsPerDevice, firstAlias, wideSeq }));
  }
  return frames;
}

/** NBIRTH and a DBIRTH for each device; how many datapoints they hold. */
async function giveBirth(client: Client, nowUs: number): Promise<number> {
  const timeMs = Math.floor(nowUs / 1000);
  const bdSeq: MetricInput = { name: "bdSeq", timeMs, type: 4, value: 0 };
  const rebirth: MetricInput = { name: "Node Control/Rebirth", timeMs, type: 11, value: false };
  await client.announce(
    `spBv1.0/bench/NBIRTH/${client.name}`,
    encodePayload({ timeMs, seq: 0, metrics: [bdSeq, rebirth] }),
  );
  let points = 2;
  for (let device = 0; device < devicesPerNode; device++) {
    const metrics: MetricInput[] = Array.from({ length: metricsPerDevice }, (_, i) => {
      const kind = metricKind(i);
      const value = kind === "counter" ? counterMin : 0;
      return {
        name: `${kind}-${i}`,
        alias: device * metricsPerDevice + i,
        timeMs,
        type: metricTypes[kind],
        value,
      };
    });
    const payload = encodePayload({ timeMs, seq: device + 1, metrics });
    await client.announce(`spBv1.0/bench/DBIRTH/${client.name}/${deviceName(device)}`, payload);
    points += metricsPerDevice;
  }
  client.born(devicesPerNode + 1);
  return points;
}

async function main(job: MqttSenderJob): Promise<void> {
  const sender = new Sender(job);
  const go = new Promise<void>((resolve) => {
    process.on("message", ({ command, count = 0 }: { command: string; count?: number }) => {
      if (command === "go") resolve();
      if (command === "phase") sender.phase();
      if (command === "taken") sender.taken(count);
      if (command === "rate") sender.rate(count);
      if (command === "stop") sender.stop();
    });
  });
  tell({ event: "ready", birthPoints: await sender.connectAll() });
  await go;
  const result = await sender.run();
  await Promise.race([Promise.all(sender.clients.map((client) => client.end())), sleep(2000)]);
  endWith({ event: "done", result } satisfies MqttSenderMessage);
}

process.once("message", (job) => {
  main(job as MqttSenderJob).catch((error: unknown) => {
    process.stderr.write(`MQTT sender: ${(error as Error).stack}\n`);
    process.exit(1);
  });
});
// Without a parent there is nothing to do.
process.on("disconnect", () => process.exit(1));
