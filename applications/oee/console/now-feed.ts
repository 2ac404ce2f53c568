import type { EquipmentNow, Micros, StreamEvent } from "@lineshaft/contract/api";
import type { PagePlatform } from "@lineshaft/ui/kit";

/** One equipment, and when it was read. */
export interface Read {
  item: EquipmentNow;
  atUs: Micros;
}

export interface NowView {
  items: ReadonlyMap<number, Read>;
  /** Server's time of the newest answer; null: there was none yet. */
  atUs: Micros | null;
  /** When that came, by this machine's own steady clock: how old it is does not depend on what o'clock a screen thinks it is. */
  readMs: number;
  /** Of the last attempt; null: it succeeded. */
  error: unknown;
}

export interface NowFeedParts {
  /** Everything of the view, or these of it. */
  read(ids: readonly number[] | null, signal: AbortSignal): Promise<{ atUs: Micros; items: readonly EquipmentNow[] }>;
  follow: PagePlatform["follow"];
  /** Which events. */
  request: Parameters<PagePlatform["follow"]>[0];
  /** Runs something later; the answer takes that back. */
  later(run: () => void, ms: number): () => void;
  nowMs(): number;
  /** The registry has changed; `entity` says what of it. */
  onRegistry?(entity: string): void;
}

/** How old what is shown is; null: there is nothing yet. */
export const ageOf = ({ atUs, readMs }: NowView, nowMs: number): Micros | null =>
  atUs === null ? null : Math.max(0, nowMs - readMs) * 1000;

/** What o'clock it is at the server. */
export const serverNowUs = (view: NowView, nowMs: number): Micros => (view.atUs ?? 0) + (ageOf(view, nowMs) ?? 0);

interface RegistryChange {
  entity: string;
  after: { kind?: string; item?: { equipmentId?: number; operations?: { executions: { equipmentId: number }[] }[] } };
}

/** Which equipment a change of the registry may have changed; null: each of them. Bookings come all day long, and must not make everything be read again. */
export function concernedBy({ entity, after }: RegistryChange): number[] | null {
  if (entity === "equipment") return null;
  if (entity !== "masterData") return [];
  const { kind, item } = after;
  if (kind === "order") {
    const places = (item?.operations ?? []).flatMap(({ executions }) => executions.map((each) => each.equipmentId));
    // Where it was executed before the change, nobody says here.
    return places.length === 0 ? null : [...new Set(places)];
  }
  const isOfOne = kind === "annotation" || kind === "booking" || kind === "setUp" || kind === "lateScrap";
  return isOfOne && item?.equipmentId !== undefined ? [item.equipmentId] : null;
}

/** Events of so long are answered by one reading. */
const settleMs = 250;
/** Readings begin so far apart at least. */
const apartMs = 1000;
/** Results of more equipments than this come all the time: they are gathered for so long, while a state is told at once. */
const eventfulMax = 200;
const gatherMs = 5000;
/** Timers may come a moment early. */
const earlyMs = 50;
/** Everything is read again, whatever events say: what follows from time alone has none, and a stream may be away. */
export const everyMs = 15_000;
/** More than this is read as a whole. */
const namedMax = 400;

/** What equipment does now, kept up: read once, then again what events name, and all of it now and then. */
export class NowFeed {
  readonly #parts: NowFeedParts;
  readonly #listeners = new Set<() => void>();
  #view: NowView;
  readonly #dirty = new Set<number>();
  /** Equipments of which results are published, and when they are read. */
  readonly #published = new Set<number>();
  #gatheredMs = Number.POSITIVE_INFINITY;
  #all = true;
  #running: AbortController | null = null;
  #next: { dueMs: number; cancel(): void } | null = null;
  #beganMs = Number.NEGATIVE_INFINITY;
  /** When everything was asked for last. */
  #wholeMs = Number.NEGATIVE_INFINITY;
  #started = false;
  #stopFollowing: (() => void) | null = null;
  #asleep = false;

  constructor(parts: NowFeedParts, kept?: NowView) {
    this.#parts = parts;
    this.#view = kept ?? { items: new Map(), atUs: null, readMs: 0, error: null };
  }

  readonly snapshot = (): NowView => this.#view;
  readonly observe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** The answer stops it; it may be started again. */
  start(): () => void {
    this.#all = true;
    this.#started = true;
    void this.#read();
    return () => {
      this.#started = false;
      this.#stopFollowing?.();
      this.#stopFollowing = null;
      this.#next?.cancel();
      this.#next = null;
      this.#running?.abort();
      this.#running = null;
    };
  }

