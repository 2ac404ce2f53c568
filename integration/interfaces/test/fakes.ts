import {
  type ApiKey,
  type Columns,
  type Configuration,
  type Connection,
  type Equipment,
  type EventType,
  encodeColumns,
  inScope,
  type LastValue,
  type Plan,
  type Principal,
  ProblemError,
  type RawTag,
  type RejectedItem,
  type Role,
  roles,
  type SystemStatus,
  selectRows,
  statusGood,
  valueAt,
  valueToJson,
  valueTypeAt,
} from "@lineshaft/contract/api";
import {
  type CertificateStore,
  type CertificateSummary,
  type Clock,
  type ConfigurationInput,
  ConnectionError,
  type EventItem,
  type EventReader,
  type SourceBatch,
} from "@lineshaft/contract/ports";
import type { Services } from "../rest/services.ts";
import { FakeFactRecords } from "./fake-fact-records.ts";
import { FakeResults } from "./fake-results.ts";

/** Real time, for tests that speak over sockets. */
export const realClock: Clock = {
  nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
    }),
};

interface Stored {
  tag: number;
  time: number;
  ordinal: number;
  row: Columns;
}

const pageOf = <T>(items: T[], q: { limit?: number; cursor?: string }): { items: T[]; cursor: string | null } => {
  const from = Number(q.cursor ?? 0);
  const to = from + (q.limit ?? 100);
  return { items: items.slice(from, to), cursor: to < items.length ? String(to) : null };
};

/**
 * The ports in memory, as small as they can be and still keep their promises as far as the interfaces look. One log of items, one
 * tenant; keys are the strings "<role>" or "<role>@<scope>".
 */
export class FakePlatform implements Services {
  clock: Clock = realClock;
  readonly batches: SourceBatch[] = [];
  readonly rejects: {
    connection: string | null;
    code: string;
    detail: string;
    payload: Uint8Array | null;
    points: number;
  }[] = [];
  readonly log: EventItem[] = [];
  readonly tags: (RawTag & { scope: string })[] = [];
  readonly equipmentRows: Equipment[] = [];
  readonly connectionRows: { id: number; name: string; scope: string; revision: number }[] = [];
  readonly points: Stored[] = [];
  readonly revoked = new Set<string>();
  readonly seen = new Set<string>();
  /** False: points are not kept for queries, for tests with many. */
  keepPoints = true;
  firstLsn = 1;
  creditRows = 1_000_000;
  revision = 0;
  /** Registrations in the log that the registry has not applied. */
  registryLag = 0;
  #wake: (() => void)[] = [];

  #push(item: Partial<EventItem> & { type: EventType }): number {
    const lsn = this.log.length + 1;
    this.log.push({
      lsn,
      cursor: `c${lsn}`,
      recordedTime: this.clock.nowUs(),
      connectionId: 0,
      late: false,
      corrected: [],
      columns: null,
      block: null,
      data: null,
      ...item,
    });
    for (const wake of this.#wake.splice(0)) wake();
    return lsn;
  }

  event(type: EventType, data: Record<string, unknown>): number {
    return this.#push({ type, data });
  }

  addConnection(name: string, scope = ""): { id: number; name: string; scope: string; revision: number } {
    const known = this.connectionRows.find((c) => c.name === name);
    if (known) return known;
    const row = { id: this.connectionRows.length + 1, name, scope, revision: ++this.revision };
    this.connectionRows.push(row);
    return row;
  }

  tagId(connection: string, address: string): number {
    const { id: connectionId, scope } = this.addConnection(connection);
    const known = this.tags.find((t) => t.connectionId === connectionId && t.address === address);
    if (known) return known.id;
    const id = this.tags.length + 1;
    const rest = {
      name: null,
      equipmentId: null,
      unit: null,
      sourceUnit: null,
      revision: 1,
      registeredUs: this.clock.nowUs(),
    };
    this.tags.push({ id, connectionId, connection, address, scope, ...rest });
    this.event("tag.registered", { connectionId, connection, scope, ids: [id], addresses: [address] });
    return id;
  }

