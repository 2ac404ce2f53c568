import { describe, expect, it } from "vitest";
import { serverLost } from "./machine.ts";
import { bdSeq, byAlias, double, MachineBench } from "./test/bench.ts";

const nbirth = "spBv1.0/G/NBIRTH/E";
const ndata = "spBv1.0/G/NDATA/E";
const ndeath = "spBv1.0/G/NDEATH/E";
const dbirth = "spBv1.0/G/DBIRTH/E/D";
const ddata = "spBv1.0/G/DDATA/E/D";
const kinds = (effects: readonly { kind: string }[]): string[] => effects.map(({ kind }) => kind);

/** A node with metric n (alias 1) and a device with metric d (alias 2); the next number is 2. */
function born(settings: ConstructorParameters<typeof MachineBench>[0] = {}): MachineBench {
  const bench = new MachineBench(settings);
  bench.send(nbirth, [bdSeq(0), double("n", 1, 10)], 0);
  bench.send(dbirth, [double("d", 2, 20)], 1);
  return bench;
}

describe("births, aliases, order", () => {
  it("aliases belong to the edge node: a device's alias is read by the device's birth", () => {
    const bench = born();
    bench.send(ndata, [byAlias(1, 11)], 2);
    bench.send(ddata, [byAlias(2, 21)], 3);
    expect(bench.rows.filter((r) => !r.birth)).toEqual([
      { address: "G/E//n", value: 11, birth: false },
      { address: "G/E/D/d", value: 21, birth: false },
    ]);
  });

  it("a rebirth may give the same alias to another metric", () => {
    const bench = born();
    bench.send(nbirth, [bdSeq(0), double("m", 1, 1)], 0);
    bench.send(ndata, [byAlias(1, 12)], 1);
    expect(bench.rows.at(-1)).toEqual({ address: "G/E//m", value: 12, birth: false });
  });

  it("255 is followed by 0", () => {
    const bench = born();
    for (let seq = 2; seq < 600; seq++) expect(bench.send(ndata, [byAlias(1, seq)], seq & 255)).toEqual([]);
    expect(bench.values()).toHaveLength(598);
  });

  it("a message that the server repeats is taken once", () => {
    const bench = born();
    bench.send(ndata, [byAlias(1, 1)], 2);
    bench.send(ndata, [byAlias(1, 1)], 2);
    expect(bench.values()).toEqual([1]);
    expect(bench.state.counts.duplicates).toBe(1);
  });

  it("out of order within the time: everything, in order, and nobody is asked", () => {
    const bench = born();
    expect(bench.send(ndata, [byAlias(1, 4)], 4)).toEqual([]);
    expect(bench.send(ndata, [byAlias(1, 3)], 3)).toEqual([]);
    bench.wait(1000);
    bench.send(ndata, [byAlias(1, 2)], 2);
    bench.send(ndata, [byAlias(1, 5)], 5);
    bench.wait(20_000);
    expect(bench.values()).toEqual([2, 3, 4, 5]);
    expect(bench.effects).toEqual([]);
    expect(bench.state.waitingBytes).toBe(0);
  });

  it("F21: a gap is recorded, a rebirth asked for, and what came behind it waits and is kept", () => {
    const bench = born();
    bench.send(ndata, [byAlias(1, 3)], 3);
    expect(kinds(bench.wait(2200))).toEqual(["gap", "rebirth"]);
    bench.send(ndata, [byAlias(1, 4)], 4);
    expect(bench.values()).toEqual([]);
    bench.send(nbirth, [bdSeq(0), double("n", 7, 10)], 0);
    // Alias 1 is gone with the rebirth, so what used it is not guessed …
    expect(bench.values()).toEqual([]);
    bench.send(nbirth, [bdSeq(0), double("n", 1, 10)], 0);
    bench.send(ndata, [byAlias(1, 5)], 1);
    expect(bench.values()).toEqual([5]);
  });

  it("after a gap with the same aliases, what waited is released by the rebirth", () => {
    const bench = born();
    bench.send(ndata, [byAlias(1, 3)], 3);
    bench.send(ddata, [byAlias(2, 4)], 4);
    bench.wait(2200);
    bench.send(nbirth, [bdSeq(0), double("n", 1, 10)], 0);
    expect(bench.values()).toEqual([3]);
    bench.send(dbirth, [double("d", 2, 20)], 1);
    expect(bench.values()).toEqual([3, 4]);
    expect(bench.state.waitingBytes).toBe(0);
  });

  it("a node that does not answer: what stood behind the gap is read by the birth of its session, and it goes on", () => {
    const bench = born();
    bench.send(ndata, [byAlias(1, 3)], 3);
    bench.wait(2200);
    bench.wait(10_400);
    expect(bench.values()).toEqual([3]);
    bench.send(ndata, [byAlias(1, 4)], 4);
    bench.send(ndata, [byAlias(1, 5)], 5);
    expect(bench.values()).toEqual([3, 4, 5]);
  });

  it("reorder time-out 0: asked at once; rebirth never: read on", () => {
    const bench = born({ reorderMs: 0 });
    expect(kinds(bench.send(ndata, [byAlias(1, 9)], 9))).toEqual(["gap", "rebirth"]);
    const silent = born({ reorderMs: 0, rebirth: false });
    expect(kinds(silent.send(ndata, [byAlias(1, 9)], 9))).toEqual(["gap"]);
    expect(silent.values()).toEqual([9]);
  });

  it("asks a node at most once in ten seconds", () => {
    const bench = new MachineBench();
    for (let i = 0; i < 300; i++) {
      bench.send(ndata, [byAlias(1, i)], i & 255);
      bench.wait(100);
    }
    expect(bench.state.counts.rebirths).toBe(3);
  });
});

