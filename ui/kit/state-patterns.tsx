import { type StateClass, type StatePattern, stateStyles } from "./states.ts";

const strokes: Record<Exclude<StatePattern, "plain">, string> = {
  dots: "M2 2h.01M6 6h.01",
  rising: "M-1 9L9 -1M-1 1L1 -1M7 9L9 7",
  cross: "M0 0L8 8M8 0L0 8",
  hatched: "M-1 9L9 -1M-1 1L1 -1M7 9L9 7M-1 5L5 -1M3 9L9 3",
};

/** The patterns of states for one SVG; `stateFill` refers to them. `prefix` keeps several SVGs of a page apart. */
export function StatePatterns({ prefix }: { prefix: string }) {
  return (
    <defs>
      {Object.entries(strokes).map(([name, path]) => (
        <pattern key={name} id={`${prefix}-${name}`} width="8" height="8" patternUnits="userSpaceOnUse">
          <path
            d={path}
            fill="none"
            stroke="var(--pattern)"
            strokeWidth={name === "dots" ? 1.75 : 1}
            strokeLinecap={name === "dots" ? "round" : "butt"}
          />
        </pattern>
      ))}
    </defs>
  );
}

/** Fill of a state: its colour, and what is drawn above it; null where colour alone says it. */
export function stateFill(state: StateClass | null, prefix: string): { colour: string; pattern: string | null } {
  if (state === null) return { colour: "var(--shade-3)", pattern: null };
  const { colour, pattern } = stateStyles[state];
  return { colour: `var(${colour})`, pattern: pattern === "plain" ? null : `url(#${prefix}-${pattern})` };
}
