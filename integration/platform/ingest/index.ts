/** Ingest: where batches become durable. Start with `ingest.ts`. */
export { Classifier, type ClockBounds, defaultClockBounds } from "./classify.ts";
export { createConnectionService } from "./connections.ts";
export { defaultTagQuota, type LiveConnection, TagDirectory } from "./directory.ts";
export { Ingest, type IngestOptions } from "./ingest.ts";
export { SumLedger } from "./sums.ts";
