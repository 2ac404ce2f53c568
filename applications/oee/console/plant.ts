import type { Equipment, LineTopologyItem, Micros, Recorded } from "@lineshaft/contract/api";

/** Machines that make something one after the other, and what they stand under. */
export interface Line {
  /** The work center; a site or area where machines stand directly under one. */
  equipment: Equipment;
  machines: Equipment[];
  /** The machine that sets the pace; null: nobody said. */
  constraint: number | null;
  /** The machine whose output is the line's: the one that is said to be, else the last. */
  output: number;
}

export interface Site {
  equipment: Equipment;
  lines: Line[];
}

/** Flow order of a line, from master data. */
export interface FlowOrder {
  lineId: number;
  machines: readonly number[];
  constraint: number | null;
  /** The machine whose output is the line's. */
  output: number | null;
}

/** Flow orders of now from the topologies of lines. */
export function flowsAt(topologies: readonly Recorded<LineTopologyItem>[], nowUs: Micros): FlowOrder[] {
  return topologies
    .filter(({ item }) => item.fromUs <= nowUs && (item.toUs === null || nowUs < item.toUs))
    .map(({ item }) => ({
      lineId: item.equipmentId,
      machines: [...item.members].sort((a, b) => a.stage - b.stage).map((member) => member.equipmentId),
      constraint: item.constraint,
      output: item.output,
    }));
}

const live = ({ lifecycle }: Equipment): boolean => lifecycle !== "retired";

/** Sites with their lines with their machines, in flow order where it is known, else by name; 2 comes before 10. */
export function sitesOf(equipment: readonly Equipment[], flows: readonly FlowOrder[] = []): Site[] {
  const byId = new Map(equipment.map((item) => [item.id, item]));
  const flowOf = new Map(flows.map((flow) => [flow.lineId, flow]));
  const lines = new Map<number, Equipment[]>();
  for (const machine of equipment) {
    if (machine.level !== "workUnit" || !live(machine)) continue;
    const place = parentOf(machine, byId);
    lines.set(place, [...(lines.get(place) ?? []), machine]);
  }
  const sites = new Map<number, Line[]>();
  for (const [id, machines] of lines) {
    const place = byId.get(id);
    if (place === undefined) continue;
    const flow = flowOf.get(id);
    const site = siteOf(place, byId).id;
    const ordered = inFlow(machines, flow);
    const last = ordered[ordered.length - 1].id;
    const output = ordered.some((machine) => machine.id === flow?.output) ? (flow?.output ?? last) : last;
    const line = { equipment: place, machines: ordered, constraint: flow?.constraint ?? null, output };
    sites.set(site, [...(sites.get(site) ?? []), line]);
  }
  return [...sites]
    .map(([id, all]) => ({
      equipment: byId.get(id) as Equipment,
      lines: all.sort((a, b) => byName(a.equipment, b.equipment)),
    }))
    .sort((a, b) => byName(a.equipment, b.equipment));
}

const byName = (a: Equipment, b: Equipment): number => a.path.localeCompare(b.path, undefined, { numeric: true });

function inFlow(machines: readonly Equipment[], flow: FlowOrder | undefined): Equipment[] {
  const rank = new Map(flow?.machines.map((id, i) => [id, i]));
  const rankOf = ({ id }: Equipment): number => rank.get(id) ?? Number.MAX_SAFE_INTEGER;
  return [...machines].sort((a, b) => rankOf(a) - rankOf(b) || byName(a, b));
}

/** The work center above a machine, through other work units; without one whatever it stands under. */
function parentOf(machine: Equipment, byId: ReadonlyMap<number, Equipment>): number {
  let at = machine;
  while (at.parentId !== null) {
    const above = byId.get(at.parentId);
    if (above === undefined) break;
    at = above;
    if (at.level !== "workUnit") return at.id;
  }
  return at.id;
}

function siteOf(place: Equipment, byId: ReadonlyMap<number, Equipment>): Equipment {
  let at = place;
  while (at.level !== "site" && at.parentId !== null) {
    const above = byId.get(at.parentId);
    // A key that is limited to a line sees no site.
    if (above === undefined || above.level === "enterprise") break;
    at = above;
  }
  return at;
}

/** From the site down to the equipment itself: the breadcrumb. */
export function pathTo(id: number, equipment: readonly Equipment[]): Equipment[] {
  const byId = new Map(equipment.map((item) => [item.id, item]));
  const path: Equipment[] = [];
  for (
    let at = byId.get(id);
    at !== undefined && at.level !== "enterprise";
    at = at.parentId === null ? undefined : byId.get(at.parentId)
  )
    path.unshift(at);
  return path;
}

/** Machines at and below a place, line by line: of an area too. */
export function machinesBelow(
  id: number,
  { equipment, sites }: { equipment: readonly Equipment[]; sites: readonly Site[] },
): Equipment[] {
  const place = equipment.find((item) => item.id === id);
  if (place === undefined) return [];
  return sites.flatMap((site) => site.lines.flatMap((line) => line.machines.filter((one) => isAt(one, place))));
}

/** Ids of the places that a page can show, in the order of the plant. */
export function placesOf(
  { equipment, sites }: { equipment: readonly Equipment[]; sites: readonly Site[] },
  places: "lines" | "machines" | "all",
): number[] {
  if (places === "lines") return sites.flatMap(({ lines }) => lines.map((line) => line.equipment.id));
  const machines = sites.flatMap(({ lines }) => lines.flatMap((line) => line.machines));
  if (places === "machines") return machines.map(({ id }) => id);
  // Every place on the way down to a machine, and "" for the enterprise.
  const paths = new Set(
    machines.flatMap(({ path }) => path.split("/").map((_, depth, parts) => parts.slice(0, depth).join("/"))),
  );
  for (const { path } of machines) paths.add(path);
  const above = equipment.filter(({ path }) => paths.has(path));
  return [...new Set([...sites.map((site) => site.equipment.id), ...above.map(({ id }) => id)])];
}

const isAt = (machine: Equipment, place: Equipment): boolean =>
  machine.id === place.id || place.path === "" || machine.path.startsWith(`${place.path}/`);
