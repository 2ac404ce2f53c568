import { type Principal, ProblemError, type WriteReceipt } from "@lineshaft/contract/api";
import type { ConfigurationInput, Page } from "@lineshaft/contract/ports";
import type { RequestBody } from "./body.ts";
import { Answer, baseRevision, type Call, type Handlers } from "./call.ts";
import { assertCleanTexts, parseLargeJson } from "./json.ts";
import type { Services } from "./services.ts";

/** Media type of RFC 9512. */
export const yamlMediaType = "application/yaml";
export const yamlTypes = [yamlMediaType, "text/yaml", "application/x-yaml", "text/x-yaml"];

/** Tables of tags: text, and workbooks of spreadsheet programs. */
export const workbookMediaType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const tableTypes = ["text/csv", workbookMediaType];

type Routes =
  | "getConfiguration"
  | "planConfiguration"
  | "applyConfiguration"
  | "listConfigurationRevisions"
  | "tryConditions"
  | "importTags";

interface Helpers {
  /** The LSN of a revision, as far as it is known in time. */
  receipt(revision: number): Promise<WriteReceipt>;
  page<P extends Page<unknown>>(
    name: "listConfigurationRevisions",
    call: Call<"listConfigurationRevisions"> & { principal: Principal },
    list: (query: { limit: number; cursor?: string }) => P,
  ): P;
}

/** The whole configuration at once, as JSON or as YAML. */
export function configurationHandlers({ configuration }: Services, helpers: Helpers): Pick<Handlers, Routes> {
  return {
    getConfiguration: (call) => {
      const { configuration: found, revision } = configuration.read(call.principal, call.query.revision);
      call.header("etag", `"${revision}"`);
      call.header("vary", "Accept");
      if (!yamlTypes.some((type) => call.accept.toLowerCase().includes(type))) return found;
      return new Answer(
        `${yamlMediaType}; charset=utf-8`,
        new TextEncoder().encode(configuration.render(found)),
        false,
      );
    },
    planConfiguration: async (call) => {
      const plan = configuration.plan(call.principal, await inputOf(call.raw));
      call.header("etag", `"${plan.revision}"`);
      return plan;
    },
    applyConfiguration: async (call) => {
      const base = baseRevision(call.ifMatch);
      const { plan, revision } = await configuration.apply(call.principal, await inputOf(call.raw), base);
      call.header("etag", `"${revision}"`);
      return { plan, receipt: await helpers.receipt(revision) };
    },
    listConfigurationRevisions: (call) =>
      helpers.page("listConfigurationRevisions", call, (q) => configuration.revisions(call.principal, q)),
    tryConditions: ({ body }) => configuration.tryConditions(body),
    importTags: async ({ principal, params, query, raw }) => {
      if (raw === null || !tableTypes.includes(raw.mediaType))
        throw new ProblemError("media_type_unsupported", `This address takes ${tableTypes.join(" and ")}.`);
      const dryRun = query.dryRun === "true";
      const { summary, applied } = await configuration.importTags(principal, params.connection, raw.bytes, dryRun);
      return { ...summary, receipt: applied === null ? null : await helpers.receipt(applied.revision) };
    },
  };
}

async function inputOf(raw: RequestBody | null): Promise<ConfigurationInput> {
  if (raw === null) throw new ProblemError("json_invalid", "The body is empty.");
  if (yamlTypes.includes(raw.mediaType)) {
    try {
      return { text: new TextDecoder("utf-8", { fatal: true }).decode(raw.bytes) };
    } catch (error) {
      throw new ProblemError("json_encoding", "The body is not valid UTF-8.", { cause: error });
    }
  }
  if (raw.mediaType !== "application/json")
    throw new ProblemError(
      "media_type_unsupported",
      `The body is "${raw.mediaType.slice(0, 80)}"; this address takes JSON and YAML.`,
    );
  const { value, escapes } = await parseLargeJson(raw.bytes);
  if (escapes) assertCleanTexts(value);
  return { value };
}
