/** Modbus devices for the bench `modbus`: each on a port of its own, with registers that all change, answered as cheaply as Node can. */
import { type AddressInfo, createServer } from "node:net";
import { cpuSecondsSince, endWith, tellParent } from "./helper-process.ts";

export interface DevicesJob {
  devices: number;
}

export type DevicesMessage =
  | { event: "ready"; ports: number[] }
  | { event: "done"; requests: number; cpuSeconds: number };

const requestBytes = 12;
const headerBytes = 9;
const variants = 64;

/** Answers with the most registers, ready to be cut and numbered: the simulator shall not be what is measured. */
const answers = Array.from({ length: variants }, (_, variant) => {
  const bytes = Buffer.alloc(headerBytes + 250);
  for (let at = headerBytes; at < bytes.length; at++) bytes[at] = (at * 7 + variant * 13) & 0x7f;
  return bytes;
});

let requests = 0;
const start = process.cpuUsage();

function answer(request: Buffer, at: number): Buffer {
  const count = request.readUInt16BE(at + 10);
  const bytes = Buffer.from(answers[requests++ % variants].subarray(0, headerBytes + 2 * count));
  bytes.writeUInt16BE(request.readUInt16BE(at), 0);
  bytes.writeUInt16BE(3 + 2 * count, 4);
  bytes[6] = request[at + 6];
  bytes[7] = request[at + 7];
  bytes[8] = 2 * count;
  return bytes;
}

async function device(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    // Requests of one client, one write each, come whole on loopback; what is cut is a fault of this bench and ends the connection.
    socket.on("data", (chunk) => {
      if (chunk.length % requestBytes !== 0) socket.destroy();
      else for (let at = 0; at < chunk.length; at += requestBytes) socket.write(answer(chunk, at));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

process.on("message", async (message: DevicesJob | { command: string }) => {
  if ("command" in message) return endWith({ event: "done", requests, cpuSeconds: cpuSecondsSince(start) });
  const ports = await Promise.all(Array.from({ length: message.devices }, device));
  tellParent({ event: "ready", ports });
});
