import { attribute, type Plant, type RawReference, status } from "./raw-nodes.ts";
import { encodeChanges, type RawChange, type RawItem, type RawSubscription, type Source } from "./raw-subscription.ts";
import { builtIn, type WireValue } from "./wire.ts";

/** Overflow, with the information type DataValue (Part 4, 7.39.1). */
const overflow = 0x480;
const int32 = (value: number): WireValue => ({ type: builtIn.int32, value });

export interface MachineOptions {
  /** When it began to count. */
  startUs: number;
  stepUs: number;
  nowUs(): number;
  /** Tags `ns=1;i=1` to `ns=1;i=n`. */
  tags: number;
  /** The tags up to this one have history. */
  withHistory?: number;
}

/** A machine whose tags all count: at any instant it knows what each was at any earlier one, also after it was killed and started again. */
export class RawMachine implements Plant, Source {
  readonly #options: MachineOptions;
  /** Counts that a full queue threw away. */
  overflowed = 0;
  /** It reports no change. */
  frozen = false;

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  get source(): Source {
    return this;
  }

  countAt(us: number): number {
    return Math.floor((us - this.#options.startUs) / this.#options.stepUs);
  }

  timeOf(count: number): number {
    return this.#options.startUs + count * this.#options.stepUs;
  }

  #number(nodeId: string): number {
    const number = Number(/^ns=1;i=(\d+)$/.exec(nodeId)?.[1] ?? 0);
    return number <= this.#options.tags ? number : 0;
  }

  read(nodeId: string, attributeId: number): { value: WireValue; sourceUs?: number } | number {
    const number = this.#number(nodeId);
    if (number === 0) return nodeId === "i=6" ? this.#type(attributeId) : status.badNodeIdUnknown;
    const kept = number <= (this.#options.withHistory ?? 0);
    switch (attributeId) {
      case attribute.value: {
        const count = this.countAt(this.#options.nowUs());
        return { value: int32(count), sourceUs: this.timeOf(count) };
      }
      case attribute.accessLevel:
      case attribute.userAccessLevel:
        return { value: { type: builtIn.byte, value: kept ? 5 : 1 } };
      case attribute.historizing:
        return { value: { type: builtIn.boolean, value: kept } };
      case attribute.dataType:
        return { value: { type: builtIn.nodeId, value: "i=6" } };
      case attribute.valueRank:
        return { value: int32(-1) };
      case attribute.description:
        return { value: { type: builtIn.localizedText, value: `Counter ${number}` } };
    }
    return status.badAttributeIdInvalid;
  }

  #type(attributeId: number): { value: WireValue } | number {
    if (attributeId !== attribute.browseName) return status.badAttributeIdInvalid;
    return { value: { type: builtIn.qualifiedName, value: "Int32" } };
  }

  children(nodeId: string): readonly RawReference[] {
    if (nodeId !== "i=85") return [];
    const { tags } = this.#options;
    return Array.from({ length: tags }, (_, i) => ({
      nodeId: `ns=1;i=${i + 1}`,
      name: `Tag${i + 1}`,
      nodeClass: "variable",
    }));
  }

  history(nodeId: string, fromUs: number, toUs: number): { us: number; value: WireValue }[] | null {
    const number = this.#number(nodeId);
    if (number === 0 || number > (this.#options.withHistory ?? 0)) return null;
    const found: { us: number; value: WireValue }[] = [];
    const last = Math.min(toUs, this.#options.nowUs());
    for (
      let count = Math.max(0, Math.ceil((fromUs - this.#options.startUs) / this.#options.stepUs));
      this.timeOf(count) < last;
      count++
    )
      found.push({ us: this.timeOf(count), value: int32(count) });
    return found;
  }

  added(item: RawItem): void {
    item.at = this.countAt(this.#options.nowUs()) - 1;
  }

  next(subscription: RawSubscription, most: number): { body: Buffer; more: boolean } | null {
    if (this.frozen) return null;
    const now = this.countAt(this.#options.nowUs());
    const changes: RawChange[] = [];
    for (const item of subscription.items.values()) {
      const oldest = now - item.queueSize;
      let lost = false;
      if (item.at < oldest) {
        this.overflowed += oldest - item.at;
        item.at = oldest;
        lost = true;
      }
      while (item.at < now) {
        if (changes.length === most) return { body: encodeChanges(changes), more: true };
        item.at += 1;
        const { handle } = item;
        changes.push({ handle, value: int32(item.at), us: this.timeOf(item.at), status: lost ? overflow : 0 });
        lost = false;
      }
    }
    return changes.length === 0 ? null : { body: encodeChanges(changes), more: false };
  }
}
