import type { TSchema } from "typebox";
import type {
  BrowseItem,
  CheckStep,
  Columns,
  ConnectionFigures,
  DeliveryClass,
  Micros,
  ProblemCode,
  Proposals,
  RowFault,
  WireRecord,
} from "../api/index.ts";
import type { Clock } from "./clock.ts";
import type { Offer } from "./sink.ts";

/** Why a connection does not work. The runtime decides by it whether trying again makes sense. */
export const connectionFaults = {
  /** Nobody answers; try again with growing pauses. */
  unreachable: { retry: "backOff" },
  /** It worked and has stopped working; try again at once, then with growing pauses. */
  lost: { retry: "backOff" },
  /** The peer answers, but not in its protocol or within its limits. */
  protocol: { retry: "backOff" },
  /** The peer refuses the credential: tried again rarely, so that no account is locked. */
  unauthorised: { retry: "rarely" },
  /** A certificate is unknown, expired or revoked: waits for a person's trust, looks again rarely. */
  untrusted: { retry: "rarely" },
  /** The configuration cannot work as it stands: waits for a change. */
  misconfigured: { retry: "onChange" },
} as const;
export type ConnectionFault = keyof typeof connectionFaults;

/** A connection's failure in two layers: what a person reads, and the technical line below it. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
  readonly fault: ConnectionFault;
  /** What to do next, in one sentence. */
  readonly hint: string;
  /** The protocol's own words, e.g. `BadCertificateUntrusted` or `CONNACK 0x87`. Never a secret. */
  readonly technical: string;

  constructor(
    fault: ConnectionFault,
    message: string,
    hint: string,
    technical = "",
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
    this.fault = fault;
    this.hint = hint;
    this.technical = technical;
  }
}

/** How carefully values of a tag class are fetched. */
export interface TagClass {
  samplingMs: number;
  queueSize: number;
}

/** One tag to read: the address as the protocol spells it, parsed by the connector's `address` schema. */
export interface TagBinding {
  address: string;
  /** What the connector needs beyond the address (data type, word order, dead-band …), by its own schema. */
  options?: Record<string, unknown>;
  class?: TagClass;
  /** `state` (default): the value stands until the next one, so it goes stale with its connection. `event`: a row is an occurrence; nothing stands that could go stale. */
  behaviour?: "state" | "event";
}

/** What a connector offers, and with the offer gives away: it must not touch the columns afterwards. Names are the addresses of the bindings, or what a listener saw. */
export interface ConnectorBatch {
  names: readonly string[];
  /**
   * The connector keeps this list over many batches and only ever appends to it, so that a name is handed on and looked up once and not in every batch. It may hold
   * names that no row of this batch has.
   */
  namesKept?: boolean;
  columns: Columns;
  ordinalsGiven: boolean;
  /** The source's own session and number, where it has them. */
  generation?: number;
  sequence?: number;
  sourceCursor?: string | null;
  /** Units and other properties that came with the tags (birth certificates, EUInformation), by name. */
  properties?: ReadonlyMap<string, { unit?: string; description?: string; dataType?: string }>;
  faults?: RowFault[];
  faultSamples?: { tag: string | null; time: Micros | null; value: unknown }[];
}

/** The sink as one connection sees it: its own connection and tenant are stamped by the runtime. */
export interface ConnectorSink {
  /**
   * Durable or rejected; acknowledge to the source only after this. Offers of one connection are answered in order. Rejects only when the connection ends
   * before the verdict: the runtime itself waits for a full disk and the like.
   */
  offer(batch: ConnectorBatch): Promise<Offer>;
  /** Rows that may still be in flight; a reader waits on `ready` when it is 0. */
  credit(): { rows: number; bytes: number };
  /** Resolves when there is credit again. */
  ready(signal: AbortSignal): Promise<void>;
  /** A message that could not be decoded: kept with its reason. */
  reject(item: { code: ProblemCode; detail: string; payload: Uint8Array | null }): Promise<void>;
  /** Data known to be lost; becomes a gap record. */
  gap(gap: { fromUs: Micros; toUs: Micros | null; points: number | null; reason: string }): Promise<void>;
  /** Tags that have no live value any more (node death, lost session): stored as rows with this status, value kept. */
  stale(names: readonly string[] | "all", status: number, atUs: Micros): Promise<void>;
}

