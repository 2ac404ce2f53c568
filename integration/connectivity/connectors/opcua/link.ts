import type { ConnectorContext } from "@lineshaft/contract/ports";
import type {
  ClientSession,
  ClientSessionPublishService,
  ClientSessionRawSubscriptionService,
  EndpointDescription,
  OPCUAClient,
  OPCUAClientOptions,
  UserIdentityInfo,
} from "node-opcua-client";
import { type CertificateFolder, type CertificateSummary, certificatesOf } from "./certificates.ts";
import { type OpcuaConfig, readSecret } from "./config.ts";
import { type Choice, chooseEndpoint } from "./endpoints.ts";
import { connectFailure } from "./failure.ts";
import type { Opcua } from "./library.ts";

/** A session with the services below the library's own subscriptions, which acknowledge too early for us. */
export type RawSession = ClientSession & ClientSessionPublishService & ClientSessionRawSubscriptionService;

/** A session with its secure channel. */
export interface Link {
  client: OPCUAClient;
  session: RawSession;
  policy: Choice<EndpointDescription>["policy"];
  mode: Choice<EndpointDescription>["mode"];
  serverCertificate: CertificateSummary | null;
  /** True: the session of before goes on, with its subscription. */
  resumed: boolean;
  /** Rejects when the channel is gone. Never resolves. */
  gone: Promise<never>;
}

/** The steps of an attempt, in this order; told to `check`. */
export type LinkStep = "dial" | "endpoints" | "policy" | "certificate" | "session";

export interface LinkOptions {
  opcua: Opcua;
  config: OpcuaConfig;
  context: ConnectorContext;
  signal: AbortSignal;
  /** The session to go on with, where there was one. */
  previous?: RawSession | null;
  onStep?: (step: LinkStep, detail: string) => void;
}

/** What one message may cost us, whatever the server announces (A40, A41). */
const transportSettings = { maxMessageSize: 64 * 1024 * 1024, maxChunkCount: 1024 };
/** A peer that does not answer a farewell is not waited for. */
const farewellMs = 400;

/** One attempt: asks for the endpoints, chooses, verifies, opens the channel, goes on with the session or makes a new one. */
export async function openLink(options: LinkOptions): Promise<Link> {
  const { config, signal } = options;
  signal.throwIfAborted();
  try {
    return await attempt(options);
  } catch (error) {
    signal.throwIfAborted();
    throw connectFailure(error, config.endpointUrl);
  }
}

async function attempt(options: LinkOptions): Promise<Link> {
  const { opcua, config, context, signal } = options;
  const onStep = options.onStep ?? (() => {});
  const folder = certificatesOf(context);
  const own = await folder.own(opcua);
  // Read before anything is dialled: a missing secret costs no attempt at the server.
  const identity = identityOf(opcua, config, context);
  const common: OPCUAClientOptions = {
    applicationName: config.applicationName,
    applicationUri: own.uri,
    clientName: config.applicationName,
    certificateKeyPairProvider: own.keyPair,
    // Its own retry loop stays off: the runtime owns all retry.
    connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 100 },
    endpointMustExist: false,
    keepSessionAlive: false,
    keepPendingSessionsOnDisconnect: true,
    requestedSessionTimeout: config.lifetimeMs,
    defaultTransactionTimeout: config.requestTimeoutMs,
    // Ends a socket that is silent for so long; whether a peer still lives is asked by watch.ts, and a quiet one is no dead one.
    transportTimeout: Math.max(config.requestTimeoutMs, 3 * config.keepAliveMs),
    transportSettings,
  };
  const endpoints = await discover(options, common, onStep);
  const choice = chooseEndpoint(config, endpoints);
  onStep("policy", `${choice.policy}, ${choice.mode}`);
  const serverCertificate = await verifyServer(folder, choice, context);
  onStep("certificate", serverCertificate === null ? "none is needed" : `${serverCertificate.subject} is trusted`);

  const client = opcua.OPCUAClient.create({
    ...common,
    securityMode: choice.endpoint.securityMode,
    securityPolicy: choice.endpoint.securityPolicyUri ?? undefined,
    // Given here, the library neither fetches nor judges it: that has been done.
    serverCertificate: choice.policy === "None" ? undefined : choice.endpoint.serverCertificate,
  });
  const gone = goneOf(client);
  client.on("receive_chunk", (chunk) => context.wire?.("in", chunk));
  client.on("send_chunk", (chunk) => context.wire?.("out", chunk));
  try {
    await orAborted(signal, client.connect(config.endpointUrl));
    const { session, resumed } = await orAborted(signal, activate(client, identity, options.previous ?? null));
    onStep("session", resumed ? "goes on" : "is new");
    return { client, session, policy: choice.policy, mode: choice.mode, serverCertificate, resumed, gone };
  } catch (error) {
    await leave(client, context);
    throw error;
  }
}

