import type { EvidenceTerm, Result } from "@lineshaft/contract/api";
import { expect, it } from "vitest";
import { explainedIn, explainedText, explanationOf, type Published, pageOf, revisionsOf } from "./evidence-model.ts";

const own = { kind: "cells", equipmentId: 7, fromUs: 0, toUs: 60 } as const;
const facts = { ...own, kind: "facts" } as const;
const below = { kind: "results", equipmentId: 9, fromUs: 0, toUs: 60 } as const;
const us = (term: string, value: number, ref: EvidenceTerm["ref"] = own): EvidenceTerm => ({
  term,
  value,
  unit: "us",
  ref,
});
const order = { kind: "masterData", entity: "order", id: "4711", revision: 3 } as const;

it("stands in an address and comes back, whatever the key is", () => {
  for (const key of [null, "2026-11-26", "4711/0010", "a:b c"]) {
    const of = { equipmentId: 12, period: "shift", key } as const;
    expect(explainedIn(explainedText(of))).toEqual(of);
  }
  expect([explainedIn(null), explainedIn("12:week:1"), explainedIn("x:shift:1")]).toEqual([null, null, null]);
});

it("explains a number by its quotients, terms, places and master data", () => {
  const evidence = [
    us("PBT'", 50),
    us("APT", 40),
    us("PRI·PQ", 30),
    us("PRI·GQ", 15),
    { term: "GQ", value: 5, unit: "1", ref: facts },
    us("PBT' below", 25, below),
    us("PRI·GQ below", 10, below),
    { term: "order", value: null, unit: "", ref: order },
  ];
  const found = explanationOf({ values: { availability: 0.8, effectiveness: 0.75 }, evidence });
  expect(found.quotients.map(({ value, top, bottom }) => [value, top.us, bottom.us])).toEqual([
    [0.8, 40, 50],
    [0.75, 30, 40],
    [null, 15, 30],
  ]);
  expect(found.terms.map(({ term }) => term)).toEqual(["PBT'", "APT", "PRI·PQ", "PRI·GQ", "GQ"]);
  // Time from cells and counts from facts of one stretch are one place to look at.
  expect(found.intervals).toEqual([own]);
  expect(found.parts).toEqual([{ interval: below, plannedUs: 25, goodUs: 10 }]);
  expect(found.masterData).toEqual([order]);
  expect(pageOf(order)).toEqual({ page: "orders", query: { order: "4711" } });
  expect(pageOf({ ...order, entity: "policyAssignment" })?.query).toEqual({ view: "policies", at: "4711" });
  expect(pageOf({ ...order, entity: "annotation" })).toBeNull();
});

it("tells what each revision changed", () => {
  const cause: Result["cause"] = { kind: "facts", text: "late", lsn: 1, registryRevision: null, actor: null };
  const items = [0.5, 0.4, null, 0.3].map(
    (oeeIndex, i) =>
      ({ revision: 3 - i, state: "final", publishedUs: i, cause, values: { oeeIndex } }) as unknown as Published,
  );
  const changes = revisionsOf(items).map(({ revision, change }) => [
    revision,
    change === null ? null : change.toFixed(2),
  ]);
  expect(changes).toEqual([
    [3, "0.10"],
    [2, null],
    [1, null],
    [0, null],
  ]);
});
