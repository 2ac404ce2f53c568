import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { Logger } from "pino";

const restartMs = [1000, 5000, 15_000, 60_000];

export interface Applications {
  stop(): Promise<void>;
}

/**
 * Starts the configured applications, each in a worker of its own with nothing but an address and a key: what a stranger's would have. Found
 * by folder name at run time; a missing one is said and left out, a crashed one is started again with growing pauses.
 */
export function startApplications(
  names: string[],
  root: string,
  access: { url: string; key: (name: string) => string },
  log: Logger,
): Applications {
  const running = names.flatMap((name) => {
    const dir = join(root, name);
    const manifest = join(dir, "package.json");
    if (!existsSync(manifest)) {
      log.warn({ application: name }, "There is no such application; it is not started.");
      return [];
    }
    const { worker } =
      (JSON.parse(readFileSync(manifest, "utf8")) as { lineshaft?: { worker?: string } }).lineshaft ?? {};
    if (worker === undefined) {
      log.warn({ application: name }, 'Its package.json names no "lineshaft.worker"; it is not started.');
      return [];
    }
    return [keepRunning(name, pathToFileURL(join(dir, worker)), { url: access.url, key: access.key(name) }, log)];
  });
  return {
    stop: async () => {
      await Promise.all(running.map((stop) => stop()));
    },
  };
}

function keepRunning(name: string, entry: URL, workerData: object, log: Logger): () => Promise<void> {
  let stopped = false;
  let crashes = 0;
  let worker: Worker | null = null;
  let timer: NodeJS.Timeout | null = null;
  const start = (): void => {
    worker = new Worker(entry, { workerData, name: `app:${name}` });
    worker.on("error", (error) => log.error({ err: error, application: name }, "The application failed"));
    worker.on("exit", (code) => {
      worker = null;
      if (stopped || code === 0) return;
      const pause = restartMs[Math.min(crashes++, restartMs.length - 1)];
      log.warn({ application: name, pauseMs: pause }, "The application ended; it is started again after a pause.");
      timer = setTimeout(start, pause);
      timer.unref();
    });
  };
  start();
  return async () => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
    await worker?.terminate();
  };
}
