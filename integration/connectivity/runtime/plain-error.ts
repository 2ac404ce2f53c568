import { ConnectionError } from "@lineshaft/contract/ports";
import type { PlainError } from "./messages.ts";

/** Errors on their way between threads: a ConnectionError stays one. */
export function toPlain(error: unknown): PlainError {
  if (error instanceof ConnectionError) {
    const { message, fault, hint, technical } = error;
    return { message, fault, hint, technical };
  }
  return { message: error instanceof Error ? error.message : String(error) };
}

export function fromPlain({ message, fault, hint, technical }: PlainError): Error {
  return fault === undefined ? new Error(message) : new ConnectionError(fault, message, hint ?? "", technical);
}

export function cannotBrowse(kind: string): ConnectionError {
  const hint = "Write its addresses by hand, or import them as a table.";
  return new ConnectionError("misconfigured", `Connections of kind "${kind}" cannot be browsed.`, hint);
}

export function tooMany(children: number): ConnectionError {
  const hint = "Browse what lies below them, or write the addresses by hand.";
  return new ConnectionError(
    "protocol",
    `There are more than ${children} children; the first of them were listed.`,
    hint,
  );
}
