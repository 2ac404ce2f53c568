import {
  type AlarmOptions,
  counterRange,
  type Mapping,
  type Micros,
  meaningCode,
  presetRows,
  type StateRow,
  textBelow,
} from "@lineshaft/contract/api";
import { type Condition, compileCondition } from "./condition.ts";

export type AutomatonKind = "state" | "counter" | "pulse" | "joint" | "alarm" | "identifier";

/** A value that the table has no row for. */
export const outside = -1;
const denseMax = 256;
const glitchWindowUs = 10_000_000;

/** Rows without conditions. Where two rows have a value, only the first is in it, so that it can be asked in any order. */
interface Table {
  /** Codes of the integers from 0 on; `outside` where there is none. */
  dense: Int32Array;
  sparse: Map<number, number>;
  /** Pairs [from, to) with the code of each pair in `rangeCode`; of several that hold a value the first counts. */
  range: Float64Array;
  rangeCode: Int32Array;
  /** What is asked of a value that is not in it; null: nothing more. */
  next: Step | null;
}

/** A row with a condition, and the rows behind it. */
interface Step {
  applies: Condition;
  code: number;
  table: Table;
}

/** A mapping made ready for the hot path: all fields always there, states as codes, times in µs. */
export interface Rule extends Table {
  otherwise: number;
  deadBand: number;
  /** 0: the counter never begins anew. */
  modulus: number;
  least: number;
  /** Not included. */
  below: number;
  maxPerUs: number;
  sampled: boolean;
  samplingUs: number;
  glitchWindowUs: number;
  edge: "each" | "rising" | "falling";
  stopAfterCycles: number;
  /** 0: none. */
  idealCycleUs: number;
  alarm: AlarmOptions;
  /** Equal for mappings that mean the same. */
  meaning: string;
  /** Of several tags that are one stream: the rule of each, null while it is not bound. null: one rule for all. */
  of: readonly (Rule | null)[] | null;
  /** What conditions make of the values of all tags. null: each value speaks for itself. */
  decide: Decision | null;
}

/** Conditions over several tags, ready to be asked. */
export interface Decision {
  /** The state code of the values that stand in `s` from `at` on, of the tags that are bound; 0: not known; `outside`: nothing says it. */
  code(s: Float64Array, at: number, of: readonly (Rule | null)[]): number;
  /** Equal for decisions that mean the same. */
  meaning: string;
}

const keyOf = (value: NonNullable<StateRow["value"]>): number =>
  typeof value === "string" ? textKey(value) : Number(value) + 0;

export const isText = (value: number): boolean => value < textBelow;

/**
 * A text as a number, so that the state of an automaton is numbers only: 50 bits of hash (FNV-1a, two lanes), in a range of its own and never whole.
 */
export function textKey(text: string): number {
  let a = 0x811c9dc5;
  let b = 0x4bf29ce4;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x5bd1e995);
    b ^= b >>> 15;
  }
  return textBelow - ((a >>> 0) * 262_144 + ((b >>> 0) & 0x3ffff)) - 0.5;
}

/** The rows in the order in which they hold: those of one's own before the preset's, and each that applies before all behind it. */
function tableOf({ preset, states = [] }: Mapping): Table {
  const rows: readonly StateRow[] = [...states, ...(preset === undefined ? [] : presetRows[preset])];
  let next: Step | null = null;
  let end = rows.length;
  for (let i = end - 1; i >= 0; i--) {
    const { when } = rows[i];
    if (when === undefined) continue;
    next = { applies: conditionOf(when), code: meaningCode(rows[i]), table: plainTable(rows.slice(i + 1, end), next) };
    end = i;
  }
  return plainTable(rows.slice(0, end), next);
}

