/** How carefully the values of a tag are fetched. */
export interface TagSampling {
  samplingMs: number;
  queueSize: number;
}

/** One address that a connection reads, as its connector takes it. */
export interface TagSpec {
  address: string;
  /** By the connector kind's own schema. */
  options?: Record<string, unknown>;
  class?: TagSampling;
  /** `event`: each row is an occurrence, and no value stands between; default `state`. */
  behaviour?: "state" | "event";
}

/**
 * What a connection runs on: decided by people, by file or in the console. References to secrets (`${secret:name}`) stand in `config` as they were
 * written; only the connector that needs one asks for it.
 */
export interface ConnectionSpec {
  name: string;
  kind: string;
  config: Record<string, unknown>;
  tags: TagSpec[];
}