  sink: Services["sink"] = {
    credit: () => ({ rows: this.creditRows, bytes: this.creditRows * 100 }),
    offer: async (_tenant, batch) => {
      const offered = batch.columns.rows + batch.faults.length;
      const key = `${batch.connection}/${batch.generation}/${batch.sequence}`;
      if (batch.sequence !== null && this.seen.has(key)) {
        const none = { accepted: 0, suspect: 0, rejected: 0, faults: [] };
        return { kind: "durable", lsn: this.log.length, offered, duplicates: offered, ...none };
      }
      this.seen.add(key);
      this.batches.push(batch);
      const { columns, names } = batch;
      const tag = Int32Array.from(columns.tag, (t) => (names === null ? t : this.tagId(batch.connection, names[t])));
      const now = this.clock.nowUs();
      const stored = { ...columns, tag, time: columns.time.map((t) => (Number.isNaN(t) ? now : t)) };
      for (let i = 0; this.keepPoints && i < stored.rows; i++) {
        const row = selectRows(stored, [i]);
        this.points.push({ tag: tag[i], time: stored.time[i], ordinal: stored.ordinal?.[i] ?? 0, row });
      }
      const { id: connectionId } = this.addConnection(batch.connection);
      const lsn =
        stored.rows === 0
          ? this.log.length
          : this.#push({ type: "points.recorded", connectionId, columns: stored, block: encodeColumns(stored) });
      const { faults } = batch;
      return {
        kind: "durable",
        lsn,
        offered,
        accepted: stored.rows,
        suspect: 0,
        duplicates: 0,
        rejected: faults.length,
        faults,
      };
    },
    reject: async (_tenant, item) => {
      this.rejects.push(item);
      return this.event("item.rejected", { ...item, payload: null });
    },
    gap: async (_tenant, gap) => this.event("gap.recorded", gap),
  };

  history: Services["history"] = {
    status: {
      state: "ready",
      appliedLsn: 0,
      persistedLsn: 0,
      verifiedLsn: 0,
      rows: 0,
      files: 0,
      bytes: 0,
      frozenBeforeUs: null,
      quarantined: [],
      needs: [],
    },
    apply: async () => [],
    flush: async () => {},
    protect: async () => {},
    rebuild: async () => {},
    raw: async (q) => {
      const key = (p: { tag: number; time: number; ordinal: number }): string =>
        [p.tag, p.time, p.ordinal].map((x) => String(x).padStart(20, "0")).join();
      const all = this.points
        .filter((p) => q.tags.includes(p.tag) && p.time >= q.fromUs && p.time < q.toUs)
        .sort((a, b) => (key(a) < key(b) ? -1 : 1));
      const left = q.after === undefined ? all : all.filter((p) => key(p) > key(q.after!));
      return { columns: join(left.slice(0, q.limit)), warnings: [], more: left.length > q.limit };
    },
    buckets: async (q) => {
      const n = Math.ceil((q.toUs - q.fromUs) / q.bucketUs);
      const f = (): Float64Array => new Float64Array(n).fill(1.5);
      return {
        rows: n,
        bucketUs: q.bucketUs,
        tag: new Int32Array(n).fill(q.tags[0]),
        time: Float64Array.from({ length: n }, (_, i) => q.fromUs + i * q.bucketUs),
        min: new Float64Array(n).fill(NaN),
        max: f(),
        avg: f(),
        last: { ...join([]), rows: n, tag: new Int32Array(n), time: f(), value: f() },
        count: f().fill(2),
        good: f().fill(2),
        status: new Uint32Array(n),
        warnings: [],
      };
    },
    scan: async function* () {},
    extent: async () => null,
    scrub: async () => ({ files: 0, damaged: [] }),
    close: async () => {},
  };

  registry: Services["registry"] = registryOf(this);

  /** What was applied last, and its revision. */
  applied: Configuration = { version: 1, equipment: [{ path: "North", level: "site" }] };
  configurationRevision = 7;

