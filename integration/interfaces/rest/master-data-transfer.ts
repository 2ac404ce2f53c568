import {
  dayUs,
  type MasterDataItem,
  type MasterDataKind,
  type Micros,
  type masterDataTransferRoutes,
  ProblemError,
  parseTimeUs,
  type Recorded,
  type TransferFormat,
  type WriteReceipt,
} from "@lineshaft/contract/api";
import type { Page } from "@lineshaft/contract/ports";
import { Answer, baseRevision, type Call, type Handlers } from "./call.ts";
import { workbookMediaType, yamlMediaType, yamlTypes } from "./configuration.ts";
import type { Services } from "./services.ts";

type Routes = keyof typeof masterDataTransferRoutes;

interface Helpers {
  receipt(revision: number): Promise<WriteReceipt>;
  page<P extends Page<unknown>>(
    name: "listMasterDataRevisions",
    call: Call<"listMasterDataRevisions">,
    list: (query: { limit: number; cursor?: string }) => P,
  ): P;
}

const mediaTypes: Readonly<Record<TransferFormat, string>> = {
  csv: "text/csv; charset=utf-8",
  xlsx: workbookMediaType,
  json: "application/json",
  yaml: `${yamlMediaType}; charset=utf-8`,
};
const longestRangeUs = 400 * dayUs;

/** Master data as files, and what they were before. */
export function masterDataTransferHandlers(
  { registry, masterDataTransfer }: Services,
  helpers: Helpers,
): Pick<Handlers, Routes> {
  return {
    importMasterData: async (call) => {
      const { principal, params, query, raw } = call;
      const form = formOf(raw?.mediaType);
      const revision = call.ifMatch === undefined ? null : baseRevision(call.ifMatch);
      const { summary, revision: made } = masterDataTransfer.import(
        principal,
        params.kind,
        raw?.bytes ?? new Uint8Array(),
        {
          form,
          dryRun: query.dryRun === "true",
          revision,
          ...(query.timeZone === undefined ? {} : { timeZone: query.timeZone }),
        },
      );
      call.header("etag", `"${made ?? summary.revision}"`);
      return { ...summary, receipt: made === null ? null : await helpers.receipt(made) };
    },
    exportMasterData: (call) => {
      const { kind } = call.params;
      const { bytes, format } = masterDataTransfer.export(call.principal, kind, call.query);
      call.header("content-disposition", `attachment; filename="${kind}.${format}"`);
      return new Answer(mediaTypes[format], bytes, false);
    },
    listMasterDataRevisions: (call) =>
      helpers.page("listMasterDataRevisions", call, (q) =>
        registry.masterData.revisions(call.principal, call.params.kind, call.params.id, q),
      ),
    restoreMasterData: async (call) => {
      const { principal, params, body } = call;
      const base = baseRevision(call.ifMatch);
      const { item, revision } = registry.masterData.restore(principal, params.kind, params.id, body.revision, base);
      call.header("etag", `"${item.revision}"`);
      return { item: item as Recorded<MasterDataItem<MasterDataKind>>, receipt: await helpers.receipt(revision) };
    },
    previewShifts: ({ body: { calendar, from, to } }) => {
      const [fromUs, toUs] = [timeOf(from, "from"), timeOf(to, "to")];
      if (fromUs >= toUs) throw new ProblemError("range_invalid", `from (${from}) is not before to (${to}).`);
      if (toUs - fromUs > longestRangeUs)
        throw new ProblemError("query_too_large", "At most 400 days of shifts are given at once.");
      return { items: masterDataTransfer.previewShifts(calendar, fromUs, toUs) };
    },
  };
}

function formOf(mediaType = ""): "table" | "text" {
  if (mediaType === "text/csv" || mediaType === workbookMediaType) return "table";
  if (mediaType === "application/json" || yamlTypes.includes(mediaType)) return "text";
  throw new ProblemError(
    "media_type_unsupported",
    `This address takes text/csv, ${workbookMediaType}, application/json and ${yamlMediaType}.`,
  );
}

function timeOf(input: string | number, name: string): Micros {
  const time = parseTimeUs(input);
  if (time === null)
    throw new ProblemError("time_invalid", `${name} is neither µs since 1970 nor RFC 3339 text with a zone.`);
  return time;
}
