import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ConnectionStatus,
  type Connectivity,
  connectorKinds,
  daysLeft,
  openConnectivity,
  openWireView,
  reconcile,
  type Standing,
} from "@lineshaft/connectivity";
import { type ConnectionFigures, type ConnectionSpec, ProblemError } from "@lineshaft/contract/api";
import type {
  CertificateStore,
  CertificateSummary,
  Clock,
  ConnectionHealth,
  ConnectionKind,
  ConnectivityService,
  Registry,
  Sink,
} from "@lineshaft/contract/ports";
import { paced } from "@lineshaft/platform/registry";

interface Parts {
  registry: Pick<Registry, "setUpRevision" | "connectionSpecs" | "settled">;
  sink: Sink;
  clock: Clock;
  dataDir: string;
  sourceCursor(tenant: number, connection: string): string | null;
  /** What stood of a connection when this process began. */
  standing?(tenant: number, connection: string): Standing | null;
  /** What the host shares with a connection, by the key it asks with. */
  shared?(tenant: number, connection: string, key: string): object | null;
  /** These connections are wanted now, and no others. */
  followed?(wanted: readonly (ConnectionSpec & { tenant: number })[]): void;
  /** Every change of a connection's health. */
  onHealth?(tenant: number, connection: string, health: ConnectionHealth): void;
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
  const types = await Promise.all(Object.values(connectorKinds).map((load) => load()));
  const kinds: ConnectionKind[] = types.map(({ kind, title, mode, config, tagOptions }) => ({
    kind,
    title,
    mode,
    config,
    tagOptions,
  }));
  const withCertificates = new Set(types.filter((type) => type.certificates !== undefined).map(({ kind }) => kind));
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
      standing: (name) => parts.standing?.(tenant, name) ?? null,
      onHealth: (name, health) => parts.onHealth?.(tenant, name, health),
      log: (level, name, text) => parts.log(level, name === null ? text : `Connection "${name}": ${text}`),
    });
    tenants.set(tenant, opened);
    return opened;
  };

  const once = async (): Promise<void> => {
    await registry.settled();
    // Orders and bookings come all day; with many tags the comparison of all connections is dear.
    const { setUpRevision } = registry;
    if (setUpRevision === followed) return;
    followed = setUpRevision;
    const all = registry.connectionSpecs();
    const wanted = Map.groupBy(all, ({ tenant }) => tenant);
    for (const tenant of new Set([...wanted.keys(), ...tenants.keys()])) {
      const specs = (wanted.get(tenant) ?? []).filter(({ kind }) => Object.hasOwn(connectorKinds, kind)).map(plain);
      if (specs.length === 0 && !tenants.has(tenant)) continue;
      for (const [name, error] of await reconcile(of(tenant), specs, paced()))
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
    status: (tenant, name) => {
      const found = tenants.get(tenant)?.get(name) ?? null;
      if (found === null) return null;
      const { health, delivery } = found;
      return { health, delivery, figures: figuresOf(found, clock.nowUs()) };
    },
    diagnose: async (tenant, name) => (await tenants.get(tenant)?.diagnose(name)) ?? null,
    check: (tenant, kind, config, signal) => of(tenant).check(kind, config, signal),
    browse: (tenant, target, from, signal) => of(tenant).browse(target, from, signal),
    propose: (tenant, target, look, signal) => of(tenant).propose(target, look, signal),
    certificates: (tenant, kind, by) =>
      withCertificates.has(kind) ? certificatesOf(of(tenant), kind, by, parts.log) : null,
    wire(tenant, name, signal) {
      const connectivity = tenants.get(tenant);
      if (connectivity?.get(name) == null) return null;
      return openWireView((listener) => connectivity.tap(name, listener), signal);
    },
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

/** A person's decisions on certificates take effect at once: what waits for trust tries again, what rests on a distrusted one ends. */
function certificatesOf(connectivity: Connectivity, kind: string, by: string, log: Parts["log"]): CertificateStore {
  const store = async (): Promise<CertificateStore> => (await connectivity.certificates(kind)) as CertificateStore;
  const restart = async (concerns: (status: ConnectionStatus) => boolean): Promise<void> => {
    const names = connectivity.list().filter((status) => status.spec.kind === kind && concerns(status));
    await Promise.all(names.map(({ spec }) => connectivity.restart(spec.name)));
  };
  const told = (what: string, { thumbprint, subject }: CertificateSummary): void =>
    log("info", `By ${by}: the certificate ${thumbprint} (${subject}) is ${what} for connections of kind "${kind}".`);
  return {
    list: async () => (await store()).list(),
    async trust(thumbprint) {
      const found = await (await store()).trust(thumbprint);
      if (found === null) return null;
      told("trusted", found);
      await restart(({ health }) => health.state === "waiting" && health.fault === "untrusted");
      return found;
    },
    async distrust(thumbprint) {
      const found = await (await store()).distrust(thumbprint);
      if (found === null) return null;
      told("trusted no longer", found);
      await restart(({ figures }) => figures.certificates.some((each) => each.thumbprint === found.thumbprint));
      return found;
    },
  };
}

function figuresOf({ figures }: ConnectionStatus, nowUs: number): ConnectionFigures {
  const { reconnects, lastGoodAtUs, lagUs, inFlightRows, expectedRowsPerSecond, certificates } = figures;
  return {
    reconnects,
    lastGoodUs: lastGoodAtUs,
    lagMs: lagUs === null ? null : lagUs / 1000,
    inFlightRows,
    expectedRatePerSecond: expectedRowsPerSecond,
    certificates: certificates.map(({ of, thumbprint, validToUs }) => ({
      of,
      thumbprint,
      daysLeft: daysLeft(validToUs, nowUs),
    })),
  };
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
