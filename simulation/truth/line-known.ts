import type { Micros } from "@lineshaft/contract/api";
import type { Known, KnownCount, Span } from "./known.ts";
import { makes } from "./meaning.ts";
import { firstBehind, placeAt } from "./spans.ts";

/**
 * What is known of a serial line (RULES 10): the time is its constraint's; what comes off the last machine is produced, and every reject along the line is one of the line's. Its machines count totals and rejects.
 * Pieces of which only an interval is known lie in the running time of the machine that counted them, wherever one of `edges` cuts it.
 */
export function knownOfLine(constraint: Known, along: readonly Known[], edges: readonly Micros[]): Known {
  const output = along[along.length - 1];
  const cuts = [...new Set([...edges, ...constraint.states.map(({ fromUs }) => fromUs)])].sort((a, b) => a - b);
  const counts = along.flatMap((known) =>
    known.counts.flatMap((count) =>
      (isCut(count, cuts) ? placed(count, known) : [{ ...count, spread: false }]).flatMap((each): KnownCount[] => {
        if (each.name === "total") return known === output ? [{ ...each, name: "good" }] : [];
        // A reject of the last machine is in its total.
        return known === output ? [each, { ...each, name: "good", n: -each.n }] : [each];
      }),
    ),
  );
  return { states: constraint.states, counts: counts.sort((a, b) => a.atUs - b.atUs) };
}

function isCut({ fromUs, atUs, spread }: KnownCount, cuts: readonly Micros[]): boolean {
  if (!spread) return false;
  let [low, high] = [0, cuts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cuts[middle] < fromUs) low = middle + 1;
    else high = middle;
  }
  return low < cuts.length && cuts[low] < atUs;
}

/** Piece i of n at quantile (i − ½)/n of the machine's running time there. */
function placed(count: KnownCount, { states }: Known): KnownCount[] {
  const { fromUs, atUs, n } = count;
  let runs: Span[] = [];
  for (let i = firstBehind(states, fromUs); i < states.length && states[i].fromUs < atUs; i++)
    if (states[i].itemState === null || makes(states[i]))
      runs.push({ fromUs: Math.max(fromUs, states[i].fromUs), toUs: Math.min(atUs, states[i].toUs) });
  if (runs.length === 0) runs = [{ fromUs, toUs: atUs }];
  const length = runs.reduce((sum, run) => sum + run.toUs - run.fromUs, 0);
  return Array.from({ length: n }, (_, i) => {
    const at = placeAt(runs, Math.ceil(((2 * i + 1) * length) / (2 * n)));
    return { ...count, fromUs: at, atUs: at, n: 1, spread: false };
  });
}
