import type { Columns, Micros } from "@lineshaft/contract/api";

/** What stood when this process began. */
export interface Standing {
  /** The newest value of each tag that nobody has marked stale. */
  names: readonly string[];
  columns: Columns;
  /** When the connection was last heard. */
  heardUs: Micros;
}
