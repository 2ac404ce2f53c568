import { ColumnsBuilder } from "@lineshaft/contract/api";
import type { BindingSpec, Derivation } from "../index.ts";
import { campaign, type Engine, finality } from "./campaign.ts";
import { hourUs, start } from "./plant.ts";

/** Everything that is asked of an engine for one seed; null when all is right. A fault that throws is a fault found. */
export function faultOf(engine: Engine, seed: number): string | null {
  try {
    return campaign(engine, seed) ?? finality(engine, seed) ?? (seed === 1 ? fixedChecks(engine) : null);
  } catch (error) {
    return (error as Error).stack ?? String(error);
  }
}

/** What needs no chance. */
export function fixedChecks(engine: Engine): string | null {
  return (
    repairStops(engine) ??
    proofOfLife(engine) ??
    knownThen(engine) ??
    verdictByItsRule(engine) ??
    neverBefore(engine) ??
    beginningMoves(engine) ??
    levelsBeginAnew(engine) ??
    noBoundary(engine) ??
    oneRepairIsEnough(engine)
  );
}

/** A late point among samples of every minute is repaired within its hour or the next, though the day goes on: the state has forgotten it. */
function repairStops(engine: Engine): string | null {
  const rule = engine.compileMapping({
    states: [
      { value: 0, itemState: "NotExecuting" },
      { value: 1, itemState: "Executing" },
    ],
    counter: { width: "uint16", maxPerSecond: 1 },
  });
  const rules = new engine.Rules([{ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, rule }]);
  for (const role of ["itemState", "counter"] as const) {
    const spec: BindingSpec = {
      id: 1,
      equipment: 1,
      role,
      channels: [{ tag: 1, connection: 1, counts: "good" }],
      rules,
    };
    const derivation = new engine.Derivation();
    const inputs = new engine.MemoryInputs(new engine.GapLedger());
    inputs.know(spec);
    derivation.add(spec, "none");
    const put = (t: number, value: number): void => {
      inputs.put({ tag: 1, t, ordinal: 0, value, bad: false, revision: null, lsn: 1 });
      const columns = new ColumnsBuilder(1);
      columns.add(1, t, value);
      derivation.apply(columns.build());
    };
    for (let minute = 0; minute < 24 * 60; minute++)
      put(start + minute * 60_000_000, role === "counter" ? minute : (minute >> 1) % 2);
    derivation.tick(start + 24 * hourUs);
    put(start + 5 * hourUs + 30_000_001, role === "counter" ? 9_000 : 1);
    const hours = derivation.settle(inputs);
    if (hours > 2) return `${role}: a late point made ${hours} hours run again`;
  }
  return null;
}

/** The suspect's own rule does not believe 5,000 pieces in 90 s, so it is a reset; the next rule would have called it a glitch and counted 5,010. */
function verdictByItsRule(engine: Engine): string | null {
  const rule = (maxPerSecond: number) => engine.compileMapping({ counter: { maxPerSecond, glitchWindowMs: 60_000 } });
  const rules = new engine.Rules([
    { from: Number.NEGATIVE_INFINITY, to: start, rule: rule(1) },
    { from: start, to: Number.POSITIVE_INFINITY, rule: rule(100) },
  ]);
  const derivation = new engine.Derivation();
  derivation.add(
    { id: 1, equipment: 1, role: "counter", channels: [{ tag: 1, connection: 1, counts: "good" }], rules },
    "none",
  );
  feed(derivation, [
    [-100, 0],
    [-10, 5_000],
    [10, 5_010],
  ]);
  const { n, flags } = engine.machineFacts(derivation.bindingsOf(1), start - hourUs, start + hourUs).increments;
  return `${n} ${flags}` === "0,0,10 1,1,0" ? null : `a verdict by another rule than the suspect's: ${n} ${flags}`;
}

