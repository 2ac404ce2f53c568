import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Answer, type FaultMenu, refused } from "./fault-menu.ts";

export interface FaultOptions {
  /** 0: a free one. */
  port: number;
  token: string;
  menu: FaultMenu;
  /** Answers what really happened. */
  truth(query: URLSearchParams): Answer;
  say(text: string): void;
}

const bodyBytesMax = 4096;

/** The simulation's own API, on loopback and with a token: a plant that breaks on demand, and tells what is true. */
export async function serveFaults(options: FaultOptions): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void answer(request, options).then(({ status, body }) => send(response, status, body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The fault API has no port.");
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, options: FaultOptions): Promise<Answer> {
  if (!authorised(request.headers.authorization, options.token))
    return refused(401, "Send the token: Authorization: Bearer …");
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://plant");
  if (pathname === "/truth" && request.method === "GET") return options.truth(searchParams);
  if (pathname !== "/faults") return refused(404, "There are /faults and /truth.");
  if (request.method === "GET") return options.menu.show();
  if (request.method !== "POST") return refused(405, "GET shows the menu, POST orders.");
  const text = await bodyOf(request);
  if (text === null) return refused(413, `A body has at most ${bodyBytesMax} bytes.`);
  const ordered = options.menu.order(parsed(text));
  if (ordered.status === 202) options.say(`fault ordered: ${JSON.stringify(ordered.body)}`);
  return ordered;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function authorised(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? "");
  const right = Buffer.from(`Bearer ${token}`);
  return given.length === right.length && timingSafeEqual(given, right);
}

/** The body as text; null when it is too long or breaks off. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) return null;
      chunks.push(chunk);
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}
