import { type Columns, type EventType, type Micros, ProblemError, secondUs, selectRows } from "@lineshaft/contract/api";
import {
  decodeJson,
  decodePoints,
  decodePointsHeader,
  decodeVerdict,
  type EventItem,
  type EventReader,
  type EventSource,
  type Frame,
  type History,
  type Log,
  type LogReader,
  type Lsn,
  type ResultPublishedRecord,
  recordType,
} from "@lineshaft/contract/ports";
import { decodeCursor, encodeCursor, type HandOver, type Position } from "./cursor.ts";
import { factsData } from "./facts-data.ts";

type Filter = Parameters<EventSource["open"]>[2];

export interface EventSourceParts {
  log: Log;
  history: History;
  /** recordedTime of history's last applied record; null before the first portion after a start. */
  appliedTime: () => Micros | null;
  /** How far a source time may lie ahead of its recordedTime. */
  leadUs: Micros;
}

/** History keeps the LSN of rows that came later than this; of others it is enough to know their source time. */
const exactLateUs = 60 * secondUs;
const historyChunkRows = 65_536;

const otherTypes: Partial<Record<number, EventType>> = {
  [recordType.tagRegistered]: "tag.registered",
  [recordType.rejected]: "item.rejected",
  [recordType.gap]: "gap.recorded",
  [recordType.registryChanged]: "registry.changed",
  [recordType.connectionChanged]: "connection.changed",
  [recordType.clockJumped]: "clock.jumped",
  [recordType.factsChanged]: "facts.changed",
  [recordType.factRecorded]: "fact.recorded",
  [recordType.resultPublished]: "result.published",
};

/**
 * Any consumer from any past instant to live, each stored point exactly once. With H = history's applied LSN and C = recordedTime(H) − 60 s the history phase gives
 * rows with sourceTime < C known at H; the log phase begins where rows with sourceTime ≥ C may begin, and leaves out rows
 * with LSN ≤ H and sourceTime < C. A row that is older than C but came after H is later than 60 s, so history knows its LSN and left it to the log.
 */
export function createEventSource(parts: EventSourceParts): EventSource {
  return {
    async open(tenant, start, filter) {
      const position = await startPosition(parts, start);
      return new Reader(parts, tenant, position, filter);
    },
  };
}

async function startPosition(parts: EventSourceParts, start: Parameters<EventSource["open"]>[1]): Promise<Position> {
  const { log, history } = parts;
  const { generation, durableLsn } = log.status;
  if (start === "now") return { phase: "log", generation, next: durableLsn + 1, skip: null };
  if ("cursor" in start) {
    const position = decodeCursor(start.cursor);
    if (position.generation !== generation) {
      const detail = `The cursor is of generation ${position.generation}, the log of ${generation}.`;
      throw new ProblemError("cursor_foreign", detail);
    }
    if (position.next > durableLsn + 1) {
      throw new ProblemError("cursor_foreign", `The cursor stands at ${position.next}, the log ends at ${durableLsn}.`);
    }
    return position;
  }
  const from = start.fromUs;
  const historyLsn = history.status.appliedLsn;
  const historyEnd = (parts.appliedTime() ?? (await recordedTimeOf(log, historyLsn))) - exactLateUs;
  const before = Math.max(historyEnd, from);
  const skip: HandOver = { lsn: historyLsn, before, historyEnd };
  const next = Number.isFinite(before) ? await log.lsnAt(before - parts.leadUs) : log.status.firstLsn;
  if (from < historyEnd) return { phase: "history", generation, next, skip, from };
  return { phase: "log", generation, next, skip };
}

/** recordedTime of one record; −Infinity when history is empty. */
async function recordedTimeOf(log: Log, lsn: Lsn): Promise<Micros> {
  if (lsn === 0) return -Infinity;
  const reader = log.reader(Math.max(lsn, log.status.firstLsn));
  try {
    return (await reader.next(1))[0].recordedTime;
  } finally {
    reader.close();
  }
}

class Reader implements EventReader {
  readonly #parts: EventSourceParts;
  readonly #tenant: number;
  readonly #filter: Filter;
  #position: Position;
  #log: LogReader | null = null;
  #chunks: AsyncIterator<Columns> | null = null;

  constructor(parts: EventSourceParts, tenant: number, position: Position, filter: Filter) {
    this.#parts = parts;
    this.#tenant = tenant;
    this.#position = position;
    this.#filter = filter;
    // Opened at once, so that an expired cursor is refused at the door and not later.
    if (position.phase === "log") this.#log = parts.log.reader(position.next);
  }

