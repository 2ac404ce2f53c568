import {
  type Equipment,
  type IdentifierRule,
  type LookUp,
  type Micros,
  type Recorded,
  readIdentifier,
} from "@lineshaft/contract/api";

/** What an identifier of a machine tells by the rules of the plant: pure, as the platform reads it. */

const holdsAt = ({ fromUs, toUs }: { fromUs: Micros; toUs: Micros | null }, at: Micros): boolean =>
  fromUs <= at && (toUs === null || at < toUs);

const isAbove = (above: string, path: string): boolean =>
  above === "" || above === path || path.startsWith(`${above}/`);

/** Rules that take this property of a machine at a time: of each dimension the one of the nearest place. */
export function rulesOf(
  rules: readonly Recorded<IdentifierRule>[],
  equipment: ReadonlyMap<number, Pick<Equipment, "path">>,
  path: string,
  property: string,
  at: Micros,
): Recorded<IdentifierRule>[] {
  const nearest = new Map<string, { rule: Recorded<IdentifierRule>; depth: number }>();
  for (const rule of rules) {
    const place = equipment.get(rule.item.equipmentId)?.path;
    if (place === undefined || !isAbove(place, path) || !holdsAt(rule.item, at)) continue;
    const known = nearest.get(rule.item.dimension);
    if (known === undefined || place.length >= known.depth)
      nearest.set(rule.item.dimension, { rule, depth: place.length });
  }
  return [...nearest.values()].map(({ rule }) => rule).filter(({ item }) => item.property === property);
}

/** What a value is after the rule has read it, null: it stands for nothing; and whose id that is, null: no row of its time knows it. */
export interface Told {
  read: string | null;
  id: string | null;
}

/** What a value tells by a rule at a time. */
export function told(rule: IdentifierRule, lookUp: LookUp | null, value: string, at: Micros): Told {
  const read = readIdentifier(value, rule);
  if (read === null || rule.lookUp === null) return { read, id: read };
  return { read, id: lookUp?.rows.find((one) => one.value === read && holdsAt(one, at))?.id ?? null };
}
