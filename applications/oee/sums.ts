import {
  type Cell,
  defaultOeePolicy,
  type Micros,
  noQuantities,
  noTimes,
  type OeePolicy,
  type Quantities,
  type Reason,
  type ReasonLoss,
  type StopTime,
  startingReasons,
  type TimeClass,
  timeClasses,
} from "@lineshaft/contract/api";

/** Policies by version. Each cell names the one that was in force. */
export type Policies = ReadonlyMap<string, OeePolicy>;

export interface MaterialSums {
  material: string | null;
  unit: string;
  /** What effectiveness and quality speak of: made in planned time of known state, and in set-up if the policy says so. */
  headline: Quantities;
  /** Everything that was made: what order and shift have. */
  all: Quantities;
  /** Of the headline and of what was made in the planned busy time: how much has no ideal cycle. */
  withoutPri: number;
  withoutPriAll: number;
  aptUs: Micros;
  priPqUs: number;
  /** How many entries of a list that was cut stand in this one. Default 1: itself. */
  together?: number;
}

/** Standing time of one reason, with the loss that its time counts to. `reason` null: several, of a list that was cut. */
export interface StopSum extends Omit<StopTime, "reason"> {
  reason: number | null;
  loss: ReasonLoss | null;
}

/** What a period, an order or a site adds up to. Ratios come later, and only from this (RULES 3). */
export interface Sums {
  timeUs: Record<TimeClass, Micros>;
  microStopUs: Micros;
  /** Planned busy time, and without unknown state (PBT and PBT'). */
  pbtUs: Micros;
  pbtKnownUs: Micros;
  /** Actual production time as availability counts it: with micro stops where the policy gives them to effectiveness. */
  aptUs: Micros;
  /** The part of ADOT that the policy takes out of the planned busy time. */
  noOrderOutUs: Micros;
  countUnknownUs: Micros;
  /** Σ PRI·PQ and Σ PRI·GQ of the headline; of what was made in set-up in it; Σ PRI·GQ of all that was made in planned busy time. */
  priPqUs: number;
  priGqUs: number;
  startUpPriPqUs: number;
  startUpPriGqUs: number;
  priGqAllUs: number;
  /** Cycles in the headline, where the ideal cycle tells how many units one makes. */
  cycles: number;
  materials: MaterialSums[];
  estimatedPq: number;
  assignedSq: number;
  stops: StopSum[];
}

/** Adds cells up. The order of cells does not matter to times; quantities are added in the order given. */
export function sumsOf(
  cells: Iterable<Cell>,
  policies: Policies = new Map(),
  reasons: readonly Reason[] = startingReasons,
): Sums {
  const sums = noSums();
  const losses = new Map(reasons.map(({ number, loss }) => [number, loss]));
  const materials = new Map<string, MaterialSums>();
  const stops = new Map<string, StopSum>();
  for (const cell of cells) {
    const policy = policyOf(cell, policies);
    addTimes(sums, cell, policy);
    addQuantities(sums, materialOf(materials, cell), cell, policy);
    for (const stop of cell.stops) addStop(stops, { ...stop, loss: losses.get(stop.reason) ?? null });
  }
  sums.materials = [...materials.values()];
  sums.stops = [...stops.values()];
  return sums;
}

/** Numbers of sums that simply add. */
const additive = [
  "microStopUs",
  "pbtUs",
  "pbtKnownUs",
  "aptUs",
  "noOrderOutUs",
  "countUnknownUs",
  "priPqUs",
  "priGqUs",
  "startUpPriPqUs",
  "startUpPriGqUs",
  "priGqAllUs",
  "cycles",
  "estimatedPq",
  "assignedSq",
] as const satisfies (keyof Sums)[];

export function noSums(): Sums {
  const zeros = Object.fromEntries(additive.map((name) => [name, 0])) as Record<(typeof additive)[number], number>;
  return { ...zeros, timeUs: noTimes(), materials: [], stops: [] };
}

/** What stands above adds up what stands below: an area its lines and machines, a site its areas (RULES 3). */
export function addSums(parts: Iterable<Sums>): Sums {
  const sums = noSums();
  const materials = new Map<string, MaterialSums>();
  const stops = new Map<string, StopSum>();
  for (const part of parts) {
    for (const name of additive) sums[name] += part[name];
    for (const name of timeClasses) sums.timeUs[name] += part.timeUs[name];
    for (const material of part.materials) addMaterial(materials, material);
    for (const stop of part.stops) addStop(stops, stop);
  }
  sums.materials = [...materials.values()];
  sums.stops = [...stops.values()];
  return sums;
}

/**
 * The same sums with lists of at most so many entries: the greatest keep their names, the rest is taken together by unit, and by loss and time class. No
 * ratio, waterfall or MTBF changes by it. What has no ideal cycle keeps its name first.
 */
