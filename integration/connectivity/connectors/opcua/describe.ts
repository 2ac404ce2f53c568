import type { DataValue } from "node-opcua-client";
import { type Item, inPieces, type ServerLimits } from "./items.ts";
import type { Opcua } from "./library.ts";
import type { RawSession } from "./link.ts";
import { unitOf } from "./units.ts";

/** AccessLevel (Part 3, 8.57): the history may be read. */
const historyReadBit = 4;

/** What a server says of a node beside its value. */
export interface NodeFacts {
  description?: string;
  unit?: string;
  history: boolean;
}

/** Learns unit, description and whether there is history. What the server does not tell stays unknown; nothing depends on it but comfort and back-fill. */
export async function describeItems(
  opcua: Opcua,
  session: RawSession,
  items: readonly Item[],
  limits: ServerLimits,
): Promise<void> {
  const open = items.filter((item) => item.nodeId !== null);
  // A server without one of these services gives its values all the same; a broken channel shows soon enough.
  const facts = await readFacts(
    opcua,
    session,
    open.map((item) => item.nodeId!),
    limits,
  ).catch(() => [] as NodeFacts[]);
  open.forEach((item, i) => {
    Object.assign(item, facts[i]);
    item.described = facts.length > 0;
    item.told = false;
  });
}

/** Facts of nodes, in their order. */
export async function readFacts(
  opcua: Opcua,
  session: RawSession,
  nodeIds: readonly Item["nodeId"][],
  limits: ServerLimits,
): Promise<NodeFacts[]> {
  const { AccessLevel, Historizing, Description } = opcua.AttributeIds;
  const attributes = [AccessLevel, Historizing, Description];
  const wanted = nodeIds.flatMap((nodeId) => attributes.map((attributeId) => ({ nodeId: nodeId!, attributeId })));
  const values = await inPieces(wanted, limits.read, (some) => session.read([...some]));
  const units = await readUnits(opcua, session, nodeIds, limits).catch(() => []);
  return nodeIds.map((_, i) => {
    const [access, historizing, description] = values.slice(3 * i, 3 * i + 3).map((v): unknown => v.value?.value);
    const text = (description as { text?: string | null } | null | undefined)?.text?.trim();
    return {
      history: (Number(access ?? 0) & historyReadBit) !== 0 && historizing === true,
      ...(text ? { description: text } : {}),
      ...(units[i] === undefined ? {} : { unit: units[i] }),
    };
  });
}

/** The property EngineeringUnits of AnalogItemType and its kin (Part 8, 5.3.2.3). */
async function readUnits(
  opcua: Opcua,
  session: RawSession,
  nodeIds: readonly Item["nodeId"][],
  limits: ServerLimits,
): Promise<(string | undefined)[]> {
  return inPieces(nodeIds, Math.min(limits.translate, limits.read), async (some) => {
    const paths = some.map(
      (nodeId) =>
        new opcua.BrowsePath({
          startingNode: nodeId!,
          relativePath: {
            elements: [
              {
                referenceTypeId: opcua.coerceNodeId(opcua.ReferenceTypeIds.HasProperty),
                isInverse: false,
                includeSubtypes: true,
                targetName: { namespaceIndex: 0, name: "EngineeringUnits" },
              },
            ],
          },
        }),
    );
    const found = await session.translateBrowsePath(paths);
    const targets = found.map((result) => result.targets?.[0]?.targetId ?? null);
    const known = targets.flatMap((target) => (target === null ? [] : [target]));
    const values = known.length === 0 ? [] : await session.read(known.map((nodeId) => ({ nodeId })));
    let at = 0;
    return targets.map((target) => (target === null ? undefined : unitFrom(values[at++])));
  });
}

function unitFrom(value: DataValue | undefined): string | undefined {
  const information: unknown = value?.value?.value;
  if (typeof information !== "object" || information === null || !("unitId" in information)) return undefined;
  const { unitId, displayName } = information as { unitId: number; displayName?: { text?: string | null } | null };
  return unitOf(unitId, displayName?.text ?? null);
}
