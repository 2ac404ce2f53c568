import { type CheckStep, ConnectionError, type ConnectorContext } from "@lineshaft/contract/ports";
import { type Static, Type } from "typebox";
import type { MqttSession, MqttSessionOptions } from "./session.ts";

const secret = (description: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 256,
      description: `${description}; a reference to a secret, never the secret itself.`,
    }),
  );

/** How an external MQTT server is reached. */
export const ServerSchema = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 253, description: "Name or address of the MQTT server." }),
    port: Type.Integer({ minimum: 1, maximum: 65_535, default: 1883, description: "1883, or 8883 with TLS." }),
    version: Type.Enum(["3.1.1", "5"], { default: "3.1.1", description: "MQTT version that the server speaks." }),
    security: Type.Enum(["none", "tls"], { default: "none", description: "Encryption of the connection." }),
    authorities: Type.Optional(
      Type.String({
        maxLength: 100_000,
        description: "PEM of the authority that issued the server's certificate; default: the well-known ones.",
      }),
    ),
    certificate: Type.Optional(Type.String({ maxLength: 100_000, description: "PEM of our client certificate." })),
    privateKey: secret("PEM of the client certificate's private key"),
    user: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: "User name at the server." })),
    password: secret("The user's password"),
    clientId: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: "Client identifier; unique at the server. Default: one made for this connection and kept.",
      }),
    ),
    keepAliveSeconds: Type.Integer({
      minimum: 1,
      maximum: 300,
      default: 30,
      description: "A server that is silent for 1.5 times as long counts as lost.",
    }),
  },
  { additionalProperties: false, description: "One MQTT server." },
);
export type ServerConfig = Static<typeof ServerSchema>;

/** The secret behind a reference, which may be written bare or as `${secret:name}`. */
function revealed(context: ConnectorContext, reference: string): string {
  const bare = /^\$\{secret:(.+)\}$/.exec(reference)?.[1] ?? reference;
  const value = context.secret(reference) ?? context.secret(bare);
  if (value === null) {
    const hint = "Create the secret, or correct the reference.";
    throw new ConnectionError("misconfigured", `The secret "${bare}" does not exist.`, hint);
  }
  return value;
}

/** Dials a server once. What can be wrong with the configuration is found before anything is dialled. */
export async function dialServer(
  server: ServerConfig,
  context: ConnectorContext,
  session: Pick<MqttSessionOptions, "clientId" | "clean" | "qos" | "will" | "unreleased" | "sessionExpirySeconds">,
  signal: AbortSignal,
): Promise<MqttSession> {
  const password = server.password === undefined ? undefined : revealed(context, server.password);
  const key = server.privateKey === undefined ? undefined : revealed(context, server.privateKey);
  if (server.security === "none" && (server.authorities ?? server.certificate ?? key) !== undefined) {
    const hint = "Choose security tls, or remove the certificates.";
    throw new ConnectionError("misconfigured", "Certificates are given, but the connection is not encrypted.", hint);
  }
  if ((server.certificate === undefined) !== (key === undefined)) {
    const hint = "Give both, or neither.";
    throw new ConnectionError("misconfigured", "A client certificate needs its private key.", hint);
  }
  const { openMqttSession } = await import("./session.ts");
  const options: MqttSessionOptions = {
    clock: context.clock,
    host: server.host,
    port: server.port,
    version: server.version === "5" ? 5 : 4,
    keepAliveSeconds: server.keepAliveSeconds,
    ...session,
    ...(server.security === "tls"
      ? { tls: { authorities: server.authorities, certificate: server.certificate, key } }
      : {}),
    ...(server.user === undefined ? {} : { username: server.user }),
    ...(password === undefined ? {} : { password }),
    wire: () => context.wire,
  };
  return openMqttSession(options, signal);
}

/**
 * For the `check` of a kind: is the server there, does it take us, may we subscribe? With a client identifier of its own, so that a running session is not taken
 * over, and without a will: nobody must believe that we have come.
 */
export async function* checkServer(
  server: ServerConfig,
  context: ConnectorContext,
  { clientId, filters }: { clientId: string; filters: readonly string[] },
  signal: AbortSignal,
): AsyncGenerator<CheckStep> {
  const where = `${server.host}:${server.port}`;
  const begun = { step: `Connect to ${where}` };
  try {
    const session = await dialServer(server, context, { clientId: `${clientId}-check`, clean: true, qos: 0 }, signal);
    yield { ...begun, ok: true, detail: "The server accepts us." };
    begun.step = `Subscribe at ${where}`;
    try {
      await session.claim(filters, async () => {});
      yield { ...begun, ok: true, detail: `${filters.length} topic filters may be read.` };
    } finally {
      await session.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ConnectionError)) throw error;
    const { message, technical, hint } = error;
    yield { ...begun, ok: false, detail: technical === "" ? message : `${message} (${technical})`, hint };
  }
}
