import type { ConditionRow, Mapping, Micros } from "@lineshaft/contract/api";
import { seeded } from "@lineshaft/testkit";

/** A small plant by seed: bindings with dated rules, inputs, gaps, ideal cycles, in instants that hurt. */
export const hourUs = 3_600_000_000;
const second = 1_000_000;
export const start = 480_000 * hourUs;
export const hours = 7;

export interface Sample {
  tag: number;
  t: Micros;
  ordinal: number;
  value: number | string;
  bad: boolean;
  /** In the order of its arrival among corrections of one identity; null where the source numbers none. */
  revision: number | null;
}
export interface Piece {
  from: Micros;
  to: Micros;
  mapping: Mapping;
  /** What the second channel's tag means where it is not the same; null: it is not bound then. */
  second?: Mapping | null;
}
export interface PlantBinding {
  id: number;
  equipment: number;
  role: "itemState" | "operationMode" | "counter" | "pulse" | "alarm" | "identifier";
  property?: string;
  by?: "conditions";
  channels: { tag: number; connection: number; counts: "good" | "scrap" | null }[];
}
/** By which conditions several tags tell a state, and when each of them is bound. */
export interface Joint {
  table: number;
  bound: { from: Micros; to: Micros }[][];
}

export const plantBindings: readonly PlantBinding[] = [
  { id: 1, equipment: 1, role: "itemState", channels: [{ tag: 11, connection: 1, counts: null }] },
  { id: 2, equipment: 1, role: "operationMode", channels: [{ tag: 12, connection: 2, counts: null }] },
  { id: 3, equipment: 1, role: "counter", channels: [{ tag: 13, connection: 1, counts: "good" }] },
  { id: 4, equipment: 1, role: "counter", channels: [{ tag: 14, connection: 2, counts: "scrap" }] },
  {
    id: 5,
    equipment: 2,
    role: "pulse",
    channels: [
      { tag: 15, connection: 1, counts: "good" },
      { tag: 16, connection: 1, counts: "scrap" },
    ],
  },
  { id: 6, equipment: 3, role: "pulse", channels: [{ tag: 17, connection: 2, counts: "good" }] },
  { id: 7, equipment: 2, role: "counter", channels: [{ tag: 18, connection: 2, counts: "good" }] },
  {
    id: 8,
    equipment: 4,
    role: "itemState",
    by: "conditions",
    channels: [
      { tag: 21, connection: 1, counts: null },
      { tag: 22, connection: 2, counts: null },
      { tag: 23, connection: 2, counts: null },
      { tag: 24, connection: 1, counts: null },
    ],
  },
  { id: 9, equipment: 1, role: "alarm", property: "fault", channels: [{ tag: 19, connection: 2, counts: null }] },
  { id: 10, equipment: 3, role: "identifier", property: "lot", channels: [{ tag: 20, connection: 1, counts: null }] },
  { id: 11, equipment: 3, role: "identifier", property: "lot", channels: [{ tag: 31, connection: 2, counts: null }] },
];
export const equipments: readonly number[] = [1, 2, 3, 4];

/** What the tags of the joint binding stand for; the spindle was given another tag at some time. */
export const jointNames = ["spindle", "door", "program", "spindle"] as const;
export const jointTypes = { spindle: "double", door: "boolean", program: "string" } as const;
export const jointTables: readonly ConditionRow[][] = [
  [
    { when: "spindle > 2.0 && !door", itemState: "Executing" },
    { when: "program == 'jog'", itemState: "OutOfService", operationMode: "Maintenance" },
    { when: "true", itemState: "NotExecuting" },
  ],
  [
    { when: "program == 'run' && 6 / int(spindle) >= 2", itemState: "Executing" },
    { when: "door || spindle > 3.0", itemState: "NotExecuting" },
  ],
];

