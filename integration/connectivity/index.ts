import type { ConnectorType } from "@lineshaft/contract/ports";

/**
 * Layer 1, the OT zone: connectors know addresses and values, no equipment, no orders, no users. Start with `contract/ports/connector.ts` (the one shape),
 * then `runtime/` (supervision and all retry), then a folder of `connectors/`.
 */

/** Loads one kind; its protocol library is loaded later, by `check` and `create`. */
export type ConnectorLoader = () => Promise<ConnectorType>;

/** Every kind, one line each: `modbus: async () => (await import("./connectors/modbus/index.ts")).modbus`. */
export const connectorKinds: Record<string, ConnectorLoader> = {
  modbus: async () => (await import("./connectors/modbus/index.ts")).modbus,
  mqtt: async () => (await import("./connectors/mqtt/index.ts")).mqtt,
  "mqtt-broker": async () => (await import("./connectors/mqtt/index.ts")).mqttBroker,
  opcua: async () => (await import("./connectors/opcua/index.ts")).opcua,
  sparkplug: async () => (await import("./connectors/sparkplug/index.ts")).sparkplug,
  "sparkplug-broker": async () => (await import("./connectors/sparkplug/index.ts")).sparkplugBroker,
};

export { CertificateFolder as OpcuaCertificates, type CertificateSummary } from "./connectors/opcua/certificates.ts";
export { EmbeddedBroker } from "./kit/mqtt/broker.ts";
export type { MqttLogin, MqttPrincipal } from "./kit/mqtt/broker-access.ts";
export type { BrokerEvent, BrokerListener, BrokerOptions } from "./kit/mqtt/broker-options.ts";
export type { BrokerSource } from "./kit/mqtt/broker-source.ts";
export { embeddedBrokerKey } from "./kit/mqtt/embedded.ts";
export type { MqttClaim, MqttMessage, MqttSource } from "./kit/mqtt/source.ts";
export * from "./runtime/index.ts";
