import type { Principal } from "@lineshaft/contract/api";
import type { Clock } from "@lineshaft/contract/ports";
import { type Random, sha256 } from "./secrets.ts";

/** A sign-in ends after half a day without a request, and after a week in any case. */
export const sessionIdleMs = 12 * 3_600_000;
export const sessionMaxMs = 7 * 24 * 3_600_000;
const maxSessions = 10_000;

interface Session {
  hash: string;
  /** Key id, or null for the admin secret. */
  keyId: string | null;
  publicId: string;
  createdMs: number;
  usedMs: number;
  principal: Principal;
}

/**
 * Who is signed in to the console. The value in the cookie is random and kept only as its hash; sessions live in memory and end with
 * the process. Principals carry a public part of the session behind their id ("admin#3f…"), so that the audit names both.
 */
export class Sessions {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #random: Random;
  readonly #byHash = new Map<string, Session>();
  readonly #byPublicId = new Map<string, Session>();

  constructor(clock: Pick<Clock, "monotonicMs">, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Beyond `maxSessions` the one unused for longest ends. */
  open(keyId: string | null, who: Omit<Principal, "kind">): { value: string; principal: Principal } {
    const value = Buffer.from(this.#random(32)).toString("base64url");
    const publicId = Buffer.from(this.#random(8)).toString("hex");
    const nowMs = this.#clock.monotonicMs();
    const principal: Principal = { ...who, id: `${who.id}#${publicId}`, kind: "session" };
    const hash = hashOf(value);
    const session = { hash, keyId, publicId, createdMs: nowMs, usedMs: nowMs, principal };
    this.#byHash.set(hash, session);
    this.#byPublicId.set(publicId, session);
    if (this.#byHash.size > maxSessions) this.#end(this.#byHash.values().next().value as Session);
    return { value, principal };
  }

  /** The session of a cookie; asking keeps it alive. */
  use(value: string): Session | null {
    const session = this.#byHash.get(hashOf(value));
    if (session === undefined || !this.#alive(session)) return null;
    session.usedMs = this.#clock.monotonicMs();
    // Last in the map is last used.
    this.#byHash.delete(session.hash);
    this.#byHash.set(session.hash, session);
    return session;
  }

  /** The session a principal came from, while it lasts. A stream that is open counts as use. */
  ofPrincipal(p: Principal): Session | null {
    const session = this.#byPublicId.get(p.id.slice(p.id.lastIndexOf("#") + 1));
    if (session === undefined || session.principal.id !== p.id || !this.#alive(session)) return null;
    session.usedMs = this.#clock.monotonicMs();
    return session;
  }

  close(value: string): void {
    const session = this.#byHash.get(hashOf(value));
    if (session !== undefined) this.#end(session);
  }

  #alive(session: Session): boolean {
    const nowMs = this.#clock.monotonicMs();
    const alive = nowMs - session.usedMs < sessionIdleMs && nowMs - session.createdMs < sessionMaxMs;
    if (!alive) this.#end(session);
    return alive;
  }

  #end(session: Session): void {
    this.#byHash.delete(session.hash);
    this.#byPublicId.delete(session.publicId);
  }
}

function hashOf(value: string): string {
  return Buffer.from(sha256(value)).toString("base64");
}
