import { type Columns, formatTimeUs, type Micros, ProblemError, type RowFault, valueAt } from "@lineshaft/contract/api";
import {
  type Clock,
  type ConnectionRow,
  encodeJson,
  encodePoints,
  type GapRecord,
  type Log,
  type Lsn,
  type NewRecord,
  type Offer,
  type RejectedRecord,
  recordType,
  type Sink,
  type SourceBatch,
  type TagRegisteredRecord,
} from "@lineshaft/contract/ports";
import { Classifier, type ClockBounds, defaultClockBounds, withoutRows } from "./classify.ts";
import { defaultTagQuota, type LiveConnection, noSequence, type TagDirectory } from "./directory.ts";
import { rejections } from "./rejections.ts";
import type { SumLedger } from "./sums.ts";

export interface IngestOptions {
  log: Log;
  clock: Clock;
  directory: TagDirectory;
  sums: SumLedger;
  bounds?: ClockBounds;
  /** Bounds of what may wait for its sync: rows and bytes in all connections together. */
  maxInFlight?: { rows: number; bytes: number };
  /** Points before this are not kept any more, so they are refused; null: everything is kept. */
  frozenBefore?: () => Micros | null;
  /** Tags that a connection may bring by itself when it came into being with its first batch. */
  tagQuota?: number;
  /** Resolves when new names up to this LSN are visible to readers; a batch that brings some waits for it. */
  namesVisible?: (lsn: Lsn) => Promise<void>;
  /** Keeps what a source says of its tags' units. */
  noteUnits?: (tenant: number, connectionId: number, units: ReadonlyMap<number, string>) => Promise<void>;
  /** Rate quota: seconds to wait before this many rows of the connection may come, 0 to admit them. */
  admit?: (connectionId: number, rows: number) => number;
  /** A reason to refuse everything for the moment (memory, shutdown), or null. */
  shed?: () => ProblemError | null;
  /** Crash points K0 and K1 of the fault tests. */
  crashPoint?: (name: string) => void;
}

const connectionNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const partition = 0;

/**
 * The platform's sink: names become raw tags, each row is classified (accepted, suspect or refused), and one durable
 * append carries registrations, points and rejections in that order. A verdict is given only when all of it is synced.
 */
export class Ingest implements Sink {
  readonly classifier: Classifier;
  readonly #o: IngestOptions;
  readonly #max: { rows: number; bytes: number };
  #inFlightRows = 0;
  #inFlightBytes = 0;
  #lastReceived: Micros = 0;

  constructor(options: IngestOptions) {
    this.#o = options;
    this.classifier = new Classifier(options.bounds ?? defaultClockBounds);
    this.#max = options.maxInFlight ?? { rows: 2_000_000, bytes: 128 * 1024 * 1024 };
  }

