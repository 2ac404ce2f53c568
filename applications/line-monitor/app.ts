import { connectLineshaft, type Platform, type PointInput, UnreachableError } from "@lineshaft/client";
import { type Columns, type Micros, minuteUs, ProblemError, type StreamEvent, secondUs } from "@lineshaft/contract/api";
import { type Findings, findingsOf } from "./findings.ts";
import { type Window, Windows } from "./windows.ts";

/** What the monitor uses of the SDK. */
export type MonitorPlatform = Pick<Platform, "call" | "history" | "subscribe" | "tags" | "writer">;

export interface MonitorOptions {
  signal: AbortSignal;
  log(text: string): void;
  /** Wall clock, µs. */
  nowUs?: () => Micros;
  /** How often closed windows are looked at, ms. */
  everyMs?: number;
}

/** The connection on which the findings come back as points. */
export const ownConnection = "line-monitor";
/** How far back the first start looks. */
const firstLookBackUs = 60 * minuteUs;
/** Waits this long after the end of a window for stragglers; later ones correct it. */
const graceUs = 5 * secondUs;
/** A window with more points than this is left out: the monitor must not be a burden. */
const windowPointsMax = 2_000_000;
const tagsPerQuery = 500;

/** Runs the monitor over the network until the signal is aborted. */
export async function start(options: { url: string; key: string } & MonitorOptions): Promise<void> {
  const platform = connectLineshaft({ url: options.url, key: options.key });
  try {
    await monitor(platform, options);
  } finally {
    platform.close();
  }
}

/**
 * Watches every connection, minute by minute of source time, and publishes findings on its own connection. The stream only tells which
 * minutes have changed; the findings are computed from history, so late points, repeats and restarts all end in the same
 * result. Its place in the stream is the sourceCursor of what it publishes: durable together with it.
 */
export async function monitor(platform: MonitorPlatform, options: MonitorOptions): Promise<void> {
  const { signal, log } = options;
  const nowUs = options.nowUs ?? (() => Math.round((performance.timeOrigin + performance.now()) * 1000));
  const tags = new TagMap(platform);
  await declareConnection(platform);
  let start: SavePoint | null = await savedStart(platform);
  while (!signal.aborted) {
    const windows = new Windows(minuteUs);
    const from = start?.from ?? nowUs() - firstLookBackUs;
    const place = start?.cursor === undefined ? { from } : { cursor: start.cursor };
    const stop = new AbortController();
    const publishing = publishClosed(platform, windows, tags, {
      ...options,
      nowUs,
      signal: AbortSignal.any([signal, stop.signal]),
    });
    try {
      const events = platform.subscribe(
        { types: ["points.recorded"], ...place },
        { signal, onCursor: (cursor) => windows.passed(cursor) },
      );
      await Promise.race([publishing, readStream(events, windows, tags)]);
      return;
    } catch (error) {
      const lost = error instanceof ProblemError && ["cursor_expired", "cursor_foreign"].includes(error.code);
      if (!lost || start === null) throw error;
      log(`The place in the stream is gone (${error.code}); going on from history.`);
      start = { from: start.from };
    } finally {
      stop.abort();
      await publishing.catch(() => {});
    }
  }
}

async function readStream(events: AsyncIterable<StreamEvent>, windows: Windows, tags: TagMap): Promise<void> {
  for await (const event of events) {
    if (event.type !== "points.recorded") continue;
    const { columns, cursor, lsn } = event;
    if (event.connectionId === 0) await tags.know(columns.tag);
    else tags.add(columns.tag, event.connectionId);
    for (let row = 0; row < columns.rows; row++) {
      const connectionId = event.connectionId || tags.connectionOf(columns.tag[row]);
      windows.touch(connectionId, columns.time[row]);
    }
    windows.passed(cursor, lsn);
    // Nothing more is read while too many minutes wait: memory stays bounded, the log keeps the rest.
    await windows.room();
  }
}

