/** Test-only parts: clocks, disks that fail, contract suites. Never imported by what ships. */
export * from "./chaos-proxy.ts";
export * from "./clock.ts";
export * from "./configuration.ts";
export * from "./contracts/connector-contract.ts";
export * from "./contracts/connector-fixture.ts";
export * from "./contracts/history-contract.ts";
export * from "./contracts/log-contract.ts";
export * from "./contracts/master-data-contract.ts";
export * from "./contracts/registry-contract.ts";
export * from "./disk.ts";
export * from "./memory-log.ts";
export * from "./peers.ts";
export * from "./power-cut/index.ts";
export * from "./random.ts";
export * from "./real-clock.ts";
export * from "./recording-sink.ts";
export * from "./reference-history.ts";
