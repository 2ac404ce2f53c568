/** The composition root. `main.ts` is the `lineshaft` command; `server.ts` puts the platform together. */
export { startServer } from "./server.ts";
