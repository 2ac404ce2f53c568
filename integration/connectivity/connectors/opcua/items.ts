import type { TagBinding } from "@lineshaft/contract/ports";
import type { MonitoredItemCreateRequestOptions, NodeId } from "node-opcua-client";
import type { OpcuaConfig, OpcuaTagOptions } from "./config.ts";
import type { Opcua } from "./library.ts";
import type { RawSession } from "./link.ts";

const BadNodeIdInvalid = 0x80330000;

/** One bound tag, for as long as it is bound; survives the subscription. */
export interface Item {
  /** Ours, in each notification. Never used again for another tag. */
  readonly handle: number;
  readonly address: string;
  readonly binding: TagBinding;
  readonly options: OpcuaTagOptions;
  nodeId: NodeId | null;
  /** The server's number for it in the present subscription. */
  monitoredItemId: number | null;
  /** Why the server does not watch it; 0 = it does. */
  refusal: number;
  /** Source time of its newest value; NaN before the first. */
  lastUs: number;
  /** Does the server keep history of it that we may read? */
  history: boolean;
  dataType?: string;
  unit?: string;
  description?: string;
  /** What is known of unit and type has been told to the sink. */
  told: boolean;
  described: boolean;
}

/** What the server takes at most in one call; 0 would be "no limit". */
export interface ServerLimits {
  read: number;
  monitoredItems: number;
  browse: number;
  translate: number;
  history: number;
  /** For addresses with `nsu=`. */
  namespaces: string[];
}

/** Our own bounds, which hold where the server has none. */
const callMax = { read: 1_000, monitoredItems: 1_000, browse: 100, translate: 500, history: 50 };

export async function readLimits(opcua: Opcua, session: RawSession): Promise<ServerLimits> {
  const given = await opcua.readOperationLimits(session);
  const least = (ours: number, theirs: number | undefined): number => (theirs ? Math.min(ours, theirs) : ours);
  return {
    read: least(callMax.read, given.maxNodesPerRead),
    monitoredItems: least(callMax.monitoredItems, given.maxMonitoredItemsPerCall),
    browse: least(callMax.browse, given.maxNodesPerBrowse),
    translate: least(callMax.translate, given.maxNodesPerTranslateBrowsePathsToNodeIds),
    history: least(callMax.history, given.maxNodesPerHistoryReadData),
    namespaces: await session.readNamespaceArray(),
  };
}

export function* chunks<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < list.length; i += size) yield list.slice(i, i + size);
}

const tooMuch =
  /BadTooManyOperations|BadEncodingLimitsExceeded|Bad(Tcp)?(Request|Response|Message)TooLarge|BadTooManyMonitoredItems/;

/** The results of `call` for the whole list, piece by piece; a server that does not tell its limits finds smaller pieces until it is content. */
export async function inPieces<T, R>(
  list: readonly T[],
  size: number,
  call: (some: readonly T[]) => Promise<readonly R[] | null | undefined>,
): Promise<R[]> {
  const results: R[] = [];
  let most = size;
  while (results.length < list.length) {
    const some = list.slice(results.length, results.length + most);
    try {
      const part = (await call(some)) ?? [];
      if (part.length !== some.length) throw new Error(`${part.length} results for ${some.length} operations`);
      results.push(...part);
    } catch (error) {
      if (some.length === 1 || !tooMuch.test(String(error))) throw error;
      most = some.length >> 1;
    }
  }
  return results;
}

/** NodeId of an address (`ns=2;s=Press.Speed`, `nsu=urn:plc;i=7`); null when it is none. */
export function parseAddress(opcua: Opcua, address: string, namespaces: string[]): NodeId | null {
  // Without this the library would also take bare words and find well-known names in them.
  if (!/^(ns=\d{1,5};|nsu=[^;]+;)?[isgb]=/.test(address)) return null;
  try {
    return opcua.coerceNodeId(address, { namespaceArray: namespaces });
  } catch {
    return null;
  }
}

/** The tags that are bound, by our handle. */
export class ItemTable {
  #byHandle = new Map<number, Item>();
  #byKey = new Map<string, Item>();
  #nextHandle = 1;

  get size(): number {
    return this.#byHandle.size;
  }

  at(handle: number): Item | undefined {
    return this.#byHandle.get(handle);
  }

