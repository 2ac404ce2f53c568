/**
 * Context: what people and ERPs say about the floor (shifts, orders, reasons, set-up, ideal cycles), and how it is joined with what machines did. Start with
 * `calendar.ts` (from a shift calendar to shifts in time) and `cells.ts` (facts under their context).
 */

export { type BoundAnnotation, bindAnnotations, reasonsInForce } from "./annotations.ts";
export { type ContextQuery, contextOf } from "./assemble.ts";
export {
  type AssignedCalendar,
  assignedShifts,
  type CalendarFault,
  calendarFaults,
  shiftOccurrences,
} from "./calendar.ts";
export { cellSource, placesUpwards, timeZoneAt } from "./cell-source.ts";
export { type CellInput, type CountSource, cellsOf, type Window } from "./cells.ts";
export {
  type ContextDimension,
  contextDifference,
  datedDifference,
  dirtyResults,
  dirtyWindows,
  type ResultKey,
} from "./context-diff.ts";
export { type IdentifiedAnswer, IdentifierSource } from "./identifier-source.ts";
export type { MasterDataReference } from "./item-reading.ts";
export {
  executionsOf,
  lastProducing,
  machineScrapSources,
  type ScrapPart,
  type ScrapSources,
  scrapParts,
} from "./late-scrap.ts";
export { type LineInput, type LineMember, type LineTopology, lineCells } from "./line.ts";
export { asTopology, membersOf, topologiesOf } from "./lines.ts";
export { type CycleSteps, MachineContext, type MasterDataChange } from "./machine-context.ts";
export { mergeCells } from "./merge.ts";
export { nowSource } from "./now.ts";
export { setUpsFromOrderChange } from "./set-up.ts";
export { stateSpans, stopsOf } from "./states.ts";
export { machineStops, stopSource } from "./stops.ts";
export { createMasterDataTransfer } from "./transfer/index.ts";
export { workSource } from "./work.ts";