async function discover(
  { opcua, config, context, signal }: LinkOptions,
  common: OPCUAClientOptions,
  onStep: (step: LinkStep, detail: string) => void,
): Promise<EndpointDescription[]> {
  const client = opcua.OPCUAClient.create({
    ...common,
    transportTimeout: config.requestTimeoutMs,
    securityMode: opcua.MessageSecurityMode.None,
    securityPolicy: opcua.SecurityPolicy.None,
  });
  try {
    await orAborted(signal, client.connect(config.endpointUrl));
    onStep("dial", config.endpointUrl);
    const endpoints = await orAborted(signal, client.getEndpoints({ endpointUrl: config.endpointUrl }));
    onStep("endpoints", `${endpoints.length} offered`);
    return endpoints;
  } finally {
    await leave(client, context);
  }
}

async function verifyServer(
  folder: CertificateFolder,
  { endpoint, policy }: Choice<EndpointDescription>,
  context: ConnectorContext,
): Promise<CertificateSummary | null> {
  if (policy === "None") return null;
  return folder.verify(
    endpoint.serverCertificate ?? new Uint8Array(),
    endpoint.server.applicationUri ?? null,
    context.clock,
  );
}

async function activate(
  client: OPCUAClient,
  identity: UserIdentityInfo,
  previous: RawSession | null,
): Promise<{ session: RawSession; resumed: boolean }> {
  if (previous !== null) {
    try {
      await client.reactivateSession(previous);
      return { session: previous, resumed: true };
    } catch {
      // The server does not know it any more, or has another certificate now: a new one, below.
    }
  }
  // Not createSession2, which retries by itself when the server has no room.
  const session = (await client.createSession(identity)) as RawSession;
  return { session, resumed: false };
}

function identityOf(opcua: Opcua, config: OpcuaConfig, context: ConnectorContext): UserIdentityInfo {
  const { identity } = config;
  switch (identity.kind) {
    case "anonymous":
      return { type: opcua.UserTokenType.Anonymous };
    case "user":
      return {
        type: opcua.UserTokenType.UserName,
        userName: identity.userName,
        password: readSecret(context, identity.password),
      };
    case "certificate":
      return {
        type: opcua.UserTokenType.Certificate,
        certificateData: opcua.crypto_utils.convertPEMtoDER(readSecret(context, identity.certificate)),
        keyOperations: opcua.crypto_utils.keyOperationsFromPrivateKey(
          opcua.crypto_utils.makePrivateKeyFromPem(readSecret(context, identity.privateKey)),
        ),
      };
  }
}

function goneOf(client: OPCUAClient): Promise<never> {
  const gone = new Promise<never>((_, reject) => {
    client.on("connection_lost", () => reject(new Error("the server closed the connection")));
    client.on("close", (error) => reject(error ?? new Error("the connection was closed")));
  });
  gone.catch(() => {});
  return gone;
}

/** Ends the channel; the session stays at the server unless it was closed before. Waits for a dead peer only so long. */
export async function leave(client: OPCUAClient, context: ConnectorContext): Promise<void> {
  const done = new AbortController();
  const farewell = client
    .disconnect()
    .catch(() => {})
    .finally(() => done.abort());
  await Promise.race([farewell, context.clock.sleep(farewellMs, done.signal).catch(() => {})]);
}

/** What `work` gives, or the signal's reason at once. */
export function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  if (signal.aborted) {
    work.catch(() => {});
    return Promise.reject(signal.reason);
  }
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
