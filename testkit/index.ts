/** Test-only parts: clocks, disks that fail, contract suites. Never imported by what ships. */
export * from "./clock.ts";
export * from "./contracts/connector-fixture.ts";
export * from "./contracts/history-contract.ts";
export * from "./contracts/log-contract.ts";
export * from "./contracts/registry-contract.ts";
export * from "./disk.ts";
export * from "./memory-log.ts";
export * from "./peers.ts";
export * from "./power-cut/index.ts";
export * from "./random.ts";
export * from "./reference-history.ts";
