import { type Static, Type } from "typebox";
import { propertyKinds } from "./configuration.ts";
import { MicrosSchema } from "./time.ts";

/** Connections that the platform runs itself: their kinds, their health, and trying a configuration before it is saved. */

const faultNames = ["unreachable", "lost", "protocol", "unauthorised", "untrusted", "misconfigured"] as const;

export const ConnectionHealthSchema = Type.Object(
  {
    state: Type.Enum(["stopped", "connecting", "flowing", "silent", "waiting", "parked"], {
      description:
        "`flowing`: data come. `silent`: connected, but nothing for longer than expected. `waiting`: it is tried again. `parked`: out of the way until a person or a change starts it again.",
    }),
    since: Type.Optional(MicrosSchema),
    retryAt: Type.Optional(
      Type.Union([MicrosSchema, Type.Null()], { description: "null: waits for a change of the configuration." }),
    ),
    fault: Type.Optional(Type.Enum([...faultNames])),
    message: Type.Optional(Type.String()),
    hint: Type.Optional(Type.String({ description: "What to do next." })),
    technical: Type.Optional(Type.String({ description: "The protocol's own words." })),
    warnings: Type.Optional(
      Type.Array(Type.String(), { description: "What will need somebody soon, e.g. a certificate that ends." }),
    ),
  },
  { $id: "ConnectionHealth" },
);

export const ConnectionKindSchema = Type.Object(
  {
    kind: Type.String(),
    title: Type.String(),
    mode: Type.Enum(["connects", "listens"], { description: "Do we dial the peer, or do peers come to us?" }),
    config: Type.Record(Type.String(), Type.Unknown(), { description: "JSON Schema of the configuration." }),
    tagOptions: Type.Record(Type.String(), Type.Unknown(), { description: "JSON Schema of a tag's options." }),
  },
  { $id: "ConnectionKind" },
);

export const ConnectionCheckSchema = Type.Object(
  {
    kind: Type.String({ minLength: 1, maxLength: 64 }),
    config: Type.Record(Type.String(), Type.Unknown(), {
      description: "By the kind's schema. Secrets are references.",
    }),
  },
  { $id: "ConnectionCheck", additionalProperties: false },
);

/** One line of a check's answer. */
export const CheckStepSchema = Type.Object(
  {
    step: Type.String(),
    ok: Type.Boolean(),
    detail: Type.String(),
    hint: Type.Optional(Type.String()),
  },
  { $id: "CheckStep" },
);
export type CheckStep = Static<typeof CheckStepSchema>;

const AddressSchema = Type.String({ maxLength: 512, description: "An address as the connector spells it." });

/** What is looked into: a connection that runs, or a configuration that is not saved yet. */
const targetFields = {
  connection: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: "A connection that runs." })),
  kind: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: "With `config`, instead of `connection`." }),
  ),
  config: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: "By the kind's schema. Secrets are references." }),
  ),
};

/** Why a stream of lines ended early, in two layers: what a person reads and does, and the protocol's own words. */
export const ConnectionFailureSchema = Type.Object(
  {
    fault: Type.Optional(Type.Enum([...faultNames])),
    message: Type.String(),
    hint: Type.String({ description: "What to do next." }),
    technical: Type.String({ description: "The protocol's own words; may be empty." }),
  },
  { $id: "ConnectionFailure" },
);
export type ConnectionFailure = Static<typeof ConnectionFailureSchema>;

export const BrowseRequestSchema = Type.Object(
  {
    ...targetFields,
    from: Type.Optional(Type.String({ maxLength: 512, description: "Children of this address. Default: the root." })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: "Default 1000." })),
  },
  { $id: "BrowseRequest", additionalProperties: false },
);

