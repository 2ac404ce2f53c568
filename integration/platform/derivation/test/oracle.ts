import type { CountKind, Mapping, Micros } from "@lineshaft/contract/api";

/**
 * What a binding's facts must be, written from the rules alone and shared with nothing: it asks at each instant what can be known, looking over all inputs again. Slow on
 * purpose.
 */
export interface OracleBinding {
  role: "itemState" | "operationMode" | "counter" | "pulse" | "alarm" | "identifier";
  channels: readonly { counts: CountKind | null }[];
  /** `second`: what the second channel's tag means where it is not the same; null: it is not bound then. */
  pieces: readonly { from: Micros; to: Micros; mapping: Mapping; second?: Mapping | null }[];
  /** In any order. */
  samples: readonly { t: Micros; channel: number; ordinal: number; value: number | string; bad: boolean }[];
  gaps: readonly { from: Micros; to: Micros }[];
  cycleUs(t: Micros): number;
  /** By conditions: which, and when each channel is bound and lost. `gaps` are empty then. */
  joint?: { table: number; channels: readonly { name: string; bound: readonly Span[]; gaps: readonly Span[] }[] };
}
interface Span {
  from: Micros;
  to: Micros;
}
export interface OracleIncrement {
  source: Micros;
  t: Micros;
  n: number;
  flags: number;
  channel: number;
}

const items = { unknown: 0, NotAvailable: 1, OutOfService: 2, NotExecuting: 3, Executing: 4 };
const modes = { None: 1, Maintenance: 2, Setup: 3, Processing: 4 };
const stopped = 3;
const running = 4;

const pieceAt = (b: OracleBinding, t: Micros) => b.pieces.find(({ from, to }) => from <= t && t < to);
const inGap = (b: OracleBinding, t: Micros): boolean => b.gaps.some(({ from, to }) => from <= t && t < to);
const sorted = (b: OracleBinding) =>
  [...b.samples].sort((x, y) => x.t - y.t || x.channel - y.channel || x.ordinal - y.ordinal);

/** What a channel's tag means at an instant; null: it is not bound then. */
function meaningAt(b: OracleBinding, channel: number, t: Micros): Mapping | null {
  const piece = pieceAt(b, t);
  return piece === undefined ? null : meaningOf(piece, channel);
}

type Piece = OracleBinding["pieces"][number];
const meaningOf = ({ mapping, second }: Piece, channel: number): Mapping | null =>
  channel === 1 && second !== undefined ? second : mapping;

/** Stretches in which the first tag is bound without a break; or only such of its pieces. */
function stretches(b: OracleBinding, only: (piece: Piece) => boolean = () => true): { from: Micros; to: Micros }[] {
  const result: { from: Micros; to: Micros }[] = [];
  for (const { from, to } of b.pieces.filter(only).sort((x, y) => x.from - y.from)) {
    const last = result.at(-1);
    if (last?.to === from) last.to = to;
    else result.push({ from, to });
  }
  return result;
}

/** The plant's conditions, said once more without their language; null: it has no answer. */
const conditions: Record<string, (value: number) => boolean | null> = {
  "value >= 2.0 && value < 5.0": (value) => value >= 2 && value < 5,
  "6 / int(value) == 6": (value) => (value === 0 ? null : value === 1),
};
const answer = (when: string, value: number | string): boolean | null =>
  typeof value === "string" ? null : conditions[when](value);

/** The state by a tag's table: the last sample's value, unless it is bad, or a gap has begun since it. */
function tableState(b: OracleBinding, t: Micros): number {
  const mapping = pieceAt(b, t)?.mapping;
  if (mapping === undefined || inGap(b, t)) return 0;
  const last = sorted(b)
    .filter((sample) => sample.t <= t)
    .at(-1);
  if (last === undefined || last.bad || b.gaps.some(({ from, to }) => to <= t && last.t < from)) return 0;
  const rows = mapping.states ?? [];
  const answers = rows.map(({ value, when }) => (when === undefined ? value === last.value : answer(when, last.value)));
  const first = answers.findIndex((applies) => applies !== false);
  if (answers[first] === null) return 0;
  const row = rows[first] ?? mapping.otherwise;
  if (row === undefined) return 0;
  return items[row.itemState ?? "unknown"] + 8 * (row.operationMode === undefined ? 0 : modes[row.operationMode]);
}

/** true, false, not known, or without an answer. */
type Verdict = boolean | "unknown" | "fault";
const both = (a: Verdict, b: Verdict): Verdict =>
  a === false || b === false
    ? false
    : ([a, b].find((v) => v === "unknown") ?? [a, b].find((v) => v === "fault") ?? true);
const not = (a: Verdict): Verdict => (typeof a === "boolean" ? !a : a);
const either = (a: Verdict, b: Verdict): Verdict => not(both(not(a), not(b)));

type Told = number | string | undefined;
const ask = (value: Told, type: "number" | "string", holds: (value: never) => Verdict): Verdict =>
  value === undefined ? "unknown" : typeof value === type ? holds(value as never) : "fault";