export interface ConnectorContext {
  clock: Clock;
  /** Secrets by reference name (`${secret:plc-password}`); never put them into diagnosis, errors or logs. */
  secret(reference: string): string | null;
  /** A folder of its own for session state; survives restarts. */
  stateDir: string;
  /** A folder that all connections of the kind share, e.g. for certificates; absent: its own serves. */
  kindDir?: string;
  /** One object for all connections of this thread, made on first use: the embedded broker, a certificate store. */
  share<T extends object>(key: string, make: () => T): T;
  /** Raw wire traffic, for capture and live view; absent when nobody looks, so ask for it each time. */
  wire?(direction: "in" | "out", bytes: Uint8Array, note?: string): void;
  /** State worth telling once: `lost`, `restored`, `degraded` with a reason. */
  log(event: "info" | "warning", text: string): void;
}

/**
 * One live instance of a connector. The runtime calls `connect` (one attempt, no retry inside), then `read` until it ends, then
 * `connect` again on the same instance, which keeps its session state; `close` at any time, twice too.
 */
export interface Connector {
  /** Resolves when the peer has accepted us; rejects with ConnectionError. Gives up within 1 s after `signal`. */
  connect(signal: AbortSignal): Promise<void>;
  /**
   * Reads until `signal` or a failure, which it throws as ConnectionError ("lost" when the peer went away); it never returns before. Offers within the
   * credit, bad quality as bad, one unreadable tag without harm to the others. After an abort it rejects with the signal's reason; `read` may then be called
   * again on the same connection, with other bindings. `resumeFrom` is the last durable sourceCursor.
   */
  read(
    bindings: readonly TagBinding[],
    resumeFrom: string | null,
    sink: ConnectorSink,
    signal: AbortSignal,
  ): Promise<never>;
  /** Ends everything; no timer and no socket stays. */
  close(): Promise<void>;
  /** Children of an address ("" = the root); absent where the protocol cannot browse. */
  browse?(address: string, signal: AbortSignal): AsyncIterable<BrowseItem>;
  /**
   * The state in plain values, without secrets, for support and the console. `certificates`, where the connection rests on some, is a list of
   * `RestsOn`: the runtime warns before they end.
   */
  diagnose(): Record<string, unknown>;
}

/** A certificate that a live connection rests on. */
export interface RestsOn {
  of: "own" | "peer";
  thumbprint: string;
  subject: string;
  validToUs: Micros;
}

/** A certificate with what a person compares before trusting it. Thumbprints are upper-case hex. */
export interface CertificateSummary {
  thumbprint: string;
  /** What most servers' tools show. */
  thumbprintSha1: string;
  subject: string;
  issuer: string;
  applicationUri: string | null;
  /** As the certificate writes it. */
  validity: string;
  validFromUs: Micros;
  validToUs: Micros;
}

/** The certificates of one kind of connector: ours, and those of peers. */
export interface CertificateStore {
  list(): Promise<{ own: CertificateSummary | null; trusted: CertificateSummary[]; rejected: CertificateSummary[] }>;
  /** Null: it is not among the rejected. */
  trust(thumbprint: string): Promise<CertificateSummary | null>;
  /** Null: it is not among the trusted. */
  distrust(thumbprint: string): Promise<CertificateSummary | null>;
}

/** What a check of a configuration found, before anything is saved; and what a look at the peer's address space found. */
export type { BrowseItem, CheckStep };