  configuration: Services["configuration"] = {
    read: (_p, at) => ({
      configuration: at === undefined ? this.applied : { version: 1 },
      revision: this.configurationRevision,
    }),
    render: (configuration) => `version: ${configuration.version}\n`,
    tryConditions: () => ({ faults: [], truths: [] }),
    plan: (_p, input) => this.#plan(input),
    apply: async (_p, input, revision) => {
      if (revision !== this.configurationRevision)
        throw new ProblemError("revision_conflict", `It is at revision ${this.configurationRevision}.`);
      const plan = this.#plan(input);
      if ("value" in input) this.applied = input.value as Configuration;
      this.configurationRevision++;
      return { plan, revision: this.configurationRevision, connections: [] };
    },
    revisions: (_p, q) => pageOf([{ revision: 7, changedUs: 0, actor: "x", changes: 1 }], q),
    importTags: async (p, connection, table, dryRun) => {
      this.connections.get(p, connection);
      const plan = this.#plan({ text: "" });
      const text = { format: "csv" as const, encoding: "utf-8" as const, separator: ";", sheet: null };
      const summary = { rows: table.length, ...text, plan };
      return { summary, applied: dryRun ? null : { plan, revision: 8, connections: [] } };
    },
  };

  masterDataTransfer: Services["masterDataTransfer"] = {
    export: (_p, _kind, { format = "csv" }) => ({ bytes: new TextEncoder().encode(`as ${format}`), format }),
    import: (_p, kind, bytes, { form, dryRun, revision }) => {
      if (revision !== null && revision !== 4) throw new ProblemError("revision_conflict", "It is at revision 4.");
      const told = { format: form === "table" ? ("csv" as const) : ("json" as const), encoding: null, separator: null };
      const counts = { create: bytes.length, change: 0, unchanged: 0 };
      const summary = { kind, ...told, rows: 1, sheet: null, counts, items: [], notes: [], revision: 4 };
      return { summary, revision: dryRun ? null : 5 };
    },
    previewShifts: () => [],
  };

  /** Asked to restart, by tenant and name. */
  restarted: string[] = [];

  connectivity: Services["connectivity"] = {
    kinds: () => [
      { kind: "modbus", title: "Modbus", mode: "connects", config: { type: "object" }, tagOptions: { type: "object" } },
    ],
    status: (_tenant, connection) =>
      connection !== "line"
        ? null
        : {
            health: { state: "flowing", since: 0 },
            delivery: "acknowledged",
            figures: {
              reconnects: 0,
              lastGoodUs: null,
              lagMs: null,
              inFlightRows: 0,
              expectedRatePerSecond: null,
            },
          },
    diagnose: async (_tenant, connection) => (connection === "line" ? { connected: true } : null),
    async *check(_tenant, kind) {
      yield { step: "Read the configuration", ok: true, detail: `It is a ${kind}.` };
      if (kind === "breaks") throw new Error("The pipe burst.");
      yield { step: "Connect", ok: false, detail: "Nobody answers.", hint: "Is it on?" };
    },
    async *browse(_tenant, target, from) {
      if ("kind" in target && target.kind === "modbus")
        throw new ConnectionError("misconfigured", "It cannot be browsed.", "Write addresses.", "no browse");
      for (let i = 0; i < 3; i++) yield { address: `${from}/${i}`, name: `${i}`, readable: true, expandable: false };
      if ("kind" in target && target.kind === "breaks") throw new Error("The pipe burst.");
    },
    propose: async (_tenant, _target, look) => ({
      items: look.filters.map((topic) => ({ template: { topic }, topics: 2, example: "a/b" })),
      overlooked: look.seconds > 1 ? 0 : 5,
    }),
    certificates: (tenant, kind) => (kind === "opcua" ? this.certificatesOf(tenant) : null),
    wire: (_tenant, connection) =>
      connection !== "line"
        ? null
        : {
            missed: 1,
            async *[Symbol.asyncIterator]() {
              yield { t: 5, dir: "in" as const, b64: "AAE=", note: "two bytes" };
            },
          },
    restart: async (tenant, connection) => {
      if (connection !== "line") throw new ProblemError("not_found", "It does not run.");
      this.restarted.push(`${tenant}/${connection}`);
    },
  };