describe("data before birth, after our restart", () => {
  it("waits for the rebirth and is released by it", () => {
    const bench = new MachineBench();
    expect(kinds(bench.send(ndata, [byAlias(1, 5)], 77))).toEqual(["rebirth"]);
    expect(bench.send(ddata, [byAlias(2, 6)], 78)).toEqual([]);
    bench.send(nbirth, [bdSeq(3), double("n", 1, 10)], 0);
    expect(bench.values()).toEqual([5]);
    bench.send(dbirth, [double("d", 2, 20)], 1);
    expect(bench.values()).toEqual([5, 6]);
  });

  it("without a birth in time it is refused with its reason, and never read", () => {
    const bench = new MachineBench();
    bench.send(ndata, [byAlias(1, 5)], 77);
    const effects = bench.wait(10_200);
    expect(effects).toMatchObject([{ kind: "reject", code: "spb_birth_missing" }]);
    expect(bench.rows).toEqual([]);
    expect(bench.state.waitingBytes).toBe(0);
  });

  it("a death or another session in between: refused, not read by the new table", () => {
    const bench = new MachineBench();
    bench.send(ndata, [byAlias(1, 5)], 77);
    expect(bench.send(ndeath, [bdSeq(3)])).toMatchObject([{ kind: "reject", code: "spb_birth_missing" }]);
    bench.send(nbirth, [bdSeq(4), double("n", 1, 10)], 0);
    expect(bench.values()).toEqual([]);
    const other = born();
    other.send(ndata, [byAlias(1, 3)], 3);
    other.wait(2200);
    expect(kinds(other.send(nbirth, [bdSeq(1), double("n", 1, 10)], 0))).toEqual(["reject"]);
    expect(other.values()).toEqual([]);
  });

  it("what waits is bounded at one node", () => {
    const bench = new MachineBench({ parkBytes: 200 });
    const effects = Array.from({ length: 20 }, (_, i) => bench.send(ndata, [byAlias(1, i)], i)).flat();
    expect(effects.filter((e) => e.kind === "reject").length).toBeGreaterThan(5);
    expect(bench.state.waitingBytes).toBeLessThanOrEqual(200);
  });

  it("a device's data before the device's birth wait for it while the node's go on", () => {
    const bench = new MachineBench();
    bench.send(nbirth, [bdSeq(0), double("n", 1, 10)], 0);
    expect(kinds(bench.send(ddata, [byAlias(2, 6)], 1))).toEqual(["rebirth"]);
    bench.send(ndata, [byAlias(1, 11)], 2);
    expect(bench.values()).toEqual([11]);
    bench.send(dbirth, [double("d", 2, 20)], 3);
    expect(bench.values()).toEqual([11, 6]);
  });
});

