import { ConnectionError, type ConnectorContext } from "@lineshaft/contract/ports";
import { type Static, Type } from "typebox";
import { Default, Errors } from "typebox/value";

/** The policies that we speak, weakest first. Basic128Rsa15 and Basic256 rest on SHA-1 and are refused. */
export const securityPolicies = ["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"] as const;
export type SecurityPolicyName = (typeof securityPolicies)[number];

const secret = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 256,
    description: `${description}; a reference to a secret, never the secret itself.`,
  });

const Anonymous = Type.Object(
  { kind: Type.Literal("anonymous", { description: "Without a name." }) },
  { additionalProperties: false, title: "Anonymous" },
);
const User = Type.Object(
  {
    kind: Type.Literal("user", { description: "By name and password." }),
    userName: Type.String({ minLength: 1, maxLength: 256, description: "User name at the server." }),
    password: secret("Password of the user"),
  },
  { additionalProperties: false, title: "User name and password" },
);
const Certificate = Type.Object(
  {
    kind: Type.Literal("certificate", { description: "By a certificate of the user's own." }),
    certificate: secret("The user's X.509 certificate as PEM"),
    privateKey: secret("The user's private key as PEM"),
  },
  { additionalProperties: false, title: "User certificate" },
);

/** How a server is reached, what security is asked of it, and how often it is to report. */
export const OpcuaConfigSchema = Type.Object(
  {
    endpointUrl: Type.String({
      pattern: "^opc\\.tcp://[^\\s/@]+(/[^\\s]*)?$",
      maxLength: 512,
      description: "Address of the server, e.g. opc.tcp://press-12:4840. Only this host is ever dialled.",
    }),
    securityPolicy: Type.Enum(["best", "none", ...securityPolicies], {
      default: "best",
      description: "The strongest that both sides know, or a named one; `none` needs `allowInsecure`.",
    }),
    securityMode: Type.Enum(["best", "sign", "signAndEncrypt"], {
      default: "best",
      description: "Signed only, or signed and encrypted; `best` takes encryption where the server has it.",
    }),
    allowInsecure: Type.Boolean({
      default: false,
      description: "Permits `none`: everybody on the network can then read and forge the values.",
    }),
    identity: Type.Union([Anonymous, User, Certificate], {
      default: { kind: "anonymous" },
      description: "Who we are at the server.",
    }),
    applicationName: Type.String({
      pattern: "^[A-Za-z0-9][A-Za-z0-9 ._-]*$",
      maxLength: 64,
      default: "Lineshaft",
      description: "Our name in the server's session list, in front of the connection's own.",
    }),
    publishingMs: Type.Integer({
      minimum: 50,
      maximum: 60_000,
      default: 500,
      description: "How often the server sends what has changed, in ms.",
    }),
    samplingMs: Type.Integer({
      minimum: 0,
      maximum: 3_600_000,
      default: 250,
      description: "How often the server looks at a tag without a class of its own, in ms; 0 is as fast as it can.",
    }),
    queueSize: Type.Integer({
      minimum: 2,
      maximum: 100_000,
      default: 20,
      description:
        "Changes the server keeps for such a tag between two reports; then the oldest goes, and the overflow bit says so.",
    }),
    keepAliveMs: Type.Integer({
      minimum: 500,
      maximum: 300_000,
      default: 5_000,
      description:
        "A connection silent for so long is asked whether it lives; half as long again without an answer, and it is lost.",
    }),
    lifetimeMs: Type.Integer({
      minimum: 10_000,
      maximum: 3_600_000,
      default: 300_000,
      description: "How long the server keeps session and subscription, with what it queued, while we are away, in ms.",
    }),
    notificationsPerPublish: Type.Integer({
      minimum: 10,
      maximum: 50_000,
      default: 2_000,
      description: "Changes in one message at most.",
    }),
    history: Type.Boolean({
      default: true,
      description: "Fill gaps from the server's history where it keeps one for the tag.",
    }),
    historyHours: Type.Number({
      minimum: 0.1,
      maximum: 744,
      default: 24,
      description: "How far back a gap is filled, in hours; what lies before becomes a gap record.",
    }),
    requestTimeoutMs: Type.Integer({
      minimum: 1_000,
      maximum: 120_000,
      default: 10_000,
      description: "How long we wait for one answer of the server, in ms.",
    }),
  },
  { additionalProperties: false },
);
export type OpcuaConfig = Static<typeof OpcuaConfigSchema>;

/** A node beyond its address. */
export const OpcuaTagOptionsSchema = Type.Object(
  {
    indexRange: Type.Optional(
      Type.String({
        pattern: "^[0-9]{1,10}(:[0-9]{1,10})?(,[0-9]{1,10}(:[0-9]{1,10})?)*$",
        maxLength: 100,
        description: "Part of an array, in OPC UA's notation: `0:9`, or `2,0:4` for matrices.",
      }),
    ),
    deadband: Type.Optional(
      Type.Number({
        minimum: 0,
        description: "Changes smaller than this are not reported (absolute, in the tag's unit).",
      }),
    ),
  },
  { additionalProperties: false },
);
export type OpcuaTagOptions = Static<typeof OpcuaTagOptionsSchema>;

/** The configuration with its defaults, or what is wrong with it. */
export function readConfig(input: unknown): OpcuaConfig {
  const config = Default(OpcuaConfigSchema, structuredClone(input)) as OpcuaConfig;
  const [error] = Errors(OpcuaConfigSchema, config);
  if (error !== undefined) {
    throw misconfigured(
      `The configuration is not valid: ${error.instancePath || "it"} ${error.message}.`,
      "Correct the field.",
    );
  }
  if (config.securityPolicy === "none") {
    if (!config.allowInsecure) {
      throw misconfigured(
        "Security policy None needs `allowInsecure`.",
        "Take `best`, or set allowInsecure if everybody on this network may read and forge the values.",
      );
    }
    if (config.identity.kind !== "anonymous") throw passwordOverNone();
  }
  return config;
}

/** A password or a proof of identity never crosses a connection that anybody can read (A47). */
export function passwordOverNone(): ConnectionError {
  return misconfigured(
    "A user's credential is not sent over a connection without security.",
    "Choose a security policy, or connect as anonymous.",
    "UserIdentityToken over SecurityPolicy None",
  );
}

export function misconfigured(message: string, hint: string, technical = ""): ConnectionError {
  return new ConnectionError("misconfigured", message, hint, technical);
}

/** The secret behind a reference, which may be written bare or as `${secret:name}`. */
export function readSecret(context: ConnectorContext, reference: string): string {
  const bare = /^\$\{secret:(.+)\}$/.exec(reference)?.[1];
  const value = context.secret(reference) ?? (bare === undefined ? null : context.secret(bare));
  if (value === null) {
    throw misconfigured(
      `The secret "${bare ?? reference}" does not exist.`,
      "Create the secret, or correct the reference.",
    );
  }
  return value;
}
