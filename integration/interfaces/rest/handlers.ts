import {
  apiBase,
  columnsMediaType,
  dayUs,
  encodeColumns,
  type Micros,
  may,
  type Permission,
  type Principal,
  ProblemError,
  parseTimeUs,
  queryLimits,
  type RouteName,
  type RouteQuery,
  type Session,
  type WriteReceipt,
} from "@lineshaft/contract/api";
import type { Page, Written } from "@lineshaft/contract/ports";
import { alarmHandlers } from "./alarms.ts";
import { Answer, baseRevision, type Call, type Handlers } from "./call.ts";
import { configurationHandlers } from "./configuration.ts";
import { connectivityHandlers } from "./connectivity.ts";
import type { CursorSeal } from "./cursor.ts";
import { demoHandlers } from "./demo.ts";
import { factRecordHandlers } from "./fact-records.ts";
import { machineFactsBody } from "./facts.ts";
import { IngestGate, ingest } from "./ingest.ts";
import { masterDataHandlers } from "./master-data.ts";
import { masterDataTransferHandlers } from "./master-data-transfer.ts";
import { nowHandlers } from "./now.ts";
import { orderProgressHandlers } from "./order-progress.ts";
import { resultHandlers } from "./results.ts";
import { bucketSeriesJson, pointSeriesJson } from "./series.ts";
import type { HttpLimits, Services } from "./services.ts";
import { stopHandlers } from "./stops.ts";
import { timelineHandlers } from "./timelines.ts";

const json = "application/json";
const defaultPage = 100;
const defaultRawLimit = 100_000;
const defaultTagQuota = 200_000;
/** How long a write waits for its place in the log before it answers without. */
const receiptMs = 2_000;
/** Tags with mapping errors in one answer. */
const mappingErrorsMax = 1000;
/** Answers from this many rows on go out in pieces. */
const largeRows = 2_000;

export interface HandlerOptions {
  demo: boolean;
  cursors: CursorSeal;
  limits: HttpLimits;
}

interface PageCall<N extends RouteName> {
  principal: Principal;
  query: { limit?: number; cursor?: string };
  url: string;
  header: Call<N>["header"];
}
interface Turn {
  limit: number;
  cursor?: string;
}