describe("faulty edge nodes (A28)", () => {
  it("an alias that no birth has: asked, then the rest of the message is kept", () => {
    const bench = born();
    expect(kinds(bench.send(ndata, [byAlias(1, 1), byAlias(99, 2)], 2))).toEqual(["rebirth"]);
    bench.wait(10_200);
    expect(bench.values()).toEqual([1]);
  });

  it("two metrics with one alias: told once, asked once, and neither is guessed", () => {
    const bench = new MachineBench();
    const collide = (): string[] => kinds(bench.send(nbirth, [bdSeq(0), double("a", 1, 1), double("b", 1, 2)], 0));
    expect(collide()).toEqual(["reject", "rebirth"]);
    bench.wait(11_000);
    expect(collide()).toEqual(["reject"]);
    expect([...bench.state.nodes.values()][0].aliases.get(1)?.ambiguous).toBe(true);
  });

  it("a number far away without a birth: taken, and asked", () => {
    const bench = born();
    for (let seq = 2; seq < 60; seq++) bench.send(ndata, [byAlias(1, seq)], seq);
    bench.nowMs += 5000;
    expect(kinds(bench.send(ndata, [byAlias(1, 1000)], 0))).toEqual(["rebirth"]);
    bench.send(ndata, [byAlias(1, 1001)], 1);
    expect(bench.values().slice(-2)).toEqual([1000, 1001]);
  });

  it("edge nodes and devices are bounded", () => {
    const bench = new MachineBench({ nodes: 2, devices: 1 });
    bench.send("spBv1.0/G/NBIRTH/A", [bdSeq(0)], 0);
    bench.send("spBv1.0/G/NBIRTH/B", [bdSeq(0)], 0);
    expect(bench.send("spBv1.0/G/NBIRTH/C", [bdSeq(0)], 0)).toMatchObject([{ kind: "reject", code: "spb_limits" }]);
    bench.send("spBv1.0/G/DBIRTH/A/1", [], 1);
    expect(bench.send("spBv1.0/G/DBIRTH/A/2", [], 2)).toMatchObject([{ kind: "reject", code: "spb_limits" }]);
  });
});

describe("deaths", () => {
  it("a device that is not born again after its node becomes stale", () => {
    const bench = born();
    bench.send(nbirth, [bdSeq(0), double("n", 1, 10)], 0);
    expect(bench.wait(10_400)).toMatchObject([{ kind: "stale", addresses: ["G/E/D/d"] }]);
  });

  it("the will of an earlier session, or over another server, does not kill the present one", () => {
    const bench = new MachineBench();
    bench.send(nbirth, [bdSeq(7), double("n", 1, 10)], 0);
    expect(bench.send(ndeath, [bdSeq(6)])).toEqual([]);
    expect(bench.send(ndeath, [bdSeq(7)], undefined, 1)).toEqual([]);
    expect(bench.state.counts.deathsIgnored).toBe(2);
    expect(bench.send(ndeath, [bdSeq(7)])).toMatchObject([{ kind: "stale" }]);
    expect(bench.send(ndeath, [bdSeq(7)])).toEqual([]);
  });

  it("a lost server takes its edge nodes with it, and no others", () => {
    const bench = new MachineBench();
    bench.send("spBv1.0/G/NBIRTH/A", [bdSeq(0), double("n", 1, 1)], 0, 0);
    bench.send("spBv1.0/G/NBIRTH/B", [bdSeq(0), double("n", 1, 1)], 0, 1);
    const effects = serverLost(bench.state, 1, { us: 5, ms: 5 });
    expect(effects).toMatchObject([{ kind: "stale", addresses: ["G/B//bdSeq", "G/B//n"], atUs: 5 }]);
  });
});
