import {
  type AlarmTransition,
  countKinds,
  hourUs,
  type IdentifierTransition,
  type MachineFacts,
  type Micros,
} from "@lineshaft/contract/api";
import { decodeFacts, encodeFacts, type FactsRows, factsWhats, recordType } from "@lineshaft/contract/ports";
import { seeded } from "@lineshaft/testkit";
import { describe, expect, it } from "vitest";
import { type Meaning, MemoryStore, nowUs, OneMachine, secondUs } from "./follower.fixture.ts";
import type { FollowerParts } from "./follower-parts.ts";

/** Somebody who follows the stream and knows nothing else: takes away what a range had, puts in what it has. */
class Reader {
  states: { t: Micros; code: number }[] = [];
  counts: { source: Micros; t: Micros; n: number; kind: number; flags: number }[] = [];
  names: [what: string, property: string, t: Micros, said: string][] = [];
  causes = new Map<string, number>();
  toldUs = Number.NEGATIVE_INFINITY;

  take(payload: Uint8Array): void {
    const { ranges, states, counts, alarms, identifiers } = decodeFacts(payload);
    for (let i = 0; i < ranges.n; i++) {
      const within = (t: Micros): boolean => t >= ranges.from[i] && t <= ranges.to[i];
      const cause = `${ranges.cause[i]}`;
      this.causes.set(cause, (this.causes.get(cause) ?? 0) + 1);
      if (ranges.what[i] !== 1) this.toldUs = Math.max(this.toldUs, ranges.to[i]);
      if (ranges.what[i] === 0) {
        this.states = this.states.filter(({ t }) => !within(t));
        for (let k = 0; k < states.n; k++)
          if (within(states.time[k])) this.states.push({ t: states.time[k], code: states.code[k] });
      } else if (ranges.what[i] > 1) {
        const what = factsWhats[ranges.what[i]];
        this.names = this.names.filter((row) => row[0] !== what || !within(row[2]));
        const rows = what === "alarms" ? alarmNames(alarms) : identifierNames(identifiers);
        for (const row of rows) if (within(row[2])) this.names.push(row);
      } else {
        this.counts = this.counts.filter(({ t }) => !within(t));
        for (let k = 0; k < counts.n; k++)
          if (within(counts.time[k]))
            this.counts.push({
              ...{ source: counts.source[k], t: counts.time[k], n: counts.value[k] },
              ...{ kind: counts.kind[k], flags: counts.flags[k] },
            });
      }
    }
    this.states.sort((a, b) => a.t - b.t);
    this.names.sort((a, b) => a[2] - b[2]);
    this.counts.sort((a, b) => a.t - b.t);
  }

  /** [second, code] without repeats, from a time on. */
  timeline(from: Micros): [number, number][] {
    return merged(this.states.map(({ t, code }) => [Math.max(t, from), code]));
  }
}

const alarmNames = (rows: readonly AlarmTransition[]) =>
  rows.map(({ property, t, active, code, severity }): Reader["names"][number] => [
    ...(["alarms", property, t] as const),
    `${active} ${code} ${severity}`,
  ]);
const identifierNames = (rows: readonly IdentifierTransition[]) =>
  rows.map(({ property, t, value }): Reader["names"][number] => ["identifiers", property, t, `${value}`]);

/** What was said of each from a time on, without repeats. Of what was not told yet nothing is known. */
function namesFrom(names: Reader["names"], from: Micros): unknown[] {
  const groups = Map.groupBy(names, ([what, property]) => `${what} ${property}`);
  return [...groups]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, rows]) => {
      const clipped = rows.map((row) => [Math.max(row[2], from), row[3]] as const);
      const last = clipped.filter(([t], i) => clipped[i + 1]?.[0] !== t);
      const changes = last.filter(([, said], i) => said !== last[i - 1]?.[1]);
      return [key, changes[0]?.[1].startsWith("null") ? changes.slice(1) : changes];
    });
}

function merged(entries: [number, number][]): [number, number][] {
  const result: [number, number][] = [];
  for (const [t, code] of entries) {
    if (result.at(-1)?.[0] === t) result.pop();
    if (result.at(-1)?.[1] !== code) result.push([t, code]);
  }
  return result;
}

