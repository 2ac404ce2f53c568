/** Ports between the layers: for integration, host and testkit only. No I/O and no state here. */
export * from "./as-of.ts";
export * from "./clock.ts";
export * from "./configuration.ts";
export * from "./connector.ts";
export * from "./demo.ts";
export * from "./disk.ts";
export * from "./fact-records.ts";
export * from "./facts-record.ts";
export * from "./history.ts";
export * from "./log.ts";
export * from "./master-data.ts";
export * from "./records.ts";
export * from "./registry.ts";
export * from "./results.ts";
export * from "./services.ts";
export * from "./sink.ts";