/** The second pulse's ideal cycle reaches back behind the first pulse, but the stop it ends does not. */
function neverBefore(engine: Engine): string | null {
  const rule = engine.compileMapping({ pulse: { stopAfterCycles: 1 } });
  const rules = new engine.Rules([{ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, rule }]);
  const derivation = new engine.Derivation();
  derivation.add(
    { id: 1, equipment: 1, role: "pulse", channels: [{ tag: 1, connection: 1, counts: "good" }], rules },
    "none",
  );
  derivation.setCycles(1, new engine.Steps([start - hourUs, start], [10_000_000, 900_000_000]));
  feed(derivation, [
    [-5, 1],
    [100, 1],
  ]);
  const found = [...(derivation.bindings.get(1)?.track.emittedFrom(start - hourUs) ?? [])]
    .flatMap(({ transitions }) => Array.from(transitions?.t ?? [], (t, i) => [(t - start) / 1e6, transitions?.code[i]]))
    .slice(0, 3)
    .join(" ");
  return found === "-5,4 -5,3 -5,4" ? null : `a stop that ends before it begins: ${found}`;
}

/** A binding's beginning is moved, and hours later comes its first sample: that sample's baseline counts from the new beginning. */
function beginningMoves(engine: Engine): string | null {
  const rule = engine.compileMapping({});
  const since = (from: number) => new engine.Rules([{ from, to: Number.POSITIVE_INFINITY, rule }]);
  const channels = [{ tag: 1, connection: 1, counts: "good" as const }];
  const spec: BindingSpec = { id: 1, equipment: 1, role: "counter", channels, rules: since(start + hourUs) };
  const derivation = new engine.Derivation();
  const inputs = new engine.MemoryInputs(new engine.GapLedger());
  inputs.know(spec);
  derivation.add(spec, "none");
  inputs.put({ tag: 1, t: start + 6 * hourUs, ordinal: 0, value: 7, bad: false, revision: null, lsn: 1 });
  feed(derivation, [[6 * 3600, 7]]);
  derivation.tick(start + 8 * hourUs);
  derivation.setRules(1, since(start + 2 * hourUs));
  derivation.settle(inputs);
  const { source } = engine.machineFacts(derivation.bindingsOf(1), start, start + 8 * hourUs).increments;
  return source[0] === start + 2 * hourUs ? null : `a baseline from ${(source[0] - start) / hourUs} h, not from 2 h`;
}

/** A reject pulse that was low when its tag ceased to be bound and is high when it is bound again: an edge that nobody saw is no piece. */
function levelsBeginAnew(engine: Engine): string | null {
  const { Derivation, compileMapping, jointRules } = engine;
  const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  const rising = compileMapping({ pulse: { edge: "rising", idealCycleMs: 1000 } });
  const rejects = [
    { from: start, to: start + 100e6, rule: rising },
    { from: start + 200e6, to: ever.to, rule: rising },
  ];
  const rules = jointRules([rejects, [{ ...ever, rule: compileMapping({ pulse: { idealCycleMs: 1000 } }) }]]);
  const channels = [
    { tag: 1, connection: 1, counts: "scrap" as const },
    { tag: 2, connection: 1, counts: "good" as const },
  ];
  const derivation = new Derivation();
  derivation.add({ id: 1, equipment: 1, role: "pulse", channels, rules }, "none");
  feed(derivation, [
    [10, 0],
    [20, 1],
    [50, 0],
    [210, 1],
    [220, 0],
    [230, 1],
  ]);
  derivation.tick(start + 300e6);
  const { t } = engine.machineFacts(derivation.bindingsOf(1), start, start + 300e6).increments;
  const found = [...t].map((at) => (at - start) / 1e6).join();
  return found === "20,230" ? null : `edges at ${found}, not at 20,230`;
}

/** `a > b` of two tags, or no answer where `a` is a text; the second may be bound in pieces that mean the same. */
function jointOfTwo({ ConditionTable, compileMapping, jointRules }: Engine, bound: readonly number[]): BindingSpec {
  const types = { a: "double", b: "double" } as const;
  const decide = new ConditionTable([{ when: "a > b", itemState: "Executing" }], types).decide(["a", "b"]);
  const edges = [Number.NEGATIVE_INFINITY, ...bound, Number.POSITIVE_INFINITY];
  const pieces = edges.slice(1).map((to, i) => ({ from: edges[i], to, rule: compileMapping({}) }));
  const channels = [1, 2].map((tag) => ({ tag, connection: tag, counts: null }));
  const rules = jointRules(
    [pieces.slice(0, 1).map((piece) => ({ ...piece, to: Number.POSITIVE_INFINITY })), pieces],
    decide,
  );
  return { id: 1, equipment: 1, role: "itemState", channels, rules, by: "conditions" };
}

