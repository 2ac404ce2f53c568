import type { Micros, Warning } from "@lineshaft/contract/api";

/** What a tag was at an instant, as it is drawn. */
export interface Reading {
  /** Instant of the row; null: nothing known there. */
  time: Micros | null;
  value: number;
  text: string | null;
  min: number | null;
  max: number | null;
  status: number;
  bucketUs: number | null;
}

/** How the reading of a view stands. */
export interface TrendState {
  loading: boolean;
  error: unknown;
  warnings: readonly Warning[];
}
