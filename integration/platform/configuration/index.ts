/**
 * Configuration as files: text to a checked configuration (`readConfiguration`), from what is to what is wanted (`diffConfigurations`), and back to text
 * (`renderConfiguration`). Nothing here does I/O.
 */
export { canonical, modelKey, same, timeText } from "./canonical.ts";
export { diffConfigurations, type PlacedBinding, placedBindings, type Step } from "./diff.ts";
export { type ConnectorKind, httpKind, type MeaningOptions, meaningProblems } from "./meaning.ts";
export { nameOf, planOf, pointerOf } from "./plan.ts";
export { checkConfiguration, type ReadConfiguration, type ReadOptions, readConfiguration } from "./read.ts";
export { renderConfiguration, rewriteConfiguration } from "./render.ts";
export { createConfigurationService } from "./service.ts";
export { defaultSourceLimits, type Source, type SourceLimits } from "./source.ts";
