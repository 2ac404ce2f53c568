import { dayUs, hourUs, type Micros, ProblemError, selectRows } from "@lineshaft/contract/api";
import {
  type Clock,
  decodeJson,
  decodePoints,
  decodePointsHeader,
  decodeVerdict,
  type Facts,
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
import { Derivation } from "./engine.ts";
import { GapLedger, type GapStatement, united } from "./gaps.ts";
import { HistoryInputs, type RecordedPoints } from "./history-inputs.ts";
import { nextWatermark, type ProofOfLife } from "./watermark.ts";

/** How long facts are kept in memory, and how far back a new binding is derived. */
const keptUs = 32 * dayUs;
/** More facts are not put into one answer; a shorter range is. */
const factsMax = 500_000;
/** How often it is looked whether history has caught up. */
const historyMs = 20;
/** The end of what still lasts. */
const never = Number.POSITIVE_INFINITY;

/**
 * Facts as a view of log and history, in memory: at the start they are derived from what history has, then the log is followed. Nothing of it stands on disk, so there is nothing that
 * a crash could leave half done. What comes late, a verdict, a gap or another mapping makes bindings dirty; they are repaired out of history, which has to have seen as much
 * of the log as this has.
 */
export class FactsFollower implements Facts {
  readonly #derivation = new Derivation();
  readonly #gaps = new GapLedger();
  readonly #history: RecordedPoints;
  readonly #registry: Pick<Registry, "standardBindings">;
  readonly #clock: Clock;
  readonly #registryApplied: (lsn: Lsn) => Promise<void>;
  readonly #ids = new Map<string, number>();
  /** When a connection was last heard, by its number. */
  readonly #heard = new Map<number, Micros>();
  readonly #stop = new AbortController();
  #appliedLsn: Lsn = 0;
  #forgottenUs: Micros = 0;

  constructor(parts: {
    history: RecordedPoints;
    registry: Pick<Registry, "standardBindings">;
    clock: Clock;
    /** Resolves when the registry has applied the log so far. */
    registryApplied: (lsn: Lsn) => Promise<void>;
    /** What is known of lost data from before the log that is followed. */
    gaps: readonly Pick<GapRecord, "connectionId" | "fromUs" | "toUs">[];
    /** When connections were last heard before it. */
    heard: readonly { connectionId: number; lastUs: Micros }[];
  }) {
    this.#history = parts.history;
    this.#registry = parts.registry;
    this.#clock = parts.clock;
    this.#registryApplied = parts.registryApplied;
    for (const gap of parts.gaps) this.#gap(0, gap);
    for (const { connectionId, lastUs } of parts.heard) this.#heard.set(connectionId, lastUs);
  }

  /** Frames in LSN order; resolves when their facts can be read. */
  async apply(frames: readonly Frame[]): Promise<void> {
    let rebind = false;
    for (const frame of frames) rebind = this.#take(frame) || rebind;
    this.#appliedLsn = frames[frames.length - 1].lsn;
    if (rebind) {
      await this.#registryApplied(this.#appliedLsn);
      this.#bind();
    }
    await this.#settle();
  }

  /** Derives what history has, before there is a frame to follow. */
  async begin(after: Lsn): Promise<void> {
    this.#appliedLsn = after;
    await this.#registryApplied(after);
    this.#bind();
    await this.#settle();
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
    this.#tick(equipmentId, bindings);
    const watermark = this.#derivation.watermarkOf(equipmentId);
    const known = Number.isFinite(watermark);
    return {
      facts: machineFacts(bindings, from, to),
      watermarkUs: known ? watermark : null,
      finalBeforeUs: known ? watermark - lookAheadUs(bindings, 0) : null,
      repairing: bindings.some((binding) => binding.dirty),
    };
  }

  /** True where the registry may say something else about tags now. */
  #take({ type, payload, lsn }: Frame): boolean {
    if (type === recordType.points) this.#points(payload);
    else if (type === recordType.verdict) this.#verdict(payload);
    else if (type === recordType.gap) this.#gap(lsn, decodeJson<GapRecord>(payload));
    else if (type === recordType.registryChanged) {
      const { entity } = decodeJson<RegistryChangedRecord>(payload);
      return entity === "binding" || entity === "equipment" || entity === "model" || entity === "tag";
    }
    return type === recordType.tagRegistered;
  }

  /** Suspect rows come with their verdict. Where no tag means anything, no row is looked at. */
  #points(payload: Uint8Array): void {
    const { suspect, connectionId, receivedTime } = decodePointsHeader(payload);
    this.#heard.set(connectionId, Math.max(receivedTime, this.#heard.get(connectionId) ?? 0));
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
    const lasting = this.#gaps.intervals(connectionId).find(({ from, to }) => to === never && from < toUs);
    if (lasting !== undefined) this.#state({ lsn, connection: connectionId, from: toUs, to: never, says: "covered" });
  }

  #state(statement: GapStatement): void {
    for (const { from, to, lost } of this.#gaps.add(statement))
      this.#derivation.gapChanged(statement.connection, from, to, lost);
  }

  /** What the registry says of tags now, against what is at work. */
  #bind(): void {
    const wanted = new Map(assignmentsOf(this.#registry.standardBindings().items).map((one) => [one.key, one.spec]));
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
    }
    this.#forgottenUs = 0;
  }

  #forget(): void {
    const now = this.#clock.nowUs();
    if (now - this.#forgottenUs < hourUs) return;
    this.#forgottenUs = now;
    this.#derivation.forgetBefore(now - keptUs);
  }

  async #settle(): Promise<void> {
    this.#forget();
    if (this.#derivation.dirty === 0) return;
    while (this.#history.status.appliedLsn < this.#appliedLsn) await this.#clock.sleep(historyMs, this.#stop.signal);
    const oldest = this.#clock.nowUs() - keptUs;
    for (const { binding, run } of this.#derivation.repairs(() => oldest)) {
      const connections = new Set(binding.spec.channels.map(({ connection }) => connection));
      const gaps = united([...connections].flatMap((connection) => this.#gaps.intervals(connection)));
      const inputs = new HistoryInputs(this.#history, binding.spec, gaps);
      let step = run.next();
      while (!step.done) {
        this.#stop.signal.throwIfAborted();
        step = run.next(await inputs.answer(step.value));
      }
      this.#derivation.repaired(binding, step.value);
    }
    // Nobody is told yet what changed; readers ask for what they want to know.
    this.#derivation.takeDirty(() => 0);
  }

  /** Up to the last proof of life of what feeds the equipment. */
  #tick(equipment: number, bindings: readonly Binding[]): void {
    const feeds = new Map<number, ProofOfLife>();
    for (const { connection } of bindings.flatMap(({ spec }) => spec.channels)) {
      const lastUs = this.#heard.get(connection);
      if (lastUs !== undefined) feeds.set(connection, { connection, lastUs });
    }
    if (feeds.size === 0) return;
    const before = this.#derivation.watermarkOf(equipment);
    const { watermark } = nextWatermark(before, this.#clock.nowUs(), [...feeds.values()]);
    this.#derivation.tickEquipment(equipment, watermark);
  }
}
