// Hot path: `accept` runs for each row of each stream that is filtered.
import {
  type EventType,
  type FactRecordedData,
  type FactsChangedData,
  inScope,
  may,
  type Principal,
  type StreamRequest,
  selectRows,
} from "@lineshaft/contract/api";
import type { Clock, EventItem, Registry } from "@lineshaft/contract/ports";
import { factsWithin } from "./facts-filter.ts";

const unknown = 0;
const yes = 1;
const no = 2;
type Verdict = typeof unknown | typeof yes | typeof no;

/** History reads a list of tags only up to this length; longer ones are filtered row by row. */
const listedTagsMax = 10_000;
/** How long a point of a tag that the registry does not know yet is held back. The registry follows the log within a second. */
const settleMs = 2_000;

/** Which connection each tag belongs to, for all streams together. */
export class TagDirectory {
  readonly #registry: Registry;
  readonly #clock: Clock;
  #connectionOf = new Int32Array(1024);
  #connections = new Map<number, { name: string; scope: string }>();
  #highest = 0;
  #loadedAt = -Infinity;

  constructor(registry: Registry, clock: Clock) {
    this.#registry = registry;
    this.#clock = clock;
  }

  /** Reads the registry again, at most once a second. */
  refresh(): void {
    const now = this.#clock.monotonicMs();
    if (now - this.#loadedAt < 1000) return;
    this.#loadedAt = now;
    for (const { id, connectionId } of this.#registry.allTags()) {
      if (id >= this.#connectionOf.length) {
        const larger = new Int32Array(Math.max(id + 1, this.#connectionOf.length * 2));
        larger.set(this.#connectionOf);
        this.#connectionOf = larger;
      }
      this.#connectionOf[id] = connectionId;
      this.#highest = Math.max(this.#highest, id);
    }
    this.#connections = new Map(this.#registry.allConnections().map(({ id, name, scope }) => [id, { name, scope }]));
  }

  /** 0: not known here. */
  connectionOf(tag: number): number {
    return this.#connectionOf[tag] ?? 0;
  }

  connection(id: number): { name: string; scope: string } | undefined {
    if (!this.#connections.has(id)) {
      const row = this.#registry.allConnections().find((c) => c.id === id);
      if (row !== undefined) this.#connections.set(id, row);
    }
    return this.#connections.get(id);
  }

  knownTags(): number[] {
    const tags: number[] = [];
    for (let tag = 1; tag <= this.#highest; tag++) if (this.#connectionOf[tag] !== 0) tags.push(tag);
    return tags;
  }
}

/**
 * What one stream may and wants to see: the request's filters together with the principal's scope. Verdicts are kept by tag and thrown
 * away when the registry changes. A tag too new for the registry is let through `accept` and judged in `admit`, so that
 * the first points of a new tag reach a reader who may see them.
 */
export class Visibility {
  readonly #registry: Registry;
  readonly #directory: TagDirectory;
  readonly #clock: Clock;
  readonly #principal: Principal;
  readonly #types: ReadonlySet<EventType>;
  readonly #tags: ReadonlySet<number> | null;
  readonly #connections: ReadonlySet<string> | null;
  readonly #equipment: string | null;
  readonly #restricted: boolean;
  /** Does every point pass? Then no row is looked at. */
  readonly open: boolean;
  #verdicts = new Uint8Array(1024);
  #under: ReadonlySet<number> = new Set();
  readonly #equipmentSeen = new Map<number, boolean>();
  /** The path asked for, as it is called now. */
  #top: string | null = null;
  #revision = -1;
  #undecided = false;

  constructor(
    parts: { registry: Registry; directory: TagDirectory; clock: Clock },
    principal: Principal,
    request: StreamRequest,
    types: ReadonlySet<EventType>,
  ) {
    this.#registry = parts.registry;
    this.#directory = parts.directory;
    this.#clock = parts.clock;
    this.#principal = principal;
    this.#types = types;
    this.#tags = request.tags === undefined ? null : new Set(request.tags);
    this.#connections = request.connections === undefined ? null : new Set(request.connections);
    this.#equipment = request.equipment ?? null;
    this.#restricted = !principal.scopes.includes("");
    this.open = this.#tags === null && this.#connections === null && this.#equipment === null && !this.#restricted;
    if (!this.open) this.#directory.refresh();
  }

  /** The tags that pass, where that is known and the list is short enough to be of use. */
  listTags(): number[] | null {
    if (this.open) return null;
    this.#followRegistry();
    const candidates = this.#tags === null ? this.#directory.knownTags() : [...this.#tags].sort((a, b) => a - b);
    const readable = this.#restricted ? this.#registry.readableTags(this.#principal, candidates) : candidates;
    const listed = readable.filter((tag) => this.accept(tag));
    return listed.length <= listedTagsMax ? listed : null;
  }

  /** May points of this tag pass? For each row; true also where only `admit` can tell. */
  readonly accept = (tag: number): boolean => {
    if (this.#revision !== this.#registry.revision) this.#followRegistry();
    let verdict = this.#verdicts[tag] as Verdict | undefined;
    if (!verdict) {
      verdict = this.#judge(tag, 0);
      if (verdict === unknown) this.#undecided = true;
      else this.#remember(tag, verdict);
    }
    return verdict !== no;
  };

  /** The item as this reader may see it, or null. */
  async admit(item: EventItem): Promise<EventItem | null> {
    if (item.type === "facts.changed") return this.#types.has(item.type) ? this.#factsOf(item) : null;
    if (item.type === "fact.recorded") return this.#types.has(item.type) ? this.#visibleRecords(item) : null;
    if (item.type === "result.published") return this.#types.has(item.type) ? this.#visibleResults(item) : null;
    if (item.columns === null) return this.#types.has(item.type) && this.#sees(item) ? item : null;
    if (this.open) return item;
    if (this.#undecided) await this.#settle(item);
    const { columns } = item;
    const kept: number[] = [];
    for (let row = 0; row < columns.rows; row++) if (this.#verdicts[columns.tag[row]] !== no) kept.push(row);
    if (kept.length === columns.rows) return item;
    if (kept.length === 0) return null;
    const corrected = kept.flatMap((row, i) => (item.corrected.includes(row) ? [i] : []));
    return { ...item, columns: selectRows(columns, kept), block: null, corrected };
  }

  /** Results of equipment in scope, and at or below the path that was asked for. */
  #visibleResults(item: EventItem): EventItem | null {
    if (this.#connections !== null) return null;
    const all = (item.data?.items ?? []) as { path: string }[];
    const below = this.#equipment;
    const items = all.filter(
      ({ path }) =>
        inScope(this.#principal, path) &&
        (below === null || below === "" || path === below || path.startsWith(`${below}/`)),
    );
    if (items.length === all.length) return item;
    return items.length === 0 ? null : { ...item, data: { ...item.data, items } };
  }

  /** Facts that systems have recorded of equipment that is asked for and may be seen. */
  #visibleRecords(item: EventItem): EventItem | null {
    if (this.#connections !== null) return null;
    if (this.#equipment === null && !this.#restricted) return item;
    if (this.#revision !== this.#registry.revision) this.#followRegistry();
    const all = (item.data?.items ?? []) as FactRecordedData["items"];
    const items = all.filter(({ equipmentId }) => this.#seesEquipment(equipmentId));
    if (items.length === all.length) return item;
    return items.length === 0 ? null : { ...item, data: { ...item.data, items } };
  }

  #judge(tag: number, connectionId: number): Verdict {
    if (this.#tags !== null && !this.#tags.has(tag)) return no;
    if (this.#equipment !== null && !this.#under.has(tag)) return no;
    const known = this.#directory.connectionOf(tag);
    if (this.#connections !== null) {
      const name = this.#directory.connection(connectionId || known)?.name;
      if (name === undefined) return unknown;
      if (!this.#connections.has(name)) return no;
    }
    if (this.#restricted && this.#registry.readableTags(this.#principal, [tag]).length === 0)
      return known === 0 ? unknown : no;
    return yes;
  }

  /** Judges the item's tags that are undecided; waits for the registry where it is behind the item. */
  async #settle({ columns, connectionId, lsn }: EventItem): Promise<void> {
    let open = new Set<number>();
    for (const tag of columns?.tag ?? []) if ((this.#verdicts[tag] ?? unknown) === unknown) open.add(tag);
    const end = this.#clock.monotonicMs() + settleMs;
    for (;;) {
      const left = new Set<number>();
      for (const tag of open) {
        const verdict = this.#judge(tag, connectionId);
        if (verdict === unknown) left.add(tag);
        else this.#remember(tag, verdict);
      }
      open = left;
      if (open.size === 0) return;
      const caughtUp = lsn === null || this.#registry.appliedLsn >= lsn;
      if (caughtUp || this.#clock.monotonicMs() >= end) {
        for (const tag of open) this.#remember(tag, no);
        return;
      }
      await this.#clock.sleep(5);
      this.#directory.refresh();
    }
  }

  #remember(tag: number, verdict: Verdict): void {
    if (tag >= this.#verdicts.length) {
      const larger = new Uint8Array(Math.max(tag + 1, this.#verdicts.length * 2));
      larger.set(this.#verdicts);
      this.#verdicts = larger;
    }
    this.#verdicts[tag] = verdict;
  }

  #followRegistry(): void {
    this.#revision = this.#registry.revision;
    this.#verdicts.fill(unknown);
    this.#equipmentSeen.clear();
    this.#top = this.#equipment;
    if (this.#equipment === null) return;
    // By whatever name it was asked for, the place at the top is the first of the list.
    const [top] = this.#registry.listEquipment(this.#principal, { under: this.#equipment, limit: 1 }).items;
    this.#top = top?.path ?? this.#equipment;
    this.#under = new Set(this.#registry.tagsUnder(this.#principal, this.#equipment));
  }

  /** Facts of the equipment that is asked for and may be seen. */
  #factsOf(item: EventItem): EventItem | null {
    if (this.#equipment === null && !this.#restricted) return item;
    if (this.#revision !== this.#registry.revision) this.#followRegistry();
    const data = factsWithin(item.data as unknown as FactsChangedData, (id) => this.#seesEquipment(id));
    return data === null ? null : { ...item, data: data as unknown as Record<string, unknown> };
  }

  #seesEquipment(id: number): boolean {
    const known = this.#equipmentSeen.get(id);
    if (known !== undefined) return known;
    const sees = this.#underPath(id);
    this.#equipmentSeen.set(id, sees);
    return sees;
  }

  #underPath(id: number): boolean {
    try {
      const { path } = this.#registry.getEquipment(this.#principal, id);
      return this.#top === null || path === this.#top || path.startsWith(`${this.#top}/`);
    } catch {
      // Not there any more, or not for these eyes.
      return false;
    }
  }

  /** Events other than points. */
  #sees({ type, data }: EventItem): boolean {
    const record = data ?? {};
    switch (type) {
      case "clock.jumped":
        return true;
      case "registry.changed":
        return this.#seesChange(record);
      default: {
        const id = typeof record.connectionId === "number" ? record.connectionId : null;
        const known = id === null ? undefined : this.#directory.connection(id);
        const name = typeof record.connection === "string" ? record.connection : known?.name;
        if (this.#connections !== null && (name === undefined || !this.#connections.has(name))) return false;
        const scope = typeof record.scope === "string" ? record.scope : known?.scope;
        return !this.#restricted || (scope !== undefined && inScope(this.#principal, scope));
      }
    }
  }

  #seesChange({ entity, id, after }: Record<string, unknown>): boolean {
    if (entity === "key") return may(this.#principal, "administer") && !this.#restricted;
    if (!this.#restricted) return true;
    const item = (after ?? {}) as Record<string, unknown>;
    if (entity === "equipment") return typeof item.path === "string" && inScope(this.#principal, item.path);
    if (entity === "tag") return this.#registry.readableTags(this.#principal, [Number(id)]).length > 0;
    // Models belong to the whole enterprise, like the roles of its people.
    if (entity === "model") return true;
    // What names no equipment (materials, calendars, reasons) is read by all.
    if (entity === "masterData") {
      const paths = Array.isArray(item.paths) ? (item.paths as string[]) : [];
      return paths.length === 0 || paths.some((path) => inScope(this.#principal, path));
    }
    if (entity === "binding") return typeof item.path === "string" && inScope(this.#principal, item.path);
    const ofConnection = entity === "connection" || entity === "sourceUnit" || entity === "sourceType";
    return ofConnection && typeof item.scope === "string" && inScope(this.#principal, item.scope);
  }
}