/** One binding that ends where the next begins is not judged anew there: 1 > 2 is said by no row, once. */
function noBoundary(engine: Engine): string | null {
  const derivation = new engine.Derivation();
  derivation.add(jointOfTwo(engine, [start + 10e6]), "none");
  feed(derivation, [[1, 1]]);
  feed(derivation, [[2, 2]], 2);
  derivation.tick(start + 60e6);
  const outside = derivation.bindings.get(1)?.track.outside;
  return outside === 1 ? null : `${outside} instants without an answer, not 1`;
}

/** Two tags of which one always comes later than the other: after a late point all is repaired once, and not again with each row that comes in its order. */
function oneRepairIsEnough(engine: Engine): string | null {
  const spec = jointOfTwo(engine, []);
  const derivation = new engine.Derivation();
  const inputs = new engine.MemoryInputs(new engine.GapLedger());
  inputs.know(spec);
  derivation.add(spec, "none");
  let repairs = 0;
  const put = (seconds: number, value: number, tag: number): void => {
    inputs.put({ tag, t: start + seconds * 1e6, ordinal: 0, value, bad: false, revision: null, lsn: 1 });
    feed(derivation, [[seconds, value]], tag);
    if (derivation.dirty === 0) return;
    repairs++;
    derivation.settle(inputs);
  };
  for (let second = 10; second < 60; second++) {
    put(second, second % 7, 1);
    put(second - 1.5, second % 3, 2);
    if (second === 30) put(5, 1, 1);
    derivation.tick(start + (second - 2) * 1e6);
  }
  return repairs === 1 ? null : `${repairs} repairs, not 1`;
}

/** Rows of a tag in seconds from the start. */
function feed(derivation: Derivation, rows: readonly [number, number][], tag = 1): void {
  const columns = new ColumnsBuilder(rows.length);
  for (const [seconds, value] of rows) columns.add(tag, start + seconds * 1e6, value);
  derivation.apply(columns.build());
}

function proofOfLife({ nextWatermark }: Engine): string | null {
  const policy = { behindUs: 2, heldAtMostUs: 100 };
  const cases: [number, number, [number, number][], number, number[]][] = [
    // before, now, [connection, last proof], watermark, gaps from
    [0, 1000, [], 998, []],
    [0, 1000, [[1, 999]], 998, []],
    [0, 1000, [[1, 990]], 990, []],
    [
      0,
      1000,
      [
        [1, 990],
        [2, 950],
      ],
      950,
      [],
    ],
    [
      0,
      1000,
      [
        [1, 990],
        [2, 900],
      ],
      900,
      [],
    ],
    [
      0,
      1000,
      [
        [1, 990],
        [2, 899],
      ],
      990,
      [899],
    ],
    [995, 1000, [[1, 990]], 995, []],
  ];
  for (const [before, now, feeds, watermark, gaps] of cases) {
    const proofs = feeds.map(([connection, lastUs]) => ({ connection, lastUs }));
    const step = nextWatermark(before, now, proofs, policy);
    const found = step.lost.map(({ lastUs }) => lastUs);
    if (step.watermark !== watermark || found.join() !== gaps.join())
      return `watermark at ${now} with proofs ${JSON.stringify(feeds)}: ${step.watermark}, gaps from ${found.join()}`;
  }
  return null;
}

function knownThen({ GapLedger }: Engine): string | null {
  const ledger = new GapLedger();
  const never = Number.POSITIVE_INFINITY;
  ledger.add({ lsn: 1, connection: 1, from: 100, to: never, says: "lost" });
  ledger.add({ lsn: 5, connection: 1, from: 200, to: never, says: "covered" });
  const changed = ledger.add({ lsn: 9, connection: 1, from: 120, to: 150, says: "covered" });
  const views = [1, 5, 9].map((lsn) =>
    ledger
      .intervals(1, lsn)
      .map(({ from, to }) => `${from}-${to}`)
      .join(" "),
  );
  const expected = ["100-Infinity", "100-200", "100-120 150-200"];
  if (views.join() !== expected.join()) return `gaps as known at 1, 5, 9: ${views.join()}`;
  const told = changed.map(({ from, to, lost }) => `${from}-${to} ${lost}`).join();
  return told === "120-150 false" ? null : `the change of the gap: ${told}`;
}
