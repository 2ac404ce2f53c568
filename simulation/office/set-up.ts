import { defaultOeePolicy, type Micros, minuteUs, secondUs } from "@lineshaft/contract/api";
import { serialLine } from "../plant/bottling-line.ts";
import { machineSheets } from "../plant/index.ts";
import type { Product } from "../plant/machine-kind.ts";
import { sites } from "../plant/site.ts";
import { wiring } from "../plant/wiring.ts";
import type { Paper } from "./desk.ts";

/** Ids of equipment by their paths. */
export type Places = ReadonlyMap<string, number>;

/** How the two sites calculate. One books its set-ups (its machines tell them), the other lets them run to the first good part. */
export const policies = {
  Northfield: { ...defaultOeePolicy, version: "northfield-1", microStopUs: 2 * minuteUs },
  Eastgate: {
    ...defaultOeePolicy,
    version: "eastgate-1",
    microStopUs: 60 * secondUs,
    microStopTo: "effectiveness",
    setUp: "firstGoodPart",
  },
} as const;
export type SiteName = keyof typeof policies;
export const policyOf = (equipment: readonly string[]) => policies[equipment[0] as SiteName];

/** Reasons of the plant's own, below those that it starts with. */
const reasons = [
  { number: 7_100_010, parent: 7_100_000, en: "Hydraulics", de: "Hydraulik" },
  { number: 7_100_020, parent: 7_100_000, en: "Drive", de: "Antrieb" },
  { number: 7_100_030, parent: 7_100_000, en: "Sensor or safety device", de: "Sensor oder Schutzeinrichtung" },
] as const;
export const breakdownReasons = reasons.map(({ number }) => number);

/** What an engineer sets up once, before the first number can be right. `fromUs`: since when it holds. */
export function setUpOf(places: Places, fromUs: Micros): Paper[] {
  const papers: Paper[] = [];
  for (const { name, calendar } of sites) {
    papers.push({ kind: "calendar", id: calendar.name, item: calendar });
    const equipmentId = placeOf(places, name);
    if (equipmentId === null) continue;
    const since = { equipmentId, fromUs, toUs: null };
    papers.push({ kind: "calendarAssignment", id: calendar.name, item: { ...since, calendar: calendar.name } });
    papers.push({
      kind: "policyAssignment",
      id: calendar.name,
      item: { ...since, policy: { ...policies[name as SiteName] } },
    });
  }
  for (const { number, parent, en, de } of reasons)
    papers.push({
      kind: "reason",
      id: String(number),
      item: {
        number,
        parent,
        name: { en, de },
        itemState: "OutOfService",
        operationMode: "Processing",
        planned: null,
        loss: "breakdown",
      },
    });
  papers.push(...materials(), ...machinePapers(places, fromUs), ...linePapers(places, fromUs));
  return papers;
}

function materials(): Paper[] {
  const known = new Map<string, Paper>();
  for (const { products, unit } of machineSheets)
    for (const { material, name } of products.flatMap(parts))
      known.set(material, { kind: "material", id: material, item: { name, unit, conversions: [] } });
  return [...known.values()];
}

function machinePapers(places: Places, fromUs: Micros): Paper[] {
  return machineSheets.flatMap(({ machine, equipment, products, telling, counts, continuous, unit }): Paper[] => {
    const equipmentId = placeOf(places, equipment.join("/"));
    if (equipmentId === null) return [];
    const since = { equipmentId, fromUs, toUs: null };
    const counting = { ...since, counts, quantities: telling.counters, unitsPerCount: 1, continuous, unit };
    const cycles = products.flatMap((product) =>
      parts(product).map(
        ({ material }): Paper => ({
          kind: "idealCycleTime",
          id: `${machine}-${material}`,
          item: {
            ...since,
            material,
            cycleUs: product.idealCycleSeconds * secondUs,
            unitsPerCycle: product.unitsPerCycle,
          },
        }),
      ),
    );
    const { order: property } = telling;
    const own = { dimension: "order" as const, prefix: null, padTo: null, none: null, lookUp: null };
    const rules = property === undefined ? [] : [{ ...since, ...own, property }];
    return [
      { kind: "countingAssignment", id: machine, item: counting },
      ...cycles,
      ...rules.map((item): Paper => ({ kind: "identifierRule", id: machine, item })),
    ];
  });
}

/** How the machines of the serial line stand together; orders are booked at the machines. */
function linePapers(places: Places, fromUs: Micros): Paper[] {
  const equipmentId = placeOf(places, serialLine.path);
  const along = serialLine.machines.flatMap((machine) => {
    const sheet = machineSheets.find((each) => each.machine === machine);
    return (sheet && placeOf(places, sheet.equipment.join("/"))) ?? [];
  });
  if (equipmentId === null || along.length < serialLine.machines.length) return [];
  const members = along.map((id, i) => ({ equipmentId: id, stage: i + 1, unitsPerCount: 1 }));
  const flow = { constraint: along[0], constraintOf: [], output: along[along.length - 1], members };
  return [{ kind: "lineTopology", id: "bottling-1", item: { equipmentId, ...flow, fromUs, toUs: null } }];
}

/** What is made of a product: itself, or the parts of a family mould. */
function parts({ material, name, family }: Product): { material: string; name: string }[] {
  return family.length > 0 ? [...family] : [{ material, name }];
}

export const placeOf = (places: Places, path: string): number | null => places.get(path) ?? null;

/** The number of an operation: machines along a line work on the same orders one after another. */
export function operationOf(machine: string): string {
  const line = wiring.find((wire) => wire.machine === machine)?.line;
  const along = ["Filler1", "Capper1", "Labeller1", "Packer1"].indexOf(machine);
  return line !== undefined && along > 0 ? `00${along + 1}0` : "0010";
}
