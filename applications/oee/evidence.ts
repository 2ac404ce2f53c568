import type { View } from "@lineshaft/client";
import type { EvidenceTerm, Quantities } from "@lineshaft/contract/api";
import { readDetail } from "./detail.ts";
import type { Sums } from "./sums.ts";

const termsMax = 200;
const unitsMax = 20;
/** Two terms each. */
const belowMax = 60;

/**
 * What the numbers rest on, each term with where it comes from: time and ideal time from cells, counts from facts, what stands above from the results below it, and the
 * master data that was used.
 */
export function evidenceOf(view: View, sums: Sums): EvidenceTerm[] {
  const { equipmentId, fromUs, toUs, level } = view.item;
  const from = (kind: "cells" | "facts" | "results") => ({ kind, equipmentId, fromUs, toUs });
  const times = from(level === "above" ? "results" : "cells");
  const counts = from(level === "above" ? "results" : "facts");
  const { apt, aust, adet, adot, unknown } = sums.timeUs;
  const us = (term: string, value: number): EvidenceTerm => ({ term, value, unit: "us", ref: times });
  return [
    us("PBT", sums.pbtUs),
    us("PBT'", sums.pbtKnownUs),
    us("APT", sums.aptUs),
    us("AUST", aust),
    us("ADET", adet),
    us("ADOT", adot),
    us("unknown", unknown),
    ...(sums.aptUs === apt ? [] : [us("micro stops in APT", sums.aptUs - apt)]),
    us("PRI·PQ", sums.priPqUs),
    us("PRI·GQ", sums.priGqUs),
    us("PRI·GQ with unknown time", sums.priGqAllUs),
    ...quantityTerms(sums, counts),
    ...below(view),
    ...view.masterData.map(
      ({ entity, id, revision }): EvidenceTerm => ({
        term: entity,
        value: null,
        unit: "",
        ref: { kind: "masterData", entity, id, revision },
      }),
    ),
  ].slice(0, termsMax);
}

function quantityTerms(sums: Sums, ref: EvidenceTerm["ref"]): EvidenceTerm[] {
  const units = new Map<string, Quantities>();
  for (const { unit, headline } of sums.materials) {
    const sum = units.get(unit) ?? { pq: 0, gq: 0, sq: 0, rq: 0 };
    for (const name of ["pq", "gq", "sq", "rq"] as const) sum[name] += headline[name];
    units.set(unit, sum);
  }
  return [...units].slice(0, unitsMax).flatMap(([unit, { pq, gq, sq, rq }]): EvidenceTerm[] => {
    const terms = { PQ: pq, GQ: gq, SQ: sq, RQ: rq };
    return Object.entries(terms).map(([term, value]) => ({ term, value, unit: unit.slice(0, 32), ref }));
  });
}

/** The parts of a sum, those with the most planned time first. */
function below({ below: results }: View): EvidenceTerm[] {
  return results
    .flatMap(({ equipmentId, fromUs, toUs, detail }) => {
      const sums = readDetail(detail)?.sums;
      return sums === undefined ? [] : [{ sums, ref: { kind: "results" as const, equipmentId, fromUs, toUs } }];
    })
    .sort((a, b) => b.sums.pbtUs - a.sums.pbtUs)
    .slice(0, belowMax)
    .flatMap(({ sums, ref }): EvidenceTerm[] => [
      { term: "PBT' below", value: sums.pbtKnownUs, unit: "us", ref },
      { term: "PRI·GQ below", value: sums.priGqUs, unit: "us", ref },
    ]);
}