/** One thing that a browse found. */
export const BrowseItemSchema = Type.Object(
  {
    address: AddressSchema,
    name: Type.String(),
    readable: Type.Boolean({ description: "May it be bound as a tag?" }),
    expandable: Type.Boolean({ description: "Has it children to browse?" }),
    dataType: Type.Optional(Type.String()),
    unit: Type.Optional(Type.String()),
    description: Type.Optional(Type.String()),
    hint: Type.Optional(
      Type.Object(
        {
          type: Type.String({
            description: "The type of a standard that says so, e.g. `MachineryItemState_StateMachineType`.",
          }),
          kind: Type.Optional(
            Type.Enum([...propertyKinds], { description: "What a tag on it would be as a property of equipment." }),
          ),
        },
        { description: "What the source's own model says of it: a proposal, nothing more." },
      ),
    ),
  },
  { $id: "BrowseItem" },
);
export type BrowseItem = Static<typeof BrowseItemSchema>;

/** The last line: without it the answer was cut off. */
export const LinesEndSchema = Type.Object(
  {
    end: Type.Object({
      lines: Type.Integer({ description: "Lines before this one." }),
      more: Type.Boolean({ description: "There is more than was asked for, or than could be sent." }),
    }),
  },
  { $id: "LinesEnd" },
);
export type LinesEnd = Static<typeof LinesEndSchema>;
export const LinesFailureSchema = Type.Object({ error: ConnectionFailureSchema }, { $id: "LinesFailure" });
export type LinesFailure = Static<typeof LinesFailureSchema>;

export const ProposeRequestSchema = Type.Object(
  {
    ...targetFields,
    seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 60, description: "How long to look. Default 10." })),
    filters: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
        minItems: 1,
        maxItems: 20,
        description: "Topic filters to look at, e.g. `plant/#`. Default: those of the configuration.",
      }),
    ),
  },
  { $id: "ProposeRequest", additionalProperties: false },
);

/** What a connection could read, learnt by looking at its traffic. */
export const ProposalSchema = Type.Object(
  {
    template: Type.Record(Type.String(), Type.Unknown(), {
      description: "An entry for `config.templates`, ready to take over.",
    }),
    topics: Type.Integer({ description: "How many topics it covers." }),
    example: Type.String({ description: "One of them." }),
  },
  { $id: "Proposal" },
);
export type Proposal = Static<typeof ProposalSchema>;

/** All proposals, and whether there was traffic that they do not cover. */
export interface Proposals {
  items: Proposal[];
  /** Messages on topics beyond the bound. */
  overlooked: number;
}

/** What a person compares before trusting. */
export const CertificateSchema = Type.Object(
  {
    thumbprint: Type.String({ description: "SHA-256, upper-case hex." }),
    thumbprintSha1: Type.String({ description: "What most servers' tools show." }),
    subject: Type.String(),
    issuer: Type.String(),
    applicationUri: Type.Union([Type.String(), Type.Null()]),
    validFromUs: MicrosSchema,
    validToUs: MicrosSchema,
    daysLeft: Type.Integer({ description: "Negative: it has expired." }),
  },
  { $id: "Certificate" },
);
export type Certificate = Static<typeof CertificateSchema>;

export const CertificatesSchema = Type.Object(
  {
    kind: Type.String(),
    own: Type.Union([CertificateSchema, Type.Null()], {
      description: "What peers must trust; null: it is made at the first attempt to connect.",
    }),
    trusted: Type.Array(CertificateSchema),
    rejected: Type.Array(CertificateSchema, { description: "Seen and not trusted; they wait for a person." }),
  },
  { $id: "Certificates" },
);
export type Certificates = Static<typeof CertificatesSchema>;

/** One piece of traffic, as a capture keeps it. */
export const WireRecordSchema = Type.Object(
  {
    t: MicrosSchema,
    dir: Type.Enum(["in", "out"]),
    b64: Type.String({ description: "The bytes; secrets are overwritten." }),
    note: Type.Optional(Type.String({ description: "What the connector makes of them, e.g. the topic." })),
  },
  { $id: "WireRecord" },
);
export type WireRecord = Static<typeof WireRecordSchema>;

const kind = Type.String({ minLength: 1, maxLength: 64 });
const thumbprint = Type.String({
  pattern: "^(?:[0-9A-Fa-f]{2}[: ]?){20,32}$",
  maxLength: 95,
  description: "SHA-256 or SHA-1, with or without colons.",
});
const connectionName = Type.Object(
  { connection: Type.String({ minLength: 1, maxLength: 128 }) },
  { additionalProperties: false },
);
const kindName = Type.Object({ kind }, { additionalProperties: false });
const kindCertificate = Type.Object({ kind, thumbprint }, { additionalProperties: false });
const connectionCertificate = Type.Object(
  { connection: Type.String({ minLength: 1, maxLength: 128 }), thumbprint },
  { additionalProperties: false },
);

