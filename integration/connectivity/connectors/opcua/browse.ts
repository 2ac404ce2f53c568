import { type BrowseItem, ConnectionError } from "@lineshaft/contract/ports";
import type { BrowseResult, NodeId, ReferenceDescription } from "node-opcua-client";
import { hintOf, type KnownType, TypeTable } from "./companion.ts";
import { readFacts } from "./describe.ts";
import { chunks, inPieces, parseAddress, type ServerLimits } from "./items.ts";
import type { Opcua } from "./library.ts";
import { orAborted, type RawSession } from "./link.ts";

/** References a server may send in one answer. */
const referencesPerNode = 500;
/** Children of one node that are shown; a server that invents endless ones does not hold us (A44). */
const childrenMax = 100_000;
/** AccessLevel (Part 3, 8.57): the current value may be read. */
const currentReadBit = 1;

/**
 * One level below a node, page by page. Deeper levels are asked for by the caller, so that cyclic references lead nowhere by themselves; a
 * child that is reachable by two references comes once.
 */
export async function* browseNode(
  opcua: Opcua,
  session: RawSession,
  limits: ServerLimits,
  address: string,
  signal: AbortSignal,
): AsyncGenerator<BrowseItem> {
  const nodeId =
    address === ""
      ? opcua.coerceNodeId(opcua.ObjectIds.ObjectsFolder)
      : parseAddress(opcua, address, limits.namespaces);
  if (nodeId === null)
    throw new ConnectionError(
      "misconfigured",
      `"${address}" is no address.`,
      "Write it as ns=2;s=Name or nsu=uri;i=7.",
    );
  session.requestedMaxReferencesPerNode = referencesPerNode;
  const types = new TypeTable(opcua, session, limits.namespaces);
  const parent = await orAborted(signal, types.ofInstance(nodeId));
  const seen = new Set<string>();
  let result: BrowseResult = await orAborted(signal, session.browse(childrenOf(opcua, nodeId)));
  if (result.statusCode.isBad())
    throw new ConnectionError(
      "protocol",
      `${address} cannot be browsed.`,
      "Refresh its parent.",
      result.statusCode.toString(),
    );
  let point: Buffer | null = null;
  try {
    for (;;) {
      point = result.continuationPoint?.length ? result.continuationPoint : null;
      const fresh = (result.references ?? []).filter((reference) => {
        const key = reference.nodeId.toString();
        // References to other servers are not followed: nobody configured those (A44).
        if (reference.nodeId.serverIndex !== 0 || seen.has(key)) return false;
        seen.add(key);
        return true;
      });
      for (const some of chunks(fresh, limits.browse))
        yield* itemsOf({ opcua, session, limits, types, parent, signal }, some);
      if (point === null) return;
      if (seen.size >= childrenMax)
        throw new ConnectionError(
          "protocol",
          `${address === "" ? "The server" : address} has more than ${childrenMax} children; the first of them were listed.`,
          "Browse what lies below them, or write the addresses by hand.",
        );
      signal.throwIfAborted();
      result = await session.browseNext(point, false);
    }
  } finally {
    // Also when nobody wants the rest: a server keeps only a few of them.
    if (point !== null) await session.browseNext(point, true).catch(() => {});
  }
}

function childrenOf(opcua: Opcua, nodeId: NodeId) {
  return {
    nodeId,
    browseDirection: opcua.BrowseDirection.Forward,
    referenceTypeId: opcua.coerceNodeId(opcua.ReferenceTypeIds.HierarchicalReferences),
    includeSubtypes: true,
    // Objects and Variables; types and methods are no places for tags.
    nodeClassMask: 3,
    resultMask: 63,
  };
}

interface Level {
  opcua: Opcua;
  session: RawSession;
  limits: ServerLimits;
  types: TypeTable;
  /** What the level lies below. */
  parent: KnownType | null;
  signal: AbortSignal;
}

