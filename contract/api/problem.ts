import { type Static, Type } from "typebox";
import { configurationProblems } from "./problem-configuration.ts";
import { type CatalogueEntry, catalogueEntry as entry, type Retry } from "./problem-entry.ts";
import { identityProblems } from "./problem-identity.ts";
import { masterDataProblems } from "./problem-master-data.ts";
import { recordProblems } from "./problem-records.ts";
import { resultProblems } from "./problem-results.ts";

export type { Retry } from "./problem-entry.ts";

/**
 * Every error that Lineshaft gives, in HTTP, on streams and for rejected items. The docs page is generated from this table.
 */
export const problemCatalogue = {
  ...identityProblems,

  // Requests
  not_found: entry(
    404,
    "changed",
    "There is no such thing, or it is not visible to you.",
    "Check the id; list the collection to see what exists.",
  ),
  method_not_allowed: entry(
    405,
    "changed",
    "The address exists, the method does not.",
    "See the API reference for the methods of this address.",
  ),
  not_acceptable: entry(406, "changed", "None of the accepted media types can be served.", "Accept application/json."),
  media_type_unsupported: entry(
    415,
    "changed",
    "The media type of the body is not supported.",
    "Send application/json or application/vnd.lineshaft.columns.",
  ),
  body_too_large: entry(413, "changed", "The body is larger than allowed.", "Send smaller batches."),
  decompressed_too_large: entry(
    413,
    "changed",
    "The body is larger than allowed after decompression.",
    "Send smaller batches.",
  ),
  too_many_rows: entry(413, "changed", "The batch has more rows than allowed.", "Send at most 100,000 rows a batch."),
  request_timeout: entry(408, "later", "The request was not complete in time.", "Send it again, faster or smaller."),
  headers_too_large: entry(431, "changed", "The headers are larger than allowed.", "Send fewer or shorter headers."),
  bad_framing: entry(400, "changed", "The HTTP message is not well formed.", "Check the client or proxy in between."),
  json_invalid: entry(400, "changed", "The body is not JSON.", "Check the body at the position named."),
  json_too_deep: entry(400, "changed", "The JSON is nested too deeply.", "At most 32 levels are read."),
  json_duplicate_key: entry(400, "changed", "A JSON object names a key twice.", "Name each key once."),
  json_encoding: entry(
    400,
    "changed",
    "The text is not valid UTF-8, or holds NUL or a lone surrogate.",
    "Encode the body as UTF-8 without NUL.",
  ),
  reserved_key: entry(
    400,
    "changed",
    "A reserved key is used.",
    "Do not use the keys __proto__, constructor and prototype.",
  ),
  request_invalid: entry(
    422,
    "changed",
    "The request does not have the expected shape.",
    "Correct the fields named in `errors`.",
  ),
  field_readonly: entry(422, "changed", "A field is set by the server only.", "Leave the field out."),
  limit_invalid: entry(
    422,
    "changed",
    "The page size is out of range.",
    "Use a whole number within the documented range.",
  ),
  name_invalid: entry(
    422,
    "changed",
    "The name cannot be used.",
    "Use 1 to 512 characters without control characters, in Unicode without lone surrogates.",
  ),
  cursor_invalid: entry(
    400,
    "changed",
    "The cursor was not issued by this server for this request.",
    "Start without a cursor.",
  ),
  cursor_foreign: entry(
    409,
    "changed",
    "The cursor belongs to an earlier generation of the log (a restore came between).",
    "Start again from a time.",
  ),
  cursor_expired: entry(
    410,
    "changed",
    "The log no longer reaches back to this cursor.",
    "Start from a time: what the log has dropped is served from history.",
  ),
  revision_conflict: entry(
    412,
    "changed",
    "Somebody changed this meanwhile.",
    "Read it again and apply your change to the new revision.",
  ),
  precondition_required: entry(
    428,
    "changed",
    "The change must name the revision it is based on.",
    "Send If-Match with the ETag that you read.",
  ),
  range_invalid: entry(422, "changed", "The time range is empty or reversed.", "Give from < to."),
  query_too_large: entry(
    422,
    "changed",
    "The query would return or read too much.",
    "Use a shorter range, fewer tags or wider buckets.",
  ),
  query_timeout: entry(503, "later", "The query took too long.", "Use a shorter range, fewer tags or wider buckets."),
  quota_rate: entry(429, "later", "This source sends faster than its quota.", "Slow down, or ask for a larger quota."),
  too_many_streams: entry(429, "later", "Too many streams are open.", "Close streams that are not used."),
  slow_consumer: entry(
    503,
    "later",
    "The stream was closed because the reader did not keep up.",
    "Resume from the last cursor.",
  ),
  // Points
  columns_invalid: entry(
    400,
    "changed",
    "The columnar body is not well formed.",
    "See the format's description; the detail names the place.",
  ),
  tag_unknown: entry(
    422,
    "changed",
    "There is no raw tag with this id on this connection.",
    "Send names, or register the names first.",
  ),
  value_invalid: entry(
    422,
    "changed",
    "The value has no type that can be kept.",
    "Send a number, boolean, text, null or one of the documented objects.",
  ),
  number_out_of_range: entry(
    422,
    "changed",
    "The number cannot be kept exactly.",
    'Integers go up to ±2^63; for infinities send {"double":"Infinity"}.',
  ),
  value_too_large: entry(
    422,
    "changed",
    "The text or bytes are longer than allowed.",
    "At most 65,536 bytes a value are kept.",
  ),
  time_invalid: entry(
    422,
    "changed",
    "The time cannot be understood.",
    "Send µs since 1970 as an integer, or RFC 3339 text with a zone.",
  ),
  status_invalid: entry(
    422,
    "changed",
    "The status is not an OPC UA StatusCode.",
    "Send an unsigned 32-bit integer; 0 is Good.",
  ),
  unit_unknown: entry(422, "changed", "The unit is not a UCUM unit.", "Use a UCUM code such as Cel, kg, mm/s or %."),
  quota_tags: entry(
    429,
    "changed",
    "The connection has reached its number of tags.",
    "Remove unused names at the source or raise the connection's tag quota.",
  ),
  correction_undeclared: entry(
    422,
    "changed",
    "A correction came from a source that does not declare corrections.",
    "Send mode=correct only from a source that owns its history.",
  ),
  // Sparkplug, MQTT and OPC UA
  spb_payload_invalid: entry(
    422,
    "changed",
    "The message is not a Sparkplug B payload.",
    "Check what publishes on this topic; only Sparkplug B in protobuf belongs below spBv1.0.",
  ),
  spb_limits: entry(
    422,
    "changed",
    "The Sparkplug message is larger or nested more deeply than allowed.",
    "Spread the metrics over several devices or messages.",
  ),
  spb_birth_missing: entry(
    422,
    "later",
    "Data came without a birth certificate that explains it, and a rebirth did not bring one in time.",
    "Check that the edge node answers `Node Control/Rebirth`; restarting it sends the birth too.",
  ),
  spb_alias_unknown: entry(
    422,
    "later",
    "A metric has an alias or a name that the birth certificate does not hold.",
    "The edge node must announce every metric at birth; a rebirth has been asked for.",
  ),
  spb_alias_ambiguous: entry(
    422,
    "changed",
    "A birth certificate gives one alias to two metrics of an edge node.",
    "Give each metric of the edge node, its devices included, an alias of its own.",
  ),
  mqtt_payload_invalid: entry(
    422,
    "changed",
    "The payload of an MQTT message cannot be read as its topic template says.",
    "Correct the template's payload form, or what the machine publishes.",
  ),
  mqtt_value_missing: entry(
    422,
    "changed",
    "The payload of an MQTT message does not hold the value that the template names.",
    "Correct the path in the template, or what the machine publishes.",
  ),
  opcua_message_invalid: entry(
    422,
    "changed",
    "A notification of an OPC UA server cannot be decoded.",
    "Record the connection's traffic and report it to the maker of the server; its other notifications go on.",
  ),
  ...configurationProblems,
  ...masterDataProblems,
  ...resultProblems,
  ...recordProblems,
  // Platform
  disk_full: entry(
    507,
    "later",
    "The disk is full; nothing more is accepted until there is space.",
    "Free disk space; the source should keep its data and try again.",
  ),
  storage_unavailable: entry(
    503,
    "later",
    "The log cannot be written; nothing is acknowledged.",
    "Check the disk, then restart the server. Reading goes on.",
  ),
  history_unavailable: entry(
    503,
    "later",
    "History cannot be read at the moment.",
    "Try again; the system page says why.",
  ),
  history_damaged: entry(
    500,
    "later",
    "A part of history is damaged and being rebuilt.",
    "The rest is served; `warnings` names the range.",
  ),
  period_frozen: entry(
    422,
    "never",
    "The period is older than what is kept, so it cannot be changed.",
    "Extend retention before the next import.",
  ),
  overloaded: entry(503, "later", "The server sheds load to stay within its memory.", "Try again after Retry-After."),
  shutting_down: entry(503, "later", "The server is stopping.", "Try again in a few seconds."),
  data_dir_locked: entry(
    500,
    "changed",
    "Another process owns the data directory.",
    "Stop it first, or choose another --data directory.",
  ),
  data_dir_version: entry(
    500,
    "changed",
    "The data directory was written by a version that this one cannot read.",
    "Use a matching version; this and the one before can be read.",
  ),
  data_dir_mixed: entry(
    500,
    "changed",
    "The parts of the data directory do not belong together.",
    "Put back the log that belongs to this registry, or restore all of it from one backup.",
  ),
  internal: entry(
    500,
    "later",
    "A fault inside Lineshaft.",
    "Report it with the time and the instance id; details are in the server's log.",
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ProblemCode = keyof typeof problemCatalogue;
export const problemCodes = Object.keys(problemCatalogue) as ProblemCode[];

/** RFC 9457 problem details, with a stable `code`. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: "urn:lineshaft:problem:<code>" }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: "Stable code from the catalogue." }),
    detail: Type.String({ description: "What failed, on what, why." }),
    action: Type.String({ description: "What to do next." }),
    retry: Type.Enum(["later", "changed", "never"]),
    instance: Type.Optional(Type.String({ description: "The request, for finding it in the server's log." })),
    retryAfterSeconds: Type.Optional(Type.Number()),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          path: Type.String({ description: "JSON pointer" }),
          message: Type.String(),
          code: Type.Optional(Type.String()),
          action: Type.Optional(Type.String()),
          line: Type.Optional(Type.Integer({ description: "Where text was sent: its line and column, from 1." })),
          column: Type.Optional(Type.Integer()),
        }),
        { maxItems: 100 },
      ),
    ),
  },
  { $id: "Problem", description: "RFC 9457 problem details." },
);
export type Problem = Static<typeof ProblemSchema>;

/** An error of the world (not of the program) with its code; becomes problem+json at the edge. */
export class ProblemError extends Error {
  override name = "ProblemError";
  readonly code: ProblemCode;
  readonly retryAfterSeconds: number | undefined;
  readonly errors: Problem["errors"];

  constructor(
    code: ProblemCode,
    detail: string,
    options: { cause?: unknown; retryAfterSeconds?: number; errors?: Problem["errors"] } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.errors = options.errors;
  }

  get retry(): Retry {
    return problemCatalogue[this.code].retry;
  }

  toProblem(instance?: string): Problem {
    const { status, title, action, retry } = problemCatalogue[this.code];
    return {
      type: `urn:lineshaft:problem:${this.code}`,
      ...{ title, status },
      code: this.code,
      detail: this.message,
      action,
      retry,
      ...(instance === undefined ? {} : { instance }),
      ...(this.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: this.retryAfterSeconds }),
      ...(this.errors === undefined ? {} : { errors: this.errors }),
    };
  }
}
