/**
 * Results: what applications make of facts and context, and what they have to make again. Start with `agenda.ts` (what is dirty, in which order it is given out); `store.ts` keeps what
 * was published, `service.ts` joins both with the log.
 */
export { openResults, ResultService, type ResultsOptions } from "./service.ts";
