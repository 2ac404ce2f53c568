/** History on DuckDB. Start with `store.ts` (order of things), then `head.ts`, `files.ts` (what survives), `query.ts`. */
export { type HistoryOptions, type LocalHistory, openHistory } from "./local-history.ts";
export { defaultLimits, type HistoryEvent, type HistoryLimits } from "./messages.ts";
