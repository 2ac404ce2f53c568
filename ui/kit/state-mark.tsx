import { type StateClass, stateStyles } from "./states.ts";

/** A state by colour and by shape, so that neither is needed alone. */
const shapes: Record<StateClass, string> = {
  executing: "M2 6a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
  setup: "M2 2h8v8H2z",
  notExecuting: "M6 1.200l5 9.600H1z",
  fault: "M6 .500L11.500 6L6 11.500L.500 6z",
  noOrder: "M2 4.500h8v3H2z",
  maintenance: "M2 2h8v8H2z",
  unknown: "M2 6a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
};

export function StateMark({ state }: { state: StateClass }) {
  const { colour, pattern } = stateStyles[state];
  const hatched = pattern === "hatched";
  return (
    <svg className="state-mark" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      <path
        d={shapes[state]}
        fill={`var(${colour})`}
        stroke="var(--ink-3)"
        strokeWidth={hatched ? 1.25 : 0.75}
        strokeDasharray={hatched ? "2 1.5" : undefined}
      />
      {pattern === "cross" && <path d="M2 2l8 8M10 2l-8 8" stroke="var(--ink-3)" strokeWidth="1" />}
      {pattern === "dots" && (
        <path
          d="M4.500 4.500h.01M7.500 4.500h.01M4.500 7.500h.01M7.500 7.500h.01"
          stroke="var(--ink-2)"
          strokeWidth="1.5"
          strokeLinecap="round"
        />
      )}
    </svg>
  );
}
