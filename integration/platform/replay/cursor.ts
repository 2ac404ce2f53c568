import { crc32 } from "node:zlib";
import { type Micros, ProblemError } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";

/**
 * Where a reader of the event source stands. In the log phase `next` is the record to read next; `skip` (while it matters) names the rows
 * that history has delivered already. In the history phase `from` is the source time to go on at.
 */
export type Position =
  | { phase: "log"; generation: number; next: Lsn; skip: HandOver | null }
  | { phase: "history"; generation: number; from: Micros; next: Lsn; skip: HandOver };

/** Rows with LSN ≤ `lsn` and sourceTime < `before` are history's; the log phase leaves them out. */
export interface HandOver {
  lsn: Lsn;
  before: Micros;
  /** Where history ends: the hand-over time C. Rows between C and `before` are older than what was asked for. */
  historyEnd: Micros;
}

/** Opaque text with a check sum: nobody is tempted to write one, and a cut one is noticed. */
export function encodeCursor(p: Position): string {
  const fields: (number | string)[] = [p.phase === "log" ? "l" : "h", p.generation, p.next];
  if (p.skip !== null) fields.push(p.skip.lsn, p.skip.before, p.skip.historyEnd);
  if (p.phase === "history") fields.push(p.from);
  const text = fields.join(",");
  return Buffer.from(`${text},${crc32(text).toString(36)}`).toString("base64url");
}

export function decodeCursor(cursor: string): Position {
  const text = Buffer.from(cursor, "base64url").toString("latin1");
  const cut = text.lastIndexOf(",");
  const body = text.slice(0, Math.max(0, cut));
  if (cut < 0 || crc32(body).toString(36) !== text.slice(cut + 1)) {
    throw new ProblemError("cursor_invalid", "The cursor is cut or was changed on the way.");
  }
  const [phase, ...rest] = body.split(",");
  const [generation, next, lsn, before, historyEnd, from] = rest.map(Number);
  if (phase === "h" && rest.length === 6)
    return { phase: "history", generation, next, skip: { lsn, before, historyEnd }, from };
  if (phase === "l" && rest.length === 5) return { phase: "log", generation, next, skip: { lsn, before, historyEnd } };
  if (phase === "l" && rest.length === 2) return { phase: "log", generation, next, skip: null };
  throw new ProblemError("cursor_invalid", "The cursor has an unknown form.");
}
