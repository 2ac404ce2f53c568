import type {
  Dated,
  IdentifierTransition,
  MasterDataItem,
  MasterDataKind,
  Principal,
  Recorded,
} from "@lineshaft/contract/api";
import type { Clock, Facts, Lsn, MasterDataQuery, Registry } from "@lineshaft/contract/ports";
import { type IdentifiedWork, identifiedWork, nothingTold } from "./identified-work.ts";
import { type ToldIdentifier, toldIdentifiers } from "./identifiers.ts";
import { everyPage, type MasterDataReference, mountsOn, remembering } from "./item-reading.ts";

/** Further back than facts are kept. */
const sinceEver = 0;
const forever = Number.MAX_SAFE_INTEGER;
const rememberedMost = 2000;

/** What a machine says of its work over all the time that facts are kept, and what that was made of. */
export interface IdentifiedAnswer extends IdentifiedWork {
  told: readonly ToldIdentifier[];
  used: readonly MasterDataReference[];
}

export const notTold: IdentifiedAnswer = { ...nothingTold, told: [], used: [] };

type Rules = readonly Recorded<MasterDataItem<"identifierRule">>[];
interface Made {
  revision: number;
  transitions: readonly IdentifierTransition[];
  answer: IdentifiedAnswer;
}

/**
 * What machines say of their own work, by rules, look-ups and master data as they are, or as they were known at a place in the log. What the machine told is no part of that: late values count in
 * every answer, as late states and counts do.
 */
export class IdentifierSource {
  readonly #registry: Pick<Registry, "masterData" | "revision">;
  readonly #facts: Pick<Facts, "identifiers">;
  readonly #clock: Clock;
  readonly #made = new Map<string, Made>();
  readonly #rules = new Map<number, { revision: number; rules: Rules }>();

  constructor(parts: {
    registry: Pick<Registry, "masterData" | "revision">;
    facts: Pick<Facts, "identifiers">;
    clock: Clock;
  }) {
    this.#registry = parts.registry;
    this.#facts = parts.facts;
    this.#clock = parts.clock;
  }

  /** `upwards`: the equipment, then what it stands below, nearest first. */
  of(p: Principal, upwards: readonly number[], asOf?: Lsn): IdentifiedAnswer {
    const all = asOf === undefined ? this.#rulesNow(p) : this.#all(p, "identifierRule", { asOf });
    const rules = all.filter(({ item }) => upwards.includes(item.equipmentId));
    if (rules.length === 0) return notTold;
    const transitions = this.#facts.identifiers(upwards[0], sinceEver, this.#clock.nowUs());
    if (asOf !== undefined) return this.#make(p, upwards, rules, transitions, asOf);
    const { revision } = this.#registry;
    const key = `${p.tenant} ${upwards[0]}`;
    const known = this.#made.get(key);
    if (known?.revision === revision && sameTransitions(known.transitions, transitions)) return known.answer;
    const answer = this.#make(p, upwards, rules, transitions);
    if (this.#made.size >= rememberedMost) this.#made.clear();
    this.#made.set(key, { revision, transitions, answer });
    return answer;
  }

  /** Does anybody say what identifiers mean? */
  heard(p: Principal): boolean {
    return this.#rulesNow(p).length > 0;
  }

  #rulesNow(p: Principal): Rules {
    const { revision } = this.#registry;
    const known = this.#rules.get(p.tenant);
    if (known?.revision === revision) return known.rules;
    const rules = this.#all(p, "identifierRule", {});
    this.#rules.set(p.tenant, { revision, rules });
    return rules;
  }

  #make(
    p: Principal,
    upwards: readonly number[],
    rules: Rules,
    transitions: readonly IdentifierTransition[],
    asOf?: Lsn,
  ): IdentifiedAnswer {
    const used: MasterDataReference[] = rules.map(({ id, revision }) => ({ entity: "identifierRule", id, revision }));
    const one = <K extends MasterDataKind>(entity: K) =>
      remembering((id: string) => {
        const found = this.#registry.masterData.find(p, entity, id, asOf);
        if (found !== null) used.push({ entity, id, revision: found.revision });
        return found?.item ?? null;
      });
    const told = toldIdentifiers(
      rules.map(({ item }) => item),
      upwards,
      one("lookUp"),
      transitions,
    );
    if (told.length === 0) return { ...notTold, used };
    const [equipmentId] = upwards;
    const here = { equipmentId, fromUs: Math.min(...told.map(({ fromUs }) => fromUs)), asOf };
    const work = identifiedWork(told, {
      ...{ equipmentId, order: one("order"), material: one("material"), asset: one("physicalAsset") },
      booked: this.#all(p, "order", here).flatMap((order) => bookedOn(order, equipmentId)),
      mounted: this.#all(p, "physicalAsset", here).flatMap(({ item }) => mountsOn(item, equipmentId)),
    });
    return { ...work, told, used };
  }

  #all<K extends MasterDataKind>(p: Principal, kind: K, q: MasterDataQuery): Recorded<MasterDataItem<K>>[] {
    return everyPage(this.#registry.masterData, p, kind, q);
  }
}

const sameTransitions = (a: readonly IdentifierTransition[], b: readonly IdentifierTransition[]): boolean =>
  a.length === b.length &&
  a.every(({ property, t, value }, i) => t === b[i].t && value === b[i].value && property === b[i].property);

function bookedOn({ id, item }: Recorded<MasterDataItem<"order">>, equipmentId: number): (Dated & { order: string })[] {
  return item.operations.flatMap(({ executions }) =>
    executions
      .filter((each) => each.equipmentId === equipmentId)
      .map(({ fromUs, toUs }) => ({ order: id, fromUs, toUs: toUs ?? forever })),
  );
}