/** Their part of the table in `routes.ts`. */
export const connectivityRoutes = {
  listConnectionKinds: {
    method: "GET",
    path: "/connection-kinds",
    summary: "Kinds of connections that the platform can run, with the schemas of their forms",
    permission: "read",
    response: Type.Object({ items: Type.Array(ConnectionKindSchema) }),
  },
  checkConnection: {
    method: "POST",
    path: "/connections/check",
    summary: "Try a configuration without saving it; each step is a line of JSON as soon as it is done",
    permission: "configure",
    body: ConnectionCheckSchema,
    response: CheckStepSchema,
  },
  browseConnection: {
    method: "POST",
    path: "/connections/browse",
    summary: "One level of what a peer offers; each thing is a line of JSON, the last line says how it ended",
    permission: "configure",
    body: BrowseRequestSchema,
    response: Type.Union([BrowseItemSchema, LinesEndSchema, LinesFailureSchema]),
  },
  proposeTemplates: {
    method: "POST",
    path: "/connections/propose",
    summary: "Look at live topics for some seconds, then propose a template a line; the last line says how it ended",
    permission: "configure",
    body: ProposeRequestSchema,
    response: Type.Union([ProposalSchema, LinesEndSchema, LinesFailureSchema]),
  },
  watchWire: {
    method: "GET",
    path: "/connections/{connection}/wire",
    summary: "Live traffic of a connection, a line of JSON each; the last line says how it ended",
    permission: "configure",
    params: connectionName,
    query: Type.Object(
      { seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 600, description: "Default 30." })) },
      { additionalProperties: false },
    ),
    response: Type.Union([WireRecordSchema, LinesEndSchema, LinesFailureSchema]),
  },
  listCertificates: {
    method: "GET",
    path: "/connections/{connection}/certificates",
    summary: "Certificates: ours, the trusted and the rejected; one store for all connections of a kind",
    permission: "configure",
    params: connectionName,
    response: CertificatesSchema,
  },
  trustCertificate: {
    method: "POST",
    path: "/connections/{connection}/certificates/{thumbprint}/trust",
    summary: "Trust a rejected certificate; connections that wait for it try again at once",
    permission: "configure",
    params: connectionCertificate,
    response: CertificateSchema,
  },
  distrustCertificate: {
    method: "DELETE",
    path: "/connections/{connection}/certificates/{thumbprint}",
    summary: "Trust a certificate no longer; connections that rest on it end",
    permission: "configure",
    params: connectionCertificate,
    response: CertificateSchema,
  },
  listKindCertificates: {
    method: "GET",
    path: "/connection-kinds/{kind}/certificates",
    summary: "The same by kind, before there is a connection",
    permission: "configure",
    params: kindName,
    response: CertificatesSchema,
  },
  trustKindCertificate: {
    method: "POST",
    path: "/connection-kinds/{kind}/certificates/{thumbprint}/trust",
    summary: "Trust a rejected certificate, before there is a connection",
    permission: "configure",
    params: kindCertificate,
    response: CertificateSchema,
  },
  distrustKindCertificate: {
    method: "DELETE",
    path: "/connection-kinds/{kind}/certificates/{thumbprint}",
    summary: "Trust a certificate no longer",
    permission: "configure",
    params: kindCertificate,
    response: CertificateSchema,
  },
  diagnoseConnection: {
    method: "GET",
    path: "/connections/{connection}/diagnosis",
    summary: "The state of a running connection in plain values, without secrets",
    permission: "configure",
    params: connectionName,
    response: Type.Record(Type.String(), Type.Unknown()),
  },
  restartConnection: {
    method: "POST",
    path: "/connections/{connection}/restart",
    summary: "End a running connection and begin it anew; a parked one too",
    permission: "configure",
    params: connectionName,
    response: Type.Object({}),
  },
} as const;
