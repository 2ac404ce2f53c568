import type { Call } from "./raw-channel.ts";
import type { Source } from "./raw-subscription.ts";
import { builtIn, Reader, type WireValue, Writer } from "./wire.ts";

export const status = {
  badSessionIdInvalid: 0x80250000,
  badTooManyPublishRequests: 0x80780000,
  badServiceUnsupported: 0x800b0000,
  badSubscriptionIdInvalid: 0x80280000,
  badNoSubscription: 0x80790000,
  badMessageNotAvailable: 0x807b0000,
  badNodeIdUnknown: 0x80340000,
  badAttributeIdInvalid: 0x80350000,
  badHistoryOperationUnsupported: 0x80720000,
} as const;

/** Attributes of a node (Part 6, A.1). */
export const attribute = {
  nodeClass: 2,
  browseName: 3,
  displayName: 4,
  description: 5,
  value: 13,
  dataType: 14,
  valueRank: 15,
  accessLevel: 17,
  userAccessLevel: 18,
  historizing: 20,
} as const;

export interface RawReference {
  nodeId: string;
  name: string;
  nodeClass: "object" | "variable";
  typeDefinition?: string;
  referenceType?: string;
}

/** What a raw server shows. */
export interface Plant {
  /** A value, or a StatusCode. */
  read(nodeId: string, attributeId: number): { value: WireValue; sourceUs?: number } | number;
  children(nodeId: string): readonly RawReference[];
  /** Target of a property by its name; null: there is none. */
  property?(nodeId: string, name: string): string | null;
  /** Values in [from, to), oldest first; null: there is no history of this node. */
  history?(nodeId: string, fromUs: number, toUs: number): readonly { us: number; value: WireValue }[] | null;
  source: Source;
}

/** The services on nodes: Read, Browse, TranslateBrowsePathsToNodeIds, HistoryRead. */
export class RawNodes {
  readonly #plant: Plant;
  readonly #nowUs: () => number;
  readonly #pages = new Map<string, readonly RawReference[]>();
  #numbers = 0;

  constructor(plant: Plant, nowUs: () => number) {
    this.#plant = plant;
    this.#nowUs = nowUs;
  }

  read(call: Call): void {
    const { body } = call;
    body.f64();
    body.u32();
    const wanted = body.array(() => {
      const one = { nodeId: body.nodeId(), attributeId: body.u32() };
      body.string();
      body.qualifiedName();
      return one;
    });
    call.channel.answer(call, (out) => {
      out.array(wanted, ({ nodeId, attributeId }) => {
        const found = this.#own(nodeId, attributeId) ?? this.#plant.read(nodeId, attributeId);
        if (typeof found === "number") out.dataValue(null, found);
        else out.dataValue(found.value, 0, found.sourceUs ?? 0, this.#nowUs());
      });
      out.u32(0);
    });
  }

  /** The nodes that every server has. */
  #own(nodeId: string, attributeId: number): { value: WireValue; sourceUs?: number } | null {
    if (attributeId !== attribute.value) return null;
    if (nodeId === "i=2258") return { value: { type: builtIn.dateTime, value: this.#nowUs() } };
    if (nodeId === "i=2259") return { value: { type: builtIn.int32, value: 0 } };
    if (nodeId === "i=2255")
      return { value: { type: builtIn.string, value: ["http://opcfoundation.org/UA/", "urn:lineshaft:raw"] } };
    return null;
  }

  browse(call: Call): void {
    const { body } = call;
    body.nodeId();
    body.time();
    body.u32();
    const most = body.u32();
    const wanted = body.array(() => {
      const nodeId = body.nodeId();
      body.u32();
      const referenceType = body.nodeId();
      body.bool();
      body.u32();
      body.u32();
      return { nodeId, referenceType };
    });
    call.channel.answer(call, (out) => {
      out.array(wanted, ({ nodeId, referenceType }) => {
        const all = this.#plant.children(nodeId);
        // Asked by one exact type: HasComponent and the like; else all hierarchical ones.
        const hierarchical = referenceType === "i=33" || referenceType === "i=31";
        const fitting = hierarchical ? all : all.filter((r) => (r.referenceType ?? "i=35") === referenceType);
        this.#page(out, fitting, most);
      });
      out.u32(0);
    });
  }

  browseNext(call: Call): void {
    const release = call.body.bool();
    const most = 1_000;
    const points = call.body.array(() => call.body.bytes()?.toString() ?? "");
    call.channel.answer(call, (out) => {
      out.array(points, (point) => {
        const rest = this.#pages.get(point) ?? [];
        this.#pages.delete(point);
        this.#page(out, release ? [] : rest, most);
      });
      out.u32(0);
    });
  }

  #page(out: Writer, references: readonly RawReference[], most: number): void {
    const now = most > 0 ? references.slice(0, most) : references;
    const rest = references.slice(now.length);
    let point: Buffer | null = null;
    if (rest.length > 0) {
      const name = `page-${++this.#numbers}`;
      this.#pages.set(name, rest);
      point = Buffer.from(name);
    }
    out.u32(0).bytes(point);
    out.array(now, (r) => {
      out
        .nodeId(r.referenceType ?? "i=35")
        .bool(true)
        .nodeId(r.nodeId)
        .qualifiedName(r.name, 1);
      out
        .localizedText(r.name)
        .u32(r.nodeClass === "object" ? 1 : 2)
        .nodeId(r.typeDefinition ?? "i=63");
    });
  }

  translate(call: Call): void {
    const { body } = call;
    const paths = body.array(() => {
      const nodeId = body.nodeId();
      const names = body.array(() => {
        body.nodeId();
        body.bool();
        body.bool();
        return body.qualifiedName();
      });
      return { nodeId, name: names.at(-1) ?? "" };
    });
    call.channel.answer(call, (out) => {
      out.array(paths, ({ nodeId, name }) => {
        const target = this.#plant.property?.(nodeId, name) ?? null;
        out.u32(target === null ? 0x806f0000 : 0);
        out.array(target === null ? [] : [target], (found) => out.nodeId(found).u32(0xffffffff));
      });
      out.u32(0);
    });
  }

  historyRead(call: Call): void {
    const { body } = call;
    const details = new Reader(body.structure()?.body ?? Buffer.alloc(0));
    details.bool();
    const [fromUs, toUs, most] = [details.time(), details.time(), details.u32()];
    body.u32();
    const release = body.bool();
    const wanted = body.array(() => {
      const nodeId = body.nodeId();
      body.string();
      body.qualifiedName();
      return { nodeId, point: body.bytes()?.toString() ?? null };
    });
    call.channel.answer(call, (out) => {
      out.array(wanted, ({ nodeId, point }) => {
        const all = release ? [] : this.#plant.history?.(nodeId, point === null ? fromUs : Number(point), toUs);
        if (all === null || all === undefined)
          return out.u32(status.badHistoryOperationUnsupported).bytes(null).noStructure();
        const now = all.slice(0, most);
        const next = all[now.length];
        const data = new Writer();
        data.array(now, ({ us, value }) => data.dataValue(value, 0, us, us));
        out
          .u32(0)
          .bytes(next === undefined ? null : Buffer.from(String(next.us)))
          .structure(658, data.build());
      });
      out.u32(0);
    });
  }
}
