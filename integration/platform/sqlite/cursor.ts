import { createHmac, timingSafeEqual } from "node:crypto";
import { type Principal, ProblemError } from "@lineshaft/contract/api";

const tagBytes = 12;

/**
 * Page cursors that nobody else can make: a keyset position, sealed together with who asked and what for. A cursor of another
 * tenant, other rights or another query does not open (A65).
 */
export interface Cursors {
  seal(p: Principal, query: object, position: number[]): string;
  /** Throws `cursor_invalid`. */
  open(p: Principal, query: object, cursor: string): number[];
}

/** `key` should outlive a restart, so that a page can be turned after it. */
export function createCursors(key: Uint8Array): Cursors {
  const tag = (p: Principal, query: object, position: string): Buffer =>
    createHmac("sha256", key)
      .update(JSON.stringify([p.tenant, p.scopes, query, position]))
      .digest()
      .subarray(0, tagBytes);
  return {
    seal: (p, query, position) => {
      const text = position.join(",");
      return Buffer.concat([tag(p, query, text), Buffer.from(text)]).toString("base64url");
    },
    open: (p, query, cursor) => {
      const bytes = Buffer.from(cursor, "base64url");
      const text = bytes.subarray(tagBytes).toString();
      // Base64 has several spellings of the same bytes; only ours is a cursor.
      const canonical = bytes.length > tagBytes && bytes.toString("base64url") === cursor;
      if (!canonical || !timingSafeEqual(bytes.subarray(0, tagBytes), tag(p, query, text)))
        throw new ProblemError("cursor_invalid", "The cursor does not belong to this list and its filters.");
      return text.split(",").map(Number);
    },
  };
}

/** The page size asked for, default 100; `limit_invalid` beyond 1 to 1,000 (A66). */
export function pageSize(limit: number | undefined): number {
  if (limit === undefined) return 100;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new ProblemError("limit_invalid", `A page has 1 to 1,000 items; ${limit} were asked for.`);
  return limit;
}