  credit(): { rows: number; bytes: number } {
    return {
      rows: Math.max(0, this.#max.rows - this.#inFlightRows),
      bytes: Math.max(0, this.#max.bytes - this.#inFlightBytes),
    };
  }

  async offer(tenant: number, batch: SourceBatch): Promise<Offer> {
    this.#o.crashPoint?.("K0");
    this.#refuseIfOverloaded();
    const offered = batch.columns.rows + batch.faults.length;
    const registration = new Registration();
    const connection = this.#connection(tenant, batch.connection, registration);
    if (batch.mode === "correct" && !connection.corrections) {
      throw new ProblemError("correction_undeclared", `Connection "${connection.name}" does not declare corrections.`);
    }
    const waitSeconds = this.#o.admit?.(connection.id, offered) ?? 0;
    if (waitSeconds > 0) {
      const detail = `Connection "${connection.name}" is beyond its rate quota.`;
      throw new ProblemError("quota_rate", detail, { retryAfterSeconds: waitSeconds });
    }
    if (this.#seenBefore(connection, batch)) return this.#resent(connection, batch, offered);

    const receivedTime = this.#receivedTime();
    const { faults, samples, columns: resolved } = this.#resolve(connection, batch, registration);
    const judgeAll = batch.mode === "correct";
    const { columns, suspect } = this.classifier.classify(resolved, receivedTime, this.#o.directory.tagBound, {
      ordinalsGiven: batch.ordinalsGiven,
      judgeAll,
    });
    this.#o.crashPoint?.("K1");

    const records: NewRecord[] = [];
    const add = (type: NewRecord["type"], payload: Uint8Array): void =>
      void records.push({ tenant, partition, type, payload });
    if (registration.record !== null) add(recordType.tagRegistered, encodeJson(registration.record));
    if (columns.rows > 0) {
      const { mode, sourceCursor, generation } = batch;
      const sequence = batch.sequence ?? noSequence;
      add(
        recordType.points,
        encodePoints({
          connectionId: connection.id,
          generation,
          sequence,
          mode,
          receivedTime,
          sourceCursor,
          suspect,
          columns,
        }),
      );
    }
    for (const rejection of rejections(connection, faults, samples)) add(recordType.rejected, encodeJson(rejection));
    if (batch.sequence !== null) connection.recent.add(batch.sequence);
    const lsn = await this.#append(connection, records, offered).catch((error: unknown) => {
      // Nothing was stored, so the same batch must be taken when it comes again.
      connection.recent.clear();
      throw error;
    });

    connection.lastBatchUs = receivedTime;
    connection.rate.add(this.#o.clock.monotonicMs(), offered);
    return {
      kind: "durable",
      lsn,
      offered,
      accepted: columns.rows - suspect.length,
      suspect: suspect.length,
      duplicates: 0,
      rejected: faults.length,
      faults: faults.slice(0, 100),
    };
  }

  async reject(tenant: number, item: Parameters<Sink["reject"]>[1]): Promise<Lsn> {
    this.#refuseIfOverloaded();
    const connection = item.connection === null ? undefined : this.#o.directory.connection(tenant, item.connection);
    const record: RejectedRecord = {
      connectionId: connection?.id ?? null,
      connection: item.connection,
      code: item.code,
      detail: item.detail,
      points: item.points,
      sample: [],
      payload: item.payload === null ? null : Buffer.from(item.payload.subarray(0, 65_536)).toString("base64"),
      payloadBytes: item.payload?.length ?? 0,
    };
    return this.#append(
      connection,
      [{ tenant, partition, type: recordType.rejected, payload: encodeJson(record) }],
      item.points,
    );
  }

  async gap(tenant: number, gap: Parameters<Sink["gap"]>[1]): Promise<Lsn> {
    const connection = gap.connection === null ? undefined : this.#o.directory.connection(tenant, gap.connection);
    const record: GapRecord = { ...gap, connectionId: connection?.id ?? null };
    return this.#append(connection, [{ tenant, partition, type: recordType.gap, payload: encodeJson(record) }], 0);
  }

  async units(tenant: number, name: string, units: ReadonlyMap<string, string>): Promise<void> {
    const connection = this.#o.directory.connection(tenant, name);
    if (connection === undefined) return;
    const byId = new Map<number, string>();
    for (const [address, unit] of units) {
      const id = connection.tags.get(address);
      if (id !== undefined) byId.set(id, unit);
    }
    // The names stand in the log by then, and so will in the registry.
    await connection.lastAppend.durable;
    await this.#o.namesVisible?.(connection.lastAppend.lsn);
    if (byId.size > 0) await this.#o.noteUnits?.(tenant, connection.id, byId);
  }

  /** Raw tag ids for addresses; new ones are durable when this resolves. */
  async register(
    tenant: number,
    name: string,
    addresses: readonly string[],
  ): Promise<{ ids: (number | null)[]; faults: { index: number; code: string; detail: string }[]; lsn: Lsn }> {
    this.#refuseIfOverloaded();
    const registration = new Registration();
    const connection = this.#connection(tenant, name, registration);
    const resolution = this.#o.directory.resolve(connection, addresses);
    registration.addTags(connection, resolution.newIds, resolution.newAddresses);
    const records: NewRecord[] =
      registration.record === null
        ? []
        : [{ tenant, partition, type: recordType.tagRegistered, payload: encodeJson(registration.record) }];
    // Also without new names: another request may have brought them a moment ago, and its sync is still under way.
    const lsn = await this.#append(connection, records, 0);
    return {
      ids: Array.from(resolution.ids, (id) => (id === 0 ? null : id)),
      faults: [...resolution.faults].slice(0, 100).map(([index, fault]) => ({ index, ...fault })),
      lsn,
    };
  }

