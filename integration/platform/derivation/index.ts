/**
 * Raw standard inputs → machine facts, which can repair themselves. Start with `engine.ts`; the automata are `state.ts`, `counter.ts`, `pulse.ts` and `value.ts`, the way
 * they go through time is `track.ts`, and what happens when the past changes is `repair.ts`.
 */
export { Binding, type BindingRole, type BindingSpec } from "./binding.ts";
export type { FactsCheckpoint, FactsDelta, FactsStore, SavedBinding } from "./checkpoint.ts";
export { lookAheadUs, machineFacts, quantity } from "./compose.ts";
export type { DirtyRange } from "./dirty.ts";
export { Derivation, type Past } from "./engine.ts";
export { FactsFollower } from "./follower.ts";
export type { KnownGap } from "./follower-parts.ts";
export { GapLedger, type GapStatement } from "./gaps.ts";
export { ConditionTable } from "./joint-condition.ts";
export { factsKeptUs } from "./kept.ts";
export { compileMapping, type DatedRule, jointRules, Rules, textKey } from "./mapping.ts";
export { type InputRow, MemoryInputs } from "./memory-inputs.ts";
export { alarmIntervals, alarmTransitions, identifierTransitions } from "./names.ts";
export type { SilenceStatement } from "./proof-of-life.ts";
export { Steps } from "./steps.ts";
export { Texts } from "./texts.ts";
export { defaultWatermark, nextWatermark } from "./watermark.ts";
