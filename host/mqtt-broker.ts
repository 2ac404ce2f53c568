import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type BrokerEvent,
  type BrokerListener,
  type BrokerSource,
  EmbeddedBroker,
  embeddedBrokerKey,
  type MqttLogin,
  type MqttPrincipal,
} from "@lineshaft/connectivity";
import { inScope, may, type Principal, ProblemError, type SystemStatus } from "@lineshaft/contract/api";
import type { Clock, Identity, Registry } from "@lineshaft/contract/ports";
import { createRateLimiter } from "@lineshaft/governance";
import { hostInUrl, type MqttSettings, UsageError } from "./config.ts";
import type { RunningConnectivity } from "./connectivity.ts";

interface Parts {
  settings: MqttSettings;
  registry: Pick<Registry, "connectionSpecs">;
  identity: Pick<Identity, "authenticate" | "keyById">;
  clock: Clock;
  /** Scope of a connection on the equipment tree; null: there is no such connection. */
  scopeOf(tenant: number, connection: string): string | null;
  audit(event: BrokerEvent): void;
  /** How many files this process may open; null: nobody knows. */
  openFilesMax: number | null;
}

export interface MqttBroker {
  /** A connection's place at the broker, for `context.share`. */
  shared(tenant: number, connection: string, key: string): object | null;
  /** Connections that are no longer wanted give their topics up. */
  followed(wanted: readonly { tenant: number; name: string }[]): void;
  /** Opens the door, once the connections behind it stand; resolves with its URL. */
  listen(connectivity: Pick<RunningConnectivity, "follow" | "kinds" | "status">): Promise<string>;
  status(): SystemStatus["mqtt"];
  stop(): Promise<void>;
}

/** How often credentials are looked at again: a revoked one is cut off so fast. */
const checkMs = 1000;
/** How long the door stays shut at a start for the connections behind it. */
const standMs = 10_000;
/** Lines of the audit about one address: what a client does in a loop is told, but not each time. */
const auditLines = { burst: 20, ratePerSecond: 1 };
/** Anything that does not look like a key is not asked about: the admin secret is for people, and its slow hash no way to busy us. */
const keyForm = /^lineshaft_[a-z0-9]{1,16}_([a-z0-9]{12})_/;
/** A client identifier that begins with a key's id is that key's. */
const keyIdForm = /^([a-z0-9]{12})(?:-|$)/;
/** Commands to machines, and the presence of host applications: not for those that only send data. */
const commandTopics = ["spBv1.0/+/NCMD/#", "spBv1.0/+/DCMD/#", "spBv1.0/STATE/#"];

/**
 * The embedded MQTT broker with the platform's own keys as accounts: the password is the key (or a certificate names its id), its tenant is the realm, its
 * scope decides the topics. Rights are looked up again for every message, so a change works at once; connections of a revoked key are cut within a second or two.
 */