async function publishClosed(
  platform: MonitorPlatform,
  windows: Windows,
  tags: TagMap,
  { signal, log, nowUs, everyMs = 2000 }: MonitorOptions & { nowUs: () => Micros },
): Promise<void> {
  const writer = platform.writer(ownConnection, { mode: "correct" });
  for (;;) {
    await pause(everyMs, signal);
    if (signal.aborted) return;
    try {
      for (const window of windows.closed(nowUs(), graceUs)) {
        await publish(window);
        windows.done(window);
      }
    } catch (error) {
      // The rest stays open and is tried again.
      if (signal.aborted) return;
      if (!isTemporary(error)) throw error;
      log(`Publishing waits: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async function publish(window: Window): Promise<void> {
    const name = await tags.nameOf(window.connectionId);
    if (name === null || name === ownConnection) return;
    await historyReaches(platform, window.lsn, signal);
    const points = await readWindow(platform, tags.of(window.connectionId), window.startUs, signal);
    if (points === null) {
      log(`${name}: a minute holds more than ${windowPointsMax} points and is left out.`);
      return;
    }
    const findings = asPoints(name, window.startUs, findingsOf(points, window.startUs));
    await writer.write(findings, windows.savePoint(window));
  }
}

function isTemporary(error: unknown): boolean {
  return error instanceof UnreachableError || (error instanceof ProblemError && error.retry === "later");
}

/** The look-back and the window, sorted by tag and time; null when it is too much. */
async function readWindow(
  platform: MonitorPlatform,
  tags: number[],
  startUs: Micros,
  signal: AbortSignal,
): Promise<Columns[] | null> {
  const portions: Columns[] = [];
  let points = 0;
  for (let at = 0; at < tags.length; at += tagsPerQuery) {
    const query = { tag: tags.slice(at, at + tagsPerQuery), from: startUs - minuteUs, to: startUs + minuteUs };
    for await (const columns of platform.history(query, signal)) {
      points += columns.rows;
      if (points > windowPointsMax) return null;
      portions.push(columns);
    }
  }
  return portions;
}

/** History follows the log by moments; what the stream has told must be in it before it is read. */
async function historyReaches(platform: MonitorPlatform, lsn: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { history } = await platform.call("getSystem", { signal });
    if (history.appliedLsn >= lsn) return;
    await pause(500, signal);
  }
}

function asPoints(connection: string, time: Micros, findings: Findings): PointInput[] {
  return Object.entries(findings).map(([name, value]) => ({ tag: `${connection}/${name}`, time, value }));
}

async function declareConnection(platform: MonitorPlatform): Promise<void> {
  try {
    await platform.call("createConnection", { body: { name: ownConnection, corrections: true } });
  } catch (error) {
    if (!(error instanceof ProblemError && ["path_taken", "connection_kind_invalid"].includes(error.code))) throw error;
  }
}

interface SavePoint {
  cursor?: string;
  from: Micros;
}

/** Where the last published finding says that everything before it is done. */
async function savedStart(platform: MonitorPlatform): Promise<SavePoint | null> {
  const { sourceCursor } = await platform.call("getSourceCursor", { params: { connection: ownConnection } });
  return sourceCursor === null ? null : (JSON.parse(sourceCursor) as SavePoint);
}

/** Which connection each tag belongs to, and what the connections are called. */
class TagMap {
  readonly #platform: MonitorPlatform;
  readonly #connectionOf = new Map<number, number>();
  readonly #tagsOf = new Map<number, Set<number>>();
  readonly #names = new Map<number, string>();

  constructor(platform: MonitorPlatform) {
    this.#platform = platform;
  }

  add(tags: Iterable<number>, connectionId: number): void {
    for (const tag of tags) {
      if (this.#connectionOf.has(tag)) continue;
      this.#connectionOf.set(tag, connectionId);
      const list = this.#tagsOf.get(connectionId) ?? new Set();
      this.#tagsOf.set(connectionId, list.add(tag));
    }
  }

  async know(tags: Iterable<number>): Promise<void> {
    for (const tag of tags) if (!this.#connectionOf.has(tag)) return this.#read();
  }

  connectionOf(tag: number): number {
    return this.#connectionOf.get(tag) ?? 0;
  }

  of(connectionId: number): number[] {
    return [...(this.#tagsOf.get(connectionId) ?? [])].sort((a, b) => a - b);
  }

  async nameOf(connectionId: number): Promise<string | null> {
    if (!this.#names.has(connectionId)) await this.#read();
    return this.#names.get(connectionId) ?? null;
  }

  async #read(): Promise<void> {
    for await (const { id, connectionId, connection } of this.#platform.tags()) {
      this.add([id], connectionId);
      this.#names.set(connectionId, connection);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
