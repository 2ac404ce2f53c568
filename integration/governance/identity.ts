import {
  type ApiKey,
  type NewApiKey,
  nameFault,
  type Principal,
  ProblemError,
  type Role,
} from "@lineshaft/contract/api";
import type { Clock, Identity, Registry } from "@lineshaft/contract/ports";
import { KioskSessions, kioskMaxAgeSeconds } from "./kiosk-sessions.ts";
import { createRateLimiter } from "./rate-limiter.ts";
import {
  hashPassword,
  newAdminSecret,
  newKey,
  type ParsedKey,
  parseKey,
  type Random,
  sameBytes,
  sha256,
  verifyPassword,
} from "./secrets.ts";
import { Sessions, sessionMaxMs } from "./sessions.ts";

/** Failed sign-ins an address has before it must wait, and how fast it gets one back. */
const failures = { burst: 10, ratePerSecond: 1 / 30 };
/** Slow hashes over all addresses: each holds the main thread for some 30 ms. */
const slowHashes = { burst: 20, ratePerSecond: 2 };
/** A key's last use is written at most this often. */
const touchEveryUs = 60_000_000;
const maxCachedKeys = 10_000;
const adminSetting = "adminSecret";
const firstTenant = 1;
/** Whoever knows the admin secret. */
const administrator = { id: "admin", name: "Administrator", tenant: firstTenant, role: "admin" as const, scopes: [""] };

export interface IdentityOptions {
  registry: Registry;
  clock: Clock;
  random: Random;
  /** Chosen by the operator: replaces what was generated, so that a lost one can be set anew. */
  adminSecret?: string;
  /** Stands in every key (`lineshaft_<env>_…`), so that a key of the test plant is recognised. Default "live". */
  environment?: string;
}

export interface OwnedIdentity extends Identity {
  /** The admin secret to show, at the first start only; null once there is one or the operator has chosen it. */
  ensureAdmin(): string | null;
  /** A key with the system's own rights that is kept nowhere and ends with the process: for the demo, and for applications run by the host. */
  createSystemKey(name: string, role: Role): string;
}

interface KnownKey {
  hash: Uint8Array;
  principal: Principal;
  expiresUs: number | null;
  revokedUs: number | null;
  touchedUs: number;
}

/**
 * Who is asking. API keys are looked up by id and compared by hash, some 5 µs a request: what the registry said is kept
 * until its next revision, so a revocation works at once. Unknown ids and wrong secrets take the same way and give the same answer.
 */
