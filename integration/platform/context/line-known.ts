import { incrementFlags, type MachineFacts, type Micros, type StateCode, unknownState } from "@lineshaft/contract/api";
import { isKnown, stateSpans } from "./states.ts";

/**
 * The states by which a line is judged: its constraint's, and unknown where nobody can say what came off the line, because the machine whose output is the line's is
 * unknown and no surviving counter of it reaches over that time. Else time would be set against pieces that were made but not seen (RULES 4 for a line).
 */
export function judgedBy(constraint: MachineFacts, output: MachineFacts): MachineFacts {
  const blind = blindSpans(output);
  if (constraint === output || blind.length === 0) return constraint;
  const t: Micros[] = [];
  const code: StateCode[] = [];
  const state = (at: Micros, of: StateCode): void => {
    if (code.at(-1) === of) return;
    t.push(at);
    code.push(of);
  };
  let next = 0;
  for (const span of stateSpans(constraint)) {
    while (next < blind.length && blind[next].to <= span.from) next++;
    let at = span.from;
    for (let i = next; i < blind.length && blind[i].from < span.to; i++) {
      if (blind[i].from > at) state(at, span.code);
      state(Math.max(at, blind[i].from), unknownState);
      at = Math.min(blind[i].to, span.to);
    }
    if (at < span.to) state(at, span.code);
  }
  return { ...constraint, states: { count: t.length, t: Float64Array.from(t), code: Int32Array.from(code) } };
}

interface Blind {
  from: Micros;
  to: Micros;
}

/** Where the machine is unknown, less what counters that went on over it say. */
function blindSpans(facts: MachineFacts): Blind[] {
  const { count, source, t, flags } = facts.increments;
  const bridges: Blind[] = [];
  for (let i = 0; i < count; i++)
    if ((flags[i] & incrementFlags.estimated) !== 0 && (flags[i] & incrementFlags.uncertain) === 0)
      bridges.push({ from: source[i], to: t[i] });
  let blind = stateSpans(facts)
    .filter(({ code }) => !isKnown(code))
    .map(({ from, to }) => ({ from, to }));
  if (blind.length === 0) return blind;
  for (const bridge of bridges)
    blind = blind.flatMap(({ from, to }) =>
      bridge.from >= to || bridge.to <= from
        ? [{ from, to }]
        : [
            { from, to: bridge.from },
            { from: bridge.to, to },
          ].filter((left) => left.from < left.to),
    );
  return blind;
}
