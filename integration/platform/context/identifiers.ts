import {
  type Dated,
  type IdentifierDimension,
  type IdentifierRule,
  type IdentifierTransition,
  identifierDimensions,
  type LookUp,
  type Micros,
  readIdentifier,
} from "@lineshaft/contract/api";
import { layered } from "./timeline.ts";

/** What a machine told of one dimension in [fromUs, toUs). */
export interface ToldIdentifier extends Dated {
  dimension: IdentifierDimension;
  property: string;
  /** As the rule reads it. */
  value: string;
  /** What it stands for; null: no look-up knows it. */
  id: string | null;
}

interface Span extends Dated {
  value: string;
}

const forever: Micros = Number.MAX_SAFE_INTEGER;

/**
 * What identifiers of one machine stand for over time, by rules and look-ups. A gap between two equal values is bridged: an order or a mould is seldom changed and changed back while
 * nobody hears of it. After a gap that ends in another value, or has not ended, nothing is known until the machine tells again. `upwards`: the machine, then what it stands below.
 */
export function toldIdentifiers(
  rules: readonly IdentifierRule[],
  upwards: readonly number[],
  lookUp: (id: string) => LookUp | null,
  transitions: readonly IdentifierTransition[],
): ToldIdentifier[] {
  const byProperty = Map.groupBy(transitions, ({ property }) => property);
  return identifierDimensions.flatMap((dimension) =>
    inForce(rules, dimension, upwards).flatMap((rule) =>
      spansOf(byProperty.get(rule.property) ?? [], rule)
        .map((span) => clipped(span, rule))
        .filter(({ fromUs, toUs }) => fromUs < toUs)
        .flatMap((span) =>
          translated(span, rule, lookUp).map((told) => ({ ...told, dimension, property: rule.property })),
        ),
    ),
  );
}

type RuleInForce = Omit<IdentifierRule, "toUs"> & Dated;

/** One rule at a time for a dimension: what is said of a nearer place covers what is said of a farther one. */
function inForce(
  rules: readonly IdentifierRule[],
  dimension: IdentifierDimension,
  upwards: readonly number[],
): RuleInForce[] {
  const farthestFirst = [...upwards].reverse().flatMap((place) =>
    rules
      .filter((rule) => rule.equipmentId === place && rule.dimension === dimension)
      .sort((a, b) => a.fromUs - b.fromUs)
      .map((rule) => ({ ...rule, toUs: rule.toUs ?? forever })),
  );
  return layered(farthestFirst);
}

/** The values of one property as stretches of time, gaps between equal ones bridged. */
function spansOf(transitions: readonly IdentifierTransition[], rule: IdentifierRule | RuleInForce): Span[] {
  const spans: Span[] = [];
  /** Since the last stretch the machine has told that there is nothing. */
  let ended = true;
  for (const [i, { t, value }] of transitions.entries()) {
    // Unknown: whether what was told before goes on is seen by what comes next.
    if (value === null) continue;
    const told = readIdentifier(value, rule);
    const toUs = transitions[i + 1]?.t ?? forever;
    const last = spans.at(-1);
    if (told === null) ended = true;
    else if (last !== undefined && !ended && last.value === told) last.toUs = toUs;
    else spans.push({ fromUs: t, toUs, value: told });
    if (told !== null) ended = false;
  }
  return spans;
}

const clipped = (span: Span, { fromUs, toUs }: Dated): Span => ({
  ...span,
  fromUs: Math.max(span.fromUs, fromUs),
  toUs: Math.min(span.toUs, toUs),
});

/** A value by the look-up; where no row of its time knows it, it stands for nothing that is known. */
function translated(
  span: Span,
  { lookUp }: RuleInForce,
  find: (id: string) => LookUp | null,
): (Span & { id: string | null })[] {
  if (lookUp === null) return [{ ...span, id: span.value }];
  const rows = (find(lookUp)?.rows ?? [])
    .filter(({ value }) => value === span.value)
    .map(({ id, fromUs, toUs }) => ({ ...clipped(span, { fromUs, toUs: toUs ?? forever }), id }));
  return layered<Span & { id: string | null }>([{ ...span, id: null }, ...rows]);
}

/** What is left of a stretch of time outside of others. */
export function without<T extends Dated>(item: T, others: readonly Dated[]): T[] {
  let left = [item];
  for (const { fromUs, toUs } of others)
    left = left.flatMap((each) => {
      if (toUs <= each.fromUs || fromUs >= each.toUs) return [each];
      return [
        { ...each, toUs: fromUs },
        { ...each, fromUs: toUs },
      ].filter((part) => part.fromUs < part.toUs);
    });
  return left;
}