export function openIdentity(options: IdentityOptions): OwnedIdentity {
  const { registry, clock, random, environment = "live" } = options;
  const sessions = new Sessions(clock, random);
  const kiosks = new KioskSessions(registry, random);
  const systemKeys = new Map<string, KnownKey>();
  const failed = createRateLimiter({ clock, ...failures });
  const hashing = createRateLimiter({ clock, ...slowHashes });
  const nobody = sha256("nobody");

  let cache = new Map<string, KnownKey>();
  let cachedRevision = -1;
  /** Compared as a keyed hash, so that a right secret costs the slow hash once a process. */
  const pepper = Buffer.from(random(32)).toString("base64");
  let knownAdmin: Uint8Array | null = null;

  const lookUp = (id: string): KnownKey | null => {
    const revision = registry.revision;
    if (revision !== cachedRevision) {
      cache = new Map();
      cachedRevision = revision;
    }
    const known = systemKeys.get(id) ?? cache.get(id);
    if (known !== undefined) return known;
    const row = registry.findKey(id);
    if (row === null) return null;
    const { tenant, name, role, scopes, hash, expiresUs, revokedUs, lastUsedUs } = row;
    const key: KnownKey = {
      hash,
      principal: { id, kind: "key", name, tenant, role, scopes },
      expiresUs,
      revokedUs,
      touchedUs: lastUsedUs ?? 0,
    };
    if (cache.size >= maxCachedKeys) cache.delete(cache.keys().next().value as string);
    cache.set(id, key);
    return key;
  };

  /** The key with this id and secret, whether or not it is still good; null when there is none. */
  const matching = ({ id, secret }: ParsedKey): KnownKey | null => {
    const key = lookUp(id);
    const same = sameBytes(sha256(secret), key?.hash ?? nobody);
    return key !== null && same ? key : null;
  };

  const demandGood = (key: KnownKey): void => {
    if (key.revokedUs !== null) throw new ProblemError("key_revoked", `The API key ${key.principal.id} was revoked.`);
    if (key.expiresUs !== null && clock.nowUs() >= key.expiresUs)
      throw new ProblemError("key_expired", `The API key ${key.principal.id} has expired.`);
  };

  const touch = (key: KnownKey): void => {
    const nowUs = clock.nowUs();
    if (key.principal.kind !== "key" || nowUs - key.touchedUs < touchEveryUs) return;
    key.touchedUs = nowUs;
    try {
      registry.touchKey(key.principal.id, nowUs);
    } catch (error) {
      // Reading must go on when the disk is full or broken; only the date of last use is missing then.
      if (!(error instanceof ProblemError)) throw error;
    }
  };

  const byKey = (parsed: ParsedKey | null): Principal => {
    const key = parsed === null ? null : matching(parsed);
    if (key === null) throw unknownCredential();
    demandGood(key);
    touch(key);
    return key.principal;
  };

  const byKiosk = (keyId: string, value: string): Principal => {
    const key = lookUp(keyId);
    if (key === null) throw unknownCredential();
    demandGood(key);
    touch(key);
    return { ...key.principal, id: kiosks.principalId(keyId, value), kind: "session" };
  };

  const bySession = (value: string): Principal => {
    const kiosk = kiosks.keyOf(value);
    if (kiosk !== null) return byKiosk(kiosk, value);
    const session = sessions.use(value);
    if (session === null) throw new ProblemError("auth_invalid", "The session has ended. Sign in again.");
    if (session.keyId !== null) {
      const key = lookUp(session.keyId);
      if (key === null) throw unknownCredential();
      demandGood(key);
      return { ...session.principal, role: key.principal.role, scopes: key.principal.scopes };
    }
    return session.principal;
  };

  const isAdminSecret = (secret: string): boolean => {
    const quick = sha256(pepper + secret);
    if (knownAdmin !== null && sameBytes(quick, knownAdmin)) return true;
    const stored = registry.getSetting(adminSetting);
    if (stored === null) return false;
    const waitSeconds = hashing.take("all", 1);
    if (waitSeconds > 0) throw throttled(waitSeconds);
    if (!verifyPassword(secret, stored)) return false;
    knownAdmin = quick;
    return true;
  };

  /** Throws `auth_throttled` after too many wrong secrets from one address. */
  const demandAdmin = (secret: string, address: string): void => {
    const bucket = addressBlock(address);
    const waitSeconds = failed.wait(bucket, 1);
    if (waitSeconds > 0) throw throttled(waitSeconds);
    if (isAdminSecret(secret)) return;
    failed.take(bucket, 1);
    throw unknownCredential();
  };

  return {
    ensureAdmin: () => {
      const stored = registry.getSetting(adminSetting);
      const chosen = options.adminSecret;
      if (chosen !== undefined) {
        if (stored === null || !verifyPassword(chosen, stored))
          registry.setSetting(adminSetting, hashPassword(chosen, random));
        return null;
      }
      if (stored !== null) return null;
      const secret = newAdminSecret(random);
      registry.setSetting(adminSetting, hashPassword(secret, random));
      return secret;
    },

    authenticate: ({ authorization, session, address }) => {
      if (authorization !== undefined) {
        const match = /^Bearer +(\S+)$/i.exec(authorization);
        if (match === null)
          throw new ProblemError("auth_invalid", "The Authorization header must have the form `Bearer <API key>`.");
        const parsed = parseKey(match[1]);
        if (parsed !== null) return byKey(parsed);
        demandAdmin(match[1], address);
        return { ...administrator, kind: "system" };
      }
      if (session !== undefined) return bySession(session);
      throw new ProblemError("auth_missing", "The request carries neither a key nor a session.");
    },

    signIn: (secret, address, lasts = "visit") => {
      const maxAgeSeconds = sessionMaxMs / 1000;
      const parsed = parseKey(secret);
      const key = parsed === null ? null : matching(parsed);
      if (key !== null) {
        // A key cannot be guessed, so a neighbour's failures behind the same address do not lock it out.
        demandGood(key);
        touch(key);
        if (lasts === "key") {
          const session = kiosks.open(key.principal.id, key.principal.role);
          return { session, principal: byKiosk(key.principal.id, session), maxAgeSeconds: kioskMaxAgeSeconds };
        }
        const { value, principal } = sessions.open(key.principal.id, key.principal);
        return { session: value, principal, maxAgeSeconds };
      }
      if (parsed !== null) {
        failed.take(addressBlock(address), 1);
        throw unknownCredential();
      }
      demandAdmin(secret, address);
      if (lasts === "key") throw new ProblemError("forbidden", "The admin secret signs in for a visit only.");
      const { value, principal } = sessions.open(null, administrator);
      return { session: value, principal, maxAgeSeconds };
    },

    signOut: (session) => sessions.close(session),

    createKey: (p, wanted) => {
      const key = newKey(random, environment);
      const nowUs = clock.nowUs();
      checkNewKey(wanted, nowUs);
      const item: ApiKey = {
        id: key.id,
        name: wanted.name,
        role: wanted.role,
        scopes: wanted.scopes ?? [""],
        createdUs: nowUs,
        expiresUs: wanted.expiresUs ?? null,
        revokedUs: null,
        lastUsedUs: null,
      };
      registry.insertKey(p, { ...item, tenant: p.tenant, hash: key.hash });
      return { key: item, secret: key.text };
    },

    revokeKey: (p, id) => registry.revokeKey(p, id, clock.nowUs()),

    keyById: (id) => {
      const key = lookUp(id);
      if (key === null || key.revokedUs !== null) return null;
      return key.expiresUs !== null && clock.nowUs() >= key.expiresUs ? null : key.principal;
    },

    stillValid: (p) => {
      if (p.kind === "system" && !systemKeys.has(p.id)) return true; // the host itself
      const kiosk = p.kind === "session" ? kiosks.keyOfPrincipal(p.id) : null;
      const session = p.kind === "session" && kiosk === null ? sessions.ofPrincipal(p) : null;
      if (p.kind === "session" && kiosk === null && session === null) return false;
      const keyId = kiosk ?? (session === null ? p.id : session.keyId);
      if (keyId === null) return true; // signed in with the admin secret
      const key = lookUp(keyId);
      if (key === null || key.revokedUs !== null) return false;
      if (key.expiresUs !== null && clock.nowUs() >= key.expiresUs) return false;
      const { tenant, role, scopes } = key.principal;
      return tenant === p.tenant && role === p.role && sameScopes(scopes, p.scopes);
    },

    createSystemKey: (name, role) => {
      const { id, text, hash } = newKey(random, environment);
      const principal: Principal = { id, kind: "system", name, tenant: firstTenant, role, scopes: [""] };
      systemKeys.set(id, { hash, principal, expiresUs: null, revokedUs: null, touchedUs: 0 });
      return text;
    },
  };
}

