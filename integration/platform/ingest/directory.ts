import { type Micros, nameFault } from "@lineshaft/contract/api";
import type { ConnectionRow, Lsn, NewRecord, TagRegisteredRecord } from "@lineshaft/contract/ports";

/** In a points record: the source has no sequence. */
export const noSequence = 0xffffffff;

/** Default number of tags one connection may bring by itself. */
export const defaultTagQuota = 200_000;

/** What is known of one connection while it runs: its names, its position, its recent rate. */
export interface LiveConnection extends ConnectionRow {
  tenant: number;
  /** address → raw tag id. */
  tags: Map<string, number>;
  /** Sequences seen of the current generation, to recognise a batch sent twice. */
  generation: number | null;
  recent: SequenceWindow;
  /** What of this source is durable, as told back to it. */
  durable: { generation: number; sequence: number | null; sourceCursor: string | null } | null;
  lastBatchUs: Micros | null;
  rate: RateMeter;
  /** The newest append of this connection: durable once its promise resolves. */
  lastAppend: { lsn: Lsn; durable: Promise<void> };
  /** Registrations whose append failed; they go ahead of the next one. */
  unlogged: NewRecord[];
  /** Ids of the list of names that the source keeps; 0 where refused or not asked for yet. */
  kept: { names: readonly string[]; ids: number[] };
}

/** Which of the last 1,024 sequence numbers were seen. Older ones are unknown: rows are then judged one by one. */
export class SequenceWindow {
  static readonly size = 1024;
  #seen = new Int32Array(SequenceWindow.size).fill(-1);

  has(sequence: number): boolean {
    return this.#seen[sequence % SequenceWindow.size] === sequence;
  }

  add(sequence: number): void {
    const at = sequence % SequenceWindow.size;
    if (sequence > this.#seen[at]) this.#seen[at] = sequence;
  }

  clear(): void {
    this.#seen.fill(-1);
  }
}

/** Points a second over the last ten seconds, in one-second slots. */
export class RateMeter {
  #slots = new Float64Array(10);
  #second = 0;

  add(nowMs: number, points: number): void {
    this.#roll(nowMs);
    this.#slots[this.#second % 10] += points;
  }

  perSecond(nowMs: number): number {
    this.#roll(nowMs);
    let sum = 0;
    // The running second is incomplete, so it does not count.
    for (let i = 1; i < 10; i++) sum += this.#slots[(this.#second + i) % 10];
    return sum / 9;
  }

  #roll(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const steps = Math.min(10, second - this.#second);
    for (let i = 1; i <= steps; i++) this.#slots[(second - steps + i) % 10] = 0;
    this.#second = second;
  }
}

export interface Resolution {
  /** id by index of the names; 0 where refused. */
  ids: ArrayLike<number>;
  faults: Map<number, { code: "name_invalid" | "quota_tags"; detail: string }>;
  /** Names that are new here, with the ids they were given. */
  newIds: number[];
  newAddresses: string[];
}

const nothingNew: Omit<Resolution, "ids"> = { faults: new Map(), newIds: [], newAddresses: [] };

/**
 * The directory of connections and raw tags on the hot path: names to stable ids. A view of the registry; new names
 * get their id here and are durable with the batch that brought them.
 */
export class TagDirectory {
  #byName = new Map<string, LiveConnection>();
  #byId = new Map<number, LiveConnection>();
  #connectionOfTag = new Int32Array(1024);
  #nextTag = 1;
  #nextConnection = 1;

  get tagCount(): number {
    return this.#nextTag - 1;
  }

  /** One more than the greatest raw tag id. */
  get tagBound(): number {
    return this.#nextTag;
  }

  get connections(): IterableIterator<LiveConnection> {
    return this.#byId.values();
  }

  connection(tenant: number, name: string): LiveConnection | undefined {
    return this.#byName.get(`${tenant}/${name}`);
  }

  connectionById(id: number): LiveConnection | undefined {
    return this.#byId.get(id);
  }

  /** Id of the connection that a raw tag belongs to; 0 for an unknown tag. */
  connectionOfTag(tag: number): number {
    return tag > 0 && tag < this.#nextTag ? this.#connectionOfTag[tag] : 0;
  }

  nextConnectionId(): number {
    return this.#nextConnection++;
  }

  addConnection(tenant: number, row: Omit<ConnectionRow, "id"> & { id?: number }): LiveConnection {
    const id = row.id ?? this.nextConnectionId();
    this.#nextConnection = Math.max(this.#nextConnection, id + 1);
    const live: LiveConnection = {
      ...row,
      id,
      tenant,
      tags: new Map(),
      generation: null,
      recent: new SequenceWindow(),
      durable: null,
      lastBatchUs: null,
      rate: new RateMeter(),
      lastAppend: { lsn: 0, durable: Promise.resolve() },
      unlogged: [],
      kept: { names: [], ids: [] },
    };
    this.#byName.set(`${tenant}/${row.name}`, live);
    this.#byId.set(id, live);
    return live;
  }

