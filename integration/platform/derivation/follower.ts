import { hourUs, type MappingErrors, type Micros } from "@lineshaft/contract/api";
import {
  decodeFacts,
  decodeJson,
  decodePoints,
  decodePointsHeader,
  decodeVerdict,
  type Facts,
  type FactsChange,
  type FactsProgress,
  type Frame,
  type GapRecord,
  type Lsn,
  type MachineAnswer,
  type RegistryChangedRecord,
  recordType,
} from "@lineshaft/contract/ports";
import { alarmEquipment, bindingsWithin, isRepairing, progressOf, statusOf } from "./answers.ts";
import { assignmentsOf, feedsOf } from "./assignments.ts";
import { type Binding, sameShape } from "./binding.ts";
import { decodeRest } from "./checkpoint.ts";
import { machineFacts, machineStates } from "./compose.ts";
import type { DirtyRange } from "./dirty.ts";
import { Derivation } from "./engine.ts";
import { type FollowerParts, silentBy, without } from "./follower-parts.ts";
import { GapLedger, type GapStatement } from "./gaps.ts";
import { factsKeptUs } from "./kept.ts";
import { alarmIntervals, alarmTransitions, identifierTransitions } from "./names.ts";
import { ProofsOfLife } from "./proof-of-life.ts";
import { FactsSaver } from "./saver.ts";
import { settle } from "./settle.ts";
import { Slices } from "./slices.ts";
import { Speakers } from "./speakers.ts";
import { Steps } from "./steps.ts";
import { Tellers } from "./tellers.ts";
import { hourOf } from "./track.ts";

/** How often it is looked whether history has caught up. */
const historyMs = 20;

/**
 * Facts as a view of log and history. A start goes on from what was saved last, and follows the log from there; without it they are derived from what history has. What comes late, a verdict, a gap, another mapping or another ideal cycle makes bindings dirty; they are repaired out of history, which has to
 * have seen as much of the log as this has.
 */
export class FactsFollower implements Facts {
  readonly #derivation = new Derivation();
  readonly #gaps = new GapLedger();
  readonly #life: ProofsOfLife;
  readonly #parts: FollowerParts;
  readonly #tellers: Tellers;
  readonly #saver: FactsSaver | null;
  readonly #ids = new Map<string, number>();
  readonly #speakers = new Speakers();
  /** The connections that feed an equipment. */
  #feeds: ReadonlyMap<number, readonly number[]> = new Map();
  readonly #changed = new Set<(changes: readonly FactsChange[]) => void>();
  readonly #progressed = new Set<(progress: readonly FactsProgress[]) => void>();
  readonly #stop = new AbortController();
  readonly #slices: Slices;
  readonly #restored: boolean;
  readonly #lost = (connection: number): boolean => this.#gaps.lostFrom(connection) !== null;
  /** Taken in; what is dirty by it may still be under repair. */
  #takenLsn: Lsn = 0;
  #appliedLsn: Lsn = 0;
  /** Nothing is half taken in. */
  #idle = false;
  #begun = false;
  #savedMs = 0;
  #saving: Promise<void> | null = null;
  #forgottenUs: Micros = 0;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#slices = new Slices(() => parts.clock.monotonicMs());
    this.#saver = parts.store === null ? null : new FactsSaver(parts.store, this.#derivation);
    const { checkpoint } = parts;
    const rest = checkpoint === null ? null : decodeRest(checkpoint.rest);
    this.#restored = rest !== null;
    if (rest === null) for (const gap of parts.gaps) this.#gap(0, gap);
    else this.#gaps.restore(rest.gaps);
    this.#life = new ProofsOfLife(
      parts.clock.nowUs(),
      rest?.life ?? { sources: [], silent: silentBy(parts.gaps, this.#gaps) },
    );
    for (const { connectionId, lastUs } of parts.heard) this.#life.seen(connectionId, lastUs);
    this.#tellers = new Tellers(this.#derivation, parts.tell, rest?.told ?? []);
    if (rest !== null) this.#derivation.restoreContext(rest);
    this.#derivation.texts.restore(checkpoint?.texts ?? []);
    for (const saved of checkpoint?.bindings ?? []) {
      const [{ spec }] = assignmentsOf(saved.rows);
      this.#ids.set(saved.key, saved.id);
      this.#derivation.restore({ ...spec, id: saved.id }, saved);
      this.#saver?.bound(saved.id, saved);
    }
  }

