import { ColumnsBuilder } from "@lineshaft/contract/api";
import {
  encodeJson,
  encodePoints,
  type Frame,
  type GapRecord,
  type HistoryStatus,
  recordType,
  type StandardBinding,
} from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import type { FactsCheckpoint, FactsDelta, FactsStore, SavedBinding } from "./checkpoint.ts";
import { FactsFollower } from "./follower.ts";
import type { FollowerParts } from "./follower-parts.ts";

export const nowUs = 500_000 * 3_600_000_000;
export const secondUs = 1_000_000;

export type Meaning = Pick<StandardBinding, "property" | "kind" | "mapping"> & Partial<StandardBinding>;

/** One machine and its log, written record by record; times are seconds from `nowUs`. */
export class OneMachine {
  readonly clock = new FakeClock(nowUs);
  /** What follower wrote into the log itself. */
  readonly silences: Parameters<FollowerParts["silence"]>[0][] = [];
  readonly #rows: { tag: number; time: number; value: number | string }[] = [];
  readonly #bindings: StandardBinding[];
  #lsn = 0;
  facts: FactsFollower;

  constructor(meanings: readonly Meaning[], parts: Partial<FollowerParts> = {}) {
    const common = { tenant: 1, connectionId: 1, equipmentId: 1, validFromUs: null, validToUs: null, counts: null };
    this.#bindings = meanings.map((meaning, i) => ({ ...common, tagId: i + 1, ...meaning }));
    this.facts = this.#follower(parts);
  }

  /** What a process would be that starts now and knows only what stands in history. */
  again(parts: Partial<FollowerParts> = {}): FactsFollower {
    return this.#follower(parts);
  }

  async point(
    tag: number,
    seconds: number,
    value: number | string,
    batch: { sequence?: number; generation?: number; receivedS?: number; suspect?: boolean } = {},
  ): Promise<void> {
    const time = nowUs + seconds * secondUs;
    this.#rows.push({ tag, time, value });
    const columns = new ColumnsBuilder();
    columns.add(tag, time, value);
    const receivedTime = nowUs + (batch.receivedS ?? seconds) * secondUs;
    const { sequence = 0, generation = 0 } = batch;
    const record = { connectionId: 1, generation, sequence, mode: "append", receivedTime, sourceCursor: null } as const;
    const suspect = new Uint32Array(0);
    await this.record(recordType.points, encodePoints({ ...record, suspect, columns: columns.build() }));
  }

  async gap(fromS: number, toS: number | null, reason = "The connection was away."): Promise<void> {
    const toUs = toS === null ? null : nowUs + toS * secondUs;
    const gap: GapRecord = {
      ...{ connectionId: 1, connection: "one", fromUs: nowUs + fromS * secondUs, toUs },
      ...{ points: null, reason },
    };
    await this.record(recordType.gap, encodeJson(gap));
  }

  async masterData(after: object): Promise<void> {
    const change = { revision: 1, entity: "masterData", id: "", actor: "", after };
    await this.record(recordType.registryChanged, encodeJson(change));
  }

  /** The log has what was stated of silence. */
  async stated(): Promise<void> {
    for (const { fromUs, toUs, reason } of this.silences.splice(0))
      await this.gap((fromUs - nowUs) / secondUs, toUs === null ? null : (toUs - nowUs) / secondUs, reason);
  }

  /** So many seconds later, ticking once a second or, where that says nothing, less often. */
  async later(seconds: number, stepS = 1): Promise<void> {
    for (let passed = 0; passed < seconds; passed += stepS) {
      this.clock.advanceMs(1000 * Math.min(stepS, seconds - passed));
      this.facts.tick();
      await this.stated();
    }
  }

  /** [second, state code] from `fromS` to `toS`. */
  states(fromS: number, toS: number, facts = this.facts): [number, number][] {
    const { t, code } = facts.machine(1, nowUs + fromS * secondUs, nowUs + toS * secondUs).facts.states;
    return Array.from(t, (at, i) => [(at - nowUs) / secondUs, code[i]]);
  }

  async record(type: Frame["type"], payload: Uint8Array): Promise<void> {
    const lsn = ++this.#lsn;
    await this.facts.apply([{ tenant: 1, partition: 0, type, payload, lsn, generation: 1, recordedTime: nowUs }]);
  }

  #follower(parts: Partial<FollowerParts>): FactsFollower {
    const raw: FollowerParts["history"]["raw"] = async ({ tags: [tag], fromUs, toUs }) => {
      const columns = new ColumnsBuilder();
      const found = this.#rows.filter((row) => row.tag === tag && row.time >= fromUs && row.time < toUs);
      for (const { time, value } of found.sort((a, b) => a.time - b.time)) columns.add(tag, time, value);
      return { columns: columns.build(), warnings: [], more: false };
    };
    return new FactsFollower({
      ...{ clock: this.clock, registryApplied: async () => undefined, gaps: [], heard: [] },
      history: { status: { appliedLsn: Number.MAX_SAFE_INTEGER, frozenBeforeUs: null } as HistoryStatus, raw },
      registry: { standardBindings: () => ({ revision: 1, items: this.#bindings }) },
      machines: { idealCycles: () => ({ from: [], us: [] }), changed: () => [], microStopUs: 0 },
      aliveUs: () => null,
      ...{ tell: null, store: null, checkpoint: null, saveEveryMs: 0, saved: () => undefined },
      silence: (statement) => void this.silences.push(statement),
      ...parts,
    });
  }
}

/** What is kept on disk, in memory; a save that was refused left nothing. */
export class MemoryStore implements FactsStore {
  lsn = 0;
  refuse = false;
  saves = 0;
  #rest: Uint8Array = new Uint8Array(0);
  readonly #texts = new Map<number, string>();
  readonly #bindings = new Map<number, Omit<SavedBinding, "segments"> & { hours: Map<number, Uint8Array> }>();

  save({ lsn, rest, removed, changed, texts, forgottenBefore }: FactsDelta): void {
    if (this.refuse) throw new Error("The disk is full.");
    this.saves++;
    this.lsn = lsn;
    this.#rest = rest;
    for (const id of removed) this.#bindings.delete(id);
    for (const [key, text] of texts)
      if (text === null) this.#texts.delete(key);
      else this.#texts.set(key, text);
    for (const { fromHour, segments, ...binding } of changed) {
      const hours = this.#bindings.get(binding.id)?.hours ?? new Map<number, Uint8Array>();
      for (const hour of [...hours.keys()]) if (hour >= fromHour) hours.delete(hour);
      for (const { hour, body } of segments) hours.set(hour, body);
      this.#bindings.set(binding.id, { ...binding, hours });
    }
    for (const { hours } of this.#bindings.values())
      for (const hour of [...hours.keys()]) if (hour < forgottenBefore) hours.delete(hour);
  }

  load(): FactsCheckpoint | null {
    if (this.saves === 0) return null;
    const bindings = [...this.#bindings.values()].map(({ hours, ...binding }) => ({
      ...structuredClone(binding),
      segments: [...hours].sort(([a], [b]) => a - b).map(([, body]) => body),
    }));
    return { lsn: this.lsn, rest: this.#rest, bindings, texts: [...this.#texts] };
  }
}
