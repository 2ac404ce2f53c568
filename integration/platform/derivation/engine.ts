// Hot path: `apply` sees every point of the plant.
import {
  type Columns,
  type MappingErrors,
  type Micros,
  qualityOf,
  valueAt,
  valueTypeCode,
} from "@lineshaft/contract/api";
import type { FactsCause, FactsKind, Lsn } from "@lineshaft/contract/ports";
import { automatonOf, Binding, type BindingSpec, factsKindOf, stateWidthOf } from "./binding.ts";
import { type CheckpointRest, restoreBinding, type SavedBinding } from "./checkpoint.ts";
import type { ChangedRange } from "./difference.ts";
import { type Because, type DirtyRange, mergeRanges, namedRanges } from "./dirty.ts";
import type { InputSource } from "./inputs.ts";
import { stateWidth } from "./layout.ts";
import { type Rules, rulesDifference, textKey } from "./mapping.ts";
import { type Repaired, type RepairInputs, type RepairRequest, repair } from "./repair.ts";
import { Steps, stepsDifference } from "./steps.ts";
import { Texts, textAt } from "./texts.ts";
import { hourOf, Track } from "./track.ts";

/** What of the past a new binding takes in: everything recorded, or nothing because there is nothing yet. */
export type Past = "derive" | "none";

/**
 * Raw points → facts, of all bindings: live, and again where the past has changed. Points, gaps, rules and ideal cycles come in as they become known; what
 * is in order is taken at once, what is not makes its binding dirty, and a dirty binding waits for its repair. What comes out is the same as if everything had been
 * known from the start, byte for byte.
 */
export class Derivation {
  readonly bindings = new Map<number, Binding>();
  #states = new Float64Array(64 * stateWidth);
  #used = 0;
  /** By raw tag: 0 is none, n > 0 the route n − 1. Most tags are none, and one look tells it. */
  #routeOf = new Int32Array(1024);
  readonly #routes: { binding: Binding; channel: number }[][] = [];
  readonly #cycles = new Map<number, Steps>();
  readonly #byEquipment = new Map<number, readonly Binding[]>();
  /** The bindings of each equipment by the facts that they have a part in; null: to be laid out again. */
  #parts: FactsPart[] | null = null;
  readonly #dirty = new Map<Binding, Because>();
  readonly #changes: { binding: Binding; changes: ChangedRange[]; because: Because }[] = [];
  /** Equipment that lost a binding with all its facts. */
  readonly #bereft: DirtyRange[] = [];
  /** By equipment, where it differs from that of all. */
  readonly #ahead = new Map<number, Micros>();
  #watermark: Micros = Number.NEGATIVE_INFINITY;
  /** The record that is being taken in: with what changes because of it, it is told. */
  lsn: Lsn = 0;
  readonly texts: Texts;

  constructor(texts = new Texts()) {
    this.texts = texts;
  }

  add(spec: BindingSpec, past: Past): void {
    const binding = this.#place(spec);
    if (past === "derive") this.#taint(binding, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, "mapping");
    else binding.tick(this.watermarkOf(spec.equipment));
  }

  /** A binding as it was saved; where its hours cannot be read any more, it is derived again. */
  restore(spec: BindingSpec, saved: SavedBinding): void {
    const binding = this.#place(spec);
    if (saved.segments === null) this.#taint(binding, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, "mapping");
    else restoreBinding(binding, saved, this.watermarkOf(spec.equipment));
    if (binding.dirty) this.#because(binding, "late");
  }

