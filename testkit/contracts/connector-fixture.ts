import type { Micros, Value } from "@lineshaft/contract/api";
import type { ConnectionFault, TagBinding } from "@lineshaft/contract/ports";

/** Where a peer can be reached; the suite may put a proxy or a dead port in its place. */
export interface PeerAddress {
  host: string;
  port: number;
}

/** Each rule of the suite by name, as it stands in the test's title. */
export const connectorRules = [
  "kind-kebab-case",
  "fields-described",
  "default-config",
  "schema-round-trip",
  "check-tells",
  "create-does-nothing",
  "close-before-connect",
  "connect-after-close",
  "connect-aborts",
  "nothing-left",
  "unreachable",
  "unauthorised",
  "misconfigured",
  "no-own-retry",
  "lost-throws",
  "peer-leaves",
  "columns-equal",
  "only-bound",
  "source-time",
  "bad-delivered",
  "outside-type-bad",
  "unreadable-alone",
  "stops-after-abort",
  "reads-again",
  "credit",
  "acknowledge-last",
  "secrets-absent",
  "logged-once",
] as const;
export type ConnectorRule = (typeof connectorRules)[number];

/**
 * How a tag of the peer goes wrong: `badQuality`: the peer says itself that the value is bad (a protocol without quality: like unreadable);
 * `unreadable`: reading this one tag fails; `outsideType`: the peer gives a value that does not fit the type the binding declares.
 */
export type Spoiling = "badQuality" | "unreadable" | "outsideType";

/**
 * The other side of one connector in one test: a fake or real server, or for kinds that listen a client. All waiting is done by the suite: a method
 * resolves when the peer has done its part, not when the connector has noticed.
 */
export interface ConnectorPeer {
  /** For `connects`: where it listens. The suite connects through its own proxy, which counts, drops and stalls. null: the peer can only be reached directly (then give `attempts` and `drop`). */
  address: PeerAddress | null;
  /**
   * A configuration that works, as a person writes it (before defaults), for the peer at `address`; with all periods as short as the schema allows.
   * Kinds that listen, and peers without an address, ignore `address`.
   */
  config(address: PeerAddress): Record<string, unknown>;
  /** A configuration that is refused with this fault; null where the protocol has no such thing (then the rule needs a waiver). `unreachable` is only asked where `address` is null. */
  refusedConfig(fault: ConnectionFault, address: PeerAddress): Record<string, unknown> | null;
  /** At least three tags that take small whole numbers, by the names under which their rows come. */
  tags: readonly string[];
  /** The binding that reads this tag. */
  bind(tag: string): TagBinding;
  /** The tag has this value from now on (a server), or it is sent (a client). `timeUs` (whole ms) where the protocol carries the source's time, else ignored. */
  set(tag: string, value: number, timeUs: Micros): Promise<void>;
  spoil(tag: string, how: Spoiling): Promise<void>;
  /** So many messages have been acknowledged to this peer; absent where the protocol has no acknowledgement. */
  acknowledged?(): number;
  /** So many attempts to connect were seen; absent: counted by the suite's proxy. */
  attempts?(): number;
  /** Ends the existing connection(s) abruptly and can be connected to again (a server), or leaves and comes back with its next `set` (a client). Absent: by the proxy. */
  drop?(): Promise<void>;
  /** Objects that the host would have put into `context.share` before. */
  shared?: ReadonlyMap<string, object>;
  stop(): Promise<void>;
}

/** What the author of a connector gives to `connectorContract`. */
export interface ConnectorFixture {
  /** A peer of its own for each test, on a free port, with all tags readable and at 0. `stateDir` is the connector's, for certificates and the like. */
  start(stateDir: string): Promise<ConnectorPeer>;
  /** A kind that can do both runs the suite twice; default: the type's own mode. */
  mode?: "connects" | "listens";
  /** Secrets by the reference name that the configurations use; their values must turn up nowhere. */
  secrets?: Record<string, string>;
  /** TCP connections that one `connect` makes at most; default 1. (OPC UA asks for the endpoints first: 2.) */
  socketsPerConnect?: number;
  /** How a value that was set may come back: default `Number(value)`. */
  asNumber?(value: Value): number;
  /** Rules that cannot apply to this protocol, each with its reason in one sentence. */
  waivers?: Partial<Record<ConnectorRule, string>>;
  /** How long the suite waits for something to come; default 5000. */
  patienceMs?: number;
}
