/** From the log into history, and verdicts back into the log. */
export { HistoryFeeder } from "./feeder.ts";
