import type { ConnectorType } from "@lineshaft/contract/ports";
import { checkModbus } from "./check.ts";
import { configSchema, type ModbusConfig, tagOptionsSchema } from "./config.ts";
import { ModbusConnector } from "./connector.ts";

/**
 * Modbus TCP: polls coils and registers of a device, or of serial devices behind a gateway. Read on in `connector.ts` (the life of a connection),
 * `group-reader.ts` (one poll) and `plan.ts` (which reads it takes); README.md tells about addresses and limits.
 */
export const modbus: ConnectorType<ModbusConfig> = {
  kind: "modbus",
  title: "Modbus TCP",
  mode: "connects",
  config: configSchema,
  tagOptions: tagOptionsSchema,
  // The protocol has no memory: what is not polled is gone. It is told as a gap where it is known.
  delivery: () => "bestEffort",
  thread: "worker",
  check: checkModbus,
  create: (config, context) => new ModbusConnector(config, context),
};
