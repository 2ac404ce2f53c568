import { type Principal, ProblemError } from "@lineshaft/contract/api";
import type { Identity } from "@lineshaft/contract/ports";

/** Cookie of the console's session. */
export const sessionCookie = "lineshaft_session";

/** The parts of a request that say who asks and from where; the same for HTTP and for a WebSocket's upgrade. */
export interface Caller {
  authorization: string | undefined;
  session: string | undefined;
  origin: string | undefined;
  host: string | undefined;
  fetchSite: string | undefined;
  address: string;
}

const credentialParameters = /[?&](?:api[-_]?)?(?:key|token|secret|password|access_token|authorization|bearer)=/i;

/** A credential in a URL ends up in logs and histories: refused before anything else, right or wrong (A9). */
export function refuseCredentialInUrl(url: string): void {
  if (url.includes("?") && credentialParameters.test(url))
    throw new ProblemError("credential_in_url", "The query of the URL holds a parameter for a credential.");
}

/** A page of another origin may neither call nor listen, unless it is on the list (A77). */
export function checkOrigin(caller: Caller, allowed: readonly string[]): "none" | "own" | "allowed" {
  const { origin, host } = caller;
  if (origin === undefined) return "none";
  if (host !== undefined && originHost(origin) === host.toLowerCase()) return "own";
  if (allowed.includes(origin)) return "allowed";
  throw new ProblemError(
    "csrf",
    `Pages of the origin ${JSON.stringify(origin.slice(0, 200))} may not use this server.`,
  );
}

/**
 * Who asks. `writes`: a request with a session cookie must then come from our own pages (A78): the browser says so by
 * Origin or Sec-Fetch-Site, which pages cannot forge.
 */
export function authenticate(
  identity: Identity,
  caller: Caller,
  origin: "none" | "own" | "allowed",
  writes: boolean,
): Principal {
  const { authorization, session, address } = caller;
  if (authorization !== undefined) return identity.authenticate({ authorization, address });
  if (session === undefined) throw new ProblemError("auth_missing", "The request carries neither a key nor a session.");
  if (origin === "allowed") throw new ProblemError("csrf", "Pages of other origins must use an API key.");
  if (writes) requireOwnPage(caller, origin);
  return identity.authenticate({ session, address });
}

/** Throws `csrf` unless the browser says that the request comes from one of our own pages. */
export function requireOwnPage(caller: Caller, origin: "none" | "own" | "allowed"): void {
  if (origin !== "own" && caller.fetchSite !== "same-origin")
    throw new ProblemError("csrf", "A session cookie came without proof that our own page sent it.");
}

/** Host and port of an origin in lower case; null when it is none ("null" is the origin of sandboxed pages). */
function originHost(origin: string): string | null {
  const match = /^https?:\/\/([^/?#]+)$/i.exec(origin);
  return match === null ? null : match[1].toLowerCase();
}

/** Is it this machine, asking for this machine by name, with no proxy in between? Then metrics need no key. */
export function isLocal(caller: Caller, forwarded: boolean): boolean {
  const loopback = /^(?:::ffff:)?127\.|^::1$/.test(caller.address);
  // The Host check keeps pages out that re-bound their name to this address.
  const named = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(caller.host ?? "");
  return loopback && named && !forwarded;
}
