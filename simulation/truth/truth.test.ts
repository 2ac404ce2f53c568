import { defaultOeePolicy, hourUs, minuteUs, parseTimeUs, secondUs } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { shiftsOf } from "../plant/site.ts";
import { emptyTruth, type MachineTruth } from "../plant/truth.ts";
import type { Knowable, Known, KnownState } from "./known.ts";
import { knownOf } from "./known.ts";
import { oeeOf } from "./oee.ts";
import type { Plan } from "./plan.ts";
import { answerTruth } from "./truth-api.ts";
import { TruthBook } from "./truth-book.ts";

const start = parseTimeUs("2026-11-26T05:00:00Z") as number;
const min = (minutes: number): number => start + minutes * minuteUs;

const state = (from: number, to: number, itemState: KnownState["itemState"]): KnownState => ({
  fromUs: min(from),
  toUs: min(to),
  itemState,
  operationMode: itemState === null ? null : "Processing",
  cause: 0,
});
const count = (from: number, at: number, n: number, name: "good" | "scrap", spread = false) => ({
  fromUs: min(from),
  atUs: min(at),
  n,
  name,
  spread,
  uncertain: false,
});
const plan = (cycleSeconds: number, breaks: [number, number][] = []): Plan => ({
  shifts: [
    {
      id: "s",
      name: "s",
      productionDay: "2026-11-26",
      fromUs: start,
      toUs: min(480),
      breaks: breaks.map(([from, to]) => ({ fromUs: min(from), toUs: min(to) })),
    },
  ],
  executions: [{ order: "A", material: "M", cavities: 1, quantity: 1, fromUs: start, toUs: min(480) }],
  setUps: [],
  blocked: [],
  idealCycles: new Map([["M", { cycleUs: cycleSeconds * secondUs, unitsPerCycle: 1 }]]),
  counts: "units",
  counters: "sum",
  continuous: false,
  policy: { ...defaultOeePolicy, outsidePlan: "exclude" },
});
const window = { fromUs: start, toUs: min(480) };

describe("the OEE of the truth", () => {
  it("is the published one: 480 min shift, 60 breaks, 47 down, 1.0 s, 19,271 made, 423 rejects", () => {
    const breaks: [number, number][] = [
      [180, 210],
      [360, 390],
    ];
    const known: Known = {
      states: [state(0, 100, "Executing"), state(100, 147, "OutOfService"), state(147, 480, "Executing")],
      counts: [count(0, 170, 19_271 - 423, "good"), count(0, 170, 423, "scrap")],
    };
    const { all } = oeeOf(known, plan(1, breaks), window);
    const rounded = [all.availability, all.effectiveness, all.qualityRatio, all.oee].map((x) => Number(x?.toFixed(6)));
    expect(rounded).toEqual([0.888095, 0.861081, 0.97805, 0.747937]);
  });

  it("puts counts that may lie anywhere evenly into the running time, and leaves the unknown out", () => {
    const known: Known = {
      states: [
        state(0, 30, "Executing"),
        state(30, 60, "NotExecuting"),
        state(60, 120, "Executing"),
        state(120, 180, null),
      ],
      counts: [count(0, 120, 9, "good", true), count(120, 180, 5, "good", true)],
    };
    const { all, hours } = oeeOf(known, plan(60), { fromUs: start, toUs: min(180) });
    expect([...hours.values()].map(({ good }) => good)).toEqual([3, 6, 5]);
    expect(all).toMatchObject({ good: 14, aptUs: 90 * minuteUs, unknownUs: hourUs, oee: 9 / 120 });
  });
});

