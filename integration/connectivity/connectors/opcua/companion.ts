import type { BrowseItem } from "@lineshaft/contract/ports";
import type { NodeId } from "node-opcua-client";
import type { Opcua } from "./library.ts";
import type { RawSession } from "./link.ts";

type Hint = NonNullable<BrowseItem["hint"]>;

/** What a type of a companion specification says of its instances and of what lies directly below them. */
export interface KnownType {
  type: string;
  /** The instance itself, where it is a variable. */
  kind?: Hint["kind"];
  /** Variables below it, by their browse names; `*`: each. */
  below?: Partial<Record<string, Hint["kind"]>>;
}

const machinery = "http://opcfoundation.org/UA/Machinery/";
const processValues = "http://opcfoundation.org/UA/Machinery/ProcessValues/";
const packml = "http://opcfoundation.org/UA/PackML/";

const state = { CurrentState: "itemState" } as const;
/** By namespace and number: OPC 40001-1 (Machinery), OPC 40001-2 (Process Values), OPC 30050 (PackML), and the analog items of Part 8. */
const types: Record<string, KnownType> = {
  [`${machinery} 1002`]: { type: "MachineryItemState_StateMachineType", below: state },
  [`${machinery} 1008`]: {
    type: "MachineryOperationModeStateMachineType",
    below: { CurrentState: "operationMode" },
  },
  [`${machinery} 1004`]: { type: "MachineryItemIdentificationType", below: { "*": "identifier" } },
  [`${machinery} 1005`]: { type: "MachineryComponentIdentificationType", below: { "*": "identifier" } },
  [`${machinery} 1012`]: { type: "MachineIdentificationType", below: { "*": "identifier" } },
  [`${processValues} 1003`]: { type: "ProcessValueType", below: { AnalogSignal: "processValue" } },
  [`${processValues} 2002`]: { type: "ProcessValueVariableType", kind: "processValue" },
  [`${packml} 1`]: { type: "PackMLExecuteStateMachineType", below: state },
  [`${packml} 2`]: { type: "PackMLMachineStateMachineType", below: state },
  [`${packml} 3`]: { type: "PackMLBaseStateMachineType", below: state },
  [`${packml} 4`]: {
    type: "PackMLStatusObjectType",
    below: { UnitModeCurrent: "operationMode", CurMachSpeed: "processValue", MachSpeed: "processValue" },
  },
  [`${packml} 5`]: { type: "PackMLAdminObjectType" },
  [`${packml} 6`]: { type: "PackMLBaseObjectType", below: { TagID: "identifier" } },
  "http://opcfoundation.org/UA/ 15318": { type: "BaseAnalogType", kind: "processValue" },
  "http://opcfoundation.org/UA/ 2368": { type: "AnalogItemType", kind: "processValue" },
  "http://opcfoundation.org/UA/ 17497": { type: "AnalogUnitType", kind: "processValue" },
  "http://opcfoundation.org/UA/ 17570": { type: "AnalogUnitRangeType", kind: "processValue" },
};

/** What is proposed for one thing that a browse found, by its own type and by what it lies below. */
export function hintOf(
  own: KnownType | null,
  parent: KnownType | null,
  name: string,
  isVariable: boolean,
): Hint | undefined {
  if (!isVariable) return own === null ? undefined : { type: own.type };
  const byPlace = parent?.below?.[name] ?? parent?.below?.["*"];
  if (parent !== null && byPlace !== undefined) return { type: parent.type, kind: byPlace };
  return own?.kind === undefined ? undefined : { type: own.type, kind: own.kind };
}

/** A maker's own type derives from a known one in so many steps at most. */
const stepsMax = 8;
/** Types that are looked up for one level; a server that has a type of its own for each node is not asked for all of them. */
const lookupsMax = 200;

/** The known types that nodes are of, also by way of a maker's own subtypes. */
export class TypeTable {
  readonly #opcua: Opcua;
  readonly #session: RawSession;
  readonly #namespaces: readonly string[];
  readonly #known = new Map<string, Promise<KnownType | null>>();
  #lookups = 0;

  constructor(opcua: Opcua, session: RawSession, namespaces: readonly string[]) {
    this.#opcua = opcua;
    this.#session = session;
    this.#namespaces = namespaces;
  }

  /** By the type's node; null: none that means anything to us. */
  of(type: NodeId | null): Promise<KnownType | null> {
    if (type === null) return Promise.resolve(null);
    const key = type.toString();
    const known = this.#known.get(key) ?? this.#find(type).catch(() => null);
    this.#known.set(key, known);
    return known;
  }

  /** By the instance's node. */
  async ofInstance(nodeId: NodeId): Promise<KnownType | null> {
    const { HasTypeDefinition } = this.#opcua.ReferenceTypeIds;
    const type = await this.#target(nodeId, HasTypeDefinition, this.#opcua.BrowseDirection.Forward).catch(() => null);
    return this.of(type);
  }

  async #find(type: NodeId): Promise<KnownType | null> {
    let at: NodeId | null = type;
    for (let step = 0; at !== null && step < stepsMax; step++) {
      const known = types[`${this.#namespaces[at.namespace]} ${at.value}`];
      if (known !== undefined) return known;
      // OPC UA's own types derive from nothing but its own, and those that matter are in the table.
      if (at.namespace === 0 || ++this.#lookups > lookupsMax) return null;
      at = await this.#target(at, this.#opcua.ReferenceTypeIds.HasSubtype, this.#opcua.BrowseDirection.Inverse);
    }
    return null;
  }

  async #target(nodeId: NodeId, referenceType: number, browseDirection: number): Promise<NodeId | null> {
    const result = await this.#session.browse({
      nodeId,
      browseDirection,
      referenceTypeId: this.#opcua.coerceNodeId(referenceType),
      includeSubtypes: true,
      nodeClassMask: 0,
      resultMask: 0,
    });
    if (result.continuationPoint?.length) await this.#session.browseNext(result.continuationPoint, true);
    return (result.references?.[0]?.nodeId as NodeId | undefined) ?? null;
  }
}
