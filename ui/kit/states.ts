/**
 * The one table of state colours: tiles, timelines, legends and exports read it. Colours are CSS custom properties of
 * theme.css; each class is also told by its pattern, for eyes that do not tell the hues. Red is the only strong colour.
 */
export const stateClasses = [
  "executing",
  "setup",
  "notExecuting",
  "fault",
  "noOrder",
  "maintenance",
  "unknown",
] as const;
export type StateClass = (typeof stateClasses)[number];

export type StatePattern = "plain" | "dots" | "rising" | "cross" | "hatched";

export interface StateStyle {
  /** Name of the CSS custom property. */
  colour: `--state-${string}`;
  pattern: StatePattern;
  /** Where many states share a pixel the worst is drawn, so that a breakdown never disappears. */
  severity: number;
}

export const stateStyles: Readonly<Record<StateClass, StateStyle>> = {
  executing: { colour: "--state-executing", pattern: "plain", severity: 1 },
  noOrder: { colour: "--state-no-order", pattern: "plain", severity: 0 },
  setup: { colour: "--state-setup", pattern: "dots", severity: 2 },
  maintenance: { colour: "--state-maintenance", pattern: "cross", severity: 3 },
  notExecuting: { colour: "--state-not-executing", pattern: "rising", severity: 4 },
  unknown: { colour: "--state-unknown", pattern: "hatched", severity: 5 },
  fault: { colour: "--state-fault", pattern: "plain", severity: 6 },
};

/** Words that machines use, in lower case without blanks, hyphens and underscores: OPC 40001-1 item states and modes, PackML, and habit. */
const words: Readonly<Record<string, StateClass>> = {
  executing: "executing",
  execute: "executing",
  running: "executing",
  run: "executing",
  producing: "executing",
  processing: "executing",
  completing: "executing",
  unholding: "executing",
  unsuspending: "executing",
  setup: "setup",
  starting: "setup",
  resetting: "setup",
  changeover: "setup",
  notexecuting: "notExecuting",
  stopped: "notExecuting",
  stop: "notExecuting",
  stopping: "notExecuting",
  holding: "notExecuting",
  suspending: "notExecuting",
  clearing: "notExecuting",
  held: "notExecuting",
  suspended: "notExecuting",
  paused: "notExecuting",
  starved: "notExecuting",
  blocked: "notExecuting",
  waiting: "notExecuting",
  microstop: "notExecuting",
  fault: "fault",
  faulted: "fault",
  error: "fault",
  alarm: "fault",
  aborted: "fault",
  aborting: "fault",
  down: "fault",
  breakdown: "fault",
  idle: "noOrder",
  complete: "noOrder",
  off: "noOrder",
  none: "noOrder",
  noorder: "noOrder",
  noshift: "noOrder",
  break: "noOrder",
  maintenance: "maintenance",
  outofservice: "maintenance",
  cleaning: "maintenance",
  notavailable: "unknown",
  unknown: "unknown",
};

/** The class of a state's name; null where the text is not known as a state. */
export function stateClassOf(text: string): StateClass | null {
  return words[text.toLowerCase().replace(/[\s_-]/g, "")] ?? null;
}
