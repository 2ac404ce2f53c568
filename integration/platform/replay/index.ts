/** Replay: the event source that streams read, from any past instant to live. Start with `event-source.ts`. */
export { createEventSource, type EventSourceParts } from "./event-source.ts";
