/** The plant's own account of itself: what can be known of what really happened (`known.ts`), and the OEE of it (`oee.ts`). Knows nothing of the platform. */
export {
  asTold,
  type CountName,
  countedBy,
  counterNames,
  type Knowable,
  type Known,
  knownOf,
  type Span,
  toldAt,
} from "./known.ts";
export { stopsOf } from "./meaning.ts";
export { type Heads, oeeOf, type TrueOee } from "./oee.ts";
export { idealCyclesOf, type Plan, type TrueLateScrap, type TrueReason } from "./plan.ts";
export { TruthBook } from "./truth-book.ts";
