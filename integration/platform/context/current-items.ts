import { dayUs, type MasterDataItem, type MasterDataKind, type Micros, type Recorded } from "@lineshaft/contract/api";

/** An item as it is now, with when and where it holds. */
export interface CurrentItem<K extends MasterDataKind = MasterDataKind> {
  /** Many readers share it, so nobody can change it. */
  recorded: Recorded<MasterDataItem<K>>;
  fromUs: Micros | null;
  toUs: Micros | null;
  places: readonly number[];
}

/** What is asked for: one item of a kind, those at an equipment, or all. */
export interface Asked {
  tenant: number;
  kind: MasterDataKind;
  id?: string | undefined;
  equipmentId?: number | undefined;
  /** They end behind this. */
  fromUs?: Micros | undefined;
}

/** A row without what the item says: that is read where it is not known yet. */
export interface Head {
  id: string;
  revision: number;
  changedUs: number;
  fromUs: Micros | null;
  toUs: Micros | null;
}

/** Where they stand. */
export interface ItemRows {
  /** By id; at most `limit`. */
  heads(asked: Asked, limit: number): Head[];
  read(asked: Asked, head: Head): { item: MasterDataItem<MasterDataKind>; places: readonly number[]; bytes: number };
}

interface Entry {
  /** All that end behind this are in it. */
  sinceUs: Micros;
  /** null: they are too many. */
  items: readonly CurrentItem[] | null;
}

/** Before any time that is told. */
const ever: Micros = Number.MIN_SAFE_INTEGER;
/** More than these of one place are looked up each time. */
const itemsMost = 1000;
const entriesMost = 50_000;
/** Text of items that is kept as what it says. */
const bytesMost = 8 * 1024 * 1024;
/** Whoever asks of a time soon asks of one a little earlier. */
const slackUs = dayUs;

/**
 * What is current of master data in memory, as far as somebody asks for it: a report or a shift's results ask for the same orders, cycles and reasons machine by machine.
 * With any change of a kind all of that kind is forgotten, and read again when it is asked for.
 */
export class CurrentItems {
  readonly #rows: ItemRows;
  readonly #entries = new Map<MasterDataKind, Map<string, Entry>>();
  #count = 0;
  /** Each item once, however many places it names. */
  readonly #items = new Map<string, CurrentItem>();
  #bytes = 0;

  constructor(rows: ItemRows) {
    this.#rows = rows;
  }

  /** By id, at least those that are asked for. null: look them up. `keep`: what is read now may be kept. */
  of(asked: Asked, keep: boolean): readonly CurrentItem[] | null {
    const { tenant, kind, id, equipmentId, fromUs = ever } = asked;
    const key = `${tenant} ${equipmentId ?? ""} ${id ?? ""}`;
    const known = this.#entries.get(kind)?.get(key);
    if (known !== undefined && known.sinceUs <= fromUs && known.items !== null) return known.items;
    const sinceUs = fromUs - slackUs;
    if (!keep || (known?.items === null && sinceUs <= known.sinceUs)) return null;
    const entry = { sinceUs, items: this.#read({ ...asked, fromUs: sinceUs }) };
    if (this.#count >= entriesMost) this.#forgetEntries();
    const own = this.#entries.get(kind) ?? new Map<string, Entry>();
    this.#entries.set(kind, own);
    if (!own.has(key)) this.#count++;
    own.set(key, entry);
    return entry.items;
  }

  forget(kind: MasterDataKind): void {
    this.#count -= this.#entries.get(kind)?.size ?? 0;
    this.#entries.delete(kind);
  }

  #read(asked: Asked): readonly CurrentItem[] | null {
    const heads = this.#rows.heads(asked, itemsMost + 1);
    return heads.length > itemsMost ? null : heads.map((head) => this.#item(asked, head));
  }

  #item(asked: Asked, head: Head): CurrentItem {
    const key = `${asked.tenant} ${asked.kind} ${head.id}`;
    const known = this.#items.get(key);
    const { id, revision, changedUs, fromUs, toUs } = head;
    if (known?.recorded.revision === revision) return known;
    const { item, places, bytes } = this.#rows.read(asked, head);
    this.#bytes += bytes;
    if (this.#bytes > bytesMost) {
      // Entries hold items too.
      this.#forgetEntries();
      this.#items.clear();
      this.#bytes = bytes;
    }
    const current = { recorded: frozen({ id, revision, changedUs, item }), fromUs, toUs, places };
    this.#items.set(key, current);
    return current;
  }

  #forgetEntries(): void {
    this.#entries.clear();
    this.#count = 0;
  }
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const part of Object.values(Object.freeze(value))) frozen(part);
  return value;
}
