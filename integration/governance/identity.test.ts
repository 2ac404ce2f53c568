import { createHash } from "node:crypto";
import { type ApiKey, type Principal, ProblemError } from "@lineshaft/contract/api";
import type { Registry } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { type OwnedIdentity, openIdentity } from "./identity.ts";

type Stored = ApiKey & { tenant: number; hash: Uint8Array };

/** The parts of a registry that identity uses, in memory. */
class FakeRegistry {
  revision = 1;
  reads = 0;
  broken = false;
  readonly keys = new Map<string, Stored>();
  readonly settings = new Map<string, string>();

  insertKey(_: Principal, key: Stored): void {
    this.keys.set(key.id, key);
    this.revision++;
  }
  findKey(id: string): Stored | null {
    this.reads++;
    return this.keys.get(id) ?? null;
  }
  revokeKey(_: Principal, id: string, atUs: number): ApiKey {
    return this.change(id, { revokedUs: atUs });
  }
  touchKey(id: string, atUs: number): void {
    if (this.broken) throw new ProblemError("disk_full", "Full.");
    this.keys.set(id, { ...(this.keys.get(id) as Stored), lastUsedUs: atUs });
  }
  getSetting(name: string): string | null {
    return this.settings.get(name) ?? null;
  }
  setSetting(name: string, value: string): void {
    this.settings.set(name, value);
  }
  change(id: string, change: Partial<Stored>): Stored {
    const key = { ...(this.keys.get(id) as Stored), ...change };
    this.keys.set(id, key);
    this.revision++;
    return key;
  }
}

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
const address = "10.0.0.1";
let clock: FakeClock;
let registry: FakeRegistry;
let identity: OwnedIdentity;
let seed = 0;

/** Chance that repeats: the n-th block of bytes is the hash of n. */
function random(bytes: number): Uint8Array {
  return createHash("shake256", { outputLength: bytes }).update(String(seed++)).digest();
}

function open(adminSecret?: string): OwnedIdentity {
  return openIdentity({ registry: registry as unknown as Registry, clock, random, adminSecret });
}

beforeEach(() => {
  seed = 0;
  clock = new FakeClock();
  registry = new FakeRegistry();
  identity = open();
});

