import type { BookingCause, BookingIntent, Micros, NewBooking, Problem } from "@lineshaft/contract/api";

/**
 * What was entered at this terminal, kept in the browser until the server has it, and a while longer. An entry has its id and its own time from the moment somebody pressed the
 * key; so it may be sent late and twice, and means the same.
 */
export interface Entry extends NewBooking {
  equipmentId: number;
  /** waiting: to be sent · booked: the server has it · refused: the server does not take it, and says why · aside: refused, and somebody has seen it. */
  state: "waiting" | "booked" | "refused" | "aside";
  /** Was it sent before? Then the server may have it, whatever the answer was. */
  sent: boolean;
  /** Somebody has taken it back: the server is told, after the entry itself. */
  withdrawn: boolean;
  /** Of the booking at the server, where it has it. */
  revision: number | null;
  cause: BookingCause | null;
  problem: Pick<Problem, "code" | "detail"> | null;
  /** When the server's answer came, by the terminal's clock. */
  answeredMs: number | null;
}

/** The part of `Storage` that entries need; each entry under a key of its own, so that two windows do not overwrite each other. */
export type EntryStore = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

export interface EntryParts {
  store: EntryStore;
  /** The plant's time. */
  nowUs(): Micros;
  /** The terminal's own clock. */
  nowMs(): number;
  newId(): string;
}

const prefix = "lineshaft.terminal.entry.";
/** So many are kept in all; of those the server has, only the last. */
export const mostEntries = 500;
const mostBooked = 40;

export class StoreFullError extends Error {
  override name = "StoreFullError";
}

export class Entries {
  readonly #parts: EntryParts;
  readonly #listeners = new Set<() => void>();
  #all: readonly Entry[];
  #lastUs = 0;

  constructor(parts: EntryParts) {
    this.#parts = parts;
    this.#all = this.#read();
    this.#lastUs = Math.max(0, ...this.#all.map(({ atUs }) => atUs));
  }

  /** In the order of their times. The list is another one after each change. */
  get all(): readonly Entry[] {
    return this.#all;
  }

  get waiting(): readonly Entry[] {
    return this.#all.filter(({ state, withdrawn }) => state === "waiting" || (state === "booked" && withdrawn));
  }

  observe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps an entry; it survives a restart of the terminal from here on. Throws StoreFullError. */
  add(equipmentId: number, intent: BookingIntent, by?: string): Entry {
    if (this.#all.length >= mostEntries) throw new StoreFullError(`${mostEntries} entries are kept already.`);
    const entry: Entry = {
      id: this.#parts.newId(),
      // Two entries of one terminal are never of one instant, so their order is that of the keys pressed.
      atUs: Math.max(this.#parts.nowUs(), this.#lastUs + 1),
      ...(by === undefined ? {} : { by }),
      intent,
      equipmentId,
      state: "waiting",
      sent: false,
      withdrawn: false,
      revision: null,
      cause: null,
      problem: null,
      answeredMs: null,
    };
    this.#lastUs = entry.atUs;
    this.#keep(entry);
    return entry;
  }

  change(id: string, change: Partial<Entry>): void {
    const entry = this.#all.find((each) => each.id === id);
    if (entry !== undefined) this.#keep({ ...entry, ...change });
  }

  /** It never was: at once where the server cannot know of it, else when the server has been told. */
  withdraw(id: string): void {
    const entry = this.#all.find((each) => each.id === id);
    if (entry === undefined) return;
    if (entry.state === "booked" || (entry.state === "waiting" && entry.sent)) this.change(id, { withdrawn: true });
    else if (entry.state === "waiting") this.forget(id);
  }

  forget(id: string): void {
    this.#parts.store.removeItem(prefix + id);
    this.#changed();
  }

  #keep(entry: Entry): void {
    try {
      this.#parts.store.setItem(prefix + entry.id, JSON.stringify(entry));
    } catch (cause) {
      throw new StoreFullError("The browser keeps nothing more.", { cause });
    }
    this.#changed();
    const booked = this.#all.filter(({ state, withdrawn }) => state === "booked" && !withdrawn);
    for (const { id } of booked.slice(0, -mostBooked)) this.#parts.store.removeItem(prefix + id);
    if (booked.length > mostBooked) this.#changed();
  }

  /** Also for what another window has changed. */
  reread(): void {
    this.#changed();
  }

  #changed(): void {
    this.#all = this.#read();
    for (const listener of this.#listeners) listener();
  }

  #read(): Entry[] {
    const { store } = this.#parts;
    const entries: Entry[] = [];
    for (let i = 0; i < store.length; i++) {
      const key = store.key(i);
      const entry = key?.startsWith(prefix) ? parsed(store.getItem(key)) : null;
      if (entry !== null) entries.push(entry);
    }
    return entries.sort((a, b) => a.atUs - b.atUs || (a.id < b.id ? -1 : 1));
  }
}

/** What no one can read (half written when the power went) stays where it is and holds nothing up. */
function parsed(text: string | null): Entry | null {
  try {
    return text === null ? null : (JSON.parse(text) as Entry);
  } catch {
    return null;
  }
}

/** 128 bits of chance as text. `crypto.randomUUID` is not there on plain http. */
export function newEntryId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