function unknownCredential(): ProblemError {
  return new ProblemError("auth_invalid", "The key or secret is not known here.");
}

function throttled(waitSeconds: number): ProblemError {
  const retryAfterSeconds = Math.ceil(waitSeconds);
  return new ProblemError("auth_throttled", "There were too many failed sign-ins.", { retryAfterSeconds });
}

/** An IPv6 subscriber holds a whole /64, so that counts as one address; IPv4 written as IPv6 is IPv4. */
function addressBlock(address: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (v4 !== null) return v4[1];
  if (!address.includes(":")) return address;
  const [head, tail] = address.toLowerCase().split("%")[0].split("::");
  const groups = head.split(":").filter((group) => group !== "");
  if (tail !== undefined) {
    const rest = tail.split(":").filter((group) => group !== "");
    while (groups.length + rest.length < 8) groups.push("0");
    groups.push(...rest);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}

function sameScopes(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((scope, i) => scope === b[i]);
}

function checkNewKey(key: NewApiKey, nowUs: number): void {
  const errors: { path: string; message: string }[] = [];
  const fault = nameFault(key.name, "allowed");
  if (fault !== null) errors.push({ path: "/name", message: fault });
  (key.scopes ?? []).forEach((scope, i) => {
    // A scope that can match no path would silently give no rights.
    const segment = scope === "" ? undefined : scope.split("/").find((name) => nameFault(name) !== null);
    if (segment !== undefined) errors.push({ path: `/scopes/${i}`, message: "It is no path on the equipment tree." });
  });
  if (key.expiresUs != null && key.expiresUs <= nowUs)
    errors.push({ path: "/expiresUs", message: "It lies in the past." });
  if (errors.length > 0) throw new ProblemError("request_invalid", "The API key cannot be created.", { errors });
}
