import type {
  Application,
  BriefResult,
  EvidenceTerm,
  Micros,
  Principal,
  Result,
  ResultInput,
  ResultKey,
  ResultPeriod,
  WorkItem,
} from "../api/index.ts";
import type { Lsn } from "./log.ts";
import type { Page } from "./registry.ts";

export interface ResultQuery {
  application: string;
  /** Default: whatever the principal may see. */
  equipmentIds?: number[];
  period?: ResultPeriod;
  key?: string;
  /** Only what overlaps [fromUs, toUs). */
  fromUs?: Micros;
  toUs?: Micros;
  /** What had been published by this place in the log. Of provisional results only the newest is kept. */
  asOf?: Lsn;
  /** none: without what it was made of. */
  detail?: "full" | "none";
  limit?: number;
  cursor?: string;
}

/** What came of one publication. `lsn` null: nothing was new. */
export interface Published {
  published: number;
  unchanged: number;
  lsn: Lsn | null;
  faults: { index: number; code: string; detail: string }[];
}

/**
 * What applications make of facts and context. It knows which keys of an application are dirty and why, hands them out bottom-up, and keeps what is published: a view of
 * the log, like all that is durable. Applications belong to a tenant; all answers are limited to what the principal may see. An implementation passes `resultsContract`
 * of the testkit.
 */
export interface Results {
  /** Takes an application in, or gives it another rule version, which makes all that is kept dirty. Resolves when that is durable. `dirty`: results that wait now. */
  register(p: Principal, application: string, item: Application): Promise<Application & { dirty: number }>;
  /**
   * Keys to compute, what stands below before what stands above; waits up to `waitMs` for some. A key is given to one taker at a time; what is not published within a
   * minute is given out again. Throws `not_found` for an application that is not registered.
   */
  takeWork(
    p: Principal,
    application: string,
    q: { limit?: number; waitMs?: number },
    signal?: AbortSignal,
  ): Promise<WorkItem[]>;
  /**
   * Resolves when what is new is durable and can be read. A result equal to what stands is `unchanged` and not kept, so that repeating a call is harmless. Refused by index: what is
   * out of scope, and what was not given out on this basis (somebody else may have it by now).
   */
  publish(p: Principal, application: string, items: readonly ResultInput[]): Promise<Published>;
  /** By equipment, start and key. Equipment that is out of scope has no results. */
  list(p: Principal, q: ResultQuery): Promise<Page<Result>>;
  /** What stands of each of these, without what it was made of; null where there is nothing, or it may not be seen. */
  find(p: Principal, application: string, keys: readonly ResultKey[]): (BriefResult | null)[];
  /** Newest first. Throws `not_found` where there is no such result or the equipment is out of scope. */
  revisions(p: Principal, q: ResultKey & { application: string }): (Result & { evidence: EvidenceTerm[] })[];
}
