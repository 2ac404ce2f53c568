import { type Cell, hourUs, type Micros, timeClasses } from "@lineshaft/contract/api";
import type { Heads, Span, TrueOee } from "@lineshaft/simulation/truth";
import { by, kpisOf, type Policies, type Sums, sumsBy, sumsOf } from "../../../applications/oee/index.ts";

/** How exactly quantities and ratios are the true ones; times are, to the µs. */
const within = 1e-6;

/** What differs between the product's cells of a window and the truth, under each head there is; null: nothing. */
export function untrue(cells: readonly Cell[], policies: Policies, truth: Heads): string | null {
  const part = (of: (cell: Cell) => boolean): TrueOee => oeeOfCells(cells.filter(of), policies);
  const heads: [string, TrueOee, TrueOee][] = [["all", truth.all, part(() => true)]];
  for (const [hour, of] of truth.hours)
    heads.push([`hour ${new Date(hour / 1000).toISOString()}`, of, part(({ gridUs }) => hourOf(gridUs) === hour)]);
  for (const [shift, of] of truth.shifts) heads.push([`shift ${shift}`, of, part((cell) => cell.shift === shift)]);
  for (const [order, of] of truth.orders) heads.push([`order ${order}`, of, part((cell) => cell.order === order)]);
  for (const [head, is, found] of heads) {
    const wrong = difference(is, found);
    if (wrong !== null) return `${head}: ${wrong}`;
  }
  return strangers(cells, truth);
}

/** What must hold of any cells of a window, whatever is true; null: it does. */
export function unsound(cells: readonly Cell[], policies: Policies, { fromUs, toUs }: Span): string | null {
  const whole = sumsOf(cells, policies);
  const calendar = timeClasses.reduce((sum, name) => sum + whole.timeUs[name], 0);
  if (calendar !== toUs - fromUs) return `time classes add up to ${calendar} of ${toUs - fromUs} µs`;
  const heads = { hours: by.hour("UTC"), shifts: by.shift, orders: by.order } as const;
  for (const [name, of] of Object.entries(heads)) {
    const parts = [...sumsBy<unknown>(cells, of, policies).values()];
    const wrong = unequal(parts, whole);
    if (wrong !== null) return `${name} do not add up: ${wrong}`;
    for (const sums of parts) {
      const product = unlikeProduct(sums);
      if (product !== null) return product;
    }
  }
  return unlikeProduct(whole);
}

const hourOf = (t: Micros): Micros => Math.floor(t / hourUs) * hourUs;

function unequal(parts: readonly Sums[], whole: Sums): string | null {
  const total = (of: (sums: Sums) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
  for (const name of timeClasses)
    if (total(({ timeUs }) => timeUs[name]) !== whole.timeUs[name]) return `${name} ${whole.timeUs[name]}`;
  for (const name of ["pbtUs", "pbtKnownUs", "aptUs", "microStopUs", "countUnknownUs"] as const)
    if (total((sums) => sums[name]) !== whole[name]) return `${name} ${whole[name]}`;
  for (const name of ["priPqUs", "priGqUs", "priGqAllUs", "estimatedPq", "assignedSq"] as const)
    if (
      !alike(
        total((sums) => sums[name]),
        whole[name],
      )
    )
      return `${name} ${whole[name]}`;
  for (const name of ["pq", "gq", "sq", "rq"] as const)
    if (
      !alike(
        total((sums) => made(sums, name)),
        made(whole, name),
      )
    )
      return `${name} ${made(whole, name)}`;
  return null;
}

/** A·E·Q = Σ PRI·GQ / PBT' = OEE, where the factors exist. */
function unlikeProduct(sums: Sums): string | null {
  const { availability, effectiveness, qualityRatio, oeeIndex } = kpisOf(sums);
  if (oeeIndex !== null && !alike(oeeIndex, sums.priGqUs / sums.pbtKnownUs))
    return `OEE ${oeeIndex} is not of its sums`;
  if (availability === null || effectiveness === null || qualityRatio === null) return null;
  const product = availability * effectiveness * qualityRatio;
  return oeeIndex !== null && alike(product, oeeIndex) ? null : `A·E·Q is ${product}, OEE ${oeeIndex}`;
}

const made = ({ materials }: Sums, name: "pq" | "gq" | "sq" | "rq"): number =>
  materials.reduce((sum, { all }) => sum + all[name], 0);

const alike = (a: number, b: number): boolean => Math.abs(a - b) <= within * Math.max(1, Math.abs(b));

/** Nothing stands under an order or a shift that there was not. */
function strangers(cells: readonly Cell[], { orders, shifts }: Heads): string | null {
  const counts = ({ timeUs: { apt, aust, adet, adot, unknown } }: Cell): boolean =>
    apt + aust + adet + adot + unknown > 0;
  for (const cell of cells.filter(counts)) {
    if (cell.order !== null && !orders.has(cell.order))
      return `time under the order ${cell.order}, which was not there`;
    if (cell.shift !== null && !shifts.has(cell.shift))
      return `time under the shift ${cell.shift}, which was not there`;
  }
  return null;
}

/** The product's numbers in the truth's words. */
function oeeOfCells(cells: readonly Cell[], policies: Policies): TrueOee {
  const sums = sumsOf(cells, policies);
  const { availability, effectiveness, qualityRatio, oeeIndex } = kpisOf(sums);
  return {
    aptUs: sums.timeUs.apt,
    austUs: sums.timeUs.aust,
    adetUs: sums.timeUs.adet,
    adotUs: sums.timeUs.adot,
    unknownUs: sums.timeUs.unknown,
    pbtUs: sums.pbtKnownUs,
    produced: made(sums, "pq"),
    good: made(sums, "gq"),
    scrap: made(sums, "sq"),
    rework: made(sums, "rq"),
    availability,
    effectiveness,
    qualityRatio,
    oee: oeeIndex,
  };
}

function difference(truth: TrueOee, found: TrueOee): string | null {
  const wrong = (Object.keys(truth) as (keyof TrueOee)[]).filter((name) => {
    const [is, was] = [truth[name], found[name]];
    if (is === null || was === null) return is !== was;
    return name.endsWith("Us") ? is !== was : !alike(was, is);
  });
  if (wrong.length === 0) return null;
  return wrong.map((name) => `${name} is ${truth[name]}, found ${found[name]}`).join("; ");
}