  kindOfLine = "modbus";
  trusted: CertificateSummary[] = [];
  rejected: CertificateSummary[] = [
    {
      thumbprint: "AB".repeat(32),
      thumbprintSha1: "CD".repeat(20),
      subject: "CN=Press 7",
      issuer: "CN=Press 7",
      applicationUri: "urn:press-7",
      validity: "",
      validFromUs: 0,
      validToUs: 4e15,
    },
  ];

  certificatesOf(_tenant: number): CertificateStore {
    const move = (from: CertificateSummary[], to: CertificateSummary[], thumbprint: string) => {
      const at = from.findIndex((each) => each.thumbprint === thumbprint);
      if (at < 0) return null;
      const [found] = from.splice(at, 1);
      to.push(found);
      return found;
    };
    return {
      list: async () => ({ own: null, trusted: this.trusted, rejected: this.rejected }),
      trust: async (thumbprint) => move(this.rejected, this.trusted, thumbprint),
      distrust: async (thumbprint) => move(this.trusted, this.rejected, thumbprint),
    };
  }

  #plan(input: ConfigurationInput): Plan {
    if ("text" in input && input.text.includes("wrong"))
      throw new ProblemError("configuration_invalid", "line 1, column 1: wrong.", {
        errors: [{ path: "", message: "wrong", code: "yaml_invalid", line: 1, column: 1 }],
      });
    return { items: [], counts: { create: 0, change: 0, rename: 0, remove: 0 }, revision: this.configurationRevision };
  }

  facts: Services["facts"] = {
    appliedLsn: 1,
    states: (_id, from) => ({ count: 1, t: Float64Array.of(from), code: Int32Array.of(4) }),
    mappingErrors: () => [
      { tagId: 1, equipmentId: 1, values: 3 },
      { tagId: 2, equipmentId: 1, values: 7 },
    ],
    progress: (equipmentId) => ({ equipmentId, fromUs: null, watermarkUs: 0, finalBeforeUs: 0, repairing: false }),
    onChanged: () => () => undefined,
    onProgress: () => () => undefined,
    alarmEquipment: () => this.equipmentRows.map(({ id }) => id),
    alarmIntervals: (equipmentId, from) => [
      {
        ...{ property: "alarm", tagId: equipmentId, code: "17", severity: 700, text: { de: "Schutztür offen" } },
        ...{ cause: 0, sinceUs: from - equipmentId, untilUs: equipmentId % 2 === 0 ? null : from + 1 },
      },
    ],
    identifiers: (_, from) => [{ property: "orderNumber", t: from, value: "00417" }],
    alarms: (_, from) => [
      {
        ...{ property: "alarm", tagId: 1, t: from, active: true, code: "17", severity: 700 },
        ...{ text: { en: "Guard open", de: "Schutztür offen" }, cause: 0 },
      },
    ],
    machine: (_, from, to) => ({
      facts: {
        from,
        to,
        states: { count: 1, t: Float64Array.of(from), code: Int32Array.of(4) },
        increments: {
          count: 1,
          source: Float64Array.of(from),
          t: Float64Array.of(to),
          n: Float64Array.of(7),
          kind: Uint8Array.of(0),
          flags: Uint8Array.of(0),
        },
      },
      watermarkUs: to,
      finalBeforeUs: null,
      repairing: false,
    }),
  };

  now: Services["now"] = {
    now: (p, { equipmentIds }) => ({
      atUs: 0,
      items: this.equipmentRows
        .filter(({ id, path }) => inScope(p, path) && (equipmentIds?.includes(id) ?? true))
        .map(({ id, level, path }) => ({
          ...{ equipmentId: id, level, path, timeZone: "UTC", state: null, watermarkUs: null, plan: "noCalendar" },
          ...{
            shift: null,
            order: null,
            targets: {},
            alarms: { active: 0, worst: [] },
            worksByOrder: false,
            shiftResult: null,
            orderResult: null,
          },
        })),
      cursor: null,
    }),
    targets: (p, equipmentIds) =>
      this.equipmentRows
        .filter(({ id, path }) => inScope(p, path) && equipmentIds.includes(id))
        .map(({ id }) => ({ equipmentId: id, targets: { oeeIndex: 0.8 } })),
  };

  stops: Services["stops"] = {
    stops: async (_p, equipmentId, { from, to }) => {
      const part = { fromUs: from, toUs: to, timeClass: "adet" as const, reason: 7_100_000 };
      const stop = {
        equipmentId,
        fromUs: from,
        toUs: to,
        micro: false,
        us: to - from,
        parts: [part],
        comments: ["Belt"],
      };
      return { items: [stop], total: 1, us: stop.us };
    },
  };

  cells: Services["cells"] = {
    stops: () => [],
    cells: (_p, _id, from, to) => ({
      fromUs: from,
      toUs: to,
      cells: [],
      timeZone: "UTC",
      policies: [],
      reasons: [],
      orphanedAnnotations: [],
      unplacedScrap: 0,
      masterData: [],
      finalBeforeUs: null,
      repairing: false,
    }),
  };

  toldFacts: Services["toldFacts"] = {
    machine: async (equipmentId, from, to, asOf) => {
      if (!/^\d+$/.test(asOf)) throw new ProblemError("as_of_invalid", `${asOf} is no place in the log.`);
      return { ...this.facts.machine(equipmentId, from, to), finalBeforeUs: Number(asOf), alarms: [], identifiers: [] };
    },
  };

  readonly factRecords = new FakeFactRecords((id) => this.equipmentRows.find((row) => row.id === id)?.path ?? "\0");

  readonly results = new FakeResults((id) => this.equipmentRows.find((row) => row.id === id)?.path ?? "\0");
  work: Services["work"] = {
    work: (_p, equipmentId) => ({
      equipmentId,
      name: "",
      path: "",
      atUs: 0,
      watermarkUs: null,
      timeZone: "UTC",
      state: { itemState: null, operationMode: null, sinceUs: 0 },
      running: [],
      next: [],
      setUp: null,
      stops: [],
      usualReasons: [],
    }),
    executions: () => ({ executions: [], materials: [] }),
    identifierFindings: () => [],
    progress: async () => ({ atUs: 0, items: [], cursor: null }),
  };

  lastValues: Services["lastValues"] = {
    get: (tags) => tags.map((tag) => this.#last(tag)),
  };

  #last(tag: number): LastValue {
    const newest = this.points.filter((p) => p.tag === tag).sort((a, b) => b.time - a.time)[0];
    if (newest === undefined)
      return { tag, time: null, value: null, type: "null", status: statusGood, receivedTime: null, lsn: null };
    const value = valueToJson(valueAt(newest.row, 0));
    const { time } = newest;
    return {
      tag,
      time,
      value,
      type: valueTypeAt(newest.row, 0),
      status: newest.row.status?.[0] ?? 0,
      receivedTime: time,
      lsn: 1,
    };
  }

  ledger: Services["ledger"] = {
    appliedLsn: 0,
    syncedLsn: 0,
    apply: () => {},
    listRejected: (_p, q) => ({ ...pageOf([] as RejectedItem[], q), groups: [] }),
    getRejected: () => {
      throw new ProblemError("not_found", "No such item.");
    },
    listGaps: (_p, q) => pageOf([], q),
    close: () => {},
  };

  principalOf(credential: string): Principal {
    const [role, scope = ""] = credential.split("@");
    if (!(role in roles)) throw new ProblemError("auth_invalid", "The key is not known.");
    if (this.revoked.has(credential)) throw new ProblemError("key_revoked", "The key was revoked.");
    return { id: credential, kind: "key", name: credential, tenant: 1, role: role as Role, scopes: [scope] };
  }

  identity: Services["identity"] = {
    authenticate: ({ authorization, session }) => {
      const credential = authorization?.replace(/^Bearer /, "") ?? session;
      if (credential === undefined) throw new ProblemError("auth_missing", "There is no credential.");
      return this.principalOf(credential);
    },
    signIn: (secret) => ({ session: secret, principal: this.principalOf(secret), maxAgeSeconds: 3600 }),
    keyById: () => null,
    signOut: () => {},
    createKey: (_p, key) => ({ key: { ...anyKey, ...key, scopes: key.scopes ?? [""] } as ApiKey, secret: "s" }),
    revokeKey: (_p, id) => ({ ...anyKey, id }),
    stillValid: (p) => !this.revoked.has(p.id),
  };

  events: Services["events"] = {
    open: async (_tenant, start, filter) => {
      let next = this.log.length + 1;
      if (start !== "now") {
        if ("cursor" in start) {
          if (!/^c\d+$/.test(start.cursor)) throw new ProblemError("cursor_invalid", "No such cursor.");
          next = Number(start.cursor.slice(1)) + 1;
        } else {
          next = this.log.findIndex((item) => item.recordedTime >= start.fromUs) + 1 || next;
        }
      }
      if (next < this.firstLsn) throw new ProblemError("cursor_expired", `The log begins at LSN ${this.firstLsn}.`);
      const platform = this;
      const reader: EventReader = {
        get cursor() {
          return `c${next - 1}`;
        },
        async next(maxBytes, signal) {
          for (;;) {
            const items: EventItem[] = [];
            for (let bytes = 0; next <= platform.log.length && bytes < maxBytes; next++) {
              const item = platform.log[next - 1];
              if (!filter.types.has(item.type)) continue;
              const kept = keep(item, filter.accept);
              if (kept === null) continue;
              bytes += (kept.columns?.rows ?? 1) * 24;
              items.push(kept);
            }
            if (items.length > 0) return items;
            await new Promise<void>((resolve, reject) => {
              platform.#wake.push(resolve);
              signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
            });
          }
        },
        close: () => {},
      };
      return reader;
    },
  };

  connections: Services["connections"] = {
    list: (p, q) => pageOf(this.connectionRows.filter((c) => inScope(p, c.scope)).map(connectionOf), q),
    get: (p, name) => {
      const row = this.connectionRows.find((c) => c.name === name && inScope(p, c.scope));
      if (row === undefined) throw new ProblemError("not_found", `There is no connection "${name}".`);
      return { ...connectionOf(row), ...(name === "line" ? { kind: this.kindOfLine } : {}) };
    },
    create: (_p, { name, scope }) => {
      const row = this.addConnection(name, scope);
      return { item: connectionOf(row), revision: row.revision };
    },
    resolve: async (_p, connection, addresses) => ({
      ids: addresses.map((address) => (address.length > 512 ? null : this.tagId(connection, address))),
      faults: addresses.flatMap((a, index) =>
        a.length > 512 ? [{ index, code: "name_invalid", detail: "Too long." }] : [],
      ),
    }),
    createTag: async (p, { connection, address }) => {
      const id = this.tagId(connection, address);
      return { item: this.registry.getTag(p, id), revision: ++this.revision };
    },
    sourceCursor: () => ({ sourceCursor: null, generation: null, sequence: null }),
    authorizeIngest: (p, connection) => {
      if (connection === "foreign") throw new ProblemError("forbidden", `${p.name} may not send to it.`);
    },
  };

  system: Services["system"] = {
    status: () => ({ version: "test", streams: 0 }) as unknown as SystemStatus,
    metrics: async () => "lineshaft_up 1\n",
    ready: () => ({ ready: true, reasons: [] }),
  };

  outbox: Services["outbox"] = { published: async () => this.log.length };
}

