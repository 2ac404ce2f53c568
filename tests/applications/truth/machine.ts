import type {
  Annotation,
  EquipmentContext,
  LateScrapBooking,
  MachineFacts,
  Mapping,
  Micros,
  OeePolicy,
  ShiftOccurrence,
} from "@lineshaft/contract/api";
import { startingReasons } from "@lineshaft/contract/api";
import {
  type MachineKind,
  type MachineTruth,
  stateCodes,
  type TrueExecution,
  type TrueShift,
} from "@lineshaft/simulation/plant";
import {
  type CountName,
  counterNames,
  type Heads,
  idealCyclesOf,
  type Known,
  knownOf,
  oeeOf,
  type Plan,
  type Span,
} from "@lineshaft/simulation/truth";
import {
  bindAnnotations,
  reasonsInForce,
  setUpsFromOrderChange,
  stateSpans,
  stopsOf,
} from "../../../integration/platform/context/index.ts";
import { placeLateScrap, scrapSourcesOf } from "../../../integration/platform/context/late-scrap.ts";
import {
  type BindingSpec,
  compileMapping,
  type Rules as DatedRules,
  Rules,
  Steps,
} from "../../../integration/platform/derivation/index.ts";
import type { Chance } from "./chance.ts";
import type { Faulted } from "./faults.ts";
import { type Late, operation, reasonsSaid, type Said, scrapFoundLate, withOrdersBeside } from "./people.ts";
import { type Row, repeatedBy, rowsOf, shownBy } from "./shown.ts";

export const stopAfterCycles = 3;
/** What a binding of pulses goes by while no order tells the ideal cycle. */
const defaultCycleUs = 5_000_000;
const forever: Micros = Number.MAX_SAFE_INTEGER;
const whats = ["state", "mode", "good", "scrap", "rework", "total"] as const;

/** One machine of a campaign: how it is bound, what it tells, what people book of it, and what the truth is. */
export class MachineUnderTest {
  readonly equipment: number;
  readonly kind: MachineKind;
  readonly shown: MachineTruth;
  readonly faulted: Faulted;
  readonly policy: OeePolicy;
  readonly rows: readonly Row[];
  readonly bookedSetUps: MachineTruth["setUps"];
  /** What people say of its stops and of its parts, sooner or later. */
  readonly said: readonly Said[];
  readonly late: readonly Late[];
  /** What its protocol lets anybody know. */
  readonly known: Known;
  /** As far as they were booked. */
  executions: TrueExecution[] = [];
  setUps: MachineTruth["setUps"] = [];
  blocked: MachineTruth["blocked"] = [];
  shifts: ShiftOccurrence[] = [];
  annotations: Annotation[] = [];
  lateScrap: LateScrapBooking[] = [];

  constructor(
    equipment: number,
    kind: MachineKind,
    truth: MachineTruth,
    faulted: Faulted,
    policy: OeePolicy,
    chance: Chance,
  ) {
    this.equipment = equipment;
    this.kind = kind;
    this.faulted = faulted;
    this.policy = policy;
    const executions = withOrdersBeside(kind, truth.executions, chance);
    this.shown = shownBy({ ...truth, executions }, faulted);
    this.rows = rowsOf(
      kind,
      this.shown,
      faulted,
      faulted.lost.map(({ toUs }) => toUs),
    );
    // Where set-up runs to the first good part nobody books it.
    this.bookedSetUps = policy.setUp === "booked" ? truth.setUps.filter(() => chance.may(0.5)) : [];
    this.known = knownOf({
      truth: this.shown,
      telling: kind.telling,
      lost: faulted.lost,
      repeated: kind.telling.states === "pulses" ? [] : repeatedBy(faulted),
      resets: faulted.resets,
      stampUs: (t) => t,
      cycleUsAt: (t) => this.#cycleUsAt(this.shown.executions, t) ?? defaultCycleUs,
      stopAfterCycles,
    });
    this.said = reasonsSaid(this.known, equipment, chance);
    this.late = scrapFoundLate(this.shown.executions, equipment, truth.toUs, chance);
  }

  tagOf(what: Row["what"]): number {
    return this.equipment * 10 + whats.indexOf(what);
  }