const state: Meaning = { property: "state", kind: "itemState", mapping: { preset: "running" } };
const good: Meaning = { property: "good", kind: "counter", counts: "good", mapping: {} };
const idealCycleMs = 20_000;
const pulse: Meaning = { property: "good", kind: "pulse", counts: "good", mapping: { pulse: { idealCycleMs } } };

const alarm: Meaning = { property: "fault", kind: "alarm", mapping: { alarm: { severity: 700 } } };
const order: Meaning = { property: "order", kind: "identifier", mapping: {} };

/** A machine whose facts are told into its own log, and a reader of that. */
class Told extends OneMachine {
  readonly reader = new Reader();
  refuse = 0;
  readonly #waiting: FactsRows[] = [];

  readonly store = new MemoryStore();
  readonly #parts: Partial<FollowerParts>;

  constructor(meanings: readonly Meaning[]) {
    const parts: Partial<FollowerParts> = {
      tell: async (rows: FactsRows): Promise<boolean> => {
        if (this.refuse-- > 0) return false;
        this.#waiting.push(rows);
        return true;
      },
    };
    super(meanings, parts);
    this.#parts = parts;
  }

  /** The process dies, and the next one goes on from what is saved now. */
  async restart(): Promise<void> {
    const saving = { ...this.#parts, store: this.store, saveEveryMs: Number.POSITIVE_INFINITY };
    const saved = (save: () => number): void => void save();
    this.facts = this.again({ ...saving, saved, checkpoint: this.store.load() });
    await this.facts.begin(this.store.lsn);
  }

  /** A second passes at least; what is told comes back out of the log. */
  async tick(seconds = 1): Promise<void> {
    this.clock.advanceMs(1000 * seconds);
    this.facts.tick();
    await Promise.resolve();
    for (const rows of this.#waiting.splice(0)) {
      const payload = encodeFacts(rows);
      this.reader.take(payload);
      await this.record(recordType.factsChanged, payload);
    }
  }

  get seconds(): number {
    return (this.clock.nowUs() - nowUs) / secondUs;
  }

  truth(toUs: Micros): MachineFacts {
    return this.facts.machine(1, nowUs - 3 * hourUs, toUs).facts;
  }
}

describe("facts in the log", () => {
  it.each<[string, Meaning[]]>([
    ["a state and a counter", [state, good]],
    ["an alarm and an identifier", [alarm, order]],
    ["two pulses", [pulse, { ...pulse, property: "rejects", counts: "scrap" }]],
  ])("make whoever follows them know what machines did: %s", async (_, meanings) => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seeded(seed);
      const below = (n: number): number => Math.floor(random() * n);
      const machine = new Told(meanings);
      await machine.facts.begin(0);
      let count = 0;
      for (let step = 0; step < 80; step++) {
        const what = below(12);
        const late = what < 2 ? -below(3000) : 0;
        if (what === 11) {
          const from = machine.seconds - below(2000);
          await machine.gap(from, from + 1 + below(200));
        } else if (what === 10) machine.refuse = 1;
        else {
          const tag = 1 + below(2);
          count += below(3);
          const named = meanings[1].kind === "identifier" && tag === 2;
          const value = named ? `order ${below(4)}` : tag === 2 ? count : below(3);
          const at = machine.seconds + late + 0.001 * step;
          await machine.point(tag, at, value, { receivedS: machine.seconds });
        }
        await machine.tick(1 + below(40));
      }
      // A last point, so that everything before is final.
      await machine.tick(1000);
      await machine.point(1, machine.seconds - 1, 1, { receivedS: machine.seconds });
      for (let i = 0; i < 5; i++) await machine.tick();
      const { reader } = machine;
      if (meanings[0].kind === "alarm") {
        const [[, , since]] = reader.names;
        const facts = [
          machine.facts.alarms(1, since, reader.toldUs + 1),
          machine.facts.identifiers(1, since, reader.toldUs + 1),
        ] as const;
        const truth = [...alarmNames(facts[0]), ...identifierNames(facts[1])];
        expect(truth.length, `seed ${seed}`).toBeGreaterThan(10);
        expect(namesFrom(reader.names, since), `seed ${seed}`).toEqual(namesFrom(truth, since));
        continue;
      }
      const first = reader.states[0].t;
      const { states, increments } = machine.truth(reader.toldUs + 1);
      const known = Array.from(states.t, (t, i): [number, number] => [Math.max(t, first), states.code[i]]);
      expect(reader.timeline(first), `seed ${seed}`).toEqual(merged(known));
      const rows = Array.from(increments.t, (t, i) => ({
        ...{ source: increments.source[i], t, n: increments.n[i] },
        ...{ kind: increments.kind[i], flags: increments.flags[i] },
      })).filter(({ t }) => t <= reader.toldUs);
      expect(
        reader.counts.filter(({ t }) => t <= reader.toldUs),
        `seed ${seed}`,
      ).toEqual(rows);
      expect(reader.causes.get("0") ?? 0).toBeGreaterThan(10);
    }
  });