export function openMqttBroker({
  settings,
  registry,
  identity,
  clock,
  scopeOf,
  audit,
  openFilesMax,
}: Parts): MqttBroker {
  const listener = readListener(settings);
  const sources = new Map<string, BrokerSource>();
  const rights = new WeakMap<Principal, MqttPrincipal>();
  const lines = createRateLimiter({ clock, ...auditLines });
  const over = new AbortController();
  let port = 0;

  const keyOf = ({ password, certificate, remoteAddress }: MqttLogin): Principal | null => {
    if (password === null) return certificate === null ? null : identity.keyById(certificate.commonName);
    const key = Buffer.from(password).toString();
    if (!keyForm.test(key)) return null;
    try {
      return identity.authenticate({ authorization: `Bearer ${key}`, address: remoteAddress });
    } catch (error) {
      if (error instanceof ProblemError) return null;
      throw error;
    }
  };
  // A quarter, or 2,000, and some more stay for the log, history and HTTP: devices must not take the last descriptor (F36).
  const kept = (openFilesMax ?? 0) * 0.25;
  const connections =
    openFilesMax === null ? 20_000 : Math.max(16, Math.floor(openFilesMax - Math.min(kept, 2000)) - 128);
  const broker = new EmbeddedBroker({
    clock,
    limits: { connections: Math.min(20_000, connections) },
    authenticate: async (login) => keyOf(login)?.id ?? null,
    principal: (id) => {
      const key = identity.keyById(id);
      if (key === null) return null;
      let known = rights.get(key);
      if (known === undefined) {
        known = mqttRights(key, settings.topics);
        rights.set(key, known);
      }
      return known;
    },
    // Reserved whether or not the key exists: nobody waits with an identifier for a key to come.
    clientIdOwner: (clientId) => keyIdForm.exec(clientId)?.[1] ?? null,
    audit: (event) => {
      if (lines.take(`${event.event} ${event.remoteAddress}`, 1) === 0) audit(event);
    },
  });
  const placeOf = (tenant: number, connection: string): BrokerSource => {
    const name = `${tenant}/${connection}`;
    let source = sources.get(name);
    if (source === undefined) {
      source = broker.source(String(tenant), ({ name: id }) => {
        const scope = scopeOf(tenant, connection);
        const key = identity.keyById(id);
        return scope !== null && key !== null && related(key, scope);
      });
      sources.set(name, source);
    }
    return source;
  };
  /**
   * The door must not open before the connections read: what devices send again after our restart would be acknowledged and stored by nobody, and births at
   * QoS 0 would be lost. A connection that cannot be started at all is not waited for.
   */
  const connectionsStand = async (connectivity: Parameters<MqttBroker["listen"]>[0]): Promise<void> => {
    await connectivity.follow();
    const kinds = connectivity.kinds().filter(({ mode }) => mode === "listens");
    const listening = new Set(kinds.map(({ kind }) => kind));
    const awaited = registry.connectionSpecs().filter(({ kind }) => listening.has(kind));
    const stands = ({ tenant, name }: { tenant: number; name: string }): boolean => {
      const state = connectivity.status(tenant, name)?.health.state;
      const hopeless = state === undefined || state === "waiting" || state === "parked";
      return hopeless || sources.get(`${tenant}/${name}`)?.claimed === true;
    };
    const until = clock.monotonicMs() + standMs;
    while (!awaited.every(stands) && clock.monotonicMs() < until) await clock.sleep(10);
  };
  const keepChecking = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await sleep(checkMs, undefined, { signal: over.signal, ref: false }).catch(() => undefined);
      broker.cutRevoked();
    }
  };

  return {
    shared: (tenant, connection, key) => (key === embeddedBrokerKey ? placeOf(tenant, connection) : null),
    followed: (wanted) => {
      const names = new Set(wanted.map(({ tenant, name }) => `${tenant}/${name}`));
      for (const [name, source] of sources) {
        if (names.has(name)) continue;
        source.end();
        sources.delete(name);
      }
    },
    listen: async (connectivity) => {
      await connectionsStand(connectivity);
      port = await broker.listen(listener);
      void keepChecking();
      return `${listener.tls === undefined ? "mqtt" : "mqtts"}://${hostInUrl(settings.host)}:${port}`;
    },
    status: () => {
      const { connections, received, unclaimed, refused, cut } = broker.diagnose() as Record<string, number>;
      return { port, tls: listener.tls !== undefined, clients: connections, received, unclaimed, refused, cut };
    },
    stop: async () => {
      over.abort();
      await broker.close();
    },
  };
}

/** What a key may do here: senders publish within their scope and hear commands meant for it, readers subscribe within theirs. */
export function mqttRights(key: Principal, templates: readonly string[]): MqttPrincipal {
  const filters = key.scopes.flatMap((scope) => templates.flatMap((template) => filterOf(template, key, scope) ?? []));
  const commands = key.scopes.flatMap((scope) => {
    const group = groupOf(scope);
    return group === null ? [] : [`spBv1.0/${group}/NCMD/#`, `spBv1.0/${group}/DCMD/#`];
  });
  const sends = may(key, "ingest");
  return {
    name: key.id,
    realm: String(key.tenant),
    clientIds: ["*"],
    publish: sends ? filters : [],
    publishNot: may(key, "configure") ? [] : commandTopics,
    subscribe: [...(may(key, "read") ? filters : []), ...(sends ? [...commands, "spBv1.0/STATE/+"] : [])],
  };
}

/** A template for one scope; null where the scope's names cannot stand in a topic without meaning more than they say. */
function filterOf(template: string, key: Principal, scope: string): string | null {
  if (/[+#]/.test(scope)) return null;
  const group = groupOf(scope);
  if (template.includes("{group}") && group === null) return null;
  return template
    .replace("{scope}/", scope === "" ? "" : "{scope}/")
    .replaceAll("{scope}", () => scope)
    .replaceAll("{group}", () => group as string)
    .replaceAll("{tenant}", String(key.tenant))
    .replaceAll("{key}", key.id);
}

/** The Sparkplug group of a scope: its names joined by ":", which no topic level divides; the whole tenant is any group. */
function groupOf(scope: string): string | null {
  if (scope === "") return "+";
  return /[+#:]/.test(scope) ? null : scope.replaceAll("/", ":");
}

/** A connection takes what comes from within its scope, and what a wider key sends. */
function related(key: Principal, scope: string): boolean {
  const within = (inner: string): boolean => scope === "" || inner === scope || inner.startsWith(`${scope}/`);
  return inScope(key, scope) || key.scopes.some(within);
}

function readListener({ host, port, tls }: MqttSettings): BrokerListener {
  if (tls === null) return { host, port };
  const pem = (setting: string, file: string): string => {
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      throw new UsageError(`--${setting}: ${(error as Error).message}.`);
    }
  };
  return {
    host,
    port,
    tls: {
      certificate: pem("mqtt-tls-cert", tls.certificate),
      key: pem("mqtt-tls-key", tls.key),
      ...(tls.authorities === undefined ? {} : { authorities: pem("mqtt-tls-ca", tls.authorities) }),
      clientCertificate: tls.clientCertificate,
    },
  };
}
