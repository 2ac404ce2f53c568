import { inScope, type Principal } from "@lineshaft/contract/api";

interface Place {
  tenant: number;
  path: string;
}

/** Tag ids come from our own log, dense from 1. Anything far beyond is a damaged record, not a reason to take gigabytes. */
const maxTagId = 64_000_000;

/**
 * Who may see what, in memory: where each connection and equipment stands, and what each tag hangs on. 8 bytes a tag. It is a copy of
 * the tables, changed only after the transaction that changed them.
 */
export class Directory {
  readonly #equipment = new Map<number, Place>();
  readonly #connections = new Map<number, Place>();
  /** By tag id; 0 = none. */
  #tagConnection = new Int32Array(1024);
  #tagEquipment = new Int32Array(1024);
  #lastTag = 0;
  /** While a change may still fail: how to take back what it did here, last first. */
  #undo: (() => void)[] | null = null;

  get lastTag(): number {
    return this.#lastTag;
  }

  /** Follows a change of many parts as it goes; when `work` throws, everything here is as it was before. One at a time. */
  async together<T>(work: () => Promise<T>): Promise<T> {
    this.#undo = [];
    try {
      return await work();
    } catch (error) {
      for (const undo of this.#undo.toReversed()) undo();
      throw error;
    } finally {
      this.#undo = null;
    }
  }

  setEquipment(id: number, tenant: number, path: string): void {
    this.#put(this.#equipment, id, { tenant, path });
  }

  removeEquipment(id: number): void {
    this.#put(this.#equipment, id, undefined);
  }

  setConnection(id: number, tenant: number, scope: string): void {
    this.#put(this.#connections, id, { tenant, path: scope });
  }

  #put(places: Map<number, Place>, id: number, place: Place | undefined): void {
    const before = places.get(id);
    this.#undo?.push(() => restore(places, id, before));
    restore(places, id, place);
  }

  setTag(id: number, connectionId: number, equipmentId: number | null): void {
    const equipmentBefore = this.equipmentOf(id);
    this.#undo?.push(() => {
      this.#tagEquipment[id] = equipmentBefore;
    });
    if (id >= this.#tagConnection.length) this.#grow(id);
    this.#tagConnection[id] = connectionId;
    this.#tagEquipment[id] = equipmentId ?? 0;
    if (id > this.#lastTag) this.#lastTag = id;
  }

  seesEquipment(p: Principal, id: number): boolean {
    return visible(p, this.#equipment.get(id));
  }

  seesConnection(p: Principal, id: number): boolean {
    return visible(p, this.#connections.get(id));
  }

  /** A tag is seen where its equipment stands, or, while it has none, in the scope of its connection. */
  seesTag(p: Principal, id: number): boolean {
    return visible(p, this.#placeOfTag(id));
  }

  /** The same question for many tags: looks each place up once. */
  tagFilter(p: Principal): (id: number) => boolean {
    const known = new Map<Place, boolean>();
    return (id) => {
      const place = this.#placeOfTag(id);
      if (place === undefined) return false;
      let answer = known.get(place);
      if (answer === undefined) {
        answer = visible(p, place);
        known.set(place, answer);
      }
      return answer;
    };
  }

  connectionOf(tag: number): number {
    return this.#tagConnection[tag] ?? 0;
  }

  equipmentOf(tag: number): number {
    return this.#tagEquipment[tag] ?? 0;
  }

  #placeOfTag(id: number): Place | undefined {
    const equipment = this.equipmentOf(id);
    return equipment === 0 ? this.#connections.get(this.connectionOf(id)) : this.#equipment.get(equipment);
  }

  #grow(id: number): void {
    if (id > maxTagId) throw new Error(`Tag id ${id} is beyond ${maxTagId}.`);
    const length = Math.max(2 * this.#tagConnection.length, id + 1);
    const connection = new Int32Array(length);
    connection.set(this.#tagConnection);
    this.#tagConnection = connection;
    const equipment = new Int32Array(length);
    equipment.set(this.#tagEquipment);
    this.#tagEquipment = equipment;
  }
}

function restore(places: Map<number, Place>, id: number, place: Place | undefined): void {
  if (place === undefined) places.delete(id);
  else places.set(id, place);
}

function visible(p: Principal, place: Place | undefined): boolean {
  return place !== undefined && place.tenant === p.tenant && inScope(p, place.path);
}