export function cutSums(sums: Sums, most: { materials: number; stops: number }): Sums {
  const byWeight = [...sums.materials].sort(
    (a, b) =>
      Number(b.withoutPri > 0) - Number(a.withoutPri > 0) ||
      Math.max(b.aptUs, b.priPqUs) - Math.max(a.aptUs, a.priPqUs),
  );
  const materials = new Map<string, MaterialSums>();
  for (const [i, material] of byWeight.entries())
    addMaterial(
      materials,
      i < most.materials ? material : { ...material, material: null, together: material.together ?? 1 },
    );
  const stops = new Map<string, StopSum>();
  for (const [i, stop] of [...sums.stops].sort((a, b) => b.us - a.us).entries())
    addStop(stops, i < most.stops ? stop : { ...stop, reason: null });
  return { ...sums, materials: [...materials.values()], stops: [...stops.values()] };
}

function addMaterial(to: Map<string, MaterialSums>, of: MaterialSums): void {
  const key = JSON.stringify([of.material, of.unit, of.together !== undefined]);
  const same = to.get(key);
  if (same === undefined) {
    to.set(key, { ...of, headline: { ...of.headline }, all: { ...of.all } });
    return;
  }
  add(same.headline, of.headline);
  add(same.all, of.all);
  for (const name of ["withoutPri", "withoutPriAll", "aptUs", "priPqUs"] as const) same[name] += of[name];
  if (same.together !== undefined) same.together += of.together ?? 1;
}

/** A version that is not given is a mistake of the caller: numbers of another policy would be wrong without a sign. */
function policyOf(cell: Cell, policies: Policies): OeePolicy {
  const policy = policies.get(cell.policy) ?? (cell.policy === defaultOeePolicy.version ? defaultOeePolicy : undefined);
  if (policy === undefined)
    throw new Error(`The cell was calculated under the policy "${cell.policy}", which was not given.`);
  return policy;
}

function addTimes(sums: Sums, cell: Cell, policy: OeePolicy): void {
  for (const name of timeClasses) sums.timeUs[name] += cell.timeUs[name];
  const { apt, aust, adet, adot, unknown } = cell.timeUs;
  const noOrderOut = policy.noOrder === "notBusy" ? adot : 0;
  const known = apt + aust + adet + adot - noOrderOut;
  sums.pbtKnownUs += known;
  sums.pbtUs += known + unknown;
  sums.noOrderOutUs += noOrderOut;
  sums.aptUs += apt + (policy.microStopTo === "effectiveness" ? cell.microStopUs : 0);
  sums.microStopUs += cell.microStopUs;
  sums.countUnknownUs += cell.countUnknownUs;
}

function addQuantities(sums: Sums, material: MaterialSums, cell: Cell, policy: OeePolicy): void {
  const { known, setUp, unknown, outside } = cell.quantities;
  const inside = policy.setUpQuantity === "inside" ? [known, setUp] : [known];
  for (const quantities of inside) add(material.headline, quantities);
  for (const quantities of [known, setUp, unknown, outside]) add(material.all, quantities);
  material.aptUs += cell.timeUs.apt;
  sums.estimatedPq += cell.estimatedPq;
  sums.assignedSq += cell.assignedSq;

  const pq = inside.reduce((sum, quantities) => sum + quantities.pq, 0);
  const gq = inside.reduce((sum, quantities) => sum + quantities.gq, 0);
  const pri = cell.priUs;
  if (pri === null) {
    const made = (list: Quantities[]) => list.reduce((sum, each) => sum + Math.abs(each.pq) + Math.abs(each.gq), 0);
    if (made(inside) > 0) material.withoutPri += Math.max(pq, Math.abs(gq));
    if (made([...inside, unknown]) > 0) material.withoutPriAll += Math.max(pq + unknown.pq, Math.abs(gq + unknown.gq));
    return;
  }
  sums.priPqUs += pri * pq;
  sums.priGqUs += pri * gq;
  sums.priGqAllUs += pri * (gq + unknown.gq);
  material.priPqUs += pri * pq;
  if (cell.unitsPerCycle !== null) sums.cycles += pq / cell.unitsPerCycle;
  if (inside.length > 1) {
    sums.startUpPriPqUs += pri * setUp.pq;
    sums.startUpPriGqUs += pri * setUp.gq;
  }
}

function materialOf(materials: Map<string, MaterialSums>, { material, unit }: Cell): MaterialSums {
  const key = JSON.stringify([material, unit]);
  let sums = materials.get(key);
  if (sums === undefined) {
    const nothing = { withoutPri: 0, withoutPriAll: 0, aptUs: 0, priPqUs: 0 };
    sums = { material, unit, headline: noQuantities(), all: noQuantities(), ...nothing };
    materials.set(key, sums);
  }
  return sums;
}

function addStop(stops: Map<string, StopSum>, stop: StopSum): void {
  const key = `${stop.reason} ${stop.loss} ${stop.timeClass} ${stop.micro}`;
  const same = stops.get(key);
  if (same === undefined) stops.set(key, { ...stop });
  else {
    same.us += stop.us;
    same.count += stop.count;
  }
}

function add(to: Quantities, of: Quantities): void {
  to.pq += of.pq;
  to.gq += of.gq;
  to.sq += of.sq;
  to.rq += of.rq;
}
