/**
 * Layer 1, the OT zone: connectors know addresses and values, no equipment, no orders, no users. Start with `contract/ports/connector.ts` (the one shape),
 * then `runtime/` (supervision and all retry), then a folder of `connectors/`.
 */
export type { MqttClaim, MqttMessage, MqttSource } from "./kit/mqtt/source.ts";
