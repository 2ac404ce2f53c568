/**
 * OEE by ISO 22400-2 from sums of cells. Pure: cells and policies in, numbers out. Start with `sums.ts` (what is added up), then `kpis.ts` (what comes of it).
 */
export * from "./aggregate.ts";
export * from "./ideal-cycle.ts";
export * from "./kpis.ts";
export * from "./losses.ts";
export * from "./reliability.ts";
export * from "./sums.ts";
