/** For `node --import` before a program that knows no host to listen on: whatever it opens is on loopback, and nobody else reaches it. */
import { Server } from "node:net";

const listen = Server.prototype.listen;
Server.prototype.listen = function (this: Server, options: object, ...rest: unknown[]) {
  return listen.call(this, { ...options, host: "127.0.0.1" }, ...(rest as []));
} as typeof listen;