  /** A hidden page asks nobody; it asks at once when it is seen again. */
  sleep(asleep: boolean): void {
    if (this.#asleep === asleep) return;
    this.#asleep = asleep;
    if (!asleep) this.#wants(null);
  }

  #follow(): void {
    let state = "";
    this.#stopFollowing = this.#parts.follow(this.#parts.request, {
      onEvent: (event) => this.#heard(event),
      onState: (next) => {
        // What happened while the stream was away comes by no event; that the server is away is found out by asking.
        if ((next === "open" && state === "waiting") || (next === "waiting" && state === "open")) this.#wants(null);
        state = next;
      },
    });
  }

  #heard(event: StreamEvent): void {
    if (event.type === "facts.changed") {
      const { ranges } = event.data as { ranges: { equipmentId: number; what: string }[] };
      const shown = ranges.filter(({ what }) => what === "states" || what === "alarms");
      this.#wants(shown.map(({ equipmentId }) => equipmentId));
    } else if (event.type === "result.published") {
      const { items } = event.data as { items: { equipmentId: number; period: string }[] };
      const shown = items.filter(({ period }) => period === "shift" || period === "order");
      this.#wantsResults(shown.map(({ equipmentId }) => equipmentId));
    } else if (event.type === "registry.changed") {
      const change = event.data as unknown as RegistryChange;
      this.#parts.onRegistry?.(change.entity);
      this.#wants(concernedBy(change));
    }
  }

  /** null: everything. */
  #wants(ids: readonly number[] | null): void {
    if (ids === null) this.#all = true;
    else if (ids.length === 0) return;
    else for (const id of ids) this.#dirty.add(id);
    this.#soon(settleMs);
  }

  #wantsResults(ids: readonly number[]): void {
    const { items } = this.#view;
    if (items.size <= eventfulMax) {
      this.#wants(ids);
      return;
    }
    const shown = ids.filter((id) => items.has(id));
    if (shown.length === 0) return;
    for (const id of shown) this.#published.add(id);
    this.#gatheredMs = Math.min(this.#gatheredMs, this.#parts.nowMs() + gatherMs);
    this.#soon(this.#gatheredMs - this.#parts.nowMs());
  }

  #takeGathered(): void {
    if (this.#parts.nowMs() < this.#gatheredMs - earlyMs) return;
    for (const id of this.#published) this.#dirty.add(id);
    this.#published.clear();
    this.#gatheredMs = Number.POSITIVE_INFINITY;
  }

  #soon(ms: number): void {
    if (this.#running !== null || !this.#started || this.#asleep) return;
    const nowMs = this.#parts.nowMs();
    const dueMs = nowMs + Math.max(ms, this.#beganMs + apartMs - nowMs);
    // Events that go on and on must not put off what the first of them asked for.
    if (this.#next !== null && this.#next.dueMs <= dueMs) return;
    this.#next?.cancel();
    const cancel = this.#parts.later(() => {
      this.#next = null;
      void this.#read();
    }, dueMs - nowMs);
    this.#next = { dueMs, cancel };
  }

  async #read(): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    this.#beganMs = this.#parts.nowMs();
    this.#takeGathered();
    const due = this.#beganMs - this.#wholeMs >= everyMs;
    const whole = this.#all || due || this.#dirty.size === 0 || this.#dirty.size > namedMax;
    if (whole) this.#wholeMs = this.#beganMs;
    const ids = whole ? null : [...this.#dirty];
    this.#all = false;
    this.#dirty.clear();
    try {
      const { atUs, items } = await this.#parts.read(ids, running.signal);
      if (running.signal.aborted) return;
      const next = new Map(whole ? [] : this.#view.items);
      for (const id of ids ?? []) next.delete(id);
      for (const item of items) next.set(item.equipmentId, { item, atUs });
      this.#tell({ items: next, atUs, readMs: this.#parts.nowMs(), error: null });
      if (this.#stopFollowing === null) this.#follow();
    } catch (error) {
      if (running.signal.aborted) return;
      this.#all = true;
      this.#tell({ ...this.#view, error });
    }
    this.#running = null;
    // After a failure it is tried again calmly, however many events come.
    const more = this.#all || this.#dirty.size > 0;
    if (this.#view.error !== null) this.#soon(everyMs);
    else if (more) this.#soon(settleMs);
    else this.#soon(Math.min(this.#wholeMs + everyMs, this.#gatheredMs) - this.#parts.nowMs());
  }

  #tell(view: NowView): void {
    this.#view = view;
    for (const listener of this.#listeners) listener();
  }
}