function plainTable(rows: readonly StateRow[], next: Step | null): Table {
  const dense = new Int32Array(denseMax).fill(outside);
  const sparse = new Map<number, number>();
  const ranges: number[] = [];
  const rangeCodes: number[] = [];
  for (const row of rows) {
    if (row.value === undefined) {
      ranges.push(row.from ?? Number.NEGATIVE_INFINITY, row.to ?? Number.POSITIVE_INFINITY);
      rangeCodes.push(meaningCode(row));
      continue;
    }
    const key = keyOf(row.value);
    const isDense = Number.isInteger(key) && key >= 0 && key < denseMax;
    if (isDense ? dense[key] !== outside : sparse.has(key)) continue;
    if (!isText(key) && ranges.some((from, i) => i % 2 === 0 && key >= from && key < ranges[i + 1])) continue;
    if (isDense) dense[key] = meaningCode(row);
    else sparse.set(key, meaningCode(row));
  }
  return { dense, sparse, range: Float64Array.from(ranges), rangeCode: Int32Array.from(rangeCodes), next };
}

/** A configuration with a condition that is none is refused; one that came past that must not stop all others, so it has no answer to any value. */
function conditionOf(text: string): Condition {
  try {
    return compileCondition(text);
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

export function compileMapping(mapping: Mapping): Rule {
  const { counter = {}, pulse = {}, alarm = {} } = mapping;
  const { modulus, least, below } = counterRange(counter);
  return {
    ...tableOf(mapping),
    otherwise: mapping.otherwise === undefined ? outside : meaningCode(mapping.otherwise),
    deadBand: mapping.deadBand ?? 0,
    modulus,
    least,
    below,
    maxPerUs: (counter.maxPerSecond ?? Number.POSITIVE_INFINITY) / 1e6,
    sampled: counter.sampling === "sampled",
    samplingUs: Math.round((counter.samplingMs ?? 0) * 1000),
    glitchWindowUs: counter.glitchWindowMs === undefined ? glitchWindowUs : Math.round(counter.glitchWindowMs * 1000),
    edge: pulse.edge ?? "each",
    stopAfterCycles: pulse.stopAfterCycles ?? 3,
    idealCycleUs: Math.round((pulse.idealCycleMs ?? 0) * 1000),
    alarm,
    meaning: JSON.stringify(mapping),
    of: null,
    decide: null,
  };
}

/** Whether two values differ by less than the dead band; texts never do. */
export const withinDeadBand = (rule: Rule, a: number, b: number): boolean =>
  rule.deadBand > 0 && Math.abs(a - b) < rule.deadBand && !isText(a) && !isText(b);

/** The state code of a value; `outside` when no row has it, or when a condition has no answer to it. */
export function codeAt(rule: Rule, value: number): number {
  // The same as `inTable`, which as a call of its own costs a quarter more.
  if (value >= 0 && value < denseMax && Number.isInteger(value)) {
    const code = rule.dense[value];
    if (code !== outside) return code;
  }
  const code = rule.sparse.size === 0 ? undefined : rule.sparse.get(value);
  if (code !== undefined) return code;
  const { range, rangeCode } = rule;
  if (!isText(value))
    for (let i = 0; i < rangeCode.length; i++)
      if (value >= range[2 * i] && value < range[2 * i + 1]) return rangeCode[i];
  return rule.next === null ? rule.otherwise : codeByConditions(rule, rule.next, value);
}

function inTable({ dense, sparse, range, rangeCode }: Table, value: number): number {
  if (value >= 0 && value < denseMax && Number.isInteger(value) && dense[value] !== outside) return dense[value];
  const code = sparse.get(value);
  if (code !== undefined) return code;
  for (let i = 0; i < rangeCode.length; i++) if (value >= range[2 * i] && value < range[2 * i + 1]) return rangeCode[i];
  return outside;
}

/** What comes after the first condition is not known where that has no answer: neither the rows behind it nor `otherwise` hold then. */
function codeByConditions(rule: Rule, first: Step, value: number): number {
  // A condition speaks of numbers, and of a text there is only its key.
  if (isText(value)) return outside;
  try {
    for (let step: Step | null = first; step !== null; step = step.table.next) {
      if (step.applies(value)) return step.code;
      const code = inTable(step.table, value);
      if (code !== outside) return code;
    }
  } catch {
    return outside;
  }
  return rule.otherwise;
}

/** A mapping and when it holds: [from, to), with ∓Infinity for ever. */
export interface DatedRule {
  from: Micros;
  to: Micros;
  rule: Rule;
}

/** The dated rules of one binding, ascending, without overlap. */
export class Rules {
  readonly pieces: readonly DatedRule[];
  /** Where a rule begins or ends: inputs of the automaton. */
  readonly boundaries: Float64Array;
  #hint = 0;

  constructor(pieces: readonly DatedRule[]) {
    this.pieces = [...pieces].sort((a, b) => a.from - b.from);
    const bounds = new Set(this.pieces.flatMap(({ from, to }) => [from, to]).filter(Number.isFinite));
    this.boundaries = Float64Array.from(bounds).sort();
  }

  /** The rule in force at `t`; null: the tag is not bound then. */
  at(t: Micros): Rule | null {
    const hint = this.pieces[this.#hint];
    if (hint !== undefined && t >= hint.from && t < hint.to) return hint.rule;
    for (let i = 0; i < this.pieces.length; i++) {
      const { from, to, rule } = this.pieces[i];
      if (t < from || t >= to) continue;
      this.#hint = i;
      return rule;
    }
    return null;
  }

  /** The rule in force just before `t`. */
  before(t: Micros): Rule | null {
    for (const { from, to, rule } of this.pieces) if (t > from && t <= to) return rule;
    return null;
  }

  /** Index of the first boundary at or after `t`. */
  nextBoundary(t: Micros): number {
    let i = 0;
    while (i < this.boundaries.length && this.boundaries[i] < t) i++;
    return i;
  }
}

/**
 * The rules of several tags that are one stream, each with its own. What is asked of the stream as a whole, the first that is bound answers; or `decide`, from the
 * values of all.
 */
export function jointRules(channels: readonly (readonly DatedRule[])[], decide: Decision | null = null): Rules {
  const each = channels.map((pieces) => new Rules(pieces));
  const bounds = [...new Set(each.flatMap(({ boundaries }) => [...boundaries]))].sort((a, b) => a - b);
  const edges = [Number.NEGATIVE_INFINITY, ...bounds, Number.POSITIVE_INFINITY];
  const pieces: DatedRule[] = [];
  for (let i = 0; i + 1 < edges.length; i++) {
    const [from, to] = [edges[i], edges[i + 1]];
    const of = each.map((rules) => rules.at(instantIn(from, to)));
    const first = of.find((rule) => rule !== null);
    if (first == null) continue;
    const meaning = JSON.stringify([...of.map((rule) => rule?.meaning ?? null), decide?.meaning]);
    const last = pieces.at(-1);
    // Where nothing means anything else there is no boundary, since a boundary is an input.
    if (last?.to === from && last.rule.meaning === meaning) last.to = to;
    else pieces.push({ from, to, rule: { ...first, of, decide, meaning } });
  }
  return new Rules(pieces);
}

/** An instant in [from, to), of which either may be infinite. */
const instantIn = (from: Micros, to: Micros): Micros =>
  Number.isFinite(from) ? from : Number.isFinite(to) ? to - 1 : 0;

/** Where two sets of rules mean different things, ends included since a boundary is an input; empty when they are equal. */
export function rulesDifference(old: Rules, next: Rules): { from: Micros; to: Micros }[] {
  const bounds = [...new Set([Number.NEGATIVE_INFINITY, ...old.boundaries, ...next.boundaries])].sort((a, b) => a - b);
  const ranges: { from: Micros; to: Micros }[] = [];
  for (let i = 0; i < bounds.length; i++) {
    const to = bounds[i + 1] ?? Number.POSITIVE_INFINITY;
    const at = instantIn(bounds[i], to);
    if (old.at(at)?.meaning === next.at(at)?.meaning) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last.to === bounds[i]) last.to = to;
    else ranges.push({ from: bounds[i], to });
  }
  return ranges;
}
