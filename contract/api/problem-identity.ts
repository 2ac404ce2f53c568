import { type CatalogueEntry, catalogueEntry as entry } from "./problem-entry.ts";

/** Identity and rights. */
export const identityProblems = {
  auth_missing: entry(
    401,
    "changed",
    "No credential was given.",
    "Send `Authorization: Bearer <API key>` or sign in first.",
  ),
  auth_invalid: entry(
    401,
    "changed",
    "The credential is not known.",
    "Check that the key was copied whole and belongs to this server.",
  ),
  auth_throttled: entry(
    429,
    "later",
    "Too many failed sign-ins from this address.",
    "Wait for the time in Retry-After; API keys are not affected.",
  ),
  key_expired: entry(401, "changed", "The API key has expired.", "Ask an administrator for a new key."),
  key_revoked: entry(401, "changed", "The API key was revoked.", "Ask an administrator for a new key."),
  credential_in_url: entry(
    400,
    "changed",
    "A credential stands in the URL.",
    "Send it in the Authorization header; URLs end up in logs. Consider this key as leaked.",
  ),
  forbidden: entry(
    403,
    "changed",
    "The credential does not allow this.",
    "Ask an administrator for a role or scope that includes it.",
  ),
  csrf: entry(
    403,
    "changed",
    "The request does not come from this server's own pages.",
    "Use an API key for programs; the session cookie serves the console only.",
  ),
  scope_changed: entry(403, "changed", "The rights of this connection have changed.", "Connect again."),
} satisfies Record<string, CatalogueEntry>;