export function jointFor(chance: Chance): Joint {
  const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  const other = chance.may(0.5) ? chance.instant() : ever.to;
  const doorFrom = chance.may(0.3) ? chance.instant() : ever.from;
  const bound = [[{ ...ever, to: other }], [{ ...ever, from: doorFrom }], [ever], [{ ...ever, from: other }]];
  if (chance.may(0.2)) bound[1].push({ ...ever, to: doorFrom });
  return {
    table: chance.below(jointTables.length),
    bound: bound.map((pieces) => pieces.filter(({ from, to }) => from < to)),
  };
}

export class Chance {
  readonly next: () => number;
  readonly #instants: Micros[] = [];

  constructor(seed: number) {
    this.next = seeded(seed);
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  may(probability: number): boolean {
    return this.next() < probability;
  }
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }

  /** On hours, beside them, close behind what was before, at exactly the distances that rules speak of, or anywhere. */
  instant(): Micros {
    const t = this.#instant();
    this.#instants.push(t);
    return t;
  }
  #instant(): Micros {
    const hour = start + hourUs * this.below(hours);
    const before = this.#instants.length === 0 ? hour : this.of(this.#instants);
    switch (this.below(9)) {
      case 0:
        return hour;
      case 1:
        return hour + this.of([-1, 1, second, -7 * second, -10 * second, -20 * second, -30 * second, -60 * second]);
      case 2:
      case 3:
        return before + this.below(15) * second;
      case 4:
        return before + this.of([10, 20, 30, 60, 40, 90, 1800]) * second;
      case 5:
        return before + this.below(300) * second;
      default:
        return start + this.below(hours * 3600) * second + this.of([0, 0, 1, 500_000]);
    }
  }
}

const tables: Mapping[] = [
  {
    states: [
      { value: 0, itemState: "NotExecuting" },
      { value: 1, itemState: "Executing" },
      { value: 2, itemState: "OutOfService", operationMode: "Maintenance" },
      { value: "ACTIVE", itemState: "Executing" },
    ],
  },
  {
    states: [
      { value: 0, itemState: "Executing" },
      { value: 1, itemState: "NotExecuting" },
      { value: 3, itemState: "NotAvailable" },
    ],
  },
  {
    states: [
      { value: 3, itemState: "OutOfService" },
      { when: "value >= 2.0 && value < 5.0", itemState: "NotExecuting" },
      { value: 2, itemState: "NotAvailable" },
      { when: "6 / int(value) == 6", itemState: "Executing", operationMode: "Processing" },
    ],
    otherwise: { itemState: "NotAvailable" },
  },
];
const modeTable: Mapping = {
  states: [
    { value: "auto", operationMode: "Processing" },
    { value: "setup", operationMode: "Setup" },
  ],
};

const alarmTables: Mapping[] = [
  {},
  { alarm: { severity: 900, text: { en: "Fault" }, code: "any" } },
  {
    alarm: {
      rows: [
        { value: 0, code: "idle" },
        { value: "E7", severity: 950, cause: 12 },
        { value: 3, active: false },
        { from: 2, to: 5, code: "jam", severity: 300 },
        { from: 90, text: { de: "heiß" } },
      ],
      otherwise: "none",
    },
  },
  { alarm: { rows: [{ from: 2, to: 5, code: "jam", severity: 700 }] } },
];

export function mappingFor(binding: PlantBinding, chance: Chance): Mapping {
  if (binding.role === "itemState") return chance.of(tables);
  if (binding.role === "operationMode") return modeTable;
  if (binding.role === "alarm") return chance.of(alarmTables);
  if (binding.role === "identifier") return {};
  if (binding.role === "pulse") {
    const edge = binding.id === 6 ? "rising" : "each";
    return {
      pulse: { edge, stopAfterCycles: chance.of([1, 2, 3]), idealCycleMs: chance.of([undefined, 20_000, 30_000]) },
    };
  }
  const counter: Mapping["counter"] = {
    width: chance.of([undefined, "uint16", "uint16"]),
    maxPerSecond: chance.of([undefined, 1, 1, 5]),
    glitchWindowMs: chance.of([undefined, undefined, 0, 30_000, 1_800_000]),
  };
  return { counter: binding.id === 4 ? { ...counter, sampling: "sampled" } : counter };
}

