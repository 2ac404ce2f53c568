import type {
  Dated,
  IdentifierTransition,
  MasterDataItem,
  MasterDataKind,
  Principal,
  Recorded,
} from "@lineshaft/contract/api";
import type { Clock, Lsn, MasterData } from "@lineshaft/contract/ports";
import { itemOf, mountsOn, remembering } from "./assemble.ts";
import { type IdentifiedWork, identifiedWork, nothingTold } from "./identified-work.ts";
import { type ToldIdentifier, toldIdentifiers } from "./identifiers.ts";

/** Further back than facts are kept. */
const sinceEver = 0;
const forever = Number.MAX_SAFE_INTEGER;

/** What machines tell: of each identifier property what holds at `from`, then each change before `to`. */
export interface IdentifierReader {
  identifiers(equipmentId: number, from: number, to: number): readonly IdentifierTransition[];
}

/** What machines say of their own work, from their identifiers and master data as they are, or with master data as they were known. */
export class IdentifierSource {
  readonly #data: MasterData;
  readonly #facts: IdentifierReader;
  readonly #clock: Clock;

  constructor(parts: { data: MasterData; facts: IdentifierReader; clock: Clock }) {
    this.#data = parts.data;
    this.#facts = parts.facts;
    this.#clock = parts.clock;
  }

  /** `upwards`: the equipment, then what it stands below. `asOf` is of rules and look-ups; identifiers are told as they are known now. */
  told(p: Principal, upwards: readonly number[], asOf?: Lsn): ToldIdentifier[] {
    const rules = this.#all(p, "identifierRule", asOf).flatMap(({ item }) =>
      upwards.includes(item.equipmentId) ? [item] : [],
    );
    if (rules.length === 0) return [];
    const lookUp = remembering((id) => itemOf(this.#data, p, "lookUp", id, asOf)?.item ?? null);
    const transitions = this.#facts.identifiers(upwards[0], sinceEver, this.#clock.nowUs());
    return toldIdentifiers(rules, upwards, lookUp, transitions);
  }

  /** The same as the work that it stands for, over all the time that facts are kept. */
  work(p: Principal, equipmentId: number, told: readonly ToldIdentifier[], asOf?: Lsn): IdentifiedWork {
    if (told.length === 0) return nothingTold;
    const fromUs = Math.min(...told.map((each) => each.fromUs));
    const here = { equipmentId, fromUs, asOf };
    const one = <K extends MasterDataKind>(kind: K) =>
      remembering((id: string) => itemOf(this.#data, p, kind, id, asOf)?.item ?? null);
    return identifiedWork(told, {
      ...{ equipmentId, order: one("order"), material: one("material"), asset: one("physicalAsset") },
      booked: this.#all(p, "order", asOf, here).flatMap(({ item }) => bookedOn(item, equipmentId)),
      mounted: this.#all(p, "physicalAsset", asOf, here).flatMap(({ item }) => mountsOn(item, equipmentId)),
    });
  }

  #all<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    asOf: Lsn | undefined,
    q: { equipmentId?: number; fromUs?: number } = {},
  ): Recorded<MasterDataItem<K>>[] {
    const items: Recorded<MasterDataItem<K>>[] = [];
    let cursor: string | undefined;
    do {
      const page = this.#data.list(p, kind, { ...q, asOf, cursor, limit: 1000 });
      items.push(...page.items);
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    return items;
  }
}

const bookedOn = ({ operations }: MasterDataItem<"order">, equipmentId: number): Dated[] =>
  operations.flatMap(({ executions }) =>
    executions
      .filter((each) => each.equipmentId === equipmentId)
      .map(({ fromUs, toUs }) => ({ fromUs, toUs: toUs ?? forever })),
  );