/** The plant's conditions over several tags, said once more without their language: what each row makes of what is told. */
const tables: readonly ((told: { spindle: Told; door: Told; program: Told }) => [Verdict, number][])[] = [
  ({ spindle, door, program }) => [
    [
      both(
        ask(spindle, "number", (v: number) => v > 2),
        ask(door, "number", (v: number) => v === 0),
      ),
      items.Executing,
    ],
    [ask(program, "string", (v: string) => v === "jog"), items.OutOfService + 8 * modes.Maintenance],
    [true, items.NotExecuting],
  ],
  ({ spindle, door, program }) => [
    [
      both(
        ask(program, "string", (v: string) => v === "run"),
        ask(spindle, "number", (v: number) => (v === 0 ? "fault" : v <= 3)),
      ),
      items.Executing,
    ],
    [
      either(
        ask(door, "number", (v: number) => v !== 0),
        ask(spindle, "number", (v: number) => v > 3),
      ),
      items.NotExecuting,
    ],
  ],
];

/** The state by conditions: what each name's tag of that time told last, and the first row that is true. */
function jointState(b: OracleBinding, t: Micros): number {
  const told: { spindle: Told; door: Told; program: Told } = {
    spindle: undefined,
    door: undefined,
    program: undefined,
  };
  const within = ({ from, to }: Span): boolean => from <= t && t < to;
  for (const [channel, { name, bound, gaps }] of (b.joint?.channels ?? []).entries()) {
    if (!bound.some(within) || gaps.some(within)) continue;
    const last = sorted(b)
      .filter((sample) => sample.channel === channel && sample.t <= t)
      .at(-1);
    if (last === undefined || last.bad || gaps.some(({ from, to }) => to <= t && last.t < from)) continue;
    told[name as "spindle"] = last.value;
  }
  const rows = tables[b.joint?.table ?? 0](told);
  const first = rows.find(([verdict]) => verdict !== false);
  return first?.[0] === true ? first[1] : 0;
}

/** Rows that are pieces: each good one, or the changes of level upwards. */
function pulses(b: OracleBinding) {
  return sorted(b).filter((sample) => {
    const meaning = meaningAt(b, sample.channel, sample.t);
    if (sample.bad || meaning === null) return false;
    if (meaning.pulse?.edge !== "rising") return true;
    const edges = (piece: Piece): boolean => meaningOf(piece, sample.channel)?.pulse?.edge === "rising";
    const within = stretches(b, edges).find(({ from, to }) => from <= sample.t && sample.t < to);
    const own = sorted(b).filter(({ channel, t }) => channel === sample.channel && t >= (within?.from ?? sample.t));
    const last = own[own.findIndex(({ t, ordinal }) => t === sample.t && ordinal === sample.ordinal) - 1];
    return sample.value !== 0 && last !== undefined && !last.bad && last.value === 0;
  });
}

/** The state by pulses: what stands between what arms the time-out before `t` and what comes next after it. */
function pulseState(b: OracleBinding, t: Micros, watermark: Micros): number {
  const stretch = stretches(b).find(({ from, to }) => from <= t && t < to);
  if (stretch === undefined || inGap(b, t)) return 0;
  const cycle = ({ t: at, channel }: { t: Micros; channel: number }): number =>
    b.cycleUs(at) || Math.round((meaningAt(b, channel, at)?.pulse?.idealCycleMs ?? 0) * 1000);
  const within = (at: Micros): boolean => at >= stretch.from && at < stretch.to;
  const arms = [
    ...pulses(b)
      .filter((pulse) => within(pulse.t) && !inGap(b, pulse.t))
      .map((pulse) => ({ t: pulse.t, channel: pulse.channel, pulse: true })),
    ...b.gaps.filter((gap) => within(gap.to)).map((gap) => ({ t: gap.to, channel: 0, pulse: false })),
  ].sort((x, y) => x.t - y.t || Number(x.pulse) - Number(y.pulse));
  const last = arms.filter((arm) => arm.t <= t).at(-1);
  const next = arms.find((arm) => arm.t > t);
  const gap =
    b.gaps.filter(({ from }) => from > t).sort((x, y) => x.from - y.from)[0]?.from ?? Number.POSITIVE_INFINITY;
  /** Whether the machine runs again at t, ahead of its next pulse. */
  const ahead = (since: Micros): boolean =>
    next?.pulse === true && next.t < gap && cycle(next) > 0 && t >= Math.max(since, next.t - cycle(next));
  if (last === undefined) {
    if (stretch.from === Number.NEGATIVE_INFINITY) return 0;
    // A gap that is open when the binding begins leaves nothing known until it ends; that end arms.
    return ahead(stretch.from) ? running : stopped;
  }
  if (!(cycle(last) > 0)) return 0;
  const limit = last.t + Math.round((meaningAt(b, last.channel, last.t)?.pulse?.stopAfterCycles ?? 3) * cycle(last));
  const until = Math.min(gap, next?.t ?? Number.POSITIVE_INFINITY, stretch.to, watermark);
  if (until <= limit) return running;
  return ahead(last.t) ? running : stopped;
}

