import {
  dayUs,
  type executionRoutes,
  hourUs,
  type MasterDataItem,
  type MasterDataKind,
  type Micros,
  masterDataNames,
  type masterDataRoutes,
  namedOperations,
  type Principal,
  ProblemError,
  parseTimeUs,
  type Recorded,
  type WriteReceipt,
  type workRoutes,
} from "@lineshaft/contract/api";
import type { Page, Written } from "@lineshaft/contract/ports";
import { baseRevision, type Call, type Handlers } from "./call.ts";
import type { Services } from "./services.ts";

type RouteOfMasterData = keyof typeof masterDataRoutes | keyof typeof workRoutes | keyof typeof executionRoutes;
type Header = Call<"getMaterial">["header"];

/** What the handlers of a kind need of a call, whatever the kind. */
interface AnyCall {
  principal: Principal;
  url: string;
  ifMatch: string | undefined;
  header: Header;
}
interface ListQuery {
  limit?: number;
  cursor?: string;
  equipmentId?: number;
  from?: string | number;
  to?: string | number;
  asOf?: number;
}

interface Kit {
  receipt(revision: number): Promise<WriteReceipt>;
  page<P extends Page<unknown>>(
    name: RouteOfMasterData,
    call: AnyCall & { query: ListQuery },
    list: (query: { limit: number; cursor?: string }) => P,
  ): P;
}

const longestRangeUs = 400 * dayUs;
const longestExecutionsUs = 32 * dayUs;
/** Of stops: a shift and a little more. */
const defaultHours = 12;

/** Handlers of all kinds of master data: thin over the port, which checks role, scope and meaning. */
export function masterDataHandlers({ registry, work }: Services, kit: Kit): Pick<Handlers, RouteOfMasterData> {
  async function written<K extends MasterDataKind>(
    call: AnyCall,
    { item, revision }: Written<Recorded<MasterDataItem<K>>>,
  ): Promise<{ item: Recorded<MasterDataItem<K>>; receipt: WriteReceipt }> {
    call.header("etag", `"${item.revision}"`);
    return { item, receipt: await kit.receipt(revision) };
  }

  const handlersOf = <K extends MasterDataKind>(kind: K, listName: RouteOfMasterData) => ({
    list: (call: AnyCall & { query: ListQuery }) =>
      kit.page(listName, call, ({ limit, cursor }) => {
        const { equipmentId, from, to, asOf } = call.query;
        const fromUs = from === undefined ? undefined : timeOf(from, "from");
        const toUs = to === undefined ? undefined : timeOf(to, "to");
        return registry.masterData.list(call.principal, kind, { limit, cursor, equipmentId, fromUs, toUs, asOf });
      }),
    get: (call: AnyCall & { params: { id: string }; query: { asOf?: number } }) => {
      const item = registry.masterData.get(call.principal, kind, call.params.id, call.query.asOf);
      call.header("etag", `"${item.revision}"`);
      return item;
    },
    put: (call: AnyCall & { params: { id: string }; body: MasterDataItem<K> }) => {
      const revision = call.ifMatch === undefined ? null : baseRevision(call.ifMatch);
      return written(call, registry.masterData.put(call.principal, kind, call.params.id, call.body, revision));
    },
    remove: (call: AnyCall & { params: { id: string } }) =>
      written(call, registry.masterData.remove(call.principal, kind, call.params.id, baseRevision(call.ifMatch))),
  });

  const named = <K extends MasterDataKind, One extends string, Many extends string>(
    kind: K,
    [one, many]: readonly [One, Many],
  ) => namedOperations(one, many, handlersOf(kind, `list${many}` as RouteOfMasterData));
  return {
    ...named("material", masterDataNames.material),
    ...named("idealCycleTime", masterDataNames.idealCycleTime),
    ...named("order", masterDataNames.order),
    ...named("calendar", masterDataNames.calendar),
    ...named("calendarAssignment", masterDataNames.calendarAssignment),
    ...named("policyAssignment", masterDataNames.policyAssignment),
    ...named("countingAssignment", masterDataNames.countingAssignment),
    ...named("lateScrap", masterDataNames.lateScrap),
    ...named("physicalAsset", masterDataNames.physicalAsset),
    ...named("reason", masterDataNames.reason),
    ...named("annotation", masterDataNames.annotation),
    ...named("lineTopology", masterDataNames.lineTopology),
    ...named("setUp", masterDataNames.setUp),
    ...named("identifierRule", masterDataNames.identifierRule),
    ...named("lookUp", masterDataNames.lookUp),
    ...named("kpiTarget", masterDataNames.kpiTarget),
    listBookings: handlersOf("booking", "listBookings").list,
    getWork: ({ principal, params, query: { hours = defaultHours } }) =>
      work.work(principal, params.id, hours * hourUs),
    listExecutions: ({ principal, params, query: { from, to, asOf } }) => {
      const { fromUs, toUs } = rangeOf(from, to);
      if (toUs - fromUs > longestExecutionsUs)
        throw new ProblemError("query_too_large", "At most 32 days of executions are given at once.");
      return work.executions(principal, params.id, fromUs, toUs, asOf);
    },
    listIdentifierFindings: ({ principal }) => ({ items: work.identifierFindings(principal) }),
    book: async ({ principal, params, body, header }) => {
      const { item, cause, repeated, revision } = registry.masterData.book(principal, params.id, body);
      header("etag", `"${item.revision}"`);
      const effect = cause === null ? "applied" : "none";
      return { item, effect, cause, repeated, receipt: await kit.receipt(revision) };
    },
    takeBackBooking: (call) =>
      written<"booking">(
        call,
        registry.masterData.takeBack(call.principal, call.params.id, baseRevision(call.ifMatch)),
      ),
    listShifts: ({ principal, query: { equipmentId, from, to, asOf } }) => {
      const { fromUs, toUs } = rangeOf(from, to);
      if (toUs - fromUs > longestRangeUs)
        throw new ProblemError("query_too_large", "At most 400 days of shifts are given at once.");
      return { items: registry.masterData.shifts(principal, equipmentId, fromUs, toUs, asOf) };
    },
  };
}

function rangeOf(from: string | number, to: string | number): { fromUs: Micros; toUs: Micros } {
  const [fromUs, toUs] = [timeOf(from, "from"), timeOf(to, "to")];
  if (fromUs >= toUs) throw new ProblemError("range_invalid", `from (${from}) is not before to (${to}).`);
  return { fromUs, toUs };
}

function timeOf(input: string | number, name: string): Micros {
  const time = parseTimeUs(input);
  if (time === null)
    throw new ProblemError("time_invalid", `${name} is neither µs since 1970 nor RFC 3339 text with a zone.`);
  return time;
}