function problem(run: () => unknown): ProblemError {
  try {
    run();
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown.");
}

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}`, address });

describe("API keys", () => {
  test("a key says who it is; its secret is kept nowhere", () => {
    const { key, secret } = identity.createKey(admin, { name: "gateway 7", role: "source", scopes: ["S/L"] });
    expect(secret).toMatch(/^lineshaft_live_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/);
    expect(key).toMatchObject({ name: "gateway 7", role: "source", expiresUs: null, createdUs: clock.nowUs() });
    expect(identity.authenticate(bearer(secret))).toEqual({
      id: key.id,
      kind: "key",
      name: "gateway 7",
      tenant: 1,
      role: "source",
      scopes: ["S/L"],
    });
    const kept = JSON.stringify([...registry.keys.values()], (_, v) => (v instanceof Uint8Array ? [...v] : v));
    expect(kept).not.toContain(secret.slice(-43));
  });

  test("A1: no credential", () => {
    expect(problem(() => identity.authenticate({ address })).code).toBe("auth_missing");
  });

  test("unknown ids, wrong secrets and nonsense get one answer", () => {
    const { secret } = identity.createKey(admin, { name: "k", role: "viewer" });
    const wrong = secret.slice(0, -1) + (secret.endsWith("A") ? "B" : "A");
    const unknown = secret.replace(/_[a-z0-9]{12}_/, "_000000000000_");
    const answers = [wrong, unknown, "x", `${secret}x`, "lineshaft_live_x_y", "'; DROP TABLE api_key;--x"]
      .filter((text) => !text.includes(" "))
      .map((text) => JSON.stringify(problem(() => identity.authenticate(bearer(text))).toProblem()));
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain("auth_invalid");
    for (const authorization of ["", "Basic YTpi", secret, "Bearer", `Bearer ${secret} ${secret}`])
      expect(problem(() => identity.authenticate({ authorization, address })).code).toBe("auth_invalid");
  });

  test("A8: a revocation works with the next request, and only who has the secret learns of it", () => {
    const { key, secret } = identity.createKey(admin, { name: "k", role: "viewer" });
    const principal = identity.authenticate(bearer(secret));
    expect(identity.stillValid(principal)).toBe(true);
    identity.revokeKey(admin, key.id);
    expect(problem(() => identity.authenticate(bearer(secret))).code).toBe("key_revoked");
    expect(identity.stillValid(principal)).toBe(false);
    const wrong = `${secret.slice(0, -4)}AAAA`;
    expect(problem(() => identity.authenticate(bearer(wrong))).code).toBe("auth_invalid");
  });

  test("A4: a key ends at its expiry", () => {
    const expiresUs = clock.nowUs() + 1_000_000;
    const { secret } = identity.createKey(admin, { name: "k", role: "viewer", expiresUs });
    const principal = identity.authenticate(bearer(secret));
    clock.advanceMs(999);
    expect(identity.stillValid(principal)).toBe(true);
    clock.advanceMs(1);
    expect(problem(() => identity.authenticate(bearer(secret))).code).toBe("key_expired");
    expect(identity.stillValid(principal)).toBe(false);
  });

  test("A69: changed rights end what was opened with the old ones, and hold for the next request", () => {
    const { key, secret } = identity.createKey(admin, { name: "k", role: "viewer", scopes: ["S"] });
    const before = identity.authenticate(bearer(secret));
    registry.change(key.id, { scopes: ["T"] });
    expect(identity.stillValid(before)).toBe(false);
    const after = identity.authenticate(bearer(secret));
    expect(after.scopes).toEqual(["T"]);
    expect(identity.stillValid(structuredClone(after))).toBe(true);
  });

  test("a key that cannot work is not created", () => {
    const refused = problem(() =>
      identity.createKey(admin, { name: "a\u0000", role: "viewer", scopes: ["", "S/", "../S"], expiresUs: 5 }),
    );
    expect(refused.code).toBe("request_invalid");
    expect(refused.errors?.map((e) => e.path)).toEqual(["/name", "/scopes/1", "/scopes/2", "/expiresUs"]);
  });

  test("the registry is asked once a key until something changes, and told of the use once a minute", () => {
    const { key, secret } = identity.createKey(admin, { name: "k", role: "viewer" });
    registry.reads = 0;
    for (let i = 0; i < 1000; i++) identity.authenticate(bearer(secret));
    expect(registry.reads).toBe(1);
    const first = registry.keys.get(key.id)?.lastUsedUs;
    expect(first).toBe(clock.nowUs());
    clock.advanceMs(59_999);
    identity.authenticate(bearer(secret));
    expect(registry.keys.get(key.id)?.lastUsedUs).toBe(first);
    clock.advanceMs(1);
    identity.authenticate(bearer(secret));
    expect(registry.keys.get(key.id)?.lastUsedUs).toBe(clock.nowUs());
  });

  test("F9: a full disk does not lock out who reads", () => {
    const { secret } = identity.createKey(admin, { name: "k", role: "viewer" });
    registry.broken = true;
    expect(identity.authenticate(bearer(secret)).name).toBe("k");
  });

  test("keys of the host itself work and are kept nowhere", () => {
    const secret = identity.createSystemKey("demo plant", "source");
    const principal = identity.authenticate(bearer(secret));
    expect(principal).toMatchObject({ kind: "system", name: "demo plant", role: "source", scopes: [""] });
    expect(identity.stillValid(principal)).toBe(true);
    expect(registry.keys.size).toBe(0);
    expect(problem(() => open().authenticate(bearer(secret))).code).toBe("auth_invalid");
  });

  test("A11: an unknown key takes as long as a wrong secret", () => {
    const { secret } = identity.createKey(admin, { name: "k", role: "viewer" });
    const wrong = bearer(`${secret.slice(0, -4)}AAAA`);
    const unknown = bearer(secret.replace(/_[a-z0-9]{12}_/, "_000000000000_"));
    const costs = { wrong: [] as number[], unknown: [] as number[] };
    for (let round = 0; round < 200; round++)
      for (const [name, credential] of [
        ["wrong", wrong],
        ["unknown", unknown],
      ] as const) {
        const startedMs = performance.now();
        for (let i = 0; i < 20; i++) problem(() => identity.authenticate(credential));
        costs[name].push(performance.now() - startedMs);
      }
    const median = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1];
    const ratio = median(costs.unknown) / median(costs.wrong);
    // A fake registry answers at once; what is compared is our own way. The bound is wide for busy machines.
    expect(ratio).toBeGreaterThan(0.7);
    expect(ratio).toBeLessThan(1.4);
  });
});

describe("sign-in", () => {
  test("the admin secret is shown at the first start only, and kept as a slow hash", () => {
    const secret = identity.ensureAdmin() as string;
    expect(secret).toMatch(/^([A-HJKMNP-Z2-9]{5}-){4}[A-HJKMNP-Z2-9]{5}$/);
    expect(identity.ensureAdmin()).toBeNull();
    expect(open().ensureAdmin()).toBeNull();
    expect(registry.getSetting("adminSecret")).toMatch(/^argon2id\$m=19456,t=2,p=1\$/);
    const { session, principal, maxAgeSeconds } = open().signIn(secret, address);
    expect(principal).toMatchObject({ kind: "session", name: "Administrator", role: "admin", scopes: [""], tenant: 1 });
    expect(principal.id).toMatch(/^admin#[0-9a-f]{16}$/);
    expect(session).toHaveLength(43);
    expect(maxAgeSeconds).toBe(604_800);
  });

  test("the operator may choose the secret, and so replace a lost one", () => {
    identity.ensureAdmin();
    const chosen = open("correct horse battery staple");
    expect(chosen.ensureAdmin()).toBeNull();
    expect(chosen.signIn("correct horse battery staple", address).principal.role).toBe("admin");
    const kept = registry.getSetting("adminSecret");
    open("correct horse battery staple").ensureAdmin();
    expect(registry.getSetting("adminSecret")).toBe(kept);
  });

  test("an empty registry lets nobody in; the admin secret serves as bearer too and is throttled as at sign-in", () => {
    expect(problem(() => identity.signIn("", address)).code).toBe("auth_invalid");
    const secret = identity.ensureAdmin() as string;
    const principal = identity.authenticate(bearer(secret));
    expect(principal).toMatchObject({ role: "admin", scopes: [""] });
    expect(identity.stillValid(principal)).toBe(true);
    for (let i = 0; i < 9; i++)
      expect(problem(() => identity.authenticate(bearer(`wrong-${i}`))).code).toBe("auth_invalid");
    expect(problem(() => identity.authenticate(bearer("wrong"))).code).toBe("auth_throttled");
  });

  test("a session lives while it is used, at most a week, and until it is signed out", () => {
    const secret = identity.ensureAdmin() as string;
    const { session, principal } = identity.signIn(secret, address);
    const hours = (n: number) => clock.advanceMs(n * 3_600_000);
    hours(11);
    expect(identity.authenticate({ session, address })).toEqual(principal);
    hours(11);
    expect(identity.stillValid(principal)).toBe(true);
    hours(12);
    expect(problem(() => identity.authenticate({ session, address })).code).toBe("auth_invalid");
    expect(identity.stillValid(principal)).toBe(false);

    const second = identity.signIn(secret, address);
    for (let h = 0; h < 167; h++) {
      hours(1);
      expect(identity.stillValid(second.principal)).toBe(true);
    }
    hours(1);
    expect(identity.stillValid(second.principal)).toBe(false);

    const third = identity.signIn(secret, address);
    identity.signOut(third.session);
    identity.signOut("nonsense");
    expect(identity.stillValid(third.principal)).toBe(false);
    expect(problem(() => identity.authenticate({ session: third.session, address })).code).toBe("auth_invalid");
    const forged = { ...third.principal, id: "admin#0000000000000000" };
    expect(identity.stillValid(forged)).toBe(false);

    const fourth = identity.signIn(secret, address);
    expect(identity.stillValid({ ...fourth.principal, id: fourth.principal.id.replace("admin", "other") })).toBe(false);
  });

  test("a session of a key has its rights and ends with it", () => {
    const { key, secret } = identity.createKey(admin, { name: "k", role: "viewer", scopes: ["S"] });
    const { session, principal } = identity.signIn(secret, address);
    expect(principal).toMatchObject({ kind: "session", name: "k", role: "viewer", scopes: ["S"] });
    registry.change(key.id, { scopes: ["T"] });
    expect(identity.authenticate({ session, address }).scopes).toEqual(["T"]);
    expect(identity.stillValid(principal)).toBe(false);
    identity.revokeKey(admin, key.id);
    expect(problem(() => identity.authenticate({ session, address })).code).toBe("key_revoked");
    expect(problem(() => identity.signIn(secret, address)).code).toBe("key_revoked");
  });

  test("A10: 1,000 wrong passwords are throttled by address; keys, and other addresses, go on", () => {
    const { secret: key } = identity.createKey(admin, { name: "machine", role: "source" });
    const secret = identity.ensureAdmin() as string;
    const codes = Array.from({ length: 1000 }, (_, i) => problem(() => identity.signIn(`guess ${i}`, address)).code);
    expect(codes.filter((code) => code === "auth_invalid")).toHaveLength(10);
    expect(codes.slice(10).every((code) => code === "auth_throttled")).toBe(true);
    // The right secret is refused as well, else guessing would go on behind the refusals.
    const refused = problem(() => identity.signIn(secret, address));
    expect(refused.code).toBe("auth_throttled");
    expect(refused.retryAfterSeconds).toBe(30);
    expect(identity.authenticate(bearer(key)).name).toBe("machine");
    expect(identity.signIn(key, address).principal.name).toBe("machine");
    expect(identity.signIn(secret, "10.0.0.2").principal.role).toBe("admin");
    clock.advanceMs(30_000);
    expect(identity.signIn(secret, address).principal.role).toBe("admin");
  });

  test("A10: one IPv6 network is one address; IPv4 in either form is the same", () => {
    identity.ensureAdmin();
    for (let i = 0; i < 10; i++) problem(() => identity.signIn("guess", `2001:db8:0:1::${i}`));
    expect(problem(() => identity.signIn("guess", "2001:0db8::1:1:2:3:4")).code).toBe("auth_throttled");
    expect(problem(() => identity.signIn("guess", "2001:db8:0:2::1")).code).toBe("auth_invalid");
    clock.advanceMs(60_000);
    for (let i = 0; i < 10; i++) problem(() => identity.signIn("guess", "::ffff:10.9.9.9"));
    expect(problem(() => identity.signIn("guess", "10.9.9.9")).code).toBe("auth_throttled");
  });

  test("A10: guesses from many addresses cannot occupy the processor; who is known gets in", () => {
    const secret = identity.ensureAdmin() as string;
    identity.signIn(secret, address);
    const codes = Array.from({ length: 40 }, (_, i) => problem(() => identity.signIn("guess", `10.1.0.${i}`)).code);
    expect(codes.filter((code) => code === "auth_invalid").length).toBeLessThanOrEqual(20);
    expect(identity.signIn(secret, address).principal.role).toBe("admin");
  });
});

describe("kiosks", () => {
  test("a sign-in may last as long as its key, over restarts and without use; the key's end is its end", () => {
    const { key, secret } = identity.createKey(admin, { name: "press 7", role: "operator", scopes: ["S/L/P"] });
    const { session, principal, maxAgeSeconds } = identity.signIn(secret, address, "key");
    expect(principal).toMatchObject({ kind: "session", name: "press 7", role: "operator", scopes: ["S/L/P"] });
    expect(principal.id).toMatch(new RegExp(`^${key.id}#kiosk-`));
    expect(maxAgeSeconds).toBe(400 * 86_400);
    clock.advanceMs(30 * 24 * 3_600_000);
    identity = open();
    expect(identity.authenticate({ session, address })).toEqual(principal);
    expect(identity.stillValid(principal)).toBe(true);
    identity.revokeKey(admin, key.id);
    expect(problem(() => identity.authenticate({ session, address })).code).toBe("key_revoked");
    expect(identity.stillValid(principal)).toBe(false);
  });

  test("only roles that read or book may stay; a cookie that we did not sign is nobody's", () => {
    identity = open("a-secret-of-the-operator");
    for (const role of ["engineer", "admin", "source", "application"] as const)
      expect(
        problem(() => identity.signIn(identity.createKey(admin, { name: role, role }).secret, address, "key")).code,
      ).toBe("forbidden");
    identity.ensureAdmin();
    expect(problem(() => identity.signIn("a-secret-of-the-operator", address, "key")).code).toBe("forbidden");
    const one = identity.createKey(admin, { name: "one", role: "viewer" });
    const other = identity.createKey(admin, { name: "other", role: "operator" });
    const { session } = identity.signIn(one.secret, address, "key");
    for (const forged of [session.replace(one.key.id, other.key.id), `${session.slice(0, -2)}AA`, `${session}A`])
      expect(problem(() => identity.authenticate({ session: forged, address })).code).toBe("auth_invalid");
  });
});
