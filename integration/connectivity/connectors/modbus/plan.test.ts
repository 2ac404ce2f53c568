import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Block, planBlocks, type Span, TableKnowledge, uniqueSpans } from "./plan.ts";

let tags = 0;
const span = (start: number, count = 1): Span => ({ start, count, tags: [tags++] });
const reads = (blocks: Block[]): number[][] => blocks.map(({ start, count }) => [start, count]);
const free = (): TableKnowledge => new TableKnowledge();
const limits = { max: 125, gap: 8 };

describe("planBlocks", () => {
  it.each<[string, Span[], number[][]]>([
    ["nothing", [], []],
    ["neighbours in one read", [span(0), span(1), span(2, 2)], [[0, 4]]],
    ["a gap up to the limit is read along", [span(0), span(9)], [[0, 10]]],
    [
      "a wider one is not",
      [span(0), span(10)],
      [
        [0, 1],
        [10, 1],
      ],
    ],
    [
      "one value stays in one read",
      [span(0, 124), span(124, 2)],
      [
        [0, 124],
        [124, 2],
      ],
    ],
    ["125 registers are one read", [span(0, 124), span(124)], [[0, 125]]],
    ["overlapping spans share registers", [span(0, 4), span(2, 4), span(3)], [[0, 6]]],
    [
      "an overlap across the limit is read twice",
      [span(0, 100), span(98, 30)],
      [
        [0, 100],
        [98, 30],
      ],
    ],
  ])("%s", (_, spans, expected) => {
    expect(reads(planBlocks(uniqueSpans(spans), limits, free()))).toEqual(expected);
  });

  it("reads 16 bits of a register once", () => {
    const bits = Array.from({ length: 16 }, () => span(7));
    const [unique, ...others] = uniqueSpans(bits);
    expect(others).toEqual([]);
    expect(unique.tags).toEqual(bits.flatMap((bit) => bit.tags));
  });

  it("does not touch forbidden addresses between values", () => {
    const knowledge = free();
    knowledge.forbid(3, 3);
    expect(reads(planBlocks([span(0), span(2), span(4), span(6)], limits, knowledge))).toEqual([
      [0, 3],
      [4, 3],
    ]);
  });

  const anySpans = fc.array(
    fc.record({ start: fc.nat(800), count: fc.constantFrom(1, 1, 1, 2, 4, 20) }).map((s) => span(s.start, s.count)),
    { maxLength: 120 },
  );
  const anyLimits = fc.record({ max: fc.integer({ min: 20, max: 125 }), gap: fc.nat(30) });

  it("covers each tag in exactly one read, within the limits, and reads nothing else but narrow gaps", () => {
    fc.assert(
      fc.property(anySpans, anyLimits, fc.array(fc.nat(800), { maxLength: 5 }), (spans, limit, forbidden) => {
        const knowledge = free();
        for (const at of forbidden) knowledge.forbid(at, at);
        const blocks = planBlocks(uniqueSpans(spans), limit, knowledge);
        const covered = blocks.flatMap((block) => block.spans.flatMap((s) => s.tags));
        expect(covered.sort()).toEqual(spans.flatMap((s) => s.tags).sort());
        const wanted = new Set(spans.flatMap((s) => Array.from({ length: s.count }, (_, i) => s.start + i)));
        for (const block of blocks) {
          expect(block.count).toBeLessThanOrEqual(limit.max);
          let run = 0;
          for (let at = block.start; at < block.start + block.count; at++) {
            run = wanted.has(at) ? 0 : run + 1;
            expect(run).toBeLessThanOrEqual(limit.gap);
            if (!wanted.has(at)) expect(forbidden).not.toContain(at);
          }
          for (const s of block.spans)
            expect(s.start >= block.start && s.start + s.count <= block.start + block.count).toBe(true);
        }
      }),
    );
  });

  it("needs few reads: no two neighbours would fit into one", () => {
    fc.assert(
      fc.property(anySpans, anyLimits, (spans, limit) => {
        const blocks = planBlocks(uniqueSpans(spans), limit, free());
        for (let i = 1; i < blocks.length; i++) {
          const [a, b] = [blocks[i - 1], blocks[i]];
          const [first] = b.spans;
          const fits = Math.max(a.start + a.count, first.start + first.count) - a.start <= limit.max;
          expect(fits && first.start - (a.start + a.count) <= limit.gap).toBe(false);
        }
      }),
    );
  });
});

describe("learning from refusals", () => {
  /** Plans and reads until nothing is refused that could still be parted; as the reader does. */
  function learn(spans: Span[], refuses: (at: number) => boolean) {
    const knowledge = free();
    const asked: number[][] = [];
    for (let round = 0; ; round++) {
      let parted = false;
      const blocks = planBlocks(spans, limits, knowledge);
      asked.push(...reads(blocks));
      const refused = blocks.filter(({ start, count }) =>
        Array.from({ length: count }, (_, i) => start + i).some(refuses),
      );
      for (const block of refused) parted = knowledge.split(block) || parted;
      if (!parted) return { rounds: round, blocks, refused, asked, knowledge };
    }
  }

  it("a write-only gap is read once and never again", () => {
    const { blocks, refused, asked } = learn([span(0), span(1), span(5), span(6)], (at) => at === 3);
    expect(reads(blocks)).toEqual([
      [0, 2],
      [5, 2],
    ]);
    expect(refused).toEqual([]);
    expect(asked.filter(([start, count]) => start <= 3 && start + count > 3)).toHaveLength(1);
  });

  it("an unreadable value is found by halving, and stands alone", () => {
    const spans = Array.from({ length: 100 }, (_, i) => span(i));
    const { blocks, refused, rounds } = learn(spans, (at) => at === 37);
    expect(reads(refused)).toEqual([[37, 1]]);
    expect(rounds).toBeLessThanOrEqual(7);
    expect(blocks.length).toBeLessThanOrEqual(9);
  });

  it("values at one start but of different length are parted too", () => {
    const { refused } = learn(uniqueSpans([span(10, 1), span(10, 2)]), (at) => at === 11);
    expect(reads(refused)).toEqual([[10, 2]]);
  });

  it("always ends with exactly the unreadable values refused", () => {
    const spans = fc.uniqueArray(fc.nat(300), { maxLength: 60 });
    fc.assert(
      fc.property(spans, fc.array(fc.nat(300), { maxLength: 10 }), (starts, bad) => {
        const all = uniqueSpans(starts.map((start) => span(start)));
        const { refused, knowledge } = learn(all, (at) => bad.includes(at));
        expect(refused.map(({ start }) => start)).toEqual(all.map((s) => s.start).filter((at) => bad.includes(at)));
        expect(knowledge.size).toBeLessThanOrEqual(all.length);
      }),
    );
  });

  it("forgets what was parted without a gap, never a gap", () => {
    const spans = [span(0), span(1), span(3)];
    const { knowledge } = learn(spans, (at) => at === 0 || at === 2);
    expect(reads(planBlocks(spans, limits, knowledge))).toEqual([
      [0, 1],
      [1, 1],
      [3, 1],
    ]);
    knowledge.forgetCuts();
    expect(reads(planBlocks(spans, limits, knowledge))).toEqual([
      [0, 2],
      [3, 1],
    ]);
  });
});
