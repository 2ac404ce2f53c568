import { ColumnsBuilder, type Micros, statusBadNoCommunication } from "@lineshaft/contract/api";
import type { Binding, Derivation, GapStatement } from "../index.ts";
import type { OpenSegment, Segment } from "../segment.ts";
import { type OracleBinding, oracleCode, oracleIncrements, oracleInstants, oracleName } from "./oracle.ts";
import {
  Chance,
  cyclesFor,
  equipments,
  hours,
  hourUs,
  type Joint,
  jointFor,
  jointNames,
  jointTables,
  jointTypes,
  mappingFor,
  type Piece,
  type PlantBinding,
  piecesFor,
  plantBindings,
  type Sample,
  samplesFor,
  start,
  valueFor,
} from "./plant.ts";
import { microStopUs, Reader } from "./reader.ts";

/** The engine under test: the product's, or one with a fault planted. */
export type Engine = typeof import("../index.ts");

const end = start + hours * hourUs;

/**
 * One plant, its inputs in any order, ticks at bad moments; then isolated late points and edits, each settled and compared: with an engine that learns everything at once, byte for
 * byte; with an oracle that knows the rules only; with a reader who recomputes what is called dirty. Tells what is wrong, or null.
 */
export function campaign(engine: Engine, seed: number): string | null {
  return new Campaign(engine, new Chance(seed)).run();
}

/**
 * What is final stays: everything comes in its order and whole, and a cell that the watermark has passed by its look-ahead is computed once. At the end it is what one would
 * compute now. The seventh equipment's share of the plant, the sampled counter, is read in its period.
 */
export function finality(engine: Engine, seed: number): string | null {
  const chance = new Chance(seed);
  const derivation = new engine.Derivation();
  const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  const micro = chance.of([0, microStopUs]);
  for (const binding of plantBindings) {
    if (binding.by === "conditions") {
      derivation.add({ ...binding, rules: jointRulesOf(engine, jointFor(chance)) }, "none");
      continue;
    }
    const mapping = mappingFor(binding, chance);
    if (binding.id === 4) mapping.counter = { sampling: "sampled", samplingMs: 900_000 };
    const rules = new engine.Rules([{ ...ever, rule: engine.compileMapping(mapping) }]);
    derivation.add({ ...binding, rules }, "none");
  }
  for (const equipment of [2, 3]) {
    const { from, us } = cyclesFor(chance);
    derivation.setCycles(equipment, new engine.Steps(from, us));
  }
  const periods = Array.from({ length: hours * 4 }, (_, i) => ({
    tag: 14,
    t: start + i * 900_000_000 + 450_000_077,
    ordinal: 0,
    value: i * 3,
    bad: false,
    revision: null,
  }));
  const samples = [...samplesFor(chance).filter(({ tag }) => tag !== 14), ...periods].sort((a, b) => a.t - b.t);
  const grid = Array.from({ length: 2 * hours }, (_, i) => start + i * 1_800_000_000);
  const reader = new Reader(engine, derivation, grid, micro);
  for (const sample of samples) {
    derivation.tick(sample.t - chance.of([0, 0, 1, 500_000]));
    reader.final((equipment) => engine.lookAheadUs(derivation.bindingsOf(equipment), micro));
    const columns = new ColumnsBuilder(1);
    columns.add(
      sample.tag,
      sample.t,
      sample.value,
      sample.bad && sample.tag !== 14 ? statusBadNoCommunication : 0,
      sample.ordinal,
    );
    derivation.apply(columns.build());
  }
  derivation.tick(end + 40 * hourUs);
  if (derivation.dirty > 0) return "something in its order was taken for late";
  const wrong = reader.wrong();
  return wrong === null ? null : `final and yet other, ${wrong}`;
}

const jointId = 8;

function jointRulesOf({ ConditionTable, compileMapping, jointRules }: Engine, { table, bound }: Joint) {
  const pieces = bound.map((spans) => spans.map((span) => ({ ...span, rule: compileMapping({}) })));
  return jointRules(pieces, new ConditionTable(jointTables[table], jointTypes).decide(jointNames));
}

