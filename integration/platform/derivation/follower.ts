import { hourUs, type MappingErrors, type Micros, ProblemError, selectRows } from "@lineshaft/contract/api";
import {
  type Clock,
  decodeFacts,
  decodeJson,
  decodePoints,
  decodePointsHeader,
  decodeVerdict,
  type Facts,
  type FactsChange,
  type FactsProgress,
  type FactsRows,
  type Frame,
  type GapRecord,
  type Lsn,
  type MachineAnswer,
  type Registry,
  type RegistryChangedRecord,
  recordType,
} from "@lineshaft/contract/ports";
import { assignmentsOf } from "./assignments.ts";
import type { Binding } from "./binding.ts";
import { factsWithin, lookAheadUs, machineFacts } from "./compose.ts";
import type { DirtyRange } from "./dirty.ts";
import { Derivation } from "./engine.ts";
import { GapLedger, type GapStatement, united } from "./gaps.ts";
import { HistoryInputs, type RecordedPoints } from "./history-inputs.ts";
import { factsKeptUs } from "./kept.ts";
import { ProofsOfLife, type SilenceStatement, silenceReason } from "./proof-of-life.ts";
import { Steps } from "./steps.ts";
import { FactsTeller } from "./teller.ts";

/** More facts are not put into one answer; a shorter range is. */
const factsMax = 500_000;
/** How often it is looked whether history has caught up. */
const historyMs = 20;
/** The end of what still lasts. */
const never = Number.POSITIVE_INFINITY;

/** What is known of lost data. */
export type KnownGap = Pick<GapRecord, "connectionId" | "fromUs" | "toUs" | "reason">;

/** What orders and ideal cycles say of machines. */
export interface CyclesOfMachines {
  idealCycles(equipmentId: number): { from: readonly Micros[]; us: readonly number[] };
  /** Takes a change of master data in and tells the equipment whose ideal cycles may be others now. */
  changed(after: Record<string, unknown>): readonly number[];
  /** Stops are micro stops below this at most. */
  readonly microStopUs: Micros;
}

export interface FollowerParts {
  history: RecordedPoints;
  registry: Pick<Registry, "standardBindings">;
  clock: Clock;
  /** Resolves when the registry has applied the log so far. */
  registryApplied: (lsn: Lsn) => Promise<void>;
  /** What is known of lost data from before the log that is followed. */
  gaps: readonly KnownGap[];
  /** When connections were last heard before it. */
  heard: readonly { connectionId: number; lastUs: Micros }[];
  machines: CyclesOfMachines;
  /** When a connection last showed that it lives, data aside; null: nobody can tell. */
  aliveUs: (connectionId: number) => Micros | null;
  /** Writes a gap of silence into the log. */
  silence: (statement: SilenceStatement) => void;
  /** Writes what changed of facts into the log; false: it could not. null: nobody wants to know. */
  tell: ((rows: FactsRows, tenant: number) => Promise<boolean>) | null;
}

/**
 * Facts as a view of log and history, in memory: at the start they are derived from what history has, then the log is followed. Nothing of it stands on disk, so there is nothing that
 * a crash could leave half done. What comes late, a verdict, a gap, another mapping or another ideal cycle makes bindings dirty; they are repaired out of history, which has to
 * have seen as much of the log as this has.
 */
