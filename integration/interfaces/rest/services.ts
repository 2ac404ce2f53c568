import type {
  CellSource,
  Clock,
  ConfigurationService,
  ConnectionService,
  ConnectivityService,
  DemoPlant,
  EventSource,
  FactRecords,
  Facts,
  History,
  Identity,
  LastValues,
  Ledger,
  MasterDataTransfer,
  NowSource,
  Outbox,
  Registry,
  Results,
  Sink,
  StopSource,
  SystemService,
  ToldFacts,
  WorkSource,
} from "@lineshaft/contract/ports";

/** Everything below the interfaces, as they see it. `host/` puts the real parts in, tests put fakes in. */
export interface Services {
  sink: Sink;
  history: History;
  registry: Registry;
  lastValues: LastValues;
  facts: Facts;
  toldFacts: ToldFacts;
  factRecords: FactRecords;
  cells: CellSource;
  results: Results;
  work: WorkSource;
  now: NowSource;
  stops: StopSource;
  ledger: Ledger;
  identity: Identity;
  events: EventSource;
  connections: ConnectionService;
  connectivity: ConnectivityService;
  configuration: ConfigurationService;
  masterDataTransfer: MasterDataTransfer;
  system: SystemService;
  outbox: Outbox;
  clock: Clock;
  /** Absent: this is no demo. */
  demoPlant?: DemoPlant;
}

/** Where faults inside are told. A pino logger fits. */
export interface InterfaceLog {
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export interface HttpOptions {
  /** Folder of the built console; absent: the API only. */
  consoleDir?: string;
  /** TLS; absent: plain HTTP (loopback, or behind a proxy that ends TLS). */
  tls?: { key: string | Buffer; cert: string | Buffer };
  /** Set the Secure attribute and HSTS although we speak plain HTTP: a proxy in front ends TLS. */
  behindTls?: boolean;
  /** True on the loopback demo; told to the console with the session. */
  demo?: boolean;
  /** Origins of other pages that may call the API with a key, e.g. `https://mes.example`. Default: none. */
  allowedOrigins?: readonly string[];
  /** Binds page cursors to their query. Default: random, so that cursors end with the process. */
  cursorSecret?: Uint8Array;
  log?: InterfaceLog;
  limits?: Partial<HttpLimits>;
}

export interface HttpLimits {
  bodyBytes: number;
  headerBytes: number;
  headersTimeoutMs: number;
  requestTimeoutMs: number;
  /** Requests that may wait for ingest credit; more are answered `overloaded`. */
  waitingBatches: number;
  /** Streams open at once, WebSocket and SSE together. */
  streams: number;
}

export const defaultHttpLimits: HttpLimits = {
  bodyBytes: 16 * 1024 * 1024,
  headerBytes: 16 * 1024,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  waitingBatches: 512,
  streams: 500,
};
