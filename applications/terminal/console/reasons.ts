import { ownReasons, type Reason, startingReasons } from "@lineshaft/contract/api";

/** A group of the reason tree with what can be chosen in it. */
export interface ReasonGroup {
  group: Reason;
  reasons: Reason[];
}

/** The starting vocabulary with a plant's own beside, or in its place. */
export function reasonTree(own: readonly Reason[]): ReadonlyMap<number, Reason> {
  const all = [...startingReasons, ...own];
  return new Map(all.map((reason): [number, Reason] => [reason.number, reason]).sort(([a], [b]) => a - b));
}

/** Nobody says these: they are what holds when nobody says anything. */
const unsaid: readonly number[] = [ownReasons.unspecifiedStop, ownReasons.microStop, ownReasons.noOrder];

/** For stops: all but those of a running machine and of scrap. */
export const stopReasons = (tree: ReadonlyMap<number, Reason>): ReasonGroup[] =>
  groups(tree).filter(({ group }) => group.itemState !== null && group.itemState !== "Executing");

/** For scrap and rework. */
export const scrapReasons = (tree: ReadonlyMap<number, Reason>): ReasonGroup[] =>
  groups(tree).filter(({ group }) => group.number === ownReasons.quality);

function groups(tree: ReadonlyMap<number, Reason>): ReasonGroup[] {
  const all = [...tree.values()];
  const parents = new Set(all.map(({ parent }) => parent));
  const rootOf = (reason: Reason): number => {
    let at = reason;
    for (let steps = 0; at.parent !== null && steps < tree.size; steps++)
      at = tree.get(at.parent) ?? { ...at, parent: null };
    return at.number;
  };
  return all
    .filter(({ parent }) => parent === null)
    .map((group) => ({
      group,
      reasons: all.filter(
        (each) => !parents.has(each.number) && !unsaid.includes(each.number) && rootOf(each) === group.number,
      ),
    }))
    .filter(({ reasons }) => reasons.length > 0);
}
