import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Disturbances } from "./protocols/disturbance.ts";
import { connectionFaults, type ProtocolEnd, valueFaults } from "./protocols/end.ts";

/** The end that speaks for each machine, and for whatever else can be named in a fault (the edge node). */
export type Speakers = ReadonlyMap<string, Pick<ProtocolEnd, "fault">>;

export interface FaultOptions {
  /** 0: a free one. */
  port: number;
  token: string;
  speakers: Speakers;
  disturbances: Disturbances;
  say(text: string): void;
}

const bodyBytesMax = 4096;
const secondsMax = 3600;
const kinds = [...connectionFaults, ...valueFaults];
type FaultKind = (typeof kinds)[number];

interface Answer {
  status: number;
  body: unknown;
}

const refused = (status: number, detail: string): Answer => ({ status, body: { detail } });

/** What `POST /faults` does: the menu in one function from a body to an answer. */
export function orderFault(body: unknown, { speakers, disturbances }: Omit<FaultOptions, "port" | "token">): Answer {
  if (typeof body !== "object" || body === null) return refused(400, "Send a JSON object: {machine, fault, seconds}.");
  const { machine, fault, seconds } = body as Record<string, unknown>;
  const kind = kinds.find((each) => each === fault);
  if (kind === undefined) return refused(400, `There is no such fault; there are ${kinds.join(", ")}.`);
  if (typeof seconds !== "number" || !(seconds > 0 && seconds <= secondsMax))
    return refused(400, `seconds must be a number above 0 and up to ${secondsMax}.`);
  const speaker = typeof machine === "string" ? speakers.get(machine) : undefined;
  if (typeof machine !== "string" || speaker === undefined)
    return refused(404, `No such machine is on; there are ${[...speakers.keys()].join(", ")}.`);
  const affected = begin(machine, kind, seconds * 1000, speaker, disturbances);
  if (affected === null) return refused(422, `What ${machine} speaks knows no fault "${kind}".`);
  return { status: 202, body: { machine, fault: kind, seconds, affected } };
}

function begin(
  machine: string,
  kind: FaultKind,
  ms: number,
  speaker: Pick<ProtocolEnd, "fault">,
  disturbances: Disturbances,
): readonly string[] | null {
  if (kind !== "freeze" && kind !== "skew") return speaker.fault(machine, kind, ms);
  disturbances.begin(machine, kind, ms);
  return [machine];
}

/** The simulation's own API, on loopback and with a token: a plant that breaks on demand. */
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
  if (request.url !== "/faults") return refused(404, "There is only /faults.");
  if (request.method === "GET") return { status: 200, body: { machines: [...options.speakers.keys()], faults: kinds } };
  if (request.method !== "POST") return refused(405, "GET shows the menu, POST orders.");
  const text = await bodyOf(request);
  if (text === null) return refused(413, `A body has at most ${bodyBytesMax} bytes.`);
  const ordered = orderFault(parsed(text), options);
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
