/**
 * OEE by ISO 22400-2 from sums of cells. Pure: cells and policies in, numbers out. Start with `sums.ts` (what is added up), then `kpis.ts` (what comes of it);
 * `compute.ts` makes a result of it, `report.ts` a shift report of results; these are not exported here, so that a browser loads no more than the arithmetic.
 */
export * from "./aggregate.ts";
export * from "./ideal-cycle.ts";
export * from "./kpis.ts";
export * from "./losses.ts";
export * from "./reliability.ts";
export * from "./sums.ts";