describe("what a protocol lets one know", () => {
  const about = (truth: Partial<MachineTruth>, more: Partial<Knowable> = {}): Knowable => ({
    truth: { ...emptyTruth(start, min(60)), ...truth },
    telling: { states: "pulses", counters: "sum", sampledSeconds: null },
    lost: [],
    resets: [],
    repeated: [],
    stampUs: (t) => t,
    cycleUsAt: () => minuteUs,
    stopAfterCycles: 3,
    ...more,
  });
  const pulses = (...minutes: number[]) =>
    minutes.map((minute) => ({ atUs: min(minute), kind: "good" as const, n: 1 }));
  const told = ({ states }: Known) => states.map(({ fromUs, itemState }) => [(fromUs - start) / minuteUs, itemState]);

  it("two pulses: more than k cycles is a stop, exactly k is none, and it runs one cycle before a pulse", () => {
    expect(told(knownOf(about({ pieces: pulses(2, 5, 9) })))).toEqual([
      [0, "NotExecuting"],
      [1, "Executing"],
      [5, "NotExecuting"],
      [8, "Executing"],
      [9, "NotExecuting"],
    ]);
  });

  it("two pulses: what is lost is unknown, and its end is like a pulse", () => {
    const lost = [{ fromUs: min(3), toUs: min(20) }];
    const { states, counts } = knownOf(about({ pieces: pulses(2, 10, 22) }, { lost }));
    expect(told({ states, counts })).toEqual([
      [0, "NotExecuting"],
      [1, "Executing"],
      [3, null],
      [20, "Executing"],
      [22, "NotExecuting"],
    ]);
    expect(counts).toHaveLength(2);
  });

  it("a counter that survives a loss tells its sum, one that begins anew tells that it did", () => {
    const telling = { states: "packml", counters: "sum", sampledSeconds: null } as const;
    const lost = [{ fromUs: min(3), toUs: min(20) }];
    const more = { telling, lost, resets: [min(29)] };
    const { counts } = knownOf(about({ pieces: pulses(2, 10, 12, 30, 31) }, more));
    const good = counts.filter(({ name }) => name === "good");
    expect(good.map(({ atUs, n, spread, uncertain }) => [(atUs - start) / minuteUs, n, spread, uncertain])).toEqual([
      [0, 0, false, true],
      [2, 1, false, false],
      [20, 2, true, false],
      [30, 0, false, true],
      [31, 1, false, false],
    ]);
  });
});

describe("GET /truth", () => {
  const nowUs = min(200);
  const parts = { book: new TruthBook(5), nowUs: () => nowUs, shiftsOf };

  it("an order runs from the scan that tells it where the machine tells it, and a little later where people read it from a screen", () => {
    const begins = (machine: string): number[] => {
      const made = parts.book.machine(machine, nowUs - 6 * hourUs, nowUs);
      return (made?.executions ?? []).slice(1).map(({ fromUs }) => fromUs % 200_000);
    };
    expect(begins("MC1").length).toBeGreaterThan(0);
    expect(begins("MC1").filter((behind) => behind >= 4_000)).toEqual([]);
    expect(new Set(begins("IMM1"))).toEqual(new Set([5_000]));
  });

  const ask = (query: Record<string, string>) => {
    const { status, body } = answerTruth(new URLSearchParams(query), parts);
    return { status, body: body as Record<string, never> };
  };

  it("tells states, counts and OEE of a machine by its path or its name, of the shift that is on", () => {
    const path = "Eastgate/Pumps/Assembly line 4/Press 2";
    const { status, body } = ask({ equipment: path });
    expect(status).toBe(200);
    expect(body).toMatchObject({ equipment: path, machine: "Press2", fromUs: start, toUs: nowUs });
    expect(ask({ equipment: "Press2" }).body).toEqual(body);
    const { all, hours, shifts, orders } = body.oee as unknown as Record<string, { good: number }[]> & {
      all: { good: number };
    };
    expect(all.good).toBe((body.counts as { good: number }).good);
    for (const parts of [hours, shifts, orders]) expect(parts.reduce((sum, { good }) => sum + good, 0)).toBe(all.good);
  });

  it.each(["Filler1", "MC1", "IMM1"])("%s: what goes from scan to scan is written down too", (machine) => {
    const { oee, states, executions } = ask({ equipment: machine }).body as unknown as {
      oee: { all: { oee: number; good: number } };
      states: unknown[];
      executions: unknown[];
    };
    expect(oee.all.oee).toBeGreaterThan(0.2);
    expect(oee.all.oee).toBeLessThan(1);
    expect(states.length).toBeGreaterThan(3);
    expect(executions.length).toBeGreaterThan(0);
  });

  it("of a line: the constraint's time, what comes off at the end, and every reject", () => {
    const oeeOf = (equipment: string) =>
      (ask({ equipment }).body.oee as unknown as { all: { good: number; scrap: number; pbtUs: number } }).all;
    const line = oeeOf("Northfield/Filling/Bottling line 1");
    const [filler, capper, labeller, packer] = ["Filler1", "Capper1", "Labeller1", "Packer1"].map(oeeOf);
    expect(line.pbtUs).toBe(filler.pbtUs);
    expect(line.good).toBe(packer.good);
    expect(line.scrap).toBe(filler.scrap + capper.scrap + labeller.scrap + packer.scrap);
  });

  it.each([
    [{ equipment: "Press9" }, 404],
    [{ equipment: "Press2", from: "yesterday" }, 400],
    [{ equipment: "Press2", from: String(start), to: String(start) }, 400],
    [{ equipment: "Press2", from: String(start - 72 * hourUs) }, 400],
  ])("%j is answered by %i", (query, status) => {
    expect(ask(query as Record<string, string>).status).toBe(status);
  });
});