  all(): Item[] {
    return [...this.#byHandle.values()];
  }

  /** Takes over what is bound now, and gives what is not any more. A tag whose binding changed is a new one; the second of two bindings of one address is ignored. */
  rebind(bindings: readonly TagBinding[]): Item[] {
    const next = new Map<string, TagBinding>();
    const addresses = new Set<string>();
    for (const binding of bindings) {
      if (addresses.has(binding.address)) continue;
      addresses.add(binding.address);
      next.set(JSON.stringify([binding.address, binding.options ?? {}, binding.class ?? null]), binding);
    }
    const removed: Item[] = [];
    for (const [key, item] of this.#byKey) {
      if (next.has(key)) continue;
      removed.push(item);
      this.#byKey.delete(key);
      this.#byHandle.delete(item.handle);
    }
    for (const [key, binding] of next) if (!this.#byKey.has(key)) this.#add(key, binding);
    return removed;
  }

  #add(key: string, binding: TagBinding): void {
    const item: Item = {
      handle: this.#nextHandle++,
      address: binding.address,
      binding,
      options: (binding.options ?? {}) as OpcuaTagOptions,
      nodeId: null,
      monitoredItemId: null,
      refusal: 0,
      lastUs: NaN,
      history: false,
      told: false,
      described: false,
    };
    this.#byKey.set(key, item);
    this.#byHandle.set(item.handle, item);
  }
}

/** NodeIds of the addresses, by the server's present numbering of its namespaces. */
export function resolveItems(opcua: Opcua, items: readonly Item[], limits: ServerLimits): void {
  for (const item of items) item.nodeId = parseAddress(opcua, item.address, limits.namespaces);
}

/** Has the server watch these items, which are resolved; each that it refuses keeps its reason in `refusal`, and the others go on. */
export async function monitor(
  opcua: Opcua,
  session: RawSession,
  subscriptionId: number,
  items: readonly Item[],
  config: OpcuaConfig,
  limits: ServerLimits,
): Promise<void> {
  for (const item of items) {
    item.monitoredItemId = null;
    item.refusal = item.nodeId === null ? BadNodeIdInvalid : 0;
  }
  const readable = items.filter((item) => item.nodeId !== null);
  const results = await inPieces(readable, limits.monitoredItems, async (some) => {
    const response = await session.createMonitoredItems({
      subscriptionId,
      timestampsToReturn: opcua.TimestampsToReturn.Both,
      itemsToCreate: some.map((item) => monitoredItem(opcua, item, config)),
    });
    return response.results;
  });
  readable.forEach((item, i) => {
    const { statusCode, monitoredItemId } = results[i];
    // Good and uncertain both mean: it is watched.
    item.refusal = statusCode.value >>> 31 === 1 ? statusCode.value : 0;
    item.monitoredItemId = item.refusal === 0 ? monitoredItemId : null;
  });
}

function monitoredItem(opcua: Opcua, item: Item, config: OpcuaConfig): MonitoredItemCreateRequestOptions {
  const { indexRange, deadband } = item.options;
  return {
    itemToMonitor: {
      nodeId: item.nodeId ?? undefined,
      attributeId: opcua.AttributeIds.Value,
      // The library's type asks for its own class, which it does not export; it makes one of the text itself.
      indexRange: indexRange as unknown as undefined,
    },
    monitoringMode: opcua.MonitoringMode.Reporting,
    requestedParameters: {
      clientHandle: item.handle,
      samplingInterval: item.binding.class?.samplingMs ?? config.samplingMs,
      queueSize: Math.max(2, item.binding.class?.queueSize ?? config.queueSize),
      discardOldest: true,
      // Without a filter the server reports changes of value and status, which all servers can (Part 4, 7.22.2).
      ...(deadband === undefined
        ? {}
        : {
            filter: new opcua.DataChangeFilter({
              trigger: opcua.DataChangeTrigger.StatusValue,
              deadbandType: opcua.DeadbandType.Absolute,
              deadbandValue: deadband,
            }),
          }),
    },
  };
}

export async function unmonitor(
  session: RawSession,
  subscriptionId: number,
  items: readonly Item[],
  limits: ServerLimits,
): Promise<void> {
  const ids = items.flatMap((item) => (item.monitoredItemId === null ? [] : [item.monitoredItemId]));
  for (const some of chunks(ids, limits.monitoredItems)) {
    await session.deleteMonitoredItems({ subscriptionId, monitoredItemIds: [...some] });
  }
}
