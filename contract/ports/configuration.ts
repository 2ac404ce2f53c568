import type {
  ConditionTrial,
  ConditionTrialRequest,
  Configuration,
  ConfigurationRevision,
  Plan,
  Principal,
  TagImport,
} from "../api/index.ts";
import type { AppliedConfiguration, Page } from "./registry.ts";

/** A configuration as it comes in: YAML text, or values that already are one. */
export type ConfigurationInput = { text: string } | { value: unknown };

/**
 * Configuration as people send it: checked as a whole, compared, applied. Mistakes are `configuration_invalid` with a place each, with line and column
 * where text came.
 */
export interface ConfigurationService {
  /** As it is, or as it was at `at`; `revision` is the present one either way. */
  read(p: Principal, at?: number): { configuration: Configuration; revision: number };
  /** YAML, always the same for the same configuration. */
  render(configuration: Configuration): string;
  plan(p: Principal, input: ConfigurationInput): Plan;
  /** `revision_conflict` unless `revision` is current. */
  apply(p: Principal, input: ConfigurationInput, revision: number): Promise<AppliedConfiguration>;
  revisions(p: Principal, q: { limit?: number; cursor?: string }): Page<ConfigurationRevision>;
  /** Conditions as somebody types them, on values; nothing is kept. */
  tryConditions(request: ConditionTrialRequest): ConditionTrial;
  /** Adds and changes tags of a connection by a table as spreadsheets write it; `csv_invalid` names each row that cannot be. */
  importTags(
    p: Principal,
    connection: string,
    table: Uint8Array,
    dryRun: boolean,
  ): Promise<{ summary: Omit<TagImport, "receipt">; applied: AppliedConfiguration | null }>;
}
