import { type Configuration, type ConfigurationProblem, type Principal, ProblemError } from "@lineshaft/contract/api";
import type {
  AppliedConfiguration,
  ConfigurationInput,
  ConfigurationService,
  ConnectionRow,
  Registry,
} from "@lineshaft/contract/ports";
import { tryConditions } from "../derivation/condition-trial.ts";
import { atOnce, inTurns, othersServed } from "../registry/turns.ts";
import { canonical } from "./canonical.ts";
import { diffConfigurations } from "./diff.ts";
import type { ConnectorKind } from "./meaning.ts";
import { planOf } from "./plan.ts";
import { checkInParts, readConfiguration } from "./read.ts";
import { renderConfiguration } from "./render.ts";
import { defaultSourceLimits } from "./source.ts";
import { mergeTags, readTagTable } from "./table.ts";

export interface ConfigurationServiceParts {
  registry: Registry;
  kinds: readonly ConnectorKind[];
  /** The names that ingest knows, which may be ahead of the registry's. */
  connections: {
    /** The number of a connection, a new one where there is none; `connection_kind_invalid` when it is of another kind. */
    idFor(tenant: number, name: string, kind: string): number;
    /** A connection that is new, or stands elsewhere now. */
    put(tenant: number, row: ConnectionRow): void;
  };
}

/** Reading half a MiB takes some 0.4 s of the thread that serves everybody; larger files come through `lineshaft apply`, as values. */
const limits = { ...defaultSourceLimits, textLength: 1024 * 1024 };

export function createConfigurationService({
  registry,
  kinds,
  connections,
}: ConfigurationServiceParts): ConfigurationService {
  /** Throws `configuration_invalid` with every mistake found. */
  function* checked(p: Principal, input: ConfigurationInput, current: Configuration): Generator<void, Configuration> {
    const options = { kinds, scopes: p.scopes, current };
    if ("text" in input) {
      const read = readConfiguration([{ file: "", text: input.text }], { ...options, env: null, limits });
      if (read.configuration === null) throw invalid(read.problems);
      return read.configuration;
    }
    const problems = yield* checkInParts(input.value, options);
    if (problems.length > 0) throw invalid(problems);
    return input.value as Configuration;
  }
  const apply = async (p: Principal, wanted: Configuration, revision: number): Promise<AppliedConfiguration> => {
    const idFor = (name: string, kind: string): number => connections.idFor(p.tenant, name, kind);
    const applied = await registry.applyConfiguration(p, wanted, revision, idFor);
    for (const row of applied.connections) connections.put(p.tenant, row);
    return applied;
  };

  return {
    read(p, at) {
      const now = registry.configuration(p);
      return at === undefined ? now : { configuration: registry.configurationAt(p, at), revision: now.revision };
    },
    render: renderConfiguration,
    plan(p, input) {
      const { configuration, revision } = registry.configuration(p);
      return planOf(diffConfigurations(configuration, atOnce(checked(p, input, configuration))), revision);
    },
    apply: async (p, input, revision) => {
      const { configuration } = await registry.settled(() => registry.configuration(p));
      await othersServed();
      const wanted = await inTurns(checked(p, input, configuration));
      await othersServed();
      return apply(p, wanted, revision);
    },
    revisions: (p, q) => registry.configurationRevisions(p, q),
    tryConditions,
    async importTags(p, connection, table, dryRun) {
      await registry.settled();
      const { configuration, revision } = registry.configuration(p);
      const read = readTagTable(table);
      const known = configuration.connections?.find(({ name }) => name === connection);
      if (known === undefined)
        throw new ProblemError("not_found", `There is no connection ${JSON.stringify(connection)} that you may see.`);
      const { wanted, problems } = mergeTags(configuration, known, read, { kinds, scopes: p.scopes });
      if (problems.length > 0)
        throw new ProblemError(
          "csv_invalid",
          `${problems.length === 1 ? "1 cell is" : `${problems.length} cells are`} wrong; nothing was changed.`,
          { errors: problems.slice(0, 100) },
        );
      const plan = planOf(diffConfigurations(configuration, canonical(wanted, configuration)), revision);
      const { rows, encoding, separator, sheet } = read;
      return {
        summary: { rows: rows.length, format: sheet === null ? "csv" : "xlsx", encoding, separator, sheet, plan },
        applied: dryRun ? null : await apply(p, wanted, revision),
      };
    },
  };
}

function invalid(problems: readonly ConfigurationProblem[]): ProblemError {
  const [first] = problems;
  const more =
    problems.length === 1
      ? ""
      : ` There ${problems.length === 2 ? "is 1 more mistake" : `are ${problems.length - 1} more mistakes`}.`;
  const place = first.line === undefined ? first.path : `line ${first.line}, column ${first.column}`;
  const errors = problems.slice(0, 100).map(({ file: _, ...rest }) => rest);
  return new ProblemError("configuration_invalid", `${place}: ${first.message}${more}`, { errors });
}