/** The REST API of DESIGN §9 over the ports. Each handler decides; the ports below check role and scope again. */
export function createHandlers(services: Services, options: HandlerOptions): Handlers {
  const { history, registry, lastValues, facts, ledger, identity, connections, system, clock } = services;
  const gate = new IngestGate(services.sink, clock, options.limits.waitingBatches);
  const sessionOf = ({ name, role, scopes }: Principal): Session => ({ name, role, scopes, demo: options.demo });

  /** A page with its cursor opened and sealed for exactly this query and tenant. */
  function page<N extends RouteName, P extends Page<unknown>>(name: N, call: PageCall<N>, list: (query: Turn) => P): P {
    return turned(name, call, list(turnOf(name, call)));
  }

  async function pageLater<N extends RouteName, P extends Page<unknown>>(
    name: N,
    call: PageCall<N>,
    list: (query: Turn) => Promise<P>,
  ): Promise<P> {
    return turned(name, call, await list(turnOf(name, call)));
  }

  function turnOf<N extends RouteName>(name: N, { principal, query }: PageCall<N>): Turn {
    const cursor = query.cursor === undefined ? undefined : options.cursors.open(query.cursor, name, principal, query);
    return { ...query, limit: query.limit ?? defaultPage, cursor };
  }

  function turned<N extends RouteName, P extends Page<unknown>>(name: N, call: PageCall<N>, answer: P): P {
    const { principal, query } = call;
    const next = options.cursors.seal(answer.cursor, name, principal, query);
    linkNext(call, next);
    return { ...answer, cursor: next };
  }

  /** The LSN comes with the change's record in the log, a few milliseconds later; the change stands even when it is not told. */
  async function receipt(revision: number): Promise<WriteReceipt> {
    const told = new AbortController();
    const late = clock.sleep(receiptMs, told.signal).then(
      () => null,
      () => null,
    );
    const lsn = await Promise.race([services.outbox.published(revision).catch(() => null), late]);
    told.abort();
    return { revision, lsn };
  }

  async function written<T extends { revision: number }>(
    call: Pick<Call<"createTag">, "header">,
    { item, revision }: Written<T>,
    location?: string,
  ): Promise<{ item: T; receipt: WriteReceipt }> {
    const answer = { item, receipt: await receipt(revision) };
    call.header("etag", `"${item.revision}"`);
    if (location !== undefined) call.header("location", `${apiBase}${location}`);
    return answer;
  }

  function withEtag<T extends { revision: number }>(call: Pick<Call<"getTag">, "header">, item: T): T {
    call.header("etag", `"${item.revision}"`);
    return item;
  }

  /** All of them, or `not_found` naming the first that is unknown or out of scope: the two look alike. */
  function requireReadable(principal: Principal, tags: number[]): number[] {
    const wanted = [...new Set(tags)].sort((a, b) => a - b);
    const readable = registry.readableTags(principal, wanted);
    if (readable.length !== wanted.length) {
      const visible = new Set(readable);
      throw new ProblemError("not_found", `There is no raw tag ${wanted.find((tag) => !visible.has(tag))}.`);
    }
    return wanted;
  }

  async function query<T>(outer: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const finished = new AbortController();
    const late = new AbortController();
    const deadline = clock.sleep(queryLimits.seconds * 1000, finished.signal).then(() => {
      const problem = new ProblemError("query_timeout", `The query took longer than ${queryLimits.seconds} s.`);
      late.abort(problem);
      throw problem;
    });
    try {
      return await Promise.race([run(AbortSignal.any([outer, late.signal])), deadline]);
    } finally {
      finished.abort();
    }
  }

  return {
    signIn: (call) => {
      const { session, principal, maxAgeSeconds } = identity.signIn(call.body.secret, call.address, call.body.lasts);
      call.setSession({ value: session, maxAgeSeconds });
      return sessionOf(principal);
    },
    getSession: (call) => sessionOf(call.principal),
    signOut: (call) => {
      if (call.session !== undefined) identity.signOut(call.session);
      call.setSession(null);
      return {};
    },

    ingest: (call) => ingest(services, gate, call.principal, call.params.connection, call.query, call.raw),
    resolveTags: async ({ principal, params, body }) => {
      connections.authorizeIngest(principal, params.connection);
      const { ids, faults } = await connections.resolve(principal, params.connection, body.addresses);
      return { ids, faults: faults.slice(0, 100) };
    },
    getSourceCursor: ({ principal, params }) => connections.sourceCursor(principal, params.connection),

    ...connectivityHandlers(services),
    listConnections: (call) => page("listConnections", call, (q) => connections.list(call.principal, q)),
    createConnection: async (call) => {
      const { name, scope = "", corrections = false, tagQuota = defaultTagQuota } = call.body;
      const created = connections.create(call.principal, { name, kind: "http", scope, corrections, tagQuota });
      return written(call, created, `/connections/${encodeURIComponent(name)}`);
    },
    getConnection: (call) => withEtag(call, connections.get(call.principal, call.params.connection)),

    listEquipment: (call) => page("listEquipment", call, (q) => registry.listEquipment(call.principal, q)),
    createEquipment: async (call) => {
      const created = registry.createEquipment(call.principal, call.body);
      return written(call, created, `/equipment/${created.item.id}`);
    },
    getEquipment: (call) => {
      const { principal, params, query } = call;
      if (query.at === undefined) return withEtag(call, registry.getEquipment(principal, params.id));
      return registry.equipmentAt(principal, params.id, readTime(query.at, "at"));
    },
    changeEquipment: async (call) => {
      const { validFrom, ...change } = call.body;
      if (Object.keys(change).length === 0)
        throw new ProblemError("request_invalid", "validFrom says since when something is so; nothing is said to be.");
      const dated = validFrom === undefined ? {} : { validFromUs: readTime(validFrom, "validFrom") };
      const base = baseRevision(call.ifMatch);
      return written(call, registry.changeEquipment(call.principal, call.params.id, { ...change, ...dated }, base));
    },

    listTags: (call) => page("listTags", call, (q) => registry.listTags(call.principal, q)),
    createTag: async (call) => {
      const created = await connections.createTag(call.principal, call.body);
      return written(call, created, `/tags/${created.item.id}`);
    },
    getTag: (call) => withEtag(call, registry.getTag(call.principal, call.params.id)),
    changeTag: async (call) => {
      const { principal, params, body } = call;
      return written(call, registry.changeTag(principal, params.id, body, baseRevision(call.ifMatch)));
    },

    ...configurationHandlers(services, { receipt, page }),
    ...masterDataHandlers(services, { receipt, page }),
    ...masterDataTransferHandlers(services, { receipt, page }),

    ...demoHandlers(services, readTime),

    lastValues: ({ principal, query: { tag } }) => {
      requireReadable(principal, tag);
      return { items: lastValues.get(tag) };
    },
    rawHistory: async (call) => {
      const { principal } = call;
      const tags = requireReadable(principal, call.query.tag);
      const range = readRange(call.query);
      const limit = call.query.limit ?? defaultRawLimit;
      const after =
        call.query.cursor === undefined
          ? undefined
          : readRowCursor(options.cursors.open(call.query.cursor, "rawHistory", principal, call.query));
      const answer = await query(call.signal, (signal) => history.raw({ tags, ...range, limit, after }, signal));
      const { columns } = answer;
      const inner = answer.more && columns.rows > 0 ? rowCursor(columns, columns.rows - 1) : null;
      const next = options.cursors.seal(inner, "rawHistory", principal, call.query);
      linkNext(call, next);
      if (call.accept.includes(columnsMediaType)) {
        if (next !== null) call.header("lineshaft-cursor", next);
        if (answer.warnings.length > 0) call.header("lineshaft-warnings", asciiJson(answer.warnings.slice(0, 20)));
        return new Answer(columnsMediaType, encodeColumns(columns), false);
      }
      return new Answer(json, pointSeriesJson(columns, next, answer.warnings), columns.rows >= largeRows);
    },
    bucketHistory: async (call) => {
      const tags = requireReadable(call.principal, call.query.tag);
      const range = readRange(call.query);
      const buckets = readBuckets(call.query, range, tags.length);
      const answer = await query(call.signal, (signal) => history.buckets({ tags, ...range, ...buckets }, signal));
      return new Answer(json, bucketSeriesJson(answer), answer.rows >= largeRows);
    },

    listMappingErrors: ({ principal }) => {
      const all = facts.mappingErrors().sort((a, b) => b.values - a.values);
      const readable = new Set(registry.readableTags(principal, [...new Set(all.map(({ tagId }) => tagId))]));
      return { items: all.filter(({ tagId }) => readable.has(tagId)).slice(0, mappingErrorsMax) };
    },
    machineFacts: async ({ principal, params, query: asked }) => {
      const { id } = registry.getEquipment(principal, params.id);
      const { fromUs, toUs } = readRange(asked);
      if (asked.asOf !== undefined) {
        const told = await services.toldFacts.machine(id, fromUs, toUs, asked.asOf);
        return machineFactsBody(id, told, told.alarms, told.identifiers);
      }
      const answer = facts.machine(id, fromUs, toUs);
      return machineFactsBody(id, answer, facts.alarms(id, fromUs, toUs), facts.identifiers(id, fromUs, toUs));
    },

    listCells: ({ principal, params, query: asked }) => {
      const { fromUs, toUs } = readRange(asked);
      if (toUs - fromUs > 31 * dayUs)
        throw new ProblemError("query_too_large", "At most 31 days of cells are given at once.");
      return services.cells.cells(principal, params.id, fromUs, toUs, asked.asOf);
    },

    ...nowHandlers(services, { page }),
    ...orderProgressHandlers(services, { pageLater }),
    ...factRecordHandlers(services, { page: pageLater }),
    ...alarmHandlers(services, { page, readRange }),
    ...resultHandlers(services, { page: pageLater }),
    ...stopHandlers(services, { readRange }),
    ...timelineHandlers(services, { readRange }),

    listRejected: (call) => page("listRejected", call, (q) => ledger.listRejected(call.principal, q)),
    getRejected: ({ principal, params }) => ledger.getRejected(principal, params.id),
    listGaps: (call) => page("listGaps", call, (q) => ledger.listGaps(call.principal, q)),

    getSystem: () => system.status(),
    listKeys: (call) => page("listKeys", call, (q) => registry.listKeys(call.principal, q)),
    createKey: (call) => {
      const created = identity.createKey(call.principal, call.body);
      call.header("location", `${apiBase}/keys/${encodeURIComponent(created.key.id)}`);
      return created;
    },
    revokeKey: ({ principal, params }) => identity.revokeKey(principal, params.id),
  };
}