const anyKey: ApiKey = {
  id: "k1",
  name: "key",
  role: "viewer",
  scopes: [""],
  createdUs: 0,
  expiresUs: null,
  revokedUs: null,
  lastUsedUs: null,
};

const connectionOf = (row: { id: number; name: string; scope: string; revision: number }): Connection => ({
  ...row,
  kind: "http",
  delivery: "acknowledged",
  corrections: false,
  tagQuota: 1000,
  state: "active",
  tags: 0,
  lastBatchUs: null,
  ratePerSecond: 0,
  sums: { offered: 0, stored: 0, duplicates: 0, rejected: 0, dropped: 0, pending: 0 },
});

function registryOf(fake: FakePlatform): Services["registry"] {
  const find = <T extends { id: number }>(list: T[], id: number): T => {
    const item = list.find((x) => x.id === id);
    if (item === undefined) throw new ProblemError("not_found", `There is no ${id}.`);
    return item;
  };
  const known = (): (RawTag & { scope: string })[] => fake.tags.slice(0, fake.tags.length - fake.registryLag);
  const change = <T extends { id: number; revision: number }>(
    list: T[],
    id: number,
    changes: object,
    revision: number,
  ) => {
    const item = find(list, id);
    if (item.revision !== revision) throw new ProblemError("revision_conflict", `It is at revision ${item.revision}.`);
    Object.assign(item, changes, { revision: revision + 1 });
    return { item, revision: ++fake.revision };
  };
  return {
    get revision() {
      return fake.revision;
    },
    get appliedLsn() {
      return fake.registryLag > 0 ? 0 : fake.log.length;
    },
    allTags: known,
    allConnections: () => fake.connectionRows,
    listEquipment: (_p: Principal, q: { under?: string; limit?: number; cursor?: string }) => {
      const { under = "" } = q;
      const below = ({ path }: Equipment): boolean => under === "" || `${path}/`.startsWith(`${under}/`);
      return pageOf(fake.equipmentRows.filter(below), q);
    },
    getEquipment: (p: Principal, id: number) => {
      const item = find(fake.equipmentRows, id);
      if (!inScope(p, item.path)) throw new ProblemError("not_found", `There is no equipment ${id}.`);
      return item;
    },
    createEquipment: (_p: Principal, item: object) => {
      const id = fake.equipmentRows.length + 1;
      const fixed = { parentId: null, lifecycle: "productive", path: "x", changedUs: 0 } as const;
      fake.equipmentRows.push({ ...fixed, ...item, id, revision: 1 } as Equipment);
      return { item: fake.equipmentRows[id - 1], revision: ++fake.revision };
    },
    changeEquipment: (_p: Principal, id: number, c: object, r: number) => change(fake.equipmentRows, id, c, r),
    listTags: (p: Principal, q: object) =>
      pageOf(
        known().filter((t) => inScope(p, t.scope)),
        q,
      ),
    getTag: (p: Principal, id: number) =>
      find(
        known().filter((t) => inScope(p, t.scope)),
        id,
      ),
    changeTag: (_p: Principal, id: number, c: object, r: number) => change(fake.tags, id, c, r),
    readableTags: (p: Principal, ids: number[]) =>
      ids.filter((id) => known().some((t) => t.id === id && inScope(p, t.scope))),
    tagsUnder: () => known().map((t) => t.id),
    listKeys: (_p: Principal, q: object) => pageOf([anyKey], q),
    lsnOf: () => 1,
    settled: async () => undefined,
  } as unknown as Services["registry"];
}