  get cursor(): string {
    return encodeCursor(this.#position);
  }

  async next(maxBytes: number, signal: AbortSignal): Promise<EventItem[]> {
    if (this.#position.phase === "history") {
      const item = await this.#nextChunk(this.#position, signal);
      if (item !== null) return [item];
    }
    this.#log ??= this.#parts.log.reader(this.#position.next);
    const frames = await this.#log.next(maxBytes, signal);
    const items: EventItem[] = [];
    for (const frame of frames) {
      this.#position = { ...this.#position, phase: "log", next: frame.lsn + 1 } as Position;
      const item = this.#item(frame, this.#position.skip);
      if (item !== null) items.push(item);
    }
    return items;
  }

  close(): void {
    this.#log?.close();
    void this.#chunks?.return?.();
  }

  async #nextChunk(position: Position & { phase: "history" }, signal: AbortSignal): Promise<EventItem | null> {
    if (!this.#filter.types.has("points.recorded")) return this.#endHistory(position);
    this.#chunks ??= this.#parts.history
      .scan(
        {
          tags: this.#filter.tags,
          fromUs: position.from,
          toUs: position.skip.historyEnd,
          asOf: position.skip.lsn,
          chunkRows: historyChunkRows,
        },
        signal,
      )
      [Symbol.asyncIterator]();
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) return this.#endHistory(position);
      if (value.rows === 0) continue;
      const last = value.time[value.rows - 1];
      this.#position = { ...position, from: last + 1 };
      const columns = accepted(value, null, this.#filter.accept, null);
      if (columns === null) continue;
      return {
        type: "points.recorded",
        lsn: null,
        cursor: this.cursor,
        recordedTime: last,
        connectionId: 0,
        late: false,
        corrected: [],
        columns,
        block: null,
        data: null,
      };
    }
  }

  #endHistory(position: Position & { phase: "history" }): null {
    this.#chunks = null;
    const { generation, next, skip } = position;
    this.#position = { phase: "log", generation, next, skip };
    return null;
  }

  #item(frame: Frame, skip: HandOver | null): EventItem | null {
    if (frame.tenant !== this.#tenant) return null;
    if (frame.type === recordType.points) return this.#points(frame, skip);
    if (frame.type === recordType.verdict) return this.#verdict(frame, skip);
    const type = otherTypes[frame.type];
    if (type === undefined || !this.#filter.types.has(type)) return null;
    // A replay starts a little before its time in the log; what people and sources said then is not asked for.
    if (skip !== null && frame.lsn <= skip.lsn && frame.recordedTime < skip.before) return null;
    if (type === "facts.changed") return this.#wrap(frame, type, { data: factsData(frame.payload) });
    if (type === "result.published") return this.#wrap(frame, type, { data: withoutDetail(decodeJson(frame.payload)) });
    return this.#wrap(frame, type, { data: decodeJson<Record<string, unknown>>(frame.payload) });
  }

  #points(frame: Frame, skip: HandOver | null): EventItem | null {
    if (!this.#filter.types.has("points.recorded")) return null;
    const record = decodePoints(frame.payload);
    const before = skip !== null && frame.lsn <= skip.lsn ? skip.before : null;
    const columns = accepted(record.columns, record.suspect, this.#filter.accept, before);
    if (columns === null) return null;
    const whole = columns === record.columns;
    const block = whole ? frame.payload.subarray(decodePointsHeader(frame.payload).blockOffset) : null;
    return this.#wrap(frame, "points.recorded", { connectionId: record.connectionId, columns, block });
  }

  #verdict(frame: Frame, skip: HandOver | null): EventItem | null {
    if (!this.#filter.types.has("points.recorded")) return null;
    const verdict = decodeVerdict(frame.payload);
    const before = skip !== null && verdict.batchLsn <= skip.lsn ? skip.before : null;
    const kept = keptRows(verdict.columns, null, this.#filter.accept, before);
    if (kept !== null && kept.length === 0) return null;
    if (verdict.columns.rows === 0) return null;
    const columns = kept === null ? verdict.columns : selectRows(verdict.columns, kept);
    const corrected =
      kept === null ? verdict.corrected : kept.flatMap((row, i) => (verdict.corrected.includes(row) ? [i] : []));
    return this.#wrap(frame, "points.recorded", { connectionId: verdict.connectionId, columns, corrected, late: true });
  }

  #wrap(frame: Frame, type: EventType, rest: Partial<EventItem>): EventItem {
    return {
      type,
      lsn: frame.lsn,
      cursor: this.cursor,
      recordedTime: frame.recordedTime,
      connectionId: 0,
      late: false,
      corrected: [],
      columns: null,
      block: null,
      data: null,
      ...rest,
    };
  }
}

/** What a result says of itself at length is read by those who need it. */
function withoutDetail({ items, ...record }: ResultPublishedRecord): Record<string, unknown> {
  return { ...record, items: items.map(({ detail: _, evidence: __, ...item }) => item) };
}

/** Rows that are not suspect, pass the filter and are not left to history; the same object when that is all of them, null when none. */
function accepted(
  columns: Columns,
  suspect: Uint32Array | null,
  accept: ((tag: number) => boolean) | null,
  before: Micros | null,
): Columns | null {
  if (columns.rows === 0) return null;
  const kept = keptRows(columns, suspect, accept, before);
  if (kept === null) return columns;
  return kept.length === 0 ? null : selectRows(columns, kept);
}

/** Ascending indexes of the rows to deliver; null means all. */
function keptRows(
  columns: Columns,
  suspect: Uint32Array | null,
  accept: ((tag: number) => boolean) | null,
  before: Micros | null,
): number[] | null {
  if ((suspect === null || suspect.length === 0) && accept === null && before === null) return null;
  const kept: number[] = [];
  let at = 0;
  for (let i = 0; i < columns.rows; i++) {
    if (suspect !== null && suspect[at] === i) {
      at++;
      continue;
    }
    if (before !== null && columns.time[i] < before) continue;
    if (accept !== null && !accept(columns.tag[i])) continue;
    kept.push(i);
  }
  return kept.length === columns.rows ? null : kept;
}
