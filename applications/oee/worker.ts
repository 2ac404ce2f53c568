import { workerData } from "node:worker_threads";
import { start } from "./app.ts";

/** Entry of the worker that the host starts; `workerData` holds the server's address and the application's own key. */
const { url, key } = workerData as { url: string; key: string };
const log = (text: string): void => void process.stderr.write(`oee: ${text}\n`);
await start({ url, key, signal: new AbortController().signal, log });