  bindings(fromUs: Micros): BindingSpec[] {
    const { telling } = this.kind;
    const binding = (
      what: Row["what"],
      role: BindingSpec["role"],
      channels: readonly CountName[],
      mapping: Mapping,
    ) => ({
      id: this.tagOf(what),
      equipment: this.equipment,
      role,
      channels: (channels.length > 0 ? channels : [null]).map((counts) => ({
        tag: this.tagOf(counts ?? what),
        connection: this.equipment,
        counts,
      })),
      rules: since(fromUs, mapping),
    });
    if (telling.states === "pulses") {
      const pulse = { edge: "each" as const, stopAfterCycles, idealCycleMs: defaultCycleUs / 1000 };
      return [binding("good", "pulse", ["good", "scrap"], { pulse })];
    }
    const counter = {
      sampling: telling.sampledSeconds === null ? ("onChange" as const) : ("sampled" as const),
      ...(telling.sampledSeconds === null ? {} : { samplingMs: telling.sampledSeconds * 1000 }),
      ...(this.faulted.rollsOverFrom === null ? {} : { width: "uint16" as const, maxPerSecond: 5 }),
    };
    const counters = counterNames(telling).map((name) => binding(name, "counter", [name], { counter }));
    if (telling.states === "code")
      return [
        binding("state", "itemState", [], { states: stateCodes.map(({ code, ...row }) => ({ value: code, ...row })) }),
        ...counters,
      ];
    if (telling.states === "packml") return [binding("state", "itemState", [], { preset: "packml" }), ...counters];
    return [
      binding("state", "itemState", [], { preset: "machineryItemState" }),
      binding("mode", "operationMode", [], { preset: "machineryOperationMode" }),
      ...counters,
    ];
  }

  /** The ideal cycle by the orders that are booked. */
  cycles(): Steps {
    const edges = [...new Set(this.executions.flatMap(({ fromUs, toUs }) => [fromUs, toUs]))].sort((a, b) => a - b);
    return new Steps(
      edges,
      edges.map((at) => this.#cycleUsAt(this.executions, at) ?? 0),
    );
  }

  /** What is known of it, over facts as they stand. */
  context(facts: MachineFacts): EquipmentContext {
    const always = { fromUs: 0, toUs: forever };
    const { counts, telling, continuous, unit } = this.kind;
    const executions = this.executions.map(({ order, material, cavities, fromUs, toUs }) => ({
      ...{ fromUs, toUs, order, operation, material, unit, share: 1 },
      ...(counts === "cycles" ? { cavities } : {}),
    }));
    const said = [...this.annotations].sort((a, b) => (a.saidUs ?? 0) - (b.saidUs ?? 0));
    const context: EquipmentContext = {
      timeZone: "UTC",
      lifecycle: [],
      shifts: this.shifts,
      executions,
      reasons: reasonsInForce(bindAnnotations(said, stopsOf(stateSpans(facts))).bound),
      reasonTree: startingReasons,
      setUps: this.setUps.map((setUp) => ({ ...setUp, by: "booked" as const })),
      idealCycles: [...this.#ideal].map(([material, ideal]) => ({ ...always, material, ...ideal })),
      counting: [{ ...always, counts, quantities: telling.counters, unitsPerCount: 1, continuous, unit }],
      blockedCavities: this.blocked.map((block) => ({ ...block })),
      lateScrap: placeLateScrap(scrapSourcesOf(facts), executions, this.lateScrap).placed,
      materials: [],
      policies: [{ ...always, policy: this.policy }],
    };
    return { ...context, setUps: [...context.setUps, ...setUpsFromOrderChange(facts, context)] };
  }

  /** What is true of the machine in the window, as far as its protocol lets anybody know it. */
  truth(shifts: readonly TrueShift[], window: Span): Heads {
    const { shown, kind } = this;
    const plan: Plan = {
      shifts,
      executions: shown.executions,
      setUps: this.bookedSetUps,
      blocked: shown.blocked,
      reasons: this.said.map(({ reason }) => reason),
      lateScrap: this.late.map(({ scrap }) => scrap),
      idealCycles: this.#ideal,
      counts: kind.counts,
      counters: kind.telling.counters,
      continuous: kind.continuous,
      policy: this.policy,
    };
    return oeeOf(this.known, plan, window);
  }

  get #ideal(): Map<string, { cycleUs: number; unitsPerCycle: number }> {
    return idealCyclesOf(this.kind.products);
  }

  #cycleUsAt(executions: readonly TrueExecution[], t: Micros): number | undefined {
    const running = executions.find(({ fromUs, toUs }) => fromUs <= t && t < toUs);
    return running === undefined ? undefined : this.#ideal.get(running.material)?.cycleUs;
  }
}

const since = (fromUs: Micros, mapping: Mapping): DatedRules =>
  new Rules([{ from: fromUs, to: Number.POSITIVE_INFINITY, rule: compileMapping(mapping) }]);
