import { createHmac } from "node:crypto";
import { ProblemError, type Role } from "@lineshaft/contract/api";
import type { Registry } from "@lineshaft/contract/ports";
import { type Random, sameBytes, sha256 } from "./secrets.ts";

/** A kiosk stands where everybody passes, so it is never signed in with more than this. */
const roles: readonly Role[] = ["viewer", "operator"];
const setting = "kioskSecret";
const form = /^kiosk_([a-z0-9]{12})_([A-Za-z0-9_-]{22})_([A-Za-z0-9_-]{43})$/;
/** Browsers keep a cookie no longer. */
export const kioskMaxAgeSeconds = 400 * 86_400;

/**
 * Sessions that last as long as their API key, over restarts of the server: the cookie is the key's id under our signature, and nothing is kept of it here. Whoever revokes the key ends
 * all of them; signing out only takes the cookie away.
 */
export class KioskSessions {
  readonly #registry: Pick<Registry, "getSetting" | "setSetting">;
  readonly #random: Random;
  #secret: Uint8Array | null = null;

  constructor(registry: Pick<Registry, "getSetting" | "setSetting">, random: Random) {
    this.#registry = registry;
    this.#random = random;
  }

  /** Throws `forbidden` for a role that may more than read and book. */
  open(keyId: string, role: Role): string {
    if (!roles.includes(role))
      throw new ProblemError(
        "forbidden",
        `A sign-in that lasts is for the roles ${roles.join(" and ")}, not "${role}".`,
      );
    const nonce = Buffer.from(this.#random(16)).toString("base64url");
    return `kiosk_${keyId}_${nonce}_${this.#sign(keyId, nonce)}`;
  }

  /** The key of a cookie that is ours; null: it is another's, or none of this kind. */
  keyOf(value: string): string | null {
    const match = form.exec(value);
    if (match === null) return null;
    const [, keyId, nonce, signature] = match;
    return sameBytes(Buffer.from(signature), Buffer.from(this.#sign(keyId, nonce))) ? keyId : null;
  }

  /** Behind the key's id, so that the audit tells one kiosk from another. */
  principalId(keyId: string, value: string): string {
    return `${keyId}#kiosk-${Buffer.from(sha256(value)).toString("hex").slice(0, 16)}`;
  }

  /** The key of a principal that came from such a session, else null. */
  keyOfPrincipal(id: string): string | null {
    return /^([a-z0-9]{12})#kiosk-/.exec(id)?.[1] ?? null;
  }

  #sign(keyId: string, nonce: string): string {
    return createHmac("sha256", this.#key()).update(`${keyId}_${nonce}`).digest("base64url");
  }

  #key(): Uint8Array {
    if (this.#secret !== null) return this.#secret;
    let stored = this.#registry.getSetting(setting);
    if (stored === null) {
      stored = Buffer.from(this.#random(32)).toString("base64");
      this.#registry.setSetting(setting, stored);
    }
    this.#secret = Buffer.from(stored, "base64");
    return this.#secret;
  }
}