/** What an alarm or identifier tag says: the last value's text, unless it is bad or a gap has begun since it; an alarm's by its table. null: nobody knows. */
export function oracleName(b: OracleBinding, t: Micros): string | null {
  const mapping = pieceAt(b, t)?.mapping;
  const last = sorted(b)
    .filter((sample) => sample.t <= t)
    .at(-1);
  if (mapping === undefined || inGap(b, t) || last === undefined || last.bad) return null;
  if (b.gaps.some(({ from, to }) => to <= t && last.t < from)) return null;
  const value = `${last.value}`;
  if (b.role === "identifier") return value;
  const { rows = [], otherwise, code } = mapping.alarm ?? {};
  const row = rows.find((each) =>
    each.value !== undefined
      ? `${each.value}` === value
      : value !== "" && Number(value) >= (each.from ?? -1e300) && Number(value) < (each.to ?? 1e300),
  );
  if (row !== undefined)
    return row.active === false ? "" : (row.code ?? (row.value === undefined ? `${row.from}..` : `${row.value}`));
  return otherwise === "none" || value === "" || value === "0" ? "" : (code ?? value);
}

/** The code of a binding at an instant, once the watermark has come so far. */
export function oracleCode(b: OracleBinding, t: Micros, watermark: Micros): number {
  if (b.joint !== undefined) return jointState(b, t);
  return b.role === "pulse" ? pulseState(b, t, watermark) : tableState(b, t);
}

/** Instants at which the code may change. */
export function oracleInstants(b: OracleBinding): Micros[] {
  const joint = (b.joint?.channels ?? []).flatMap(({ bound, gaps }) => [...bound, ...gaps]);
  const ends = [...b.pieces, ...b.gaps, ...joint].flatMap(({ from, to }) => [from, to]);
  const cycles = (t: Micros, channel: number): number =>
    b.cycleUs(t) || Math.round((meaningAt(b, channel, t)?.pulse?.idealCycleMs ?? 0) * 1000);
  const times = b.samples.flatMap(({ t, channel }) => (b.role === "pulse" ? [t, t - cycles(t, channel)] : [t]));
  return [...new Set([...ends, ...times])].filter(Number.isFinite).sort((x, y) => x - y);
}

export function oracleIncrements(b: OracleBinding): OracleIncrement[] {
  if (b.role === "pulse") return pulses(b).map(({ t, channel }) => ({ source: t, t, n: 1, flags: 0, channel }));
  return stretches(b).flatMap(({ from, to }) => count(b, from, to));
}

const modulus = { int16: 65_536, uint16: 65_536, int32: 2 ** 32, uint32: 2 ** 32, bcd16: 10_000, bcd32: 100_000_000 };

function count(b: OracleBinding, from: Micros, to: Micros): OracleIncrement[] {
  const options = (t: Micros) => pieceAt(b, t)?.mapping.counter ?? {};
  const samples = sorted(b)
    .filter(({ t, bad }) => !bad && from <= t && t < to)
    .map(({ t, value }) => ({ t, v: Number(value) }))
    .filter(({ t, v }) => options(t).width !== "uint16" || (v >= 0 && v < 65_536));
  const result: OracleIncrement[] = [];
  if (samples.length === 0) return result;
  const may = (n: number, since: Micros, t: Micros, by: Micros): boolean =>
    n >= 0 && n <= ((options(by).maxPerSecond ?? 1e300) / 1e6) * (t - since) + (options(by).maxPerSecond ? 1 : 1e300);
  const add = (source: Micros, t: Micros, n: number, kind: number, by: Micros): void => {
    const bridged = b.gaps.some((gap) => gap.from <= t && gap.to > source);
    const estimated = n > 0 && (options(by).sampling === "sampled" || bridged) ? 2 : 0;
    if (n > 0 || kind !== 0) result.push({ source, t, n, flags: kind | estimated, channel: 0 });
  };
  let base = samples[0];
  add(Number.isFinite(from) ? from : base.t, base.t, 0, 1, base.t);
  for (let i = 1; i < samples.length; i++) {
    const x = samples[i];
    if (may(x.v - base.v, base.t, x.t, x.t)) add(base.t, x.t, x.v - base.v, 0, x.t);
    else {
      const y = samples[i + 1];
      const inTime = y !== undefined && y.t <= x.t + Math.round((options(x.t).glitchWindowMs ?? 10_000) * 1000);
      if (inTime && may(y.v - base.v, base.t, y.t, x.t)) {
        add(base.t, y.t, y.v - base.v, 0, y.t);
        base = y;
        i++;
        continue;
      }
      const { width } = options(x.t);
      const rolled = width === undefined || x.v >= base.v ? Number.NaN : x.v - base.v + modulus[width];
      if (may(rolled, base.t, x.t, x.t)) add(base.t, x.t, rolled, 4, x.t);
      else add(base.t, x.t, 0, x.v < base.v ? 9 : 1, x.t);
    }
    base = x;
  }
  return result;
}