export class FactsFollower implements Facts {
  readonly #derivation = new Derivation();
  readonly #gaps = new GapLedger();
  readonly #life: ProofsOfLife;
  readonly #parts: FollowerParts;
  readonly #ids = new Map<string, number>();
  /** The connections that feed an equipment. */
  readonly #feeds = new Map<number, readonly number[]>();
  readonly #tenants = new Map<number, number>();
  readonly #tellers = new Map<number, FactsTeller>();
  readonly #changed = new Set<(changes: readonly FactsChange[]) => void>();
  readonly #progressed = new Set<(progress: readonly FactsProgress[]) => void>();
  readonly #stop = new AbortController();
  /** Taken in; what is dirty by it may still be under repair. */
  #takenLsn: Lsn = 0;
  #appliedLsn: Lsn = 0;
  #begun = false;
  #forgottenUs: Micros = 0;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    const silent = new Set<number>();
    for (const gap of parts.gaps) {
      this.#gap(0, gap);
      if (gap.connectionId !== null && gap.reason === silenceReason) silent.add(gap.connectionId);
    }
    this.#life = new ProofsOfLife(
      parts.clock.nowUs(),
      [...silent].filter((connection) => this.#lostFrom(connection) !== null),
    );
    for (const { connectionId, lastUs } of parts.heard) this.#life.seen(connectionId, lastUs);
  }

  get appliedLsn(): Lsn {
    return this.#appliedLsn;
  }

  /** Frames in LSN order; resolves when their facts can be read. */
  async apply(frames: readonly Frame[]): Promise<void> {
    let rebind = false;
    for (const frame of frames) {
      this.#derivation.lsn = frame.lsn;
      rebind = this.#take(frame) || rebind;
    }
    this.#takenLsn = frames[frames.length - 1].lsn;
    if (rebind) {
      await this.#parts.registryApplied(this.#takenLsn);
      this.#bind();
    }
    await this.#settle();
    this.#appliedLsn = this.#takenLsn;
  }

  /** Derives what history has, before there is a frame to follow. */
  async begin(after: Lsn): Promise<void> {
    this.#takenLsn = after;
    await this.#parts.registryApplied(after);
    this.#bind();
    await this.#settle();
    this.#appliedLsn = after;
    // Whoever computed from these facts before the start knows them.
    this.#derivation.takeDirty(() => 0);
    const now = this.#parts.clock.nowUs();
    for (const [equipment, tenant] of this.#tenants) {
      const machine = { bindings: this.#derivation.bindingsOf(equipment), watermark: this.#tick(equipment, now) };
      this.#tellers.get(tenant)?.toldBefore(equipment, machine);
    }
    this.#begun = true;
  }

  /**
   * Time goes on: watermarks move as far as proofs of life allow, what is due by them fires, silence that has lasted too long is stated, and who listens is told. Called about once
   * a second.
   */
  tick(): void {
    const now = this.#parts.clock.nowUs();
    const connections = new Set([...this.#feeds.values()].flat());
    for (const connection of connections) {
      const aliveUs = this.#parts.aliveUs(connection);
      if (aliveUs !== null) this.#life.seen(connection, aliveUs);
    }
    if (!this.#begun) return;
    const lost = (connection: number): boolean => this.#lostFrom(connection) !== null;
    for (const statement of this.#life.overdue(connections, now, lost)) this.#parts.silence(statement);
    const moved: FactsProgress[] = [];
    for (const equipmentId of this.#feeds.keys()) {
      const before = this.#derivation.watermarkOf(equipmentId);
      if (this.#tick(equipmentId, now) > before) moved.push(this.progress(equipmentId) as FactsProgress);
    }
    if (moved.length > 0) for (const listener of this.#progressed) listener(moved);
    const { microStopUs } = this.#parts.machines;
    const exact: DirtyRange[] = [];
    const dirty = this.#derivation.takeDirty(() => microStopUs, exact);
    const changes = dirty.map(({ equipment, from, to, cause, lsn }) => ({
      ...{ equipmentId: equipment, fromUs: from, toUs: to, cause, lsn },
    }));
    if (changes.length > 0) for (const listener of this.#changed) listener(changes);
    this.#tell(exact);
  }

  #tell(changes: readonly DirtyRange[]): void {
    const { tell } = this.#parts;
    if (tell === null) return;
    const bindingsOf = (equipment: number) => this.#derivation.bindingsOf(equipment);
    const machineOf = (equipment: number) => ({
      bindings: bindingsOf(equipment),
      watermark: this.#derivation.watermarkOf(equipment),
    });
    for (const [tenant, own] of Map.groupBy(changes, ({ equipment }) => this.#tenants.get(equipment) ?? 0))
      this.#tellers.get(tenant)?.changed(own, bindingsOf);
    for (const [tenant, teller] of this.#tellers) {
      const rows = teller.compose(machineOf, this.#derivation.lsn);
      if (rows === null) continue;
      void tell(rows, tenant).then((told) => (told ? undefined : teller.failed()));
    }
  }

  onChanged(listener: (changes: readonly FactsChange[]) => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }

  onProgress(listener: (progress: readonly FactsProgress[]) => void): () => void {
    this.#progressed.add(listener);
    return () => void this.#progressed.delete(listener);
  }

  /** What is under way ends with an error. */
  stop(): void {
    this.#stop.abort(new Error("Deriving facts is stopping."));
  }

  machine(equipmentId: number, from: Micros, to: Micros): MachineAnswer {
    const bindings = this.#derivation.bindingsOf(equipmentId);
    const many = factsWithin(bindings, from, to);
    if (many > factsMax)
      throw new ProblemError(
        "query_too_large",
        `The machine has about ${many} facts in that range; an answer holds ${factsMax}.`,
      );
    this.#tick(equipmentId, this.#parts.clock.nowUs());
    const progress = this.progress(equipmentId);
    return {
      facts: machineFacts(bindings, from, to),
      watermarkUs: progress?.watermarkUs ?? null,
      finalBeforeUs: progress?.finalBeforeUs ?? null,
      repairing: bindings.some((binding) => binding.dirty),
    };
  }

  mappingErrors(): MappingErrors[] {
    return [...this.#derivation.bindings.values()].flatMap(({ spec, track }) =>
      track.outside === 0 ? [] : [{ tagId: spec.channels[0].tag, equipmentId: spec.equipment, values: track.outside }],
    );
  }

  /** How it stands, for those who run the server. */
  get status(): { bindings: number; repairing: number; mappingErrors: number } {
    let mappingErrors = 0;
    for (const { track } of this.#derivation.bindings.values()) mappingErrors += track.outside;
    return { bindings: this.#derivation.bindings.size, repairing: this.#derivation.dirty, mappingErrors };
  }

  progress(equipmentId: number): FactsProgress | null {
    const watermarkUs = this.#derivation.watermarkOf(equipmentId);
    if (!Number.isFinite(watermarkUs)) return null;
    const bindings = this.#derivation.bindingsOf(equipmentId);
    const first = Math.min(...bindings.map(({ track }) => track.firstHour));
    const fromUs = Number.isFinite(first) ? first : null;
    const repairing = bindings.some((binding) => binding.dirty);
    return { equipmentId, fromUs, watermarkUs, finalBeforeUs: watermarkUs - lookAheadUs(bindings, 0), repairing };
  }

  /** True where the registry may say something else about tags now. */
  #take({ tenant, type, payload, lsn }: Frame): boolean {
    if (type === recordType.points) this.#points(payload);
    else if (type === recordType.verdict) this.#verdict(payload);
    else if (type === recordType.factsChanged) this.#tellers.get(tenant)?.taken(decodeFacts(payload));
    else if (type === recordType.gap) this.#gap(lsn, decodeJson<GapRecord>(payload));
    else if (type === recordType.registryChanged) {
      const { entity, after } = decodeJson<RegistryChangedRecord>(payload);
      if (entity === "masterData") this.#cycles(this.#parts.machines.changed(after));
      return entity === "binding" || entity === "equipment" || entity === "model" || entity === "tag";
    }
    return type === recordType.tagRegistered;
  }

  /** Ideal cycles are read by pulses only. */
  #cycles(equipment: readonly number[]): void {
    for (const id of equipment) {
      if (!this.#derivation.bindingsOf(id).some(({ track }) => track.kind === "pulse")) continue;
      const { from, us } = this.#parts.machines.idealCycles(id);
      this.#derivation.setCycles(id, new Steps(from, us));
    }
  }

  /** Suspect rows come with their verdict. Where no tag means anything, no row is looked at. */
  #points(payload: Uint8Array): void {
    const header = decodePointsHeader(payload);
    const { suspect, connectionId } = header;
    const heard = this.#life.batch(
      header,
      () => decodePoints(payload).columns.time.reduce((least, t) => Math.min(least, t), Number.POSITIVE_INFINITY),
      () => this.#lostFrom(connectionId),
    );
    if (heard !== null) this.#parts.silence(heard);
    if (this.#ids.size === 0) return;
    const { columns } = decodePoints(payload);
    if (suspect.length === 0) {
      this.#derivation.apply(columns);
      return;
    }
    const judged = new Set(suspect);
    const rows = Array.from({ length: columns.rows }, (_, i) => i).filter((i) => !judged.has(i));
    this.#derivation.apply(selectRows(columns, rows));
  }

  #verdict(payload: Uint8Array): void {
    if (this.#ids.size === 0) return;
    const { columns, corrected } = decodeVerdict(payload);
    const corrections = new Set(corrected);
    const rows = Array.from({ length: columns.rows }, (_, i) => i).filter((i) => !corrections.has(i));
    this.#derivation.apply(selectRows(columns, rows));
    for (const row of corrections) this.#derivation.corrected(columns.tag[row], columns.time[row]);
  }

  /**
   * A gap is recorded as open when it begins, and once more with its end; then the source is heard again. One that the process did not live to end is ended by the
   * next, since it overlaps.
   */
  #gap(lsn: Lsn, { connectionId, fromUs, toUs }: Pick<GapRecord, "connectionId" | "fromUs" | "toUs">): void {
    if (connectionId === null) return;
    this.#state({ lsn, connection: connectionId, from: fromUs, to: toUs ?? never, says: "lost" });
    if (toUs === null) return;
    const lasting = this.#lostFrom(connectionId);
    if (lasting !== null && lasting <= toUs)
      this.#state({ lsn, connection: connectionId, from: toUs, to: never, says: "covered" });
  }

  /** Where the gap begins that a connection has now; null: it has none. */
  #lostFrom(connection: number): Micros | null {
    return this.#gaps.intervals(connection).find(({ to }) => to === never)?.from ?? null;
  }

  #state(statement: GapStatement): void {
    for (const { from, to, lost } of this.#gaps.add(statement))
      this.#derivation.gapChanged(statement.connection, from, to, lost);
  }

  /** What the registry says of tags now, against what is at work. */
  #bind(): void {
    const { items } = this.#parts.registry.standardBindings();
    for (const { equipmentId, tenant } of items) this.#tenants.set(equipmentId, tenant);
    for (const tenant of new Set(this.#tenants.values()))
      if (!this.#tellers.has(tenant)) this.#tellers.set(tenant, new FactsTeller({ told: [], changes: [] }));
    const wanted = new Map(assignmentsOf(items).map((one) => [one.key, one.spec]));
    for (const [key, id] of this.#ids) {
      const spec = wanted.get(key);
      const binding = this.#derivation.bindings.get(id) as Binding;
      if (spec !== undefined && JSON.stringify(spec.channels) === JSON.stringify(binding.spec.channels)) continue;
      this.#derivation.remove(id);
      this.#ids.delete(key);
    }
    for (const [key, spec] of wanted) {
      const known = this.#ids.get(key);
      if (known !== undefined) {
        this.#derivation.setRules(known, spec.rules);
        continue;
      }
      const id = Math.max(0, ...this.#ids.values()) + 1;
      this.#ids.set(key, id);
      this.#derivation.add({ ...spec, id }, "derive");
      if (spec.role === "pulse") this.#cycles([spec.equipment]);
    }
    this.#forgottenUs = 0;
    this.#feeds.clear();
    for (const [equipment, specs] of Map.groupBy(wanted.values(), (spec) => spec.equipment)) {
      const connections = specs.flatMap(({ channels }) => channels.map(({ connection }) => connection));
      this.#feeds.set(equipment, [...new Set(connections)]);
    }
  }

  #forget(): void {
    const now = this.#parts.clock.nowUs();
    if (now - this.#forgottenUs < hourUs) return;
    this.#forgottenUs = now;
    this.#derivation.forgetBefore(now - factsKeptUs);
  }

  async #settle(): Promise<void> {
    this.#forget();
    if (this.#derivation.dirty === 0) return;
    while (this.#parts.history.status.appliedLsn < this.#takenLsn)
      await this.#parts.clock.sleep(historyMs, this.#stop.signal);
    const oldest = this.#parts.clock.nowUs() - factsKeptUs;
    for (const { binding, run } of this.#derivation.repairs(() => oldest)) {
      const connections = new Set(binding.spec.channels.map(({ connection }) => connection));
      const gaps = united([...connections].flatMap((connection) => this.#gaps.intervals(connection)));
      const inputs = new HistoryInputs(this.#parts.history, binding.spec, gaps);
      let step = run.next();
      while (!step.done) {
        this.#stop.signal.throwIfAborted();
        step = run.next(await inputs.answer(step.value));
      }
      this.#derivation.repaired(binding, step.value);
    }
  }

  /** Up to the last proof of life of what feeds the equipment; tells the watermark. */
  #tick(equipment: number, nowUs: Micros): Micros {
    const before = this.#derivation.watermarkOf(equipment);
    const lost = (connection: number): boolean => this.#lostFrom(connection) !== null;
    const watermark = this.#life.watermark(this.#feeds.get(equipment) ?? [], before, nowUs, lost);
    if (watermark === null) return before;
    this.#derivation.tickEquipment(equipment, watermark);
    return watermark;
  }
}