  it("are told once, when they are final, and nothing is told while nothing is new", async () => {
    const machine = new Told([pulse]);
    await machine.facts.begin(0);
    await machine.point(1, 0, 1);
    const events: number[] = [];
    for (let i = 0; i < 120; i++) {
      await machine.point(1, machine.seconds + 0.5, 1, { receivedS: machine.seconds + 1 });
      const before = machine.reader.states.length + machine.reader.counts.length;
      await machine.tick();
      if (machine.reader.states.length + machine.reader.counts.length > before) events.push(i);
    }
    // Each pulse once; the machine runs throughout.
    const told = machine.reader.counts.map(({ t }) => t);
    expect(new Set(told).size).toBe(told.length);
    expect(machine.reader.timeline(nowUs)).toEqual([[nowUs, 4]]);
    expect([...machine.reader.causes.keys()]).toEqual(["0"]);
    for (let i = 0; i < 5; i++) await machine.tick();
    const quiet = [...machine.reader.causes.values()].join();
    for (let i = 0; i < 20; i++) await machine.tick();
    expect([...machine.reader.causes.values()].join()).toBe(quiet);
    expect(countKinds[machine.reader.counts[0].kind]).toBe("good");
  });

  it("are told after a restart, where a change was taken in and saved, but not told yet", async () => {
    const machine = new Told([state]);
    await machine.restart();
    await machine.point(1, 0, 1);
    await machine.point(1, 10, 0);
    for (let i = 0; i < 15; i++) await machine.tick();
    await machine.point(1, 5, 7, { receivedS: 15 });
    machine.facts.saveNow();
    await machine.restart();
    for (let i = 0; i < 3; i++) await machine.tick();
    expect(machine.reader.timeline(nowUs)).toEqual([
      [nowUs, 4],
      [nowUs + 5 * secondUs, 0],
      [nowUs + 10 * secondUs, 3],
    ]);
    const told = [...machine.reader.causes.values()].join();
    machine.facts.saveNow();
    await machine.restart();
    for (let i = 0; i < 3; i++) await machine.tick();
    expect([...machine.reader.causes.values()].join()).toBe(told);
  });

  it("survive their encoding", () => {
    const rows: FactsRows = {
      ranges: [{ equipment: 7, from: 1, to: 2.5e15, what: "counts", cause: "gap", lsn: 9 }],
      states: [
        { equipment: 7, time: 3, code: 4 },
        { equipment: 8, time: 4, code: 0 },
      ],
      counts: [{ equipment: 7, source: 1, time: 2, value: -0.5, kind: 2, flags: 9 }],
      alarms: [
        {
          ...{ equipment: 7, property: "alarm", tagId: 3, t: 5, active: true, code: "17", severity: 900 },
          ...{ text: { de: "Tür offen" }, cause: 12 },
        },
      ],
      identifiers: [{ equipment: 8, property: "order", t: 6, value: "00417 – ä" }],
    };
    const { ranges, states, counts, alarms, identifiers } = decodeFacts(encodeFacts(rows));
    expect([alarms, identifiers]).toEqual([rows.alarms, rows.identifiers]);
    const without = decodeFacts(encodeFacts({ ...rows, alarms: [], identifiers: [] }));
    expect([without.alarms, without.identifiers, without.counts]).toEqual([[], [], counts]);
    expect([ranges.n, ranges.equipment[0], ranges.to[0], ranges.what[0], ranges.cause[0], ranges.lsn[0]]).toEqual([
      1, 7, 2.5e15, 1, 3, 9,
    ]);
    expect([states.n, ...states.time, ...states.code]).toEqual([2, 3, 4, 4, 0]);
    expect([counts.n, counts.source[0], counts.value[0], counts.kind[0], counts.flags[0]]).toEqual([1, 1, -0.5, 2, 9]);
  });
});
