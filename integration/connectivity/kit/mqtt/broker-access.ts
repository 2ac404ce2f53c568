import { filterCovers, topicFilterFault, topicMatches, topicNameFault } from "./topic.ts";

/** Who a client is allowed to be and to do. Filters may hold wildcards; an empty list allows nothing. */
export interface MqttPrincipal {
  name: string;
  /** Whose messages it shares: a tenant. Nothing passes from one realm to another, whatever the filters say. */
  realm: string;
  /** Client identifiers that it may use: exact, or a beginning followed by `*`. */
  clientIds: readonly string[];
  publish: readonly string[];
  /** Taken out of `publish` again, e.g. commands to machines. */
  publishNot?: readonly string[];
  subscribe: readonly string[];
}

/** What a client shows when it connects. */
export interface MqttLogin {
  clientId: string;
  username: string | null;
  password: Uint8Array | null;
  /** Only when the TLS layer has verified it against the configured authorities. */
  certificate: { fingerprint256: string; commonName: string } | null;
  remoteAddress: string;
}

/** Reserved for the broker and its extensions: clients neither publish nor subscribe there ($SYS, $share, $CONTROL). */
const reserved = (topic: string): boolean => topic.charCodeAt(0) === 36;

export function mayUseClientId(principal: MqttPrincipal, clientId: string): boolean {
  // `$` marks the platform's own publications.
  if (clientId.length === 0 || clientId.length > 256 || clientId.startsWith("$")) return false;
  return principal.clientIds.some((allowed) =>
    allowed.endsWith("*") ? clientId.startsWith(allowed.slice(0, -1)) : allowed === clientId,
  );
}

export function mayPublish(principal: MqttPrincipal, topic: string): boolean {
  return (
    topicNameFault(topic) === null &&
    !reserved(topic) &&
    principal.publish.some((filter) => topicMatches(filter, topic)) &&
    !principal.publishNot?.some((filter) => topicMatches(filter, topic))
  );
}

export function mayReceive(principal: MqttPrincipal, topic: string): boolean {
  return !reserved(topic) && principal.subscribe.some((filter) => topicMatches(filter, topic));
}

/** A subscription is granted only when all that it could ever match is allowed. */
export function maySubscribe(principal: MqttPrincipal, filter: string): boolean {
  return (
    topicFilterFault(filter) === null &&
    !reserved(filter) &&
    principal.subscribe.some((granted) => filterCovers(granted, filter))
  );
}
