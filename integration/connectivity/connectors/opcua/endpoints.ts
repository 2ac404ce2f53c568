import type { ConnectionError } from "@lineshaft/contract/ports";
import {
  misconfigured,
  type OpcuaConfig,
  passwordOverNone,
  type SecurityPolicyName,
  securityPolicies,
} from "./config.ts";

/** What we need of an EndpointDescription (Part 4, 7.14); modes and token types by their numbers there. */
export interface EndpointOffer {
  endpointUrl: string | null;
  /** 1 None, 2 Sign, 3 SignAndEncrypt. */
  securityMode: number;
  securityPolicyUri: string | null;
  securityLevel: number;
  serverCertificate?: Uint8Array | null;
  /** 0 anonymous, 1 user name, 2 certificate. */
  userIdentityTokens: readonly { tokenType: number; securityPolicyUri: string | null }[] | null;
}

const base = "http://opcfoundation.org/UA/SecurityPolicy#";
const modeNames = ["invalid", "none", "sign", "signAndEncrypt"];
const tokenTypes = { anonymous: 0, user: 1, certificate: 2 } as const;
/** Beyond this an answer to GetEndpoints is no list but an attack. */
const endpointsMax = 200;

export interface Choice<T extends EndpointOffer> {
  endpoint: T;
  policy: SecurityPolicyName | "None";
  mode: "none" | "sign" | "signAndEncrypt";
}

/** The policy's short name; null for one that we do not speak. */
export function policyName(uri: string | null): SecurityPolicyName | "None" | null {
  const name = uri?.startsWith(base) ? uri.slice(base.length) : "";
  if (name === "None") return name;
  return securityPolicies.find((known) => known === name) ?? null;
}

/**
 * The endpoint to use: encryption before signing only, then the strongest policy that both sides know. Whatever `securityLevel` says: a server
 * may rate itself as it likes. The URL in the answer plays no part: we dial the configured host only.
 */
export function chooseEndpoint<T extends EndpointOffer>(config: OpcuaConfig, offers: readonly T[]): Choice<T> {
  const usable = offers.slice(0, endpointsMax).flatMap((endpoint): Choice<T>[] => {
    const policy = policyName(endpoint.securityPolicyUri);
    const mode = modeNames[endpoint.securityMode];
    if (policy === null || (policy === "None") !== (mode === "none")) return [];
    if (mode !== "none" && mode !== "sign" && mode !== "signAndEncrypt") return [];
    return [{ endpoint, policy, mode }];
  });
  const wanted = usable.filter((c) =>
    config.securityPolicy === "none"
      ? c.policy === "None"
      : c.policy !== "None" &&
        (config.securityPolicy === "best" || c.policy === config.securityPolicy) &&
        (config.securityMode === "best" || c.mode === config.securityMode),
  );
  if (wanted.length === 0) throw noCommonPolicy(config, offers);
  const withToken = wanted.filter((c) => hasToken(c.endpoint, tokenTypes[config.identity.kind]));
  if (withToken.length === 0) {
    throw misconfigured(
      `The server accepts no ${identityWords[config.identity.kind]} with this security.`,
      "Choose another identity, or enable it in the server.",
      "no matching UserTokenPolicy",
    );
  }
  const sealed = withToken.filter((c) => config.identity.kind !== "user" || passwordSealed(c));
  if (sealed.length === 0) throw passwordOverNone();
  return sealed.reduce((best, c) => (strength(c) > strength(best) ? c : best));
}

const identityWords = { anonymous: "anonymous user", user: "user name", certificate: "user certificate" };

function strength(choice: Choice<EndpointOffer>): number {
  return (choice.mode === "signAndEncrypt" ? 10 : 0) + ([...securityPolicies] as string[]).indexOf(choice.policy);
}

function hasToken(endpoint: EndpointOffer, tokenType: number): boolean {
  return (endpoint.userIdentityTokens ?? []).some((token) => token.tokenType === tokenType);
}

/** A channel that only signs shows the password, unless the token is encrypted by a policy of its own, or by the channel's (empty URI). */
function passwordSealed(choice: Choice<EndpointOffer>): boolean {
  if (choice.mode === "signAndEncrypt") return true;
  const uris = (choice.endpoint.userIdentityTokens ?? [])
    .filter((token) => token.tokenType === tokenTypes.user)
    .map((token) => token.securityPolicyUri ?? "");
  const strong = (uri: string): boolean => securityPolicies.some((name) => uri === base + name);
  return uris.length > 0 && (uris.some(strong) || uris.every((uri) => uri === ""));
}

function noCommonPolicy(config: OpcuaConfig, offers: readonly EndpointOffer[]): ConnectionError {
  const offered = offers
    .slice(0, 20)
    .map((o) => `${(o.securityPolicyUri ?? "").split("#").at(-1)}/${modeNames[o.securityMode] ?? o.securityMode}`);
  const onlyNone = offers.length > 0 && offers.every((o) => policyName(o.securityPolicyUri) === "None");
  return misconfigured(
    `The server offers no endpoint with policy "${config.securityPolicy}" and mode "${config.securityMode}".`,
    onlyNone
      ? "Enable security in the server; only if that is impossible, take policy none with allowInsecure."
      : "Enable Basic256Sha256, Aes128_Sha256_RsaOaep or Aes256_Sha256_RsaPss in the server, or choose what it offers.",
    `offered: ${[...new Set(offered)].join(", ") || "nothing"}`,
  );
}
