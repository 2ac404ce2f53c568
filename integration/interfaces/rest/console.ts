import fastifyStatic from "@fastify/static";
import { ProblemError } from "@lineshaft/contract/api";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Only our own files run in the console; nothing inline, no frames, no plug-ins, no other host. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const pageHeaders = {
  "content-security-policy": contentSecurityPolicy,
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

/** A name with a hash of its content, as the bundler writes it: it never changes, so it may be kept for ever. */
const hashedName = /[-.][A-Za-z0-9_-]{8,}\.\w+$/;

/**
 * Serves the built console from `dir`. Hashed assets are cached for ever, index.html never. Gives the handler for addresses that
 * the console routes by itself: they get index.html.
 */
export async function serveConsole(
  app: FastifyInstance,
  dir: string,
  secure: boolean,
): Promise<(request: FastifyRequest, reply: FastifyReply) => FastifyReply> {
  const policy = secure ? `${contentSecurityPolicy}; upgrade-insecure-requests` : contentSecurityPolicy;
  await app.register(fastifyStatic, {
    root: dir,
    cacheControl: false,
    dotfiles: "ignore",
    wildcard: true,
    index: ["index.html"],
    // The build lays them beside where they are worth it.
    preCompressed: true,
    setHeaders: (reply, path) => {
      for (const [name, value] of Object.entries(pageHeaders)) reply.header(name, value);
      reply.header("content-security-policy", policy);
      const forEver = /[\\/]assets[\\/]/.test(path) && hashedName.test(path.replace(/\.gz$/, ""));
      reply.header("cache-control", forEver ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
  return (request, reply) => {
    const page = request.method === "GET" || request.method === "HEAD";
    // An asset that is gone must stay a 404, or a browser would run HTML as a script.
    if (!page || /\.\w+$/.test(request.url.split("?", 1)[0]))
      throw new ProblemError("not_found", "There is no such page.");
    return reply.sendFile("index.html");
  };
}
