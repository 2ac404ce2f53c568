import type { Lsn, StandardBinding } from "@lineshaft/contract/ports";
import type { Binding } from "./binding.ts";
import {
  type CheckpointRest,
  encodeRest,
  encodeSegment,
  type FactsDelta,
  type FactsStore,
  headOf,
} from "./checkpoint.ts";
import type { Derivation } from "./engine.ts";
import type { Segment } from "./segment.ts";

/** What of a binding was saved, in a few numbers: equal ones need no writing. */
type Mark = Float64Array;

interface Known {
  key: string;
  rows: StandardBinding[];
}

/** Brings facts onto the disk: what has changed since the last time, in one step, with the position in the log that it rests on. */
export class FactsSaver {
  readonly #store: FactsStore;
  readonly #derivation: Derivation;
  readonly #marks = new Map<number, Mark>();
  readonly #known = new Map<number, Known>();
  readonly #removed = new Set<number>();

  constructor(store: FactsStore, derivation: Derivation) {
    this.#store = store;
    this.#derivation = derivation;
  }

  /** By which rows a binding is derived from now on. */
  bound(id: number, known: Known): void {
    const before = this.#known.get(id);
    this.#known.set(id, known);
    if (JSON.stringify(before?.rows) !== JSON.stringify(known.rows)) this.#marks.delete(id);
  }

  removed(id: number): void {
    this.#known.delete(id);
    this.#marks.delete(id);
    this.#removed.add(id);
  }

  /**
   * Everything as it is now, though it is written while the work goes on: where automata stand is copied, and closed hours never change. Throws what the store throws; then everything is still
   * to be saved.
   */
  async save(lsn: Lsn, rest: CheckpointRest, forgottenBefore: number): Promise<void> {
    const changed: FactsDelta["changed"] = [];
    const taken: { binding: Binding; fromHour: number }[] = [];
    for (const binding of this.#derivation.bindings.values()) {
      const { track, spec } = binding;
      const mark = markOf(binding);
      if (same(this.#marks.get(spec.id), mark)) continue;
      const { key, rows } = this.#known.get(spec.id) as Known;
      const fromHour = track.unsavedFrom;
      const segments = track.segments.slice(track.firstSegment(fromHour));
      const head = headOf(binding);
      changed.push({
        ...{ id: spec.id, key, rows, fromHour, segments: encoded(segments) },
        get head() {
          return head();
        },
      });
      taken.push({ binding, fromHour });
      mark[mark.length - 1] = Number.POSITIVE_INFINITY;
      this.#marks.set(spec.id, mark);
      track.unsavedFrom = Number.POSITIVE_INFINITY;
    }
    const removed = [...this.#removed];
    this.#removed.clear();
    const texts = this.#derivation.texts.unsaved;
    this.#derivation.texts.saved();
    try {
      await this.#store.save({ lsn, rest: encodeRest(rest), removed, changed, texts, forgottenBefore });
    } catch (error) {
      this.#derivation.texts.notSaved(texts);
      for (const id of removed) this.#removed.add(id);
      for (const { binding, fromHour } of taken) {
        this.#marks.delete(binding.spec.id);
        binding.track.unsavedFrom = Math.min(binding.track.unsavedFrom, fromHour);
      }
      throw error;
    }
  }
}

function* encoded(segments: readonly Segment[]): Generator<{ hour: number; body: Uint8Array }> {
  for (const segment of segments) yield { hour: segment.hour, body: encodeSegment(segment) };
}

/** The watermark of a clean binding is that of its equipment, which is saved for all. */
function markOf({ track, lastT, lastOrdinal, watermark, dirty, dirtyFrom, dirtyTo, floor, held }: Binding): Mark {
  const { s, o, width, open, repaired, unsavedFrom } = track;
  const { hour, transitions, increments, outside } = open;
  const mark = new Float64Array(width + 13);
  for (let i = 0; i < width; i++) mark[i] = s[o + i];
  mark.set([lastT, lastOrdinal, dirty ? watermark : 0, dirtyFrom, dirtyTo, floor, held.length], width);
  mark.set([hour, transitions.n, increments.n, outside, repaired, unsavedFrom], width + 7);
  return mark;
}

function same(a: Mark | undefined, b: Mark): boolean {
  if (a === undefined) return false;
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
