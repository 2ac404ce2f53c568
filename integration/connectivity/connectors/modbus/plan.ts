/** One value's addresses within a table of a unit. */
export interface Span {
  start: number;
  count: number;
  /** The tags that are decoded from it; whatever the caller counts by. */
  tags: number[];
}

/** One read: consecutive addresses, with the spans that lie wholly in it, in order. */
export interface Block {
  start: number;
  count: number;
  spans: Span[];
}

export interface PlanLimits {
  /** Addresses in one read. */
  max: number;
  /** Addresses between two spans that may be read along. */
  gap: number;
}

/** Spans in their order, each once, with all its tags. */
export function uniqueSpans(spans: readonly Span[]): Span[] {
  const byKey = new Map<number, Span>();
  for (const { start, count, tags } of spans) {
    const known = byKey.get(spanKey({ start, count }));
    if (known) known.tags.push(...tags);
    else byKey.set(spanKey({ start, count }), { start, count, tags: [...tags] });
  }
  return [...byKey.values()].sort((a, b) => spanKey(a) - spanKey(b));
}

/** Orders spans by start, then length. */
export const spanKey = ({ start, count }: { start: number; count: number }): number => start * 4096 + count;

/**
 * What is known of one table of a unit: addresses that must not be read along, and places where a read must end because the device refused one
 * across them. Bounded by the number of spans.
 */
export class TableKnowledge {
  readonly #forbidden: { from: number; to: number }[] = [];
  /** Keys of spans that begin a new read. */
  readonly #cuts = new Set<number>();
  /** Changes with what is known, so that a plan knows whether it is still good. */
  version = 0;

  /** These addresses are never read along; a value that lies on them still is. */
  forbid(from: number, to: number): void {
    this.#forbidden.push({ from, to });
    this.version++;
  }

  /** May `next` be read together with what ends before `end`? */
  joins(end: number, next: Span): boolean {
    if (this.#cuts.has(spanKey(next))) return false;
    return next.start <= end || !this.#forbidden.some(({ from, to }) => from < next.start && to >= end);
  }

  /**
   * A read of several spans was refused: it is parted at its widest gap, which is then never read again, or without gaps in the middle.
   * False when there is but one span: that one is unreadable.
   */
  split(block: Block): boolean {
    const { spans } = block;
    if (spans.length < 2) return false;
    let widest = 0;
    let at = spans.length >>> 1;
    let end = spans[0].start + spans[0].count;
    for (let i = 1; i < spans.length; i++) {
      const gap = spans[i].start - end;
      if (gap > widest) {
        widest = gap;
        at = i;
      }
      end = Math.max(end, spans[i].start + spans[i].count);
    }
    if (widest > 0) this.forbid(spans[at].start - widest, spans[at].start - 1);
    else this.#cuts.add(spanKey(spans[at]));
    this.version++;
    return true;
  }

  /** Reads that were parted without a gap between are tried in one again: the device may have been reconfigured. */
  forgetCuts(): void {
    if (this.#cuts.size > 0) this.version++;
    this.#cuts.clear();
  }

  /** How much is known. */
  get size(): number {
    return this.#cuts.size + this.#forbidden.length;
  }
}

/**
 * Few reads that together cover each span in exactly one of them. Greedy from the lowest address on, which gives the fewest reads where spans do
 * not overlap. `spans` as from `uniqueSpans`, each no longer than `limits.max`.
 */
export function planBlocks(spans: readonly Span[], limits: PlanLimits, knowledge: TableKnowledge): Block[] {
  const blocks: Block[] = [];
  let block: Block | null = null;
  for (const span of spans) {
    const end: number = block === null ? 0 : block.start + block.count;
    const reach: number = block === null ? 0 : Math.max(end, span.start + span.count) - block.start;
    if (block !== null && reach <= limits.max && span.start - end <= limits.gap && knowledge.joins(end, span)) {
      block.count = reach;
      block.spans.push(span);
    } else {
      block = { start: span.start, count: span.count, spans: [span] };
      blocks.push(block);
    }
  }
  return blocks;
}