  get appliedLsn(): Lsn {
    return this.#appliedLsn;
  }

  /** Frames in LSN order; resolves when their facts can be read. */
  async apply(frames: readonly Frame[]): Promise<void> {
    this.#idle = false;
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
    this.#idle = true;
    this.#saveWhenDue();
  }

  /** Derives what history has and was not kept, before there is a frame to follow. */
  async begin(after: Lsn): Promise<void> {
    this.#takenLsn = after;
    this.#derivation.lsn = after;
    await this.#parts.registryApplied(after);
    this.#bind();
    if (this.#restored) this.#cycles(this.#feeds.keys());
    else {
      // What lies ahead of the watermark waits for it, as if it had come just now.
      const now = this.#parts.clock.nowUs();
      for (const equipment of this.#feeds.keys()) this.#tick(equipment, now);
    }
    await this.#settle();
    this.#appliedLsn = after;
    if (this.#restored) this.#tellers.goOn();
    else {
      // Whoever computed from these facts before the start knows them.
      this.#derivation.takeDirty(() => 0);
      this.#tellers.toldBefore();
    }
    this.#idle = true;
    this.#begun = true;
  }

  /** Brings onto the disk what has changed. Throws what the store throws; nothing is lost by it but time at the next start. */
  async #save(): Promise<Lsn> {
    const lsn = this.#appliedLsn;
    const known = { gaps: this.#gaps.state, life: this.#life.state, told: this.#tellers.state };
    const forgotten = hourOf(this.#parts.clock.nowUs() - factsKeptUs);
    await this.#saver?.save(lsn, { ...this.#derivation.context, ...known }, forgotten);
    return lsn;
  }

  /** Unless something is half taken in, as after a start that was broken off. */
  async saveNow(): Promise<void> {
    if (this.#saving !== null) await this.#saving;
    if (this.#saver === null || !this.#begun || !this.#idle) return;
    // What is saved as taken in must not be untold.
    this.#announce();
    this.#savedMs = this.#parts.clock.monotonicMs();
    this.#saving = this.#parts
      .saved(() => this.#save())
      .finally(() => {
        this.#saving = null;
      });
    await this.#saving;
  }

  #saveWhenDue(): void {
    if (this.#saving !== null || this.#parts.clock.monotonicMs() - this.#savedMs < this.#parts.saveEveryMs) return;
    void this.saveNow();
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
    for (const statement of this.#life.overdue(connections, now, this.#lost)) this.#parts.silence(statement);
    const moved: FactsProgress[] = [];
    for (const equipmentId of this.#feeds.keys()) {
      const before = this.#derivation.watermarkOf(equipmentId);
      if (this.#tick(equipmentId, now) > before) moved.push(this.progress(equipmentId) as FactsProgress);
    }
    if (moved.length > 0) for (const listener of this.#progressed) listener(moved);
    this.#announce();
    this.#tellers.tell(this.#derivation.lsn);
    this.#saveWhenDue();
  }

  /** What has changed goes to who listens, and to what the log is told next. */
  #announce(take: "takeDirty" | "takeRepaired" = "takeDirty"): void {
    const { microStopUs } = this.#parts.machines;
    const exact: DirtyRange[] = [];
    const dirty = this.#derivation[take](() => microStopUs, exact);
    const changes = dirty.map(({ equipment, what, from, to, cause, lsn }) => ({
      ...{ equipmentId: equipment, what, fromUs: from, toUs: to, cause, lsn },
    }));
    if (changes.length > 0) for (const listener of this.#changed) listener(changes);
    this.#tellers.changed(exact);
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
    const bindings = bindingsWithin(this.#derivation, equipmentId, from, to);
    this.#tick(equipmentId, this.#parts.clock.nowUs());
    const { watermarkUs = null, finalBeforeUs = null } = this.progress(equipmentId) ?? {};
    return { facts: machineFacts(bindings, from, to), watermarkUs, finalBeforeUs, repairing: isRepairing(bindings) };
  }

  identifiers(equipmentId: number, from: Micros, to: Micros): ReturnType<Facts["identifiers"]> {
    return identifierTransitions(bindingsWithin(this.#derivation, equipmentId, from, to, "identifier"), from, to);
  }

  alarms(equipmentId: number, from: Micros, to: Micros): ReturnType<Facts["alarms"]> {
    return alarmTransitions(bindingsWithin(this.#derivation, equipmentId, from, to, "alarm"), from, to);
  }

  states(equipmentId: number, from: Micros, to: Micros): ReturnType<Facts["states"]> {
    this.#tick(equipmentId, this.#parts.clock.nowUs());
    return machineStates(this.#derivation.bindingsOf(equipmentId), from, to);
  }

  alarmIntervals(equipmentId: number, from: Micros, to: Micros): ReturnType<Facts["alarmIntervals"]> {
    return alarmIntervals(bindingsWithin(this.#derivation, equipmentId, from, to), from, to);
  }

  alarmEquipment(): number[] {
    return alarmEquipment(this.#derivation);
  }

  mappingErrors(): MappingErrors[] {
    return this.#derivation.mappingErrors();
  }

  /** How it stands, for those who run the server. */
  get status(): { bindings: number; repairing: number; mappingErrors: number } {
    return statusOf(this.#derivation);
  }

  progress(equipmentId: number): FactsProgress | null {
    return progressOf(this.#derivation, equipmentId);
  }

  /** True where the registry may say something else about tags now. */
  #take({ tenant, type, payload, lsn }: Frame): boolean {
    if (type === recordType.points) this.#points(payload);
    else if (type === recordType.verdict) this.#verdict(payload);
    else if (type === recordType.factsChanged) this.#tellers.taken(tenant, decodeFacts(payload), lsn);
    else if (type === recordType.gap) this.#gap(lsn, decodeJson<GapRecord>(payload));
    else if (type === recordType.registryChanged) {
      const { entity, after } = decodeJson<RegistryChangedRecord>(payload);
      if (entity === "masterData") this.#cycles(this.#parts.machines.changed(after));
      return entity === "binding" || entity === "equipment" || entity === "model" || entity === "tag";
    }
    return type === recordType.tagRegistered;
  }

  /** Ideal cycles are read by pulses only. */
  #cycles(equipment: Iterable<number>): void {
    for (const id of equipment) {
      if (!this.#derivation.bindingsOf(id).some(({ track }) => track.kind === "pulse")) continue;
      const { from, us } = this.#parts.machines.idealCycles(id);
      this.#derivation.setCycles(id, new Steps(from, us));
    }
  }

  /** Suspect rows come with their verdict. Where no tag means anything, no row is looked at. */
  #points(payload: Uint8Array): void {
    const header = decodePointsHeader(payload);
    const heard = this.#life.batch(
      header,
      () => decodePoints(payload).columns.time.reduce((least, t) => Math.min(least, t), Number.POSITIVE_INFINITY),
      () => this.#gaps.lostFrom(header.connectionId),
    );
    if (heard !== null) this.#parts.silence(heard);
    if (this.#ids.size === 0) return;
    const { columns } = decodePoints(payload);
    this.#derivation.apply(header.suspect.length === 0 ? columns : without(columns, new Set(header.suspect)));
  }

  #verdict(payload: Uint8Array): void {
    if (this.#ids.size === 0) return;
    const { columns, corrected } = decodeVerdict(payload);
    const corrections = new Set(corrected);
    this.#derivation.apply(without(columns, corrections));
    for (const row of corrections) this.#derivation.corrected(columns.tag[row], columns.time[row]);
  }

  /**
   * A gap is recorded as open when it begins, and once more with its end; then the source is heard again. One that the process did not live to end is ended by the
   * next, since it overlaps.
   */
  #gap(lsn: Lsn, { connectionId, fromUs, toUs }: Pick<GapRecord, "connectionId" | "fromUs" | "toUs">): void {
    if (connectionId === null) return;
    this.#state({ lsn, connection: connectionId, from: fromUs, to: toUs ?? Number.POSITIVE_INFINITY, says: "lost" });
    if (toUs === null) return;
    const lasting = this.#gaps.lostFrom(connectionId);
    if (lasting !== null && lasting <= toUs)
      this.#state({ lsn, connection: connectionId, from: toUs, to: Number.POSITIVE_INFINITY, says: "covered" });
  }

  #state(statement: GapStatement): void {
    for (const { from, to, lost } of this.#gaps.add(statement))
      this.#derivation.gapChanged(statement.connection, from, to, lost);
  }

  /** What the registry says of tags now, against what is at work. */
  #bind(): void {
    const { items } = this.#parts.registry.standardBindings();
    this.#tellers.knows(items.map(({ equipmentId, tenant }) => [equipmentId, tenant] as const));
    const wanted = new Map(assignmentsOf(items).map((one) => [one.key, one]));
    for (const [key, id] of this.#ids) {
      const spec = wanted.get(key)?.spec;
      const binding = this.#derivation.bindings.get(id) as Binding;
      if (spec !== undefined && sameShape(spec, binding.spec)) continue;
      this.#derivation.remove(id);
      this.#saver?.removed(id);
      this.#ids.delete(key);
    }
    for (const [key, { spec, rows }] of wanted) {
      const known = this.#ids.get(key);
      const id = known ?? Math.max(0, ...this.#ids.values()) + 1;
      this.#saver?.bound(id, { key, rows });
      if (known !== undefined) {
        this.#derivation.setRules(known, spec.rules);
        continue;
      }
      this.#ids.set(key, id);
      this.#derivation.add({ ...spec, id }, "derive");
      if (spec.role === "pulse") this.#cycles([spec.equipment]);
    }
    this.#forgottenUs = 0;
    const specs = [...wanted.values()].map(({ spec }) => spec);
    this.#speakers.listen(specs);
    this.#feeds = feedsOf(specs);
  }

  #forget(): void {
    const now = this.#parts.clock.nowUs();
    if (now - this.#forgottenUs < hourUs) return;
    this.#forgottenUs = now;
    this.#derivation.forgetBefore(now - factsKeptUs);
    this.#derivation.forgetTexts();
  }

  /** Identifiers first: what a machine tells of its order or material says by which ideal cycle its stops are told. */
  async #settle(): Promise<void> {
    this.#forget();
    await this.#repair(({ spec }) => spec.role === "identifier");
    this.#cycles(this.#speakers.toldOtherwise((id) => this.#derivation.bindingsOf(id)));
    await this.#repair(() => true);
  }

  async #repair(which: (binding: Binding) => boolean): Promise<void> {
    if (this.#derivation.dirty === 0) return;
    const { history, clock } = this.#parts;
    while (history.status.appliedLsn < this.#takenLsn) await clock.sleep(historyMs, this.#stop.signal);
    const from = { history, gaps: this.#gaps, oldest: clock.nowUs() - factsKeptUs };
    await settle(this.#derivation, from, this.#slices, this.#stop.signal, which, (binding, changed) => {
      if (changed) this.#speakers.repaired(binding);
      // Each repair is told at once, so that there is not all of it to be told in one go.
      if (this.#begun) this.#announce("takeRepaired");
      else if (!this.#restored) this.#derivation.forgetRepaired();
    });
  }

  /** Up to the last proof of life of what feeds the equipment; tells the watermark. */
  #tick(equipment: number, nowUs: Micros): Micros {
    const before = this.#derivation.watermarkOf(equipment);
    const watermark = this.#life.watermark(this.#feeds.get(equipment) ?? [], before, nowUs, this.#lost);
    if (watermark === null) return before;
    this.#derivation.tickEquipment(equipment, watermark);
    return watermark;
  }
}