/** Throws `forbidden` when the role does not include the route's permission. */
export function requirePermission(principal: Principal, permission: Permission | null): void {
  if (permission !== null && !may(principal, permission))
    throw new ProblemError(
      "forbidden",
      `The role "${principal.role}" does not include the permission "${permission}".`,
    );
}

interface Range {
  fromUs: Micros;
  toUs: Micros;
}

function readRange(query: { from: string | number; to: string | number }): Range {
  const fromUs = readTime(query.from, "from");
  const toUs = readTime(query.to, "to");
  if (fromUs >= toUs) throw new ProblemError("range_invalid", `from (${query.from}) is not before to (${query.to}).`);
  return { fromUs, toUs };
}

function readTime(input: string | number, name: string): Micros {
  const time = parseTimeUs(input);
  if (time === null)
    throw new ProblemError("time_invalid", `${name} is neither µs since 1970 nor RFC 3339 text with a zone.`);
  return time;
}

function readBuckets(
  query: RouteQuery<"bucketHistory">,
  { fromUs, toUs }: Range,
  tags: number,
): { bucketUs: number; originUs?: Micros } {
  if ((query.buckets === undefined) === (query.bucketUs === undefined))
    throw new ProblemError("request_invalid", "Give either buckets or bucketUs.");
  const bucketUs = query.bucketUs ?? Math.ceil((toUs - fromUs) / (query.buckets as number));
  const buckets = Math.ceil((toUs - fromUs) / bucketUs);
  if (buckets > queryLimits.buckets || buckets * tags > queryLimits.points) {
    throw new ProblemError(
      "query_too_large",
      `${buckets} buckets of ${tags} tags are asked for; at most ${queryLimits.buckets} a tag and ${queryLimits.points} in all are given.`,
    );
  }
  return query.bucketUs === undefined ? { bucketUs, originUs: fromUs } : { bucketUs };
}

function rowCursor(
  { tag, time, ordinal }: { tag: Int32Array; time: Float64Array; ordinal: Uint16Array | null },
  i: number,
) {
  return `${tag[i]},${time[i]},${ordinal === null ? 0 : ordinal[i]}`;
}

function readRowCursor(text: string): { tag: number; time: Micros; ordinal: number } {
  const [tag, time, ordinal] = text.split(",").map(Number);
  return { tag, time, ordinal };
}

/** RFC 8288: where the next page is. */
function linkNext(call: { url: string; header(name: string, value: string): void }, cursor: string | null): void {
  if (cursor === null) return;
  const [path, search = ""] = call.url.split("?", 2);
  const query = new URLSearchParams(search);
  query.set("cursor", cursor);
  call.header("link", `<${path}?${query}>; rel="next"`);
}

/** JSON that may stand in a header. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
