import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { type Role, roles } from "@lineshaft/contract/api";
import type { Logger } from "pino";

const restartMs = [1000, 5000, 15_000, 60_000];

export interface Applications {
  stop(): Promise<void>;
}

/** What the package.json of an application says under "lineshaft". */
interface Manifest {
  /** Entry of its worker, in its folder. */
  worker: string;
  /** What its key may do. Default: read and publish results. */
  role: Role;
}

/** Nobody needs to administer in order to compute something. */
const grantable = (Object.keys(roles) as Role[]).filter((role) => role !== "admin");

/** The manifest of an application; a text says why it is none. */
export function manifestOf(packageJson: string): Manifest | string {
  const { worker, role = "application" } =
    (JSON.parse(packageJson) as { lineshaft?: { worker?: unknown; role?: unknown } }).lineshaft ?? {};
  if (typeof worker !== "string") return 'Its package.json names no "lineshaft.worker".';
  const granted = grantable.find((each) => each === role);
  if (granted === undefined) return `"lineshaft.role" in its package.json must be one of ${grantable.join(", ")}.`;
  return { worker, role: granted };
}

/**
 * Starts the configured applications, each in a worker of its own with nothing but an address and a key: what a stranger's would have. The key may do what
 * the application's manifest asks for, and no more. Found by folder name at run time; a missing one is said and left out, a crashed one is started again with
 * growing pauses.
 */
export function startApplications(
  names: string[],
  root: string,
  access: { url: string; key: (name: string, role: Role) => string },
  log: Logger,
): Applications {
  const running = names.flatMap((name) => {
    const dir = join(root, name);
    const manifest = join(dir, "package.json");
    if (!existsSync(manifest)) {
      log.warn({ application: name }, "There is no such application; it is not started.");
      return [];
    }
    const said = manifestOf(readFileSync(manifest, "utf8"));
    if (typeof said === "string") {
      log.warn({ application: name }, `${said} It is not started.`);
      return [];
    }
    const entry = pathToFileURL(join(dir, said.worker));
    return [keepRunning(name, entry, { url: access.url, key: access.key(name, said.role) }, log)];
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