/** One kind of connector: what a folder under connectors/ exports. */
export interface ConnectorType<Config = unknown> {
  /** kebab-case, the protocol's name. */
  kind: string;
  title: string;
  /** `connects`: we dial the peer. `listens`: peers come to us (broker, HTTP), `read` serves them all. */
  mode: "connects" | "listens";
  /** TypeBox schema of the configuration: each field described, bounded, with a default where one makes sense. Secrets are references. */
  config: TSchema;
  /** Schema of `TagBinding.options`. */
  tagOptions: TSchema;
  delivery(config: Config): DeliveryClass;
  /** Where it must run: `main` for listeners that share the broker, `worker` for everything that may block or crash. */
  thread: "main" | "worker";
  check(config: Config, context: ConnectorContext, signal: AbortSignal): AsyncIterable<CheckStep>;
  create(config: Config, context: ConnectorContext): Connector;
  /** Its certificates, in the folder that its connections share; absent where it has none. */
  certificates?(kindDir: string): CertificateStore;
  /**
   * Decodes captured traffic as `read` would, without a network, and ends with it; `records` moves the context's clock. Absent where traffic
   * alone does not tell the values (polled registers, encrypted channels).
   */
  replay?(config: Config, context: ConnectorContext, records: Iterable<WireRecord>, sink: ConnectorSink): Promise<void>;
  /** Absent where there is nothing to learn from live traffic. */
  learning?: Learning<Config>;
}

/** How a kind learns from live traffic, without storing anything: a connector on another configuration, whose diagnosis is read after a while. */
export interface Learning<Config> {
  /** Looks at what matches `filters`, beside whatever runs: `unique` tells its session from others. Throws ConnectionError "misconfigured". */
  config(config: Config, filters: readonly string[], unique: string): Config;
  proposals(diagnosis: Record<string, unknown>): Proposals;
}

export type ConnectionHealth =
  | { state: "stopped" }
  | { state: "connecting"; since: Micros }
  /** Green: data flow. */
  | { state: "flowing"; since: Micros; warnings?: string[] }
  /** Connected, but nothing has come for longer than expected. */
  | { state: "silent"; since: Micros; warnings?: string[] }
  | {
      state: "waiting";
      since: Micros;
      /** null: waits for a change of the configuration. */
      retryAt: Micros | null;
      fault: ConnectionFault;
      message: string;
      hint: string;
      technical: string;
    }
  /** Out of the way: it crashed its worker or hung it. A person, or a change of configuration, starts it again. */
  | { state: "parked"; since: Micros; message: string; hint: string; technical: string };

/** One kind of connection, for the form that configures it. */
export interface ConnectionKind {
  kind: string;
  title: string;
  mode: ConnectorType["mode"];
  /** JSON Schemas. */
  config: TSchema;
  tagOptions: TSchema;
}

/** The running connections, as people see, check and examine them. What runs follows from the registry's configuration. */
export interface ConnectivityService {
  kinds(): readonly ConnectionKind[];
  /** null: it is not run by this server. */
  status(
    tenant: number,
    connection: string,
  ): { health: ConnectionHealth; delivery: DeliveryClass; figures: ConnectionFigures } | null;
  /** For support: plain values without secrets; null: it is not run by this server. */
  diagnose(tenant: number, connection: string): Promise<Record<string, unknown> | null>;
  /** Tries a configuration without saving it. */
  check(tenant: number, kind: string, config: Record<string, unknown>, signal: AbortSignal): AsyncIterable<CheckStep>;
  /** One level below an address ("": the root). Throws ConnectionError, also where the kind cannot browse or the connection is away. */
  browse(tenant: number, target: ConnectionTarget, from: string, signal: AbortSignal): AsyncIterable<BrowseItem>;
  /** Looks at live traffic until `signal`, and proposes what to read. Throws ConnectionError. */
  propose(
    tenant: number,
    target: ConnectionTarget,
    look: { filters: readonly string[]; seconds: number },
    signal: AbortSignal,
  ): Promise<Proposals>;
  /**
   * Null where the kind has no certificates. Trusting lets waiting connections try again at once; distrusting ends those that rest on it. `by` is who
   * decides, for the log.
   */
  certificates(tenant: number, kind: string, by: string): CertificateStore | null;
  /** Traffic from now on, secrets overwritten, until `signal`. Null: this server does not run the connection. */
  wire(tenant: number, connection: string, signal: AbortSignal): WireView | null;
  restart(tenant: number, connection: string): Promise<void>;
}

/** A connection that runs, or a configuration that is not saved. */
export type ConnectionTarget = { connection: string } | { kind: string; config: Record<string, unknown> };

export interface WireView extends AsyncIterable<WireRecord> {
  /** Records that were left out because the reader was slow. */
  readonly missed: number;
}
