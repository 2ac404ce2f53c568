/** Last values and the other views of the main thread. Start with `views.ts`. */
export { LastValueTable } from "./last-values.ts";
export { loadSnapshot, saveSnapshot, type ViewSnapshot } from "./snapshot.ts";
export type { TypeChange } from "./type-changes.ts";
export { Views, type ViewTargets } from "./views.ts";
