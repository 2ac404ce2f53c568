import type { Connection } from "@lineshaft/contract/api";
import type { StateClass } from "../../kit/index.ts";
import type { Failure } from "../machines/connectivity.ts";
import { connectorText } from "./connector-text.ts";

/** One word for how a connection is, whether the platform runs it or the source comes by itself. */
export type ConnectionState = "flowing" | "silent" | "waiting" | "parked" | "connecting" | "stopped" | "never";

/** What needs a look stands first. */
export const stateOrder: readonly ConnectionState[] = [
  "parked",
  "waiting",
  "silent",
  "connecting",
  "stopped",
  "never",
  "flowing",
];

export const stateClass: Record<ConnectionState, StateClass> = {
  flowing: "executing",
  connecting: "setup",
  silent: "notExecuting",
  waiting: "fault",
  parked: "fault",
  stopped: "maintenance",
  never: "unknown",
};

export function stateOf({ health, state }: Connection): ConnectionState {
  if (health !== undefined) return health.state;
  return state === "active" ? "flowing" : state;
}

export const needsLook = (connection: Connection): boolean =>
  ["parked", "waiting", "silent"].includes(stateOf(connection));

/** What is wrong, in two layers; null: nothing is known to be. */
export function failureOf({ health }: Connection): Failure | null {
  if (health?.message === undefined) return null;
  const { fault = "", message, hint = "", technical = "" } = health;
  return { fault, message: connectorText(message), hint: connectorText(hint), technical };
}

type Figures = NonNullable<Connection["figures"]>;
/** Figures that only the platform's own connections have. */
export const figuresOf = ({ figures }: Connection): Figures | null => figures ?? null;

export const warningsOf = ({ health }: Connection): readonly string[] => (health?.warnings ?? []).map(connectorText);

/** The newest sign of life: the last good value where that is known, else the last batch. */
export const lastGoodOf = (connection: Connection): number | null =>
  figuresOf(connection)?.lastGoodUs ?? connection.lastBatchUs;

/** Days until the first certificate ends; null: there is none. */
export function certificateDays(connection: Connection): number | null {
  const days = (figuresOf(connection)?.certificates ?? []).map(({ daysLeft }) => daysLeft);
  return days.length === 0 ? null : Math.min(...days);
}
export const certificateDaysLow = 30;

/** Far less than it should be: below half of what is expected. */
export const isSlow = (connection: Connection): boolean => {
  const expected = figuresOf(connection)?.expectedRatePerSecond ?? null;
  return expected !== null && stateOf(connection) === "flowing" && connection.ratePerSecond < expected / 2;
};
