import {
  type Connection,
  inScope,
  may,
  type NewTag,
  type Principal,
  ProblemError,
  type RawTag,
} from "@lineshaft/contract/api";
import type { Clock, ConnectionService, Lsn, Page, Registry, Written } from "@lineshaft/contract/ports";
import type { LiveConnection, TagDirectory } from "./directory.ts";
import type { Ingest } from "./ingest.ts";
import type { SumLedger } from "./sums.ts";

const silentAfterUs = 60_000_000;

interface Parts {
  directory: TagDirectory;
  ingest: Ingest;
  registry: Registry;
  sums: SumLedger;
  clock: Clock;
  /** Of the connections that the platform runs itself; null for those that come by HTTP. */
  running?: (tenant: number, name: string) => Pick<Connection, "health" | "delivery" | "figures"> | null;
  /** Resolves when the registry has applied the log up to this LSN. */
  registryApplied(lsn: Lsn): Promise<void>;
}

/** Connections as people see them: the registry's row, the live state and the sums together. */
export function createConnectionService(parts: Parts): ConnectionService {
  const { directory, ingest, registry, sums, clock } = parts;

  const visible = (p: Principal, name: string): LiveConnection => {
    const connection = directory.connection(p.tenant, name);
    if (connection === undefined || !inScope(p, connection.scope)) {
      throw new ProblemError("not_found", `There is no connection "${name.slice(0, 128)}".`);
    }
    return connection;
  };

  const present = (connection: LiveConnection): Connection => {
    const { id, name, kind, scope, corrections, tagQuota, revision, lastBatchUs } = connection;
    const running = parts.running?.(connection.tenant, name) ?? null;
    const silent = lastBatchUs !== null && clock.nowUs() - lastBatchUs > silentAfterUs;
    return {
      id,
      name,
      kind,
      scope,
      delivery: running?.delivery ?? "acknowledged",
      ...(running?.health === undefined ? {} : { health: running.health }),
      corrections,
      tagQuota,
      revision,
      state: lastBatchUs === null ? "never" : silent ? "silent" : "active",
      tags: connection.tags.size,
      lastBatchUs,
      ratePerSecond: connection.rate.perSecond(clock.monotonicMs()),
      ...(running?.figures === undefined ? {} : { figures: running.figures }),
      sums: sums.of(id),
    };
  };

  const authorizeIngest = (p: Principal, name: string): void => {
    if (!may(p, "ingest")) throw new ProblemError("forbidden", `The role "${p.role}" may not send points.`);
    if (directory.connection(p.tenant, name) !== undefined) visible(p, name);
    else if (!inScope(p, "")) {
      const detail = `There is no connection "${name.slice(0, 128)}", and a credential with a scope cannot bring one into being.`;
      throw new ProblemError("not_found", detail);
    }
  };

  return {
    authorizeIngest,
    list(p, q): Page<Connection> {
      const limit = q.limit ?? 100;
      const after = q.cursor === undefined ? 0 : Number(q.cursor);
      if (!Number.isSafeInteger(after) || after < 0) {
        throw new ProblemError("cursor_invalid", "The cursor of a list of connections is a number.");
      }
      const mine = [...directory.connections].filter(
        (c) => c.tenant === p.tenant && c.id > after && inScope(p, c.scope),
      );
      mine.sort((a, b) => a.id - b.id);
      const items = mine.slice(0, limit);
      return { items: items.map(present), cursor: mine.length > limit ? String(items[items.length - 1].id) : null };
    },
    get: (p, name) => present(visible(p, name)),
    create(p, item): Written<Connection> {
      if (!inScope(p, item.scope)) throw new ProblemError("forbidden", `The scope "${item.scope}" is outside yours.`);
      if (directory.connection(p.tenant, item.name) !== undefined) {
        throw new ProblemError("path_taken", `A connection "${item.name}" exists already.`);
      }
      const id = directory.nextConnectionId();
      const { item: row, revision } = registry.createConnection(p, { id, ...item });
      return { item: present(directory.addConnection(p.tenant, row)), revision };
    },
    async resolve(p, connection, addresses) {
      authorizeIngest(p, connection);
      const { ids, faults } = await ingest.register(p.tenant, connection, addresses);
      return { ids, faults };
    },
    async createTag(p, item: NewTag): Promise<Written<RawTag>> {
      authorizeIngest(p, item.connection);
      const { ids, faults, lsn } = await ingest.register(p.tenant, item.connection, [item.address]);
      const id = ids[0];
      if (id === null) throw new ProblemError(faults[0].code as "name_invalid", faults[0].detail);
      await parts.registryApplied(lsn);
      const { name, equipmentId, unit } = item;
      const tag = registry.getTag(p, id);
      if (name === undefined && equipmentId === undefined && unit === undefined)
        return { item: tag, revision: tag.revision };
      return registry.changeTag(p, id, { name, equipmentId, unit }, tag.revision);
    },
    sourceCursor(p, name) {
      const { durable } = visible(p, name);
      return durable ?? { sourceCursor: null, generation: null, sequence: null };
    },
  };
}