  /** Watermarks of equipment and ideal cycles, to go on from here. */
  get context(): Pick<CheckpointRest, "ahead" | "cycles"> {
    return {
      ahead: [...this.#ahead],
      cycles: [...this.#cycles].map(([equipment, { from, value }]) => [equipment, from, value]),
    };
  }

  /** Before any binding is restored. */
  restoreContext({ ahead, cycles }: Pick<CheckpointRest, "ahead" | "cycles">): void {
    for (const [equipment, watermark] of ahead) this.#ahead.set(equipment, watermark);
    for (const [equipment, from, us] of cycles) this.#cycles.set(equipment, new Steps(from, us));
  }

  #place(spec: BindingSpec): Binding {
    const width = stateWidthOf(spec);
    while (this.#used + width > this.#states.length) this.#growStates();
    const cycles = this.#cycles.get(spec.equipment) ?? Steps.none;
    const track = new Track(automatonOf(spec), spec.rules, cycles, this.texts, this.#states, this.#used, width);
    this.#used += width;
    const binding = new Binding(spec, track);
    this.bindings.set(spec.id, binding);
    const beside = this.#byEquipment.get(spec.equipment) ?? [];
    this.#byEquipment.set(spec.equipment, [...beside, binding]);
    this.#parts = null;
    for (const [channel, { tag }] of spec.channels.entries()) this.#route(tag, { binding, channel });
    return binding;
  }

  /** Forgets a binding and its facts. */
  remove(id: number): void {
    const binding = this.#binding(id);
    this.bindings.delete(id);
    this.#dirty.delete(binding);
    const { equipment, channels, role } = binding.spec;
    const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    this.#bereft.push({ equipment, what: factsKindOf(role), ...ever, cause: "mapping", lsn: this.lsn });
    this.#byEquipment.set(
      equipment,
      this.bindingsOf(equipment).filter((other) => other !== binding),
    );
    this.#parts = null;
    for (const { tag } of channels) {
      const targets = this.#targets(tag);
      targets.splice(0, targets.length, ...targets.filter((target) => target.binding !== binding));
    }
  }

  /** Tags with values that their mapping says nothing of. */
  mappingErrors(): MappingErrors[] {
    return [...this.bindings.values()].flatMap(({ spec, track }) =>
      track.outside === 0 ? [] : [{ tagId: spec.channels[0].tag, equipmentId: spec.equipment, values: track.outside }],
    );
  }

  bindingsOf(equipment: number): readonly Binding[] {
    return this.#byEquipment.get(equipment) ?? [];
  }

  /** A batch of points, as it stands in the log. Rows of one tag are taken in their order. */
  apply(columns: Columns): void {
    const { rows, tag, time, value, status, type, ordinal } = columns;
    const routeOf = this.#routeOf;
    const known = routeOf.length;
    for (let i = 0; i < rows; i++) {
      const id = tag[i];
      const route = id < known ? routeOf[id] : 0;
      if (route === 0) continue;
      let v = value[i] + 0;
      let bad = status !== null && qualityOf(status[i]) === "bad";
      if (type !== null && type[i] === valueTypeCode.string) v = textKey(valueAt(columns, i) as string);
      else if (!Number.isFinite(v)) bad = true;
      const order = ordinal === null ? 0 : ordinal[i];
      const targets = this.#routes[route - 1];
      for (let k = 0; k < targets.length; k++) {
        const { binding, channel } = targets[k];
        const input = bad ? 0 : binding.exact ? this.texts.keyOf(textAt(columns, i)) : v;
        binding.point(time[i], input, bad, channel, order);
        if (binding.dirty) this.#because(binding, "late");
      }
    }
  }

  /** A point of a tag that is another than it was: a correction. Nothing is taken; the record has it. */
  corrected(tag: number, t: Micros): void {
    for (const { binding } of this.#targets(tag)) this.#taint(binding, t, t, "corrected");
  }

  /** Whether data of a connection are lost has changed for [from, to). */
  gapChanged(connection: number, from: Micros, to: Micros, lost: boolean): void {
    for (const binding of this.bindings.values()) {
      if (!binding.spec.channels.some((channel) => channel.connection === connection)) continue;
      binding.gapChanged(from, to, lost);
      if (binding.dirty) this.#because(binding, "gap");
    }
  }

  /** The ideal cycle of an equipment over time. What was derived with another one is dirty to the end of the difference. */
  setCycles(equipment: number, cycles: Steps): void {
    const old = this.#cycles.get(equipment) ?? Steps.none;
    this.#cycles.set(equipment, cycles);
    const ranges = stepsDifference(old, cycles);
    for (const binding of this.bindingsOf(equipment)) {
      binding.track.cycles = cycles;
      if (binding.track.kind !== "pulse") continue;
      for (const { from, to } of ranges) if (from <= binding.lastT) this.#taint(binding, from, to, "idealCycle");
    }
  }

  /** What the values of a binding mean, over time. What lies behind is derived again. */
  setRules(id: number, rules: Rules): void {
    const binding = this.#binding(id);
    const ranges = rulesDifference(binding.track.rules, rules);
    binding.track.rules = rules;
    binding.track.crossedBefore(Math.max(binding.watermark, binding.lastT + 1));
    for (const { from, to } of ranges) if (from <= binding.progress) this.#taint(binding, from, to, "mapping");
    // What an alarm says of itself is joined when it is read: it may be another though the alarm is the same.
    if (binding.spec.role !== "alarm") return;
    const because = { cause: "mapping", lsn: this.lsn } as const;
    const changes = ranges.map((range) => ({ ...range, what: "name" as const }));
    if (changes.length > 0) this.#changes.push({ binding, changes, because });
  }

  /** Nothing earlier than this is expected any more: what is due before it fires, hours before it close. A clean binding only; the others follow after repair. */
  tick(watermark: Micros): void {
    this.#watermark = Math.max(this.#watermark, watermark);
    const hour = hourOf(this.#watermark);
    for (const binding of this.bindings.values()) {
      binding.tick(this.watermarkOf(binding.spec.equipment));
      if (binding.dirty) this.#because(binding, "late");
      else binding.track.closeBefore(hour);
    }
  }

  /** The same for one equipment, which may be ahead of the others. */
  tickEquipment(equipment: number, watermark: Micros): void {
    if (watermark <= this.watermarkOf(equipment)) return;
    this.#ahead.set(equipment, watermark);
    const hour = hourOf(watermark);
    for (const binding of this.bindingsOf(equipment)) {
      binding.tick(watermark);
      if (binding.dirty) this.#because(binding, "late");
      else binding.track.closeBefore(hour);
    }
  }

  get watermark(): Micros {
    return this.#watermark;
  }

  watermarkOf(equipment: number): Micros {
    return Math.max(this.#watermark, this.#ahead.get(equipment) ?? Number.NEGATIVE_INFINITY);
  }

  /** Facts before `t` are given up: nothing there is derived again. */
  forgetBefore(t: Micros): void {
    for (const binding of this.bindings.values()) binding.forgetBefore(hourOf(t));
  }

  /** Forgets texts to which no fact refers. */
  forgetTexts(): void {
    const used = new Set<number>();
    for (const { exact, track } of this.bindings.values()) if (exact) track.textKeys(used);
    this.texts.keepOnly(used);
  }

  /** Bindings that wait for their repair. */
  get dirty(): number {
    return this.#dirty.size;
  }

  /** The repairs that are due, each as a run that asks for its inputs; the caller answers and takes the result. */
  *repairs(
    firstInput: (binding: number) => Micros,
    frozenBefore?: Micros,
  ): Generator<{
    binding: Binding;
    run: Generator<RepairRequest, Repaired, RepairInputs>;
  }> {
    for (const binding of this.#dirty.keys()) {
      const watermark = this.watermarkOf(binding.spec.equipment);
      yield { binding, run: repair(binding, firstInput(binding.spec.id), watermark, frozenBefore) };
    }
  }

  repaired(binding: Binding, { changes }: Repaired): void {
    const because = this.#dirty.get(binding);
    if (because !== undefined && changes.length > 0) this.#changes.push({ binding, changes, because });
    if (!binding.dirty) this.#dirty.delete(binding);
  }

  /** Repairs everything from a source that answers at once; tells how many hours were run again. */
  settle(source: InputSource): number {
    let hours = 0;
    for (const { binding, run } of this.repairs((id) => source.next(id, Number.NEGATIVE_INFINITY))) {
      let step = run.next();
      while (!step.done) {
        const { binding: id, from, to } = step.value;
        step = run.next({ inputs: source.read(id, from, to), next: source.next(id, to) });
      }
      this.repaired(binding, step.value);
      hours += step.value.hours;
    }
    return hours;
  }

  /**
   * What has changed since the last call, by equipment: whoever computed from facts that meet such a range computes again. `microStopUs` is the threshold below which a
   * stop is a micro stop. `exact` takes in what changed itself, without what it moves around it.
   */
  takeDirty(microStopUs: (equipment: number) => number, exact?: DirtyRange[]): DirtyRange[] {
    const taken = this.takeRepaired(microStopUs, exact);
    const because = { cause: "points", lsn: this.lsn } as const;
    this.#parts ??= partsOf(this.#byEquipment);
    for (const { equipment, what, bindings } of this.#parts) {
      const changes = liveChanges(bindings);
      if (changes.length > 0)
        taken.push(...this.#ranges({ equipment, what, ...because }, changes, microStopUs(equipment), exact));
    }
    return taken;
  }

  /** Of that what repairs have changed. */
  takeRepaired(microStopUs: (equipment: number) => number, exact?: DirtyRange[]): DirtyRange[] {
    const taken: DirtyRange[] = this.#bereft.splice(0);
    exact?.push(...taken);
    for (const { binding, changes, because } of this.#changes.splice(0)) {
      const { id, equipment, role } = binding.spec;
      if (this.bindings.get(id) !== binding) continue;
      const of = { equipment, what: factsKindOf(role), ...because };
      taken.push(...this.#ranges(of, changes, microStopUs(equipment), exact));
    }
    return taken;
  }

  /** Everybody knows what repairs have changed. */
  forgetRepaired(): void {
    this.#changes.length = 0;
  }

  #ranges(
    of: Omit<DirtyRange, "from" | "to">,
    changes: readonly ChangedRange[],
    microStopUs: number,
    exact: DirtyRange[] | undefined,
  ): DirtyRange[] {
    if (exact !== undefined) for (const { from, to } of changes) exact.push({ ...of, from, to });
    if (of.what !== "production") return namedRanges(of, changes);
    return mergeRanges(of.equipment, this.bindingsOf(of.equipment), changes, microStopUs, of);
  }

  #taint(binding: Binding, from: Micros, to: Micros, cause: FactsCause): void {
    binding.taint(from, to);
    this.#because(binding, cause);
  }

  /** What made a binding dirty first is why it is repaired. */
  #because(binding: Binding, cause: FactsCause): void {
    const known = this.#dirty.get(binding);
    if (known === undefined) this.#dirty.set(binding, { cause, lsn: this.lsn });
    else known.lsn = this.lsn;
  }

  #binding(id: number): Binding {
    const binding = this.bindings.get(id);
    if (binding === undefined) throw new Error(`There is no binding ${id}.`);
    return binding;
  }

  #targets(tag: number): { binding: Binding; channel: number }[] {
    const route = tag < this.#routeOf.length ? this.#routeOf[tag] : 0;
    return route === 0 ? [] : this.#routes[route - 1];
  }

  #route(tag: number, target: { binding: Binding; channel: number }): void {
    while (tag >= this.#routeOf.length) {
      const wider = new Int32Array(2 * this.#routeOf.length);
      wider.set(this.#routeOf);
      this.#routeOf = wider;
    }
    const route = this.#routeOf[tag];
    if (route === 0) this.#routeOf[tag] = this.#routes.push([target]);
    else this.#routes[route - 1].push(target);
  }

  #growStates(): void {
    const wider = new Float64Array(2 * this.#states.length);
    wider.set(this.#states);
    this.#states = wider;
    for (const { track } of this.bindings.values()) track.s = wider;
  }
}

interface FactsPart {
  equipment: number;
  what: FactsKind;
  bindings: readonly Binding[];
}

function partsOf(byEquipment: ReadonlyMap<number, readonly Binding[]>): FactsPart[] {
  const parts: FactsPart[] = [];
  for (const [equipment, all] of byEquipment)
    for (const [what, bindings] of Map.groupBy(all, ({ spec }) => factsKindOf(spec.role)))
      parts.push({ equipment, what, bindings });
  return parts;
}

const noChanges: readonly ChangedRange[] = [];

/** What the bindings of an equipment emitted live since the last time. The last state holds until further notice. */
function liveChanges(bindings: readonly Binding[]): readonly ChangedRange[] {
  let state = Number.POSITIVE_INFINITY;
  let countFrom = Number.POSITIVE_INFINITY;
  let countTo = Number.NEGATIVE_INFINITY;
  for (const { track } of bindings) {
    const { open } = track;
    if (!open.news) continue;
    open.news = false;
    open.absorb();
    state = Math.min(state, open.changedState);
    countFrom = Math.min(countFrom, open.changedCountFrom);
    countTo = Math.max(countTo, open.changedCountTo);
    open.changedState = Number.POSITIVE_INFINITY;
    open.changedCountFrom = Number.POSITIVE_INFINITY;
    open.changedCountTo = Number.NEGATIVE_INFINITY;
  }
  if (state === Number.POSITIVE_INFINITY && countTo === Number.NEGATIVE_INFINITY) return noChanges;
  const changes: ChangedRange[] = [];
  if (state !== Number.POSITIVE_INFINITY) changes.push({ from: state, to: Number.POSITIVE_INFINITY, what: "state" });
  if (countTo !== Number.NEGATIVE_INFINITY) changes.push({ from: countFrom, to: countTo, what: "count" });
  return changes;
}
