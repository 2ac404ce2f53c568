import type { Clock } from "@lineshaft/contract/ports";
import type { MqttLogin, MqttPrincipal } from "./broker-access.ts";
import type { BrokerStoreLimits } from "./broker-store.ts";

/** What the broker tells for the audit; `principal` is null before somebody has signed in. */
export interface BrokerEvent {
  event: "refused" | "connected" | "disconnected" | "cut";
  clientId: string | null;
  principal: string | null;
  remoteAddress: string;
  detail: string;
}

export interface BrokerLimits {
  connections: number;
  /** So many are let in a second; the others wait in line, as long as a CONNECT may take. */
  connectsPerSecond: number;
  packetBytes: number;
  /** User properties of one packet (MQTT 5). */
  userProperties: number;
  keepAliveSeconds: number;
  connectTimeoutMs: number;
  /** A subscriber that takes nothing for so long is cut off (F33). */
  drainTimeoutMs: number;
  /** Bytes that may wait at one subscriber's socket; beyond, QoS 0 is dropped for it and QoS 1 cuts it off. */
  backlogBytes: number;
  /** Refused publishes and subscriptions of one connection before it is cut. */
  violations: number;
  /** How long a message waits for a claim that is known but not there at the moment. */
  holdMs: number;
  /** Client identifiers that stay bound to one principal; beyond, its oldest is free again. */
  clientIds: number;
}

export const defaultLimits: BrokerLimits = {
  connections: 20_000,
  connectsPerSecond: 500,
  packetBytes: 1024 * 1024,
  userProperties: 100,
  keepAliveSeconds: 300,
  connectTimeoutMs: 10_000,
  drainTimeoutMs: 10_000,
  backlogBytes: 4 * 1024 * 1024,
  violations: 10,
  holdMs: 10_000,
  clientIds: 20_000,
};

export interface BrokerOptions {
  clock: Clock;
  /**
   * Who is it? The principal's name, or null. Passwords are hashed and compared in constant time by the caller. There is no anonymous access: a login with neither
   * password nor certificate is refused before this is asked.
   */
  authenticate(login: MqttLogin): Promise<string | null>;
  /** What the principal may do now; null when it is revoked. Asked again for every message and every delivery. */
  principal(name: string): MqttPrincipal | null;
  /** Whose a client identifier is by its form alone; null: whoever uses it first. */
  clientIdOwner?(clientId: string): string | null;
  audit?(event: BrokerEvent): void;
  limits?: Partial<BrokerLimits>;
  storeLimits?: Partial<BrokerStoreLimits>;
}

export interface BrokerListener {
  host: string;
  /** 0: any free one. */
  port: number;
  tls?: {
    key: string;
    certificate: string;
    /** Authorities whose client certificates are accepted. */
    authorities?: string;
    clientCertificate: "none" | "optional" | "required";
  };
}