/** One to three pieces; often since ever, sometimes with a hole. */
export function piecesFor(binding: PlantBinding, chance: Chance): Piece[] {
  const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  if (chance.may(0.4)) return [{ ...ever, mapping: mappingFor(binding, chance), ...secondOf(binding, chance) }];
  const bounds = [...new Set([chance.instant(), chance.instant(), chance.instant()])].sort((a, b) => a - b);
  const edges = [chance.may(0.5) ? ever.from : start - hourUs, ...bounds, ever.to];
  const pieces: Piece[] = [];
  for (let i = 0; i + 1 < edges.length; i++)
    if (edges[i] < edges[i + 1] && chance.may(0.85))
      pieces.push({
        from: edges[i],
        to: edges[i + 1],
        mapping: mappingFor(binding, chance),
        ...secondOf(binding, chance),
      });
  return pieces;
}

/** The reject pulse of a machine is often wired in another way than the good one, and now and then not at all. */
function secondOf(binding: PlantBinding, chance: Chance): Pick<Piece, "second"> {
  if (binding.channels.length === 1 || chance.may(0.3)) return {};
  if (chance.may(0.3)) return { second: null };
  const { pulse } = mappingFor(binding, chance);
  return { second: { pulse: { ...pulse, edge: "rising" } } };
}

export function cyclesFor(chance: Chance): { from: Micros[]; us: number[] } {
  const from = [...new Set(Array.from({ length: chance.below(9) }, () => chance.instant()))].sort((a, b) => a - b);
  return { from, us: from.map(() => chance.of([0, 10, 20, 30, 45, 900]) * second) };
}

/** A value that a tag might have; counters go up, with glitches, resets and rollovers among them. */
export function valueFor(tag: number, chance: Chance, count: { of: Map<number, number> }): number | string {
  if (tag === 11) return chance.of([0, 1, 1, 2, 3, 4, "ACTIVE", "?"]);
  if (tag === 12) return chance.of(["auto", "auto", "setup", "jog"]);
  if (tag === 15) return 1;
  if (tag === 19) return chance.of([0, 0, "", 1, 2, 3, "E7", "E8", 90.5]);
  if (tag === 20 || tag === 31) return chance.of(["", 0, "0", 4711, "4711", "00417", "7e2", -(2 ** 60), "lot ä"]);
  if (tag === 16 || tag === 17) return chance.below(2);
  if (tag === 21 || tag === 24) return chance.of([0, 1, 2, 3, 4, 4, 3, "?"]);
  if (tag === 22) return chance.below(2);
  if (tag === 23) return chance.of(["run", "run", "jog", "", 5]);
  const before = count.of.get(tag) ?? (chance.may(0.5) ? 65_500 : 10);
  if (chance.may(0.1)) return chance.of([0, 65_535, before + 4_000, 70_000]);
  const next = chance.may(0.08) ? chance.below(3) : before + chance.below(12);
  const rolled = next >= 65_536 ? next - 65_536 : next;
  count.of.set(tag, rolled);
  return rolled;
}

/** All samples of the plant in the order of their time. Several of a tag at one instant have ordinals. */
export function samplesFor(chance: Chance): Sample[] {
  const samples: Sample[] = [];
  const count = { of: new Map<number, number>() };
  for (const { channels } of plantBindings) {
    for (const { tag } of channels) {
      const times = Array.from({ length: 4 + chance.below(24) }, () => chance.instant()).sort((a, b) => a - b);
      for (const [i, t] of times.entries()) {
        const ordinal = i > 0 && times[i - 1] === t ? (samples.at(-1)?.ordinal ?? 0) + 1 : 0;
        samples.push({ tag, t, ordinal, value: valueFor(tag, chance, count), bad: chance.may(0.06), revision: null });
      }
    }
  }
  return samples.sort((a, b) => a.t - b.t || a.tag - b.tag || a.ordinal - b.ordinal);
}
