import type { Micros } from "@lineshaft/contract/api";

/** One PUBLISH as it came, from the embedded broker or an external one. `payload` must not be changed and not be kept beyond the handler. */
export interface MqttMessage {
  topic: string;
  payload: Uint8Array;
  qos: 0 | 1 | 2;
  retain: boolean;
  dup: boolean;
  /** Packet identifier; null at QoS 0. */
  packetId: number | null;
  /** Who published it, where the embedded broker knows; null from an external broker. */
  clientId: string | null;
  receivedUs: Micros;
}

export interface MqttClaim {
  /** Ends the claim; no further message is handed over. Handlers under way are waited for. */
  release(): Promise<void>;
}

/**
 * Where messages come from: the embedded broker, or a session to an external one. Codecs (mqtt, sparkplug) claim topic filters on it and need not
 * know which of the two it is.
 */
export interface MqttSource {
  /** `handler` is called in the order of the messages of one publisher and resolves when the message is durable or refused for good; only then is it acknowledged
   * to the sender (PUBACK, PUBREC). Many may be under way at once. A handler that rejects leaves the message unacknowledged, so that the sender repeats it.
   * Resolves when the subscription stands. */
  claim(filters: readonly string[], handler: (message: MqttMessage) => Promise<void>): Promise<MqttClaim>;
  publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain: boolean }): Promise<void>;
  /** Resolves with the reason when the session is gone (external broker only); never for the embedded broker while it stands. */
  readonly lost: Promise<Error>;
}