  /** What people changed of a connection: its scope, its quota. */
  updateConnection(tenant: number, row: ConnectionRow): void {
    const connection = this.#byId.get(row.id);
    if (connection === undefined || connection.tenant !== tenant) return;
    const { scope, corrections, tagQuota, revision } = row;
    Object.assign(connection, { scope, corrections, tagQuota, revision });
  }

  /** What a registration in the log says, where the registry does not know it yet. */
  addRegistered(tenant: number, record: TagRegisteredRecord): void {
    const { connectionId: id, connection: name, kind, scope, ids, addresses } = record;
    const bare = { id, name, kind, scope, corrections: false, tagQuota: defaultTagQuota, revision: 0 };
    const connection = this.#byId.get(id) ?? this.addConnection(tenant, bare);
    for (let i = 0; i < ids.length; i++) this.addTag(connection, ids[i], addresses[i]);
  }

  /** A tag that exists already (from the registry or the log). */
  addTag(connection: LiveConnection, id: number, address: string): void {
    connection.tags.set(address, id);
    this.#setConnection(id, connection.id);
    this.#nextTag = Math.max(this.#nextTag, id + 1);
  }

  /** Ids below `bound` are taken, even if nothing else is known of them. */
  reserveTags(bound: number): void {
    this.#nextTag = Math.max(this.#nextTag, bound);
  }

  /** A batch of the connection is durable. `restart`: it is read back at start-up, so its sequence counts as seen. */
  batchDurable(
    record: {
      connectionId: number;
      generation: number;
      sequence: number;
      sourceCursor: string | null;
      receivedTime: Micros;
    },
    restart: boolean,
  ): void {
    const connection = this.#byId.get(record.connectionId);
    if (connection === undefined) return;
    const sequence = record.sequence === noSequence ? null : record.sequence;
    const sourceCursor = record.sourceCursor ?? connection.durable?.sourceCursor ?? null;
    connection.durable = { generation: record.generation, sequence, sourceCursor };
    connection.lastBatchUs = record.receivedTime;
    if (!restart || sequence === null) return;
    if (connection.generation !== record.generation) connection.recent.clear();
    connection.generation = record.generation;
    connection.recent.add(sequence);
  }

  /** Names to ids; unknown ones get an id at once, within the connection's quota. */
  resolve(connection: LiveConnection, names: readonly string[]): Resolution {
    const ids = new Int32Array(names.length);
    const resolution: Resolution = {
      ids,
      faults: new Map(),
      newIds: [],
      newAddresses: [],
    };
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const known = connection.tags.get(name);
      if (known !== undefined) {
        ids[i] = known;
        continue;
      }
      const fault = nameFault(name, "allowed");
      if (fault !== null) {
        resolution.faults.set(i, { code: "name_invalid", detail: `The tag name cannot be used: ${fault}` });
      } else if (connection.tags.size >= connection.tagQuota) {
        const detail = `Connection "${connection.name}" has its ${connection.tagQuota} tags; "${name.slice(0, 80)}" would be one more.`;
        resolution.faults.set(i, { code: "quota_tags", detail });
      } else {
        const id = this.#nextTag++;
        connection.tags.set(name, id);
        this.#setConnection(id, connection.id);
        ids[i] = id;
        resolution.newIds.push(id);
        resolution.newAddresses.push(name);
      }
    }
    return resolution;
  }

  /** The same for a list of names that the source keeps: a name that has its id is not looked up again. `rows` index the list. */
  resolveKept(connection: LiveConnection, names: readonly string[], rows: Int32Array): Resolution {
    if (connection.kept.names !== names) connection.kept = { names, ids: [] };
    const { ids } = connection.kept;
    const asked: number[] = [];
    for (let i = ids.length; i < names.length; i++) ids.push(0);
    for (let i = 0; i < rows.length; i++) {
      if (ids[rows[i]] !== 0) continue;
      // Marked, so that it is asked for once.
      ids[rows[i]] = -1;
      asked.push(rows[i]);
    }
    if (asked.length === 0) return { ...nothingNew, ids };
    const found = this.resolve(
      connection,
      asked.map((index) => names[index]),
    );
    for (let k = 0; k < asked.length; k++) ids[asked[k]] = found.ids[k];
    const faults: Resolution["faults"] = new Map();
    for (const [k, fault] of found.faults) faults.set(asked[k], fault);
    return { ...found, ids, faults };
  }

  #setConnection(tag: number, connection: number): void {
    if (tag >= this.#connectionOfTag.length) {
      const grown = new Int32Array(Math.max(tag + 1, this.#connectionOfTag.length * 2));
      grown.set(this.#connectionOfTag);
      this.#connectionOfTag = grown;
    }
    this.#connectionOfTag[tag] = connection;
  }
}
