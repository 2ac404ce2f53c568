import { createHmac, timingSafeEqual } from "node:crypto";
import { type Principal, ProblemError } from "@lineshaft/contract/api";

/**
 * Page cursors for outsiders: the inner cursor with a code over it, the query and the tenant, so that one cannot be made up, changed,
 * or carried to another query (A65). Not secret, only bound.
 */
export class CursorSeal {
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  seal(inner: string | null, route: string, principal: Principal, query: object): string | null {
    if (inner === null) return null;
    const text = Buffer.from(inner);
    return Buffer.concat([this.#code(text, route, principal, query), text]).toString("base64url");
  }

  /** Throws `cursor_invalid`. */
  open(cursor: string, route: string, principal: Principal, query: object): string {
    const bytes = Buffer.from(cursor, "base64url");
    const text = bytes.subarray(codeBytes);
    if (
      bytes.length < codeBytes ||
      bytes.toString("base64url") !== cursor ||
      !timingSafeEqual(bytes.subarray(0, codeBytes), this.#code(text, route, principal, query))
    )
      throw new ProblemError("cursor_invalid", "The cursor is not one that this server gave for this query.");
    return text.toString();
  }

  #code(text: Uint8Array, route: string, principal: Principal, query: object): Buffer {
    const bound = Object.entries(query)
      .filter(([key]) => key !== "cursor" && key !== "limit")
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return createHmac("sha256", this.#secret)
      .update(JSON.stringify([route, principal.tenant, bound]))
      .update("\0")
      .update(text)
      .digest()
      .subarray(0, codeBytes);
  }
}

const codeBytes = 12;