function keep(item: EventItem, accept: ((tag: number) => boolean) | null): EventItem | null {
  if (item.columns === null || accept === null) return item;
  const rows = [...item.columns.tag.keys()].filter((i) => accept(item.columns!.tag[i]));
  if (rows.length === 0) return null;
  return rows.length === item.columns.rows ? item : { ...item, columns: selectRows(item.columns, rows), block: null };
}

/** Rows one under the other; slow and plain. */
function join(list: Stored[]): Columns {
  const exact = list.flatMap(({ row }, i) => (row.exact === null ? [] : [[i, row.exact.value[0]] as const]));
  const any = (key: "status" | "type" | "ordinal"): boolean => list.some(({ row }) => row[key] !== null);
  return {
    rows: list.length,
    tag: Int32Array.from(list, (p) => p.tag),
    time: Float64Array.from(list, (p) => p.time),
    value: Float64Array.from(list, (p) => p.row.value[0]),
    status: any("status") ? Uint32Array.from(list, ({ row }) => row.status?.[0] ?? 0) : null,
    type: any("type") ? Uint8Array.from(list, ({ row }) => row.type?.[0] ?? 0) : null,
    ordinal: any("ordinal") ? Uint16Array.from(list, ({ row }) => row.ordinal?.[0] ?? 0) : null,
    originalTime: null,
    exact: exact.length === 0 ? null : { row: exact.map(([i]) => i), value: exact.map(([, v]) => v) },
  };
}