class Campaign {
  readonly #engine: Engine;
  readonly #chance: Chance;
  readonly #derivation: Derivation;
  readonly #store: InstanceType<Engine["MemoryInputs"]>;
  readonly #pieces = new Map<number, Piece[]>();
  #joint: Joint;
  readonly #cycles = new Map<number, { from: Micros[]; us: number[] }>();
  readonly #samples = new Map<string, Sample & { lsn: number }>();
  readonly #statements: GapStatement[] = [];
  readonly #reader: Reader;
  #lsn = 0;
  #watermark = start - 2 * hourUs;

  constructor(engine: Engine, chance: Chance) {
    this.#engine = engine;
    this.#chance = chance;
    this.#derivation = new engine.Derivation();
    this.#store = new engine.MemoryInputs(new engine.GapLedger());
    const grid = Array.from({ length: hours + 2 }, (_, i) => start + (i - 1) * hourUs + 20 * 60_000_000 * (i % 3));
    this.#reader = new Reader(engine, this.#derivation, grid);
    for (const equipment of [1, 2, 3]) this.#cycles.set(equipment, cyclesFor(chance));
    for (const binding of plantBindings) this.#pieces.set(binding.id, piecesFor(binding, chance));
    this.#joint = jointFor(chance);
  }

  run(): string | null {
    this.#assemble(this.#derivation);
    if (this.#chance.may(0.5)) this.#derivation.settle(this.#store);
    this.#stream();
    let wrong = this.#settleAndCompare("stream");
    for (let edit = 0; wrong === null && edit < 5; edit++) wrong = this.#settleAndCompare(this.#edit());
    if (wrong !== null) return wrong;
    this.#tick(end + 40 * hourUs);
    return this.#settleAndCompare("the end") ?? this.#againstOracle();
  }

  #assemble(derivation: Derivation): void {
    for (const [equipment, { from, us }] of this.#cycles)
      derivation.setCycles(equipment, new this.#engine.Steps(from, us));
    for (const binding of plantBindings) {
      const spec = { ...binding, rules: this.#rules(binding.id) };
      if (derivation === this.#derivation) this.#store.know(spec);
      derivation.add(spec, "derive");
    }
  }

  #rules(id: number) {
    if (id === jointId) return jointRulesOf(this.#engine, this.#joint);
    const pieces = this.#pieces.get(id) ?? [];
    const { compileMapping, jointRules, Rules } = this.#engine;
    const first = pieces.map(({ from, to, mapping }) => ({ from, to, rule: compileMapping(mapping) }));
    if (plantBindings.find((binding) => binding.id === id)?.channels.length === 1) return new Rules(first);
    const second = pieces.flatMap(({ from, to, mapping, second: own = mapping }) =>
      own === null ? [] : [{ from, to, rule: compileMapping(own) }],
    );
    return jointRules([first, second]);
  }

  /** Everything in the order of its time, but for what is late; ticks, settling and gaps in between. */
  #stream(): void {
    const chance = this.#chance;
    const samples = samplesFor(chance);
    const late = chance.of([0, 0.05, 0.3]);
    const order = samples.map((sample) => ({
      sample,
      at: sample.t + (chance.may(late) ? chance.below(2 * hourUs) : sample.ordinal > 0 && chance.may(0.3) ? -1 : 0),
    }));
    order.sort((a, b) => a.at - b.at);
    for (const { sample, at } of order) {
      if (chance.may(0.15)) this.#tick(Math.min(at, this.#tickBefore(at)));
      if (chance.may(0.04)) this.#statement(this.#gap());
      if (chance.may(0.03)) this.#derivation.settle(this.#store);
      if (chance.may(0.03)) this.#read();
      this.#sample(sample);
      if (chance.may(0.05)) this.#sample(sample);
    }
  }

  #tickBefore(at: Micros): Micros {
    const hour = Math.floor(at / hourUs) * hourUs;
    return this.#chance.of([hour, hour, hour + 1, at - 2_000_000, at - 30_000_000, at]);
  }

  #tick(watermark: Micros): void {
    if (watermark <= this.#watermark) return;
    this.#watermark = watermark;
    this.#derivation.tick(watermark);
  }

  #sample(sample: Sample): void {
    const lsn = ++this.#lsn;
    const key = `${sample.tag} ${sample.t} ${sample.ordinal}`;
    const { value, bad } = sample;
    const kept = this.#samples.get(key);
    if (kept === undefined || (sample.revision ?? 0) >= (kept.revision ?? 0))
      this.#samples.set(key, { ...sample, lsn });
    const exact = [...this.#derivation.bindings.values()].some(
      (binding) => binding.exact && binding.spec.channels[0].tag === sample.tag,
    );
    const text = exact ? this.#derivation.texts.keyOf(`${value}`) : null;
    const number = bad ? 0 : (text ?? (typeof value === "string" ? this.#engine.textKey(value) : value));
    const verdict = this.#store.put({ ...sample, value: number, lsn });
    if (verdict === "correction") this.#derivation.corrected(sample.tag, sample.t);
    if (verdict !== "new") return;
    const columns = new ColumnsBuilder(1);
    columns.add(sample.tag, sample.t, value, bad ? statusBadNoCommunication : 0, sample.ordinal);
    this.#derivation.apply(columns.build());
  }

  #gap(): Omit<GapStatement, "lsn"> {
    const chance = this.#chance;
    const from = chance.instant();
    const connection = 1 + chance.below(2);
    const open = this.#store.gaps.intervals(connection).find(({ to }) => to === Number.POSITIVE_INFINITY);
    if (open !== undefined && chance.may(0.7))
      return { connection, from: open.from + chance.below(hourUs), to: Number.POSITIVE_INFINITY, says: "covered" };
    const to = from + chance.of([1, 10_000_000, 60_000_000, hourUs, hourUs - 5, Number.POSITIVE_INFINITY]);
    return { connection, from, to, says: chance.may(0.7) ? "lost" : "covered" };
  }

  #statement(statement: Omit<GapStatement, "lsn">): void {
    const full = { ...statement, lsn: ++this.#lsn };
    this.#statements.push(full);
    for (const { from, to, lost } of this.#store.gaps.add(full))
      this.#derivation.gapChanged(full.connection, from, to, lost);
  }

  /** One thing about the past that turns out to be another. */
  #edit(): string {
    const chance = this.#chance;
    const binding = chance.of(plantBindings);
    const { tag } = chance.of(binding.channels);
    const counts = { of: new Map<number, number>() };
    const known = [...this.#samples.values()].filter((sample) => sample.tag === tag);
    switch (chance.below(8)) {
      case 0:
      case 1:
      case 2: {
        const near = known.length > 0 && chance.may(0.6) ? chance.of(known) : null;
        const t = near === null ? chance.instant() : near.t + chance.of([1, -1, 3_000_000, 10_000_000, 0]);
        const ordinal = known.filter((sample) => sample.t === t).length;
        if (near !== null && typeof near.value === "number") counts.of.set(tag, near.value);
        this.#sample({ tag, t, ordinal, value: valueFor(tag, chance, counts), bad: chance.may(0.1), revision: null });
        return `a late point of tag ${tag} at ${t - start}`;
      }
      case 3: {
        if (known.length === 0) return "nothing";
        const sample = chance.of(known);
        const revisions = chance.of([[1], [2, 1], [null]]);
        for (const revision of revisions)
          this.#sample({ ...sample, value: valueFor(tag, chance, counts), bad: false, revision });
        return `a correction of tag ${tag} at ${sample.t - start}`;
      }
      case 4:
      case 5: {
        const statement = this.#gap();
        this.#statement(statement);
        return `${statement.says} ${statement.from - start} to ${statement.to - start} of connection ${statement.connection}`;
      }
      case 6: {
        if (binding.id === jointId) this.#joint = jointFor(chance);
        else this.#pieces.set(binding.id, piecesFor(binding, chance));
        this.#derivation.setRules(binding.id, this.#rules(binding.id));
        return `rules of binding ${binding.id}`;
      }
      default: {
        const equipment = 2 + chance.below(2);
        const cycles = this.#cycles.get(equipment) ?? { from: [], us: [] };
        const next = chance.may(0.5)
          ? cyclesFor(chance)
          : { ...cycles, us: cycles.us.map((us, i) => (i === 0 ? us + 7e6 : us)) };
        this.#cycles.set(equipment, next);
        this.#derivation.setCycles(equipment, new this.#engine.Steps(next.from, next.us));
        return `ideal cycles of equipment ${equipment}`;
      }
    }
  }

  #read(): void {
    if (this.#derivation.dirty > 0) return;
    this.#reader.update(this.#derivation.takeDirty(() => microStopUs));
  }

  #settleAndCompare(after: string): string | null {
    // Held inputs are merged behind the watermark, so it passes all of them before states are compared.
    const newest = Math.max(start, ...[...this.#samples.values()].map(({ t }) => t));
    this.#tick(Math.max(this.#watermark, newest + this.#chance.of([1, 1, 5_000_000, hourUs])));
    this.#derivation.settle(this.#store);
    const scratch = new this.#engine.Derivation(this.#derivation.texts);
    this.#assemble(scratch);
    scratch.tick(this.#watermark);
    scratch.settle(this.#store);
    for (const { id } of plantBindings) {
      const live = hoursOf(this.#derivation.bindings.get(id) as Binding);
      const fresh = hoursOf(scratch.bindings.get(id) as Binding);
      if (!sameHours(live, fresh))
        return `after ${after}, binding ${id}:\n${differing(live.map(text), fresh.map(text))}`;
    }
    this.#read();
    const wrong = this.#reader.wrong();
    return wrong === null ? null : `after ${after}, ${wrong}`;
  }

  #oracleBinding(binding: PlantBinding): OracleBinding {
    const tags = binding.channels.map(({ tag }) => tag);
    const { from, us } = this.#cycles.get(binding.equipment) ?? { from: [], us: [] };
    const lost = (connection: number) => lostOf(this.#statements, connection);
    const { table, bound } = this.#joint;
    const joint = {
      table,
      channels: binding.channels.map(({ connection }, i) => ({
        ...{ name: jointNames[i], bound: bound[i], gaps: lost(connection) },
      })),
    };
    return {
      role: binding.role,
      ...(binding.by === "conditions" ? { joint } : {}),
      channels: binding.channels,
      pieces:
        binding.by === "conditions"
          ? bound.flat().map((span) => ({ ...span, mapping: {} }))
          : (this.#pieces.get(binding.id) ?? []),
      samples: [...this.#samples.values()]
        .filter(({ tag }) => tags.includes(tag))
        .map((sample) => ({ ...sample, channel: tags.indexOf(sample.tag) })),
      gaps: binding.by === "conditions" ? [] : lost(binding.channels[0].connection),
      cycleUs: (t) => us[from.filter((at) => at <= t).length - 1] ?? 0,
    };
  }

  #againstOracle(): string | null {
    for (const binding of plantBindings) {
      const oracle = this.#oracleBinding(binding);
      const { track } = this.#derivation.bindings.get(binding.id) as Binding;
      const found = [...track.emittedFrom(Number.NEGATIVE_INFINITY)].flatMap(({ increments: i }) =>
        Array.from({ length: i?.n ?? 0 }, (_, k) =>
          i === null ? [] : [i.source[k], i.t[k], i.value[k], i.flags[k], i.channel[k]],
        ),
      );
      const expected =
        binding.role === "counter" || binding.role === "pulse"
          ? oracleIncrements(oracle).map(({ source, t, n, flags, channel }) => [source, t, n, flags, channel])
          : [];
      if (JSON.stringify(found) !== JSON.stringify(expected))
        return `increments of binding ${binding.id}:\n  derived ${text(found)}\n  oracle  ${text(expected)}`;
      const sum = expected.reduce((n, row) => n + row[2], 0);
      const total = this.#engine.quantity(track, start - 30 * hourUs, end + 30 * hourUs);
      if (total !== sum) return `quantity of binding ${binding.id}: ${total}, not ${sum}`;
    }
    return this.#composedAgainstOracle() ?? this.#namesAgainstOracle();
  }

  /** What alarms and identifiers say at any instant, over windows with ends that hurt; what an alarm says of itself is the mapping's word then. */
  #namesAgainstOracle(): string | null {
    const named = plantBindings.filter(({ role }) => role === "alarm" || role === "identifier");
    for (const [property, bindings] of Map.groupBy(named, ({ property }) => property ?? "")) {
      const oracles = bindings.map((binding) => this.#oracleBinding(binding));
      const ends = [start - hourUs, this.#chance.instant(), this.#chance.instant(), end + hourUs].sort((a, b) => a - b);
      for (const [from, to] of ends.slice(1).map((to, i) => [ends[i], to])) {
        if (from === to) continue;
        const instants = [from, ...oracles.flatMap(oracleInstants)].filter((t) => t >= from && t < to);
        const expected: unknown[][] = [];
        for (const t of [...new Set(instants)].sort((a, b) => a - b)) {
          const name = oracles.map((oracle) => oracleName(oracle, t)).find((each) => each !== null) ?? null;
          const { rows = [], ...all } = oracles[0].pieces.find((p) => p.from <= t && t < p.to)?.mapping.alarm ?? {};
          const row = rows.find((each) => (each.code ?? `${each.value ?? `${each.from}..`}`) === name);
          const says = bindings[0].role === "alarm" && name !== null && name !== "" ? { ...all, ...row } : null;
          const entry = [name, says?.severity ?? (says === null ? null : 500), says?.cause ?? 0];
          if (JSON.stringify(expected.at(-1)?.slice(1)) !== JSON.stringify(entry)) expected.push([t, ...entry]);
        }
        const own = this.#derivation.bindingsOf(bindings[0].equipment);
        const found =
          bindings[0].role === "alarm"
            ? this.#engine
                .alarmTransitions(own, from, to)
                .map(({ t, active, code, severity, cause }) => [t, active === false ? "" : code, severity, cause])
            : this.#engine.identifierTransitions(own, from, to).map(({ t, value }) => [t, value, null, 0]);
        if (JSON.stringify(found) !== JSON.stringify(expected))
          return `${property} over ${from - start} to ${to - start}:\n  derived ${text(found)}\n  oracle  ${text(expected)}`;
      }
    }
    return null;
  }

  /** Machine states over windows with ends that hurt, against the oracle's answer at each instant that may matter. */
  #composedAgainstOracle(): string | null {
    const far = this.#watermark;
    for (const equipment of equipments) {
      const all = plantBindings.filter(
        (binding) => binding.equipment === equipment && producing(binding) && binding.role !== "counter",
      );
      const oracles = all.map((binding) => this.#oracleBinding(binding));
      const whole = { from: start - hourUs, to: end + hourUs };
      const ends = [this.#chance.instant(), this.#chance.instant(), this.#chance.instant()].sort((a, b) => a - b);
      for (const { from, to } of [whole, { from: ends[0], to: ends[1] + 1 }, { from: ends[1], to: ends[2] + 1 }]) {
        const { states } = this.#engine.machineFacts(this.#derivation.bindingsOf(equipment), from, to);
        const instants = [from, ...oracles.flatMap(oracleInstants)].filter((t) => t >= from && t < to);
        const expected: [Micros, number][] = [];
        for (const t of [...new Set(instants)].sort((a, b) => a - b)) {
          const code = machineCode(oracles, t, far);
          if (expected.at(-1)?.[1] !== code) expected.push([t, code]);
        }
        const found = Array.from({ length: states.count }, (_, i): [Micros, number] => [states.t[i], states.code[i]]);
        if (JSON.stringify(found) !== JSON.stringify(expected))
          return `equipment ${equipment} over ${from - start} to ${to - start}:\n  derived ${text(found)}\n  oracle  ${text(expected)}`;
        const counts = this.#engine.machineFacts(this.#derivation.bindingsOf(equipment), from, to).increments;
        const rows = Array.from({ length: counts.count }, (_, i) => [
          counts.source[i],
          counts.t[i],
          counts.n[i],
          counts.flags[i],
        ]);
        const meant = plantBindings
          .filter((binding) => binding.equipment === equipment && binding.channels[0].counts !== null)
          .flatMap((binding) => oracleIncrements(this.#oracleBinding(binding)))
          .filter(({ source, t }) => t >= from && (source < to || t <= to))
          .sort((a, b) => a.t - b.t)
          .map(({ source, t, n, flags }) => [source, t, n, flags]);
        if (JSON.stringify(rows) !== JSON.stringify(meant))
          return `counts of equipment ${equipment} over ${from - start} to ${to - start}:\n  derived ${text(rows)}\n  oracle  ${text(meant)}`;
      }
    }
    return null;
  }
}

const producing = ({ role }: PlantBinding): boolean => role !== "alarm" && role !== "identifier";

function machineCode(oracles: readonly OracleBinding[], t: Micros, watermark: Micros): number {
  const bound = (role: string) =>
    oracles.filter((b) => b.role === role && b.pieces.some(({ from, to }) => from <= t && t < to));
  const codes = (role: string) => bound(role).map((b) => oracleCode(b, t, watermark));
  const item = bound("itemState").length > 0 ? codes("itemState").find((c) => c > 0) : Math.max(0, ...codes("pulse"));
  if (item === undefined || item % 8 === 0) return 0;
  const mode = codes("operationMode").find((c) => c >> 3 > 0);
  return mode === undefined ? item : (item & 7) | mode;
}

/** Lost data by the statements in the order of their LSN. */
function lostOf(statements: readonly GapStatement[], connection: number): { from: Micros; to: Micros }[] {
  const own = statements.filter((statement) => statement.connection === connection);
  const edges = [...new Set(own.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const gaps: { from: Micros; to: Micros }[] = [];
  for (let i = 0; i + 1 < edges.length; i++) {
    const last = own.filter(({ from, to }) => from <= edges[i] && edges[i] < to).at(-1);
    if (last?.says !== "lost") continue;
    if (gaps.at(-1)?.to === edges[i]) (gaps.at(-1) as { to: Micros }).to = edges[i + 1];
    else gaps.push({ from: edges[i], to: edges[i + 1] });
  }
  return gaps;
}

/** The lines of one that the other has not. */
function differing(a: string[], b: string[]): string {
  const only = (of: string[], not: string[]) => of.filter((line) => !not.includes(line)).join("\n");
  return `  incremental\n${only(a, b)}\n  from scratch\n${only(b, a)}`;
}

type Hour = Partial<Segment> & { start: Float64Array };

/** All that a binding is and has emitted, hour by hour, and its state now. An open hour that changed nothing is no hour. */
function hoursOf({ track }: Binding): Hour[] {
  const { open } = track;
  const now = track.s.slice(track.o, track.o + track.width);
  if (open.empty && (open.hour === Number.NEGATIVE_INFINITY || sameBytes(open.start, now)))
    return [...track.segments, { start: now }];
  const named = track.kind === "alarm" || track.kind === "identifier";
  const copy = new (open.constructor as new (width: number, named: boolean) => OpenSegment)(track.width, named);
  const { hour, start: begin, transitions, increments } = open;
  const { outside } = open;
  copy.adopt({
    ...{ hour, start: begin, outside },
    ...{ transitions: { ...transitions }, increments: { ...increments } },
  } as OpenSegment);
  return [...track.segments, copy.close(), { start: now }];
}

const sameHours = (a: Hour[], b: Hour[]): boolean =>
  a.length === b.length && a.every((hour, i) => sameHour(hour, b[i]));

function sameHour(a: Hour, b: Hour): boolean {
  const columns = ({ start: begin, transitions: t, increments: i, prefix, spread }: Hour) =>
    [begin, t?.t, t?.code, i?.source, i?.t, i?.value, i?.flags, i?.channel, prefix, spread] as const;
  const other = columns(b);
  return a.hour === b.hour && a.outside === b.outside && columns(a).every((column, k) => sameBytes(column, other[k]));
}

type Column = ArrayBufferView | null | undefined;
function sameBytes(a: Column, b: Column): boolean {
  if (a == null || b == null) return (a ?? null) === (b ?? null);
  const bytes = (of: ArrayBufferView) => new Uint8Array(of.buffer, of.byteOffset, of.byteLength);
  return Buffer.compare(bytes(a), bytes(b)) === 0;
}

/** Values as people read them: times in seconds from the start. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (ArrayBuffer.isView(item)) return Array.from(item as Float64Array, text).join(" ");
    if (typeof item !== "number") return item;
    if (!Number.isFinite(item)) return String(item);
    return item > 1e14 ? (item - start) / 1e6 : item;
  });
}
