/**
 * The contract that outsiders live on: types, JSON schemas, the error catalogue and pure helpers. Nothing else is
 * public. Start with `routes.ts` (REST), `stream.ts` (events) and `columns.ts` (the shape of a batch).
 */
export * from "./access.ts";
export * from "./alarms.ts";
export * from "./bookings.ts";
export * from "./calendar.ts";
export * from "./calendar-templates.ts";
export * from "./calendar-zone.ts";
export * from "./columns.ts";
export * from "./configuration.ts";
export * from "./connection-spec.ts";
export * from "./connectivity.ts";
export * from "./context.ts";
export * from "./context-reasons.ts";
export * from "./demo.ts";
export * from "./equipment.ts";
export * from "./executions.ts";
export * from "./fact-records.ts";
export * from "./facts.ts";
export * from "./facts-values.ts";
export * from "./identifiers.ts";
export * from "./ingest.ts";
export * from "./kpi.ts";
export * from "./mapping.ts";
export * from "./mapping-alarm.ts";
export * from "./mapping-meaning.ts";
export * from "./mapping-presets.ts";
export * from "./master-data.ts";
export * from "./master-data-routes.ts";
export * from "./master-data-transfer.ts";
export * from "./now.ts";
export * from "./order-progress.ts";
export * from "./problem.ts";
export * from "./query.ts";
export * from "./results.ts";
export * from "./routes.ts";
export * from "./status-code.ts";
export * from "./stops.ts";
export * from "./stream.ts";
export * from "./system.ts";
export * from "./tag.ts";
export * from "./time.ts";
export * from "./time-class.ts";
export * from "./timelines.ts";
export * from "./value.ts";
export * from "./work.ts";
