import { type Micros, minuteUs } from "@lineshaft/contract/api";
import type { PointsRecord } from "@lineshaft/contract/ports";
import { defaultWatermark, nextWatermark, type ProofOfLife } from "./watermark.ts";

/** Where a gap begins or ends because of silence. */
export interface SilenceStatement {
  connectionId: number;
  fromUs: Micros;
  /** null: it lasts. Equal to `fromUs`: nothing was missed. */
  toUs: Micros | null;
  reason: string;
}

const boundMinutes = defaultWatermark.heldAtMostUs / minuteUs;
/** By this the next process knows which lasting gaps of the ledger are of silence. */
export const silenceReason = `Nothing was heard for ${boundMinutes} minutes; what its machines did is unknown until it is heard again.`;
const heardReason = "It is heard again after a silence.";
const nothingMissedReason = "It is heard again after a silence, and by its numbering nothing was missed.";

interface Source {
  lastUs: Micros;
  generation: number;
  sequence: number;
}

export interface ProofState {
  sources: [connection: number, Source][];
  silent: number[];
}

/**
 * Who was heard when, and what follows when nobody was. A source that says nothing holds the watermark of its machines at its last proof of life; after a bound it is taken
 * for lost from there on, which is stated as a gap in the log, and only behind that gap does the watermark pass. What it delivers afterwards ends the gap: where its
 * first point lies, or where it began if its batches are numbered without a break.
 */
export class ProofsOfLife {
  readonly #sources = new Map<number, Source>();
  readonly #silent = new Set<number>();
  readonly #since: Micros;

  /** `since`: from when on we could have heard somebody; silence is counted from there. */
  constructor(since: Micros, { sources, silent }: ProofState) {
    this.#since = since;
    this.#silent = new Set(silent);
    for (const [connection, source] of sources) this.#sources.set(connection, source);
  }

  /** To go on from here. */
  get state(): ProofState {
    return { sources: [...this.#sources], silent: [...this.#silent] };
  }

  seen(connectionId: number, us: Micros): void {
    const source = this.#sources.get(connectionId);
    if (source === undefined) this.#sources.set(connectionId, { lastUs: us, generation: 0, sequence: 0 });
    else source.lastUs = Math.max(source.lastUs, us);
  }

  /** A batch has come. Where its connection was silent, `lostFrom` is where its lasting gap begins, and the answer ends that. */
  batch(
    record: Omit<PointsRecord, "columns">,
    first: () => Micros,
    lostFrom: () => Micros | null,
  ): SilenceStatement | null {
    const { connectionId, generation, sequence, receivedTime } = record;
    const before = this.#sources.get(connectionId);
    this.#sources.set(connectionId, {
      lastUs: Math.max(receivedTime, before?.lastUs ?? 0),
      generation,
      sequence,
    });
    if (!this.#silent.has(connectionId)) return null;
    this.#silent.delete(connectionId);
    const fromUs = lostFrom();
    if (fromUs === null) return null;
    const numbered = before !== undefined && before.sequence > 0 && generation === before.generation;
    if (numbered && sequence === before.sequence + 1)
      return { connectionId, fromUs, toUs: fromUs, reason: nothingMissedReason };
    const begin = first();
    return {
      connectionId,
      fromUs,
      toUs: begin > fromUs ? Math.min(begin, receivedTime) : receivedTime,
      reason: heardReason,
    };
  }

  /** The watermark of an equipment that these connections feed, not before `before`; null: none of them was ever heard. `lost`: those that a lasting gap is known of. */
  watermark(
    connections: readonly number[],
    before: Micros,
    nowUs: Micros,
    lost: (connectionId: number) => boolean,
  ): Micros | null {
    const feeds: ProofOfLife[] = [];
    let held = Number.POSITIVE_INFINITY;
    for (const connection of connections) {
      const source = this.#sources.get(connection);
      if (source === undefined) continue;
      feeds.push({ connection, lastUs: source.lastUs });
      if (!lost(connection)) held = Math.min(held, source.lastUs);
    }
    if (feeds.length === 0) return null;
    const { watermark, lost: overdue } = nextWatermark(before, nowUs, feeds);
    // One that is overdue lets the watermark pass only behind its gap.
    return overdue.some(({ connection }) => !lost(connection))
      ? Math.max(before, Math.min(watermark, held))
      : watermark;
  }

  /** Connections whose silence has lasted too long by now, each told once. */
  overdue(connections: Iterable<number>, nowUs: Micros, lost: (connectionId: number) => boolean): SilenceStatement[] {
    const statements: SilenceStatement[] = [];
    for (const connectionId of connections) {
      const source = this.#sources.get(connectionId);
      if (source === undefined || this.#silent.has(connectionId) || lost(connectionId)) continue;
      if (nowUs - Math.max(source.lastUs, this.#since) <= defaultWatermark.heldAtMostUs) continue;
      this.#silent.add(connectionId);
      statements.push({ connectionId, fromUs: source.lastUs, toUs: null, reason: silenceReason });
    }
    return statements;
  }
}
