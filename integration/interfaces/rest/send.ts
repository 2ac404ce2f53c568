import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { columnsMediaType, ProblemError, type RouteName } from "@lineshaft/contract/api";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Answer } from "./call.ts";
import { yamlTypes } from "./configuration.ts";
import { lineRoutes, linesMediaType } from "./connectivity.ts";

/** JSON below this many characters is not worth compressing. */
const gzipFrom = 16 * 1024;
const jsonType = "application/json; charset=utf-8";

/** Sends a handler's answer: small JSON at once, large ones in pieces and, where the caller takes it, compressed. */
export function send(request: FastifyRequest, reply: FastifyReply, answer: object): FastifyReply {
  if (!(answer instanceof Answer)) return sendText(request, reply, JSON.stringify(answer));
  if (answer.content instanceof Uint8Array) return reply.type(answer.mediaType).send(answer.content);
  // Each piece goes out as it comes; nothing is held back to compress it.
  if (Symbol.asyncIterator in answer.content)
    return reply.type(answer.mediaType).send(Readable.from(answer.content, { objectMode: false }));
  if (!answer.large) return sendText(request, reply, [...answer.content].join(""));
  // Pulled piece by piece as the socket drains.
  return sendStream(request, reply, Readable.from(answer.content, { objectMode: false }));
}

function sendText(request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  if (text.length < gzipFrom || !takesGzip(request)) return reply.type(jsonType).send(text);
  return sendStream(request, reply, Readable.from([text], { objectMode: false }));
}

function sendStream(request: FastifyRequest, reply: FastifyReply, body: Readable): FastifyReply {
  reply.type(jsonType).header("vary", "Accept-Encoding");
  if (!takesGzip(request)) return reply.send(body);
  const gzip = createGzip({ level: 1 });
  body.on("error", (error) => gzip.destroy(error));
  return reply.header("content-encoding", "gzip").send(body.pipe(gzip));
}

function takesGzip(request: FastifyRequest): boolean {
  const accepted = request.headers["accept-encoding"];
  return (
    typeof accepted === "string" && /(?:^|[,\s])(?:gzip|\*)\s*(?:$|,|;\s*q=(?!0(?:\.0*)?(?:$|[,\s])))/i.test(accepted)
  );
}

/** Throws `not_acceptable` when no media type of the route is accepted. */
export function requireAcceptable(accept: string | undefined, route: RouteName): void {
  if (accept === undefined || accept === "") return;
  for (const part of accept.split(",")) {
    const type = part.split(";", 1)[0].trim().toLowerCase();
    if (
      type === "*/*" ||
      type === "application/*" ||
      type === "application/json" ||
      type === "application/problem+json"
    )
      return;
    if (lineRoutes.has(route) && type === linesMediaType) return;
    if (route === "rawHistory" && type === columnsMediaType) return;
    if (route === "getConfiguration" && yamlTypes.includes(type)) return;
  }
  throw new ProblemError(
    "not_acceptable",
    `${JSON.stringify(accept.slice(0, 200))} names no media type of this address.`,
  );
}
