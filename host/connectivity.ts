import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Connectivity, connectorKinds, openConnectivity, reconcile } from "@lineshaft/connectivity";
import { type ConnectionSpec, ProblemError } from "@lineshaft/contract/api";
import type { Clock, ConnectionKind, ConnectivityService, Registry, Sink } from "@lineshaft/contract/ports";

interface Parts {
  registry: Pick<Registry, "revision" | "connectionSpecs">;
  sink: Sink;
  clock: Clock;
  dataDir: string;
  sourceCursor(tenant: number, connection: string): string | null;
  /** What the host shares with a connection, by the key it asks with. */
  shared?(tenant: number, connection: string, key: string): object | null;
  /** These connections are wanted now, and no others. */
  followed?(wanted: readonly (ConnectionSpec & { tenant: number })[]): void;
  log(level: "info" | "warning", text: string): void;
}

export interface RunningConnectivity extends ConnectivityService {
  /** From now on what runs is what the registry says, a second later at most. */
  start(): void;
  /** The same at once. */
  follow(): Promise<void>;
  stop(): Promise<void>;
}

/** How often the registry is asked whether something has changed. */
const followMs = 1000;

/** Runs the connections that the registry holds, each tenant's apart from the others'. */
export async function runConnectivity(parts: Parts): Promise<RunningConnectivity> {
  const { registry, clock, dataDir } = parts;
  const secret = secretsIn([process.env.CREDENTIALS_DIRECTORY, join(dataDir, "secrets")]);
  const tenants = new Map<number, Connectivity>();
  const over = new AbortController();
  const kinds = await describeKinds();
  let followed = -1;
  let following: Promise<void> = Promise.resolve();

  const of = (tenant: number): Connectivity => {
    const known = tenants.get(tenant);
    if (known !== undefined) return known;
    const opened = openConnectivity({
      tenant,
      sink: parts.sink,
      clock,
      random: Math.random,
      kinds: connectorKinds,
      shared: (name, key) => parts.shared?.(tenant, name, key) ?? null,
      secret,
      stateDir: join(dataDir, "connections", String(tenant)),
      sourceCursor: (name) => parts.sourceCursor(tenant, name),
      onHealth: () => undefined,
      log: (level, name, text) => parts.log(level, name === null ? text : `Connection "${name}": ${text}`),
    });
    tenants.set(tenant, opened);
    return opened;
  };

  const once = async (): Promise<void> => {
    const { revision } = registry;
    if (revision === followed) return;
    followed = revision;
    const all = registry.connectionSpecs();
    const wanted = Map.groupBy(all, ({ tenant }) => tenant);
    for (const tenant of new Set([...wanted.keys(), ...tenants.keys()])) {
      const specs = (wanted.get(tenant) ?? []).filter(({ kind }) => Object.hasOwn(connectorKinds, kind)).map(plain);
      if (specs.length === 0 && !tenants.has(tenant)) continue;
      for (const [name, error] of await reconcile(of(tenant), specs))
        parts.log("warning", `Connection "${name}" cannot be started: ${error.message}`);
    }
    parts.followed?.(all);
  };
  const follow = (): Promise<void> => {
    following = following
      .then(once)
      .catch((error: Error) => parts.log("warning", `Following the configuration failed: ${error.message}`));
    return following;
  };
  const keepFollowing = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await follow();
      await clock.sleep(followMs, over.signal).catch(() => undefined);
    }
  };

  return {
    start: () => void keepFollowing(),
    follow,
    kinds: () => kinds,
    status: (tenant, name) => tenants.get(tenant)?.get(name) ?? null,
    diagnose: async (tenant, name) => (await tenants.get(tenant)?.diagnose(name)) ?? null,
    check: (kind, config, signal) => of(checkTenant).check(kind, config, signal),
    async restart(tenant, name) {
      const connectivity = tenants.get(tenant);
      if (connectivity?.get(name) == null)
        throw new ProblemError("not_found", `This server does not run a connection "${name}".`);
      await connectivity.restart(name);
    },
    async stop() {
      over.abort();
      await following;
      await Promise.all([...tenants.values()].map((connectivity) => connectivity.close()));
    },
  };
}

/** A check saves nothing and offers nothing, so it needs no tenant of its own. */
const checkTenant = 0;

async function describeKinds(): Promise<ConnectionKind[]> {
  const types = await Promise.all(Object.values(connectorKinds).map((load) => load()));
  return types.map(({ kind, title, mode, config, tagOptions }) => ({ kind, title, mode, config, tagOptions }));
}

const plain = ({ name, kind, config, tags }: ConnectionSpec): ConnectionSpec => ({ name, kind, config, tags });

/** Secrets are files, one each, as systemd's LoadCredential= and container secrets bring them; the first folder that has one counts. */
export function secretsIn(folders: readonly (string | undefined)[]): (name: string) => string | null {
  return (name) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)) return null;
    for (const folder of folders) {
      if (folder === undefined) continue;
      try {
        return readFileSync(join(folder, name), "utf8").replace(/\r?\n$/, "");
      } catch (error) {
        if (!["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      }
    }
    return null;
  };
}
