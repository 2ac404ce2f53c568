import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type Problem, type ProblemCode, ProblemError, problemCatalogue } from "@lineshaft/contract/api";
import type { InterfaceLog } from "./services.ts";

/** Media type of RFC 9457. */
export const problemMediaType = "application/problem+json";

/** What Fastify and Node find wrong with a request, in our words. */
const framing: Record<string, { code: ProblemCode; detail: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: "body_too_large", detail: "The body is larger than this address takes." },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: "media_type_unsupported", detail: "The Content-Type cannot be read." },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: "bad_framing",
    detail: "The body is not as long as Content-Length says.",
  },
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: { code: "media_type_unsupported", detail: "The body has no Content-Type." },
  FST_ERR_BAD_URL: { code: "bad_framing", detail: "The path of the URL is not well formed." },
  FST_ERR_MAX_PARAM_LENGTH: { code: "not_found", detail: "There is nothing at this address." },
  ECONNRESET: { code: "bad_framing", detail: "The connection ended within the body." },
  HPE_HEADER_OVERFLOW: { code: "headers_too_large", detail: "The headers are longer than 16 KiB." },
  ERR_HTTP_REQUEST_TIMEOUT: { code: "request_timeout", detail: "The request was not complete in time." },
};

/**
 * Any thrown thing as a problem. What we do not know is a fault of ours: it is logged whole under `instance`, and the caller
 * sees only that id, never a stack, a query or a path.
 */
export function toProblem(error: unknown, instance: string, log: InterfaceLog | undefined): Problem {
  if (error instanceof ProblemError) return error.toProblem(instance);
  const code = (error as { code?: unknown } | null)?.code;
  const known = typeof code === "string" ? framing[code] : undefined;
  if (known !== undefined) return new ProblemError(known.code, known.detail).toProblem(instance);
  if (isAbort(error)) return new ProblemError("shutting_down", "The request was given up.").toProblem(instance);
  log?.error({ err: error, instance }, "A request failed inside.");
  return new ProblemError("internal", "The request failed inside the server.").toProblem(instance);
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

/** A complete HTTP/1.1 answer for a socket that has no request object (yet): bad framing, refused upgrades. */
export function writeRawProblem(socket: Duplex, problem: Problem): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(problem);
  const retry =
    problem.retryAfterSeconds === undefined ? "" : `Retry-After: ${Math.ceil(problem.retryAfterSeconds)}\r\n`;
  const authenticate = problem.status === 401 ? "WWW-Authenticate: Bearer\r\n" : "";
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}\r\n` +
      `Content-Type: ${problemMediaType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `${retry}${authenticate}Connection: close\r\n\r\n${body}`,
  );
}

/** For a parser error of Node's HTTP server. */
export function clientErrorProblem(error: { code?: string }): Problem {
  const known = error.code === undefined ? undefined : framing[error.code];
  const { code, detail } = known ?? { code: "bad_framing" as const, detail: "The HTTP message is not well formed." };
  return new ProblemError(code, detail).toProblem();
}

/** Close code of a WebSocket that ends with this problem: 4000 + HTTP status. */
export function closeCodeOf(code: ProblemCode): number {
  return 4000 + problemCatalogue[code].status;
}