async function* itemsOf(level: Level, references: readonly ReferenceDescription[]): AsyncGenerator<BrowseItem> {
  const { opcua, session, limits, signal } = level;
  const variables = references.filter((r) => r.nodeClass === opcua.NodeClass.Variable);
  const ids = variables.map((r) => r.nodeId as NodeId);
  const [facts, types, expandable, known] = await orAborted(
    signal,
    Promise.all([
      readFacts(opcua, session, ids, limits),
      readTypes(opcua, session, ids, limits),
      haveChildren(opcua, session, ids),
      Promise.all(references.map((r) => level.types.of((r.typeDefinition as NodeId | null) ?? null))),
    ]),
  );
  for (const [i, reference] of references.entries()) {
    const at = variables.indexOf(reference);
    const name = reference.displayName.text ?? reference.browseName.name ?? "";
    const hint = hintOf(known[i], level.parent, reference.browseName.name ?? "", at !== -1);
    const base = { address: reference.nodeId.toString(), name, ...(hint === undefined ? {} : { hint }) };
    if (at === -1) yield { ...base, readable: false, expandable: true };
    else {
      const { description, unit } = facts[at];
      const { readable, dataType } = types[at];
      yield { ...base, readable, expandable: expandable[at], dataType, unit, description };
    }
  }
}

async function readTypes(
  opcua: Opcua,
  session: RawSession,
  ids: readonly NodeId[],
  limits: ServerLimits,
): Promise<{ readable: boolean; dataType?: string }[]> {
  const { DataType, UserAccessLevel, ValueRank } = opcua.AttributeIds;
  const attributes = [DataType, UserAccessLevel, ValueRank];
  const wanted = ids.flatMap((nodeId) => attributes.map((attributeId) => ({ nodeId, attributeId })));
  const read = await inPieces(wanted, limits.read, (some) => session.read([...some]));
  const values = read.map((value): unknown => value.value?.value);
  const typeIds = ids.map((_, i) => values[3 * i] as NodeId | null | undefined);
  const names = await typeNames(opcua, session, typeIds, limits);
  return ids.map((_, i) => ({
    readable: (Number(values[3 * i + 1] ?? 0) & currentReadBit) !== 0,
    dataType: names[i] === undefined ? undefined : names[i] + (Number(values[3 * i + 2] ?? -1) >= 1 ? "[]" : ""),
  }));
}

/** The names of data types, each read once. */
async function typeNames(
  opcua: Opcua,
  session: RawSession,
  typeIds: readonly (NodeId | null | undefined)[],
  limits: ServerLimits,
): Promise<(string | undefined)[]> {
  const unique = new Map<string, NodeId>();
  for (const id of typeIds) if (id) unique.set(id.toString(), id);
  const wanted = [...unique.values()].map((nodeId) => ({ nodeId, attributeId: opcua.AttributeIds.BrowseName }));
  const read = await inPieces(wanted, limits.read, (some) => session.read([...some]));
  const names = new Map(
    [...unique.keys()].map((key, i) => [key, (read[i].value?.value as { name?: string } | null)?.name]),
  );
  return typeIds.map((id) => (id ? names.get(id.toString()) : undefined));
}

/** Do these variables have parts of their own? Properties do not count: they say what the variable is. */
async function haveChildren(opcua: Opcua, session: RawSession, ids: readonly NodeId[]): Promise<boolean[]> {
  if (ids.length === 0) return [];
  const referenceTypeId = opcua.coerceNodeId(opcua.ReferenceTypeIds.HasComponent);
  const results = await session.browse(
    ids.map((nodeId) => ({ ...childrenOf(opcua, nodeId), referenceTypeId, resultMask: 0 })),
  );
  const points = results.flatMap((r) => (r.continuationPoint?.length ? [r.continuationPoint as Buffer] : []));
  if (points.length > 0) await session.browseNext(points, true);
  return results.map((r) => (r.references?.length ?? 0) > 0);
}