  #refuseIfOverloaded(): void {
    const shed = this.#o.shed?.() ?? null;
    if (shed !== null) throw shed;
    if (this.#inFlightRows >= this.#max.rows || this.#inFlightBytes >= this.#max.bytes) {
      throw new ProblemError("overloaded", `${this.#inFlightRows} rows wait for the disk already.`, {
        retryAfterSeconds: 1,
      });
    }
  }

  #connection(tenant: number, name: string, registration: Registration): LiveConnection {
    const known = this.#o.directory.connection(tenant, name);
    if (known !== undefined) return known;
    if (!connectionNamePattern.test(name)) {
      throw new ProblemError(
        "name_invalid",
        `"${name.slice(0, 80)}" cannot name a connection: letters, digits, '.', '_' and '-' only, at most 128.`,
      );
    }
    const row: Omit<ConnectionRow, "id"> = {
      name,
      kind: "http",
      scope: "",
      corrections: false,
      tagQuota: this.#o.tagQuota ?? defaultTagQuota,
      revision: 0,
    };
    const connection = this.#o.directory.addConnection(tenant, row);
    registration.addConnection(connection);
    return connection;
  }

  /** Names or ids to known raw tag ids; rows that have none become faults. */
  #resolve(connection: LiveConnection, batch: SourceBatch, registration: Registration) {
    let columns = batch.columns;
    const faults: RowFault[] = [...batch.faults];
    const samples = [...batch.faultSamples];
    const bad: number[] = [];
    const sent = sentRows(batch);
    const refuse = (row: number, code: string, detail: string, tag: string): void => {
      bad.push(row);
      faults.push({ row: sent(row), code, detail });
      samples.push({ tag: tag.slice(0, 200), time: finite(columns.time[row]), value: valueAt(columns, row) });
    };
    if (batch.names === null) {
      for (let i = 0; i < columns.rows; i++) {
        if (this.#o.directory.connectionOfTag(columns.tag[i]) !== connection.id) {
          refuse(
            i,
            "tag_unknown",
            `Connection "${connection.name}" has no raw tag ${columns.tag[i]}.`,
            String(columns.tag[i]),
          );
        }
      }
    } else {
      const { names, namesKept = false } = batch;
      const { directory } = this.#o;
      const resolution = namesKept
        ? directory.resolveKept(connection, names, columns.tag)
        : directory.resolve(connection, names);
      const { ids } = resolution;
      registration.addTags(connection, resolution.newIds, resolution.newAddresses);
      const tag = new Int32Array(columns.rows);
      for (let i = 0; i < columns.rows; i++) tag[i] = ids[columns.tag[i]];
      if (resolution.faults.size > 0) {
        for (let i = 0; i < columns.rows; i++) {
          const fault = tag[i] === 0 ? resolution.faults.get(columns.tag[i]) : undefined;
          if (fault !== undefined) refuse(i, fault.code, fault.detail, names[columns.tag[i]]);
        }
      }
      columns = { ...columns, tag };
    }
    this.#refuseFrozen(columns, (row, detail) => {
      if (!bad.includes(row))
        refuse(row, "period_frozen", detail, String(batch.names?.[batch.columns.tag[row]] ?? columns.tag[row]));
    });
    if (bad.length > 0) columns = withoutRows(columns, bad);
    return { columns, faults, samples };
  }

  /** What retention has removed cannot be changed any more. Times beyond the clock bounds are no times of points. */
  #refuseFrozen({ rows, time }: Columns, refuse: (row: number, detail: string) => void): void {
    const before = this.#o.frozenBefore?.() ?? null;
    if (before === null) return;
    const { earliestUs } = this.#o.bounds ?? defaultClockBounds;
    for (let i = 0; i < rows; i++)
      if (time[i] < before && time[i] >= earliestUs) refuse(i, `Points before ${formatTimeUs(before)} are not kept.`);
  }

  #seenBefore(connection: LiveConnection, batch: SourceBatch): boolean {
    if (batch.sequence === null) return false;
    if (connection.generation !== batch.generation) {
      connection.generation = batch.generation;
      connection.recent.clear();
    }
    return connection.recent.has(batch.sequence);
  }

  /** The first copy of the batch is in the log or on its way: wait until everything appended so far is durable. */
  async #resent(connection: LiveConnection, batch: SourceBatch, offered: number): Promise<Offer> {
    await connection.lastAppend.durable;
    const { lsn } = connection.lastAppend;
    this.#o.sums.resent(connection.id, offered);
    return {
      kind: "durable",
      lsn,
      offered,
      accepted: 0,
      suspect: 0,
      duplicates: offered,
      rejected: 0,
      faults: batch.faults.slice(0, 0),
    };
  }

  /** Appends all records in order and waits for the last sync; gives the LSN of the first that is not a registration. */
  async #append(connection: LiveConnection | undefined, records: NewRecord[], rows: number): Promise<Lsn> {
    if (connection !== undefined && connection.unlogged.length > 0) records.unshift(...connection.unlogged.splice(0));
    if (records.length === 0) {
      await connection?.lastAppend.durable;
      return connection?.lastAppend.lsn ?? this.#o.log.status.durableLsn;
    }
    let bytes = 0;
    for (const record of records) bytes += record.payload.length;
    this.#inFlightRows += rows;
    this.#inFlightBytes += bytes;
    try {
      const appended = records.map((record) => this.#o.log.append(record));
      const first = records.findIndex((record) => record.type !== recordType.tagRegistered);
      const { lsn } = appended[first === -1 ? 0 : first];
      // All are observed, so that a failing sync is one rejection and no unhandled ones.
      const durable =
        appended.length === 1 ? appended[0].durable : Promise.all(appended.map((a) => a.durable)).then(() => undefined);
      if (connection !== undefined) connection.lastAppend = { lsn, durable };
      await durable;
      if (first !== 0) await this.#o.namesVisible?.(appended[0].lsn);
      return lsn;
    } catch (error) {
      // The names keep the ids that were given; their registration goes ahead of whatever is appended next.
      connection?.unlogged.push(...records.filter((record) => record.type === recordType.tagRegistered));
      throw error;
    } finally {
      this.#inFlightRows -= rows;
      this.#inFlightBytes -= bytes;
    }
  }

  /** Strictly rising, so that two bare values never share an instant by our doing. */
  #receivedTime(): Micros {
    this.#lastReceived = Math.max(this.#o.clock.nowUs(), this.#lastReceived + 1);
    return this.#lastReceived;
  }
}

/** What must stand in the log before the points that use it: a new connection, new tags. */
class Registration {
  record: TagRegisteredRecord | null = null;

  addConnection(connection: LiveConnection): void {
    this.record = { ...identity(connection), newConnection: true, ids: [], addresses: [] };
  }

  addTags(connection: LiveConnection, ids: number[], addresses: string[]): void {
    if (ids.length === 0) return;
    this.record = { ...(this.record ?? { ...identity(connection), newConnection: false }), ids, addresses };
  }
}

function identity({ id, name, kind, scope }: LiveConnection) {
  return { connectionId: id, connection: name, kind, scope };
}

/** From a row of the columns to its place in the batch as it was sent, where the border has left rows out. */
function sentRows(batch: SourceBatch): (row: number) => number {
  if (batch.faults.length === 0) return (row) => row;
  const leftOut = new Set(batch.faults.map((fault) => fault.row));
  const places: number[] = [];
  for (let place = 0; places.length < batch.columns.rows; place++) if (!leftOut.has(place)) places.push(place);
  return (row) => places[row];
}

function finite(time: number): Micros | null {
  return Number.isFinite(time) ? time : null;
}
