import { type Static, Type } from "typebox";
import { MicrosSchema } from "./time.ts";

/** What a principal may do. Roles are fixed sets of these. */
export const permissions = ["read", "ingest", "record", "book", "publish", "configure", "administer"] as const;
export type Permission = (typeof permissions)[number];

export const roles = {
  viewer: ["read"],
  source: ["ingest"],
  /** A system that records facts of units, lots, tests, maintenance and energy, and reads nothing: MES, a test bench, a meter. */
  recorder: ["record"],
  /** The shop floor: orders, reasons, scrap. */
  operator: ["read", "book"],
  /** A program that publishes results, and facts of its own. */
  application: ["read", "publish", "record"],
  engineer: ["read", "ingest", "record", "book", "publish", "configure"],
  admin: ["read", "ingest", "record", "book", "publish", "configure", "administer"],
} as const satisfies Record<string, readonly Permission[]>;
export type Role = keyof typeof roles;

/**
 * Who asks: a tenant, a role and the scopes it holds for. A scope is a path on the equipment tree in ISA-95 order, names
 * joined by "/"; "" is the whole tenant. Deny by default: no scope, no access.
 */
export interface Principal {
  id: string;
  kind: "key" | "session" | "system";
  name: string;
  tenant: number;
  role: Role;
  scopes: string[];
}

export function may(principal: Principal, permission: Permission): boolean {
  return (roles[principal.role] as readonly Permission[]).includes(permission);
}

/** Is `path` within one of the principal's scopes? Compares whole path segments, case-sensitively. */
export function inScope(principal: Principal, path: string): boolean {
  return principal.scopes.some((scope) => scope === "" || path === scope || path.startsWith(`${scope}/`));
}

export const ApiKeySchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String({ minLength: 1, maxLength: 128 }),
    role: Type.Enum(Object.keys(roles) as Role[]),
    scopes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 100 }),
    createdUs: MicrosSchema,
    expiresUs: Type.Union([MicrosSchema, Type.Null()]),
    revokedUs: Type.Union([MicrosSchema, Type.Null()]),
    lastUsedUs: Type.Union([MicrosSchema, Type.Null()]),
  },
  { $id: "ApiKey" },
);
export type ApiKey = Static<typeof ApiKeySchema>;

export const NewApiKeySchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128 }),
    role: Type.Enum(Object.keys(roles) as Role[]),
    scopes: Type.Optional(
      Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 100, description: 'Default [""]: the whole tenant.' }),
    ),
    expiresUs: Type.Optional(Type.Union([MicrosSchema, Type.Null()])),
  },
  { $id: "NewApiKey", additionalProperties: false },
);
export type NewApiKey = Static<typeof NewApiKeySchema>;

export const SessionSchema = Type.Object(
  {
    name: Type.String(),
    role: Type.Enum(Object.keys(roles) as Role[]),
    scopes: Type.Array(Type.String()),
    demo: Type.Boolean({ description: "True on the loopback demo." }),
  },
  { $id: "Session" },
);
export type Session = Static<typeof SessionSchema>;
