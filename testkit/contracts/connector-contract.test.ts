import { createServer } from "node:net";
import type { Columns } from "@lineshaft/contract/api";
import {
  ConnectionError,
  type Connector,
  type ConnectorBatch,
  type ConnectorContext,
  type ConnectorSink,
  type ConnectorType,
} from "@lineshaft/contract/ports";
import { Type } from "typebox";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ChaosProxy } from "../chaos-proxy.ts";
import { echo } from "../echo/index.ts";
import { echoFixture } from "../echo/peer.fixture.ts";
import { ruleTests } from "./connector-contract.ts";
import type { ConnectorFixture, ConnectorRule, PeerAddress } from "./connector-fixture.ts";

/** The proof of the suite: a correct connector with one fault turns exactly the rule of that fault red. */

type AnyType = ConnectorType<unknown>;
type Hooks = {
  create?: (inner: Connector, context: ConnectorContext) => void;
  connect?: (inner: Connector, signal: AbortSignal, context: ConnectorContext) => Promise<void>;
  read?: (inner: Connector, ...args: Parameters<Connector["read"]>) => Promise<never>;
  close?: (inner: Connector) => Promise<void>;
  diagnose?: (inner: Connector, context: ConnectorContext, config: unknown) => Record<string, unknown>;
};

/** The connector with some of its methods replaced. */
function hooked(hooks: () => Hooks): (type: AnyType) => AnyType {
  return (type) => ({
    ...type,
    create(config, context) {
      const inner = type.create(config, context);
      const { create, connect, read, close, diagnose } = hooks();
      create?.(inner, context);
      return {
        connect: (signal) => connect?.(inner, signal, context) ?? inner.connect(signal),
        read: (...args) => read?.(inner, ...args) ?? inner.read(...args),
        close: () => close?.(inner) ?? inner.close(),
        diagnose: () => diagnose?.(inner, context, config) ?? inner.diagnose(),
      };
    },
  });
}

/** The sink with the batches changed on their way. */
const changing = (change: (columns: Columns) => Columns): ((type: AnyType) => AnyType) =>
  hooked(() => ({
    read: (inner, bindings, from, sink, signal) => {
      const offer = (batch: ConnectorBatch) => sink.offer({ ...batch, columns: change(batch.columns) });
      return inner.read(bindings, from, around(sink, { offer }), signal);
    },
  }));

function around(sink: ConnectorSink, other: Partial<ConnectorSink>): ConnectorSink {
  return {
    offer: (batch) => sink.offer(batch),
    credit: () => sink.credit(),
    ready: (signal) => sink.ready(signal),
    reject: (item) => sink.reject(item),
    gap: (gap) => sink.gap(gap),
    stale: (names, status, atUs) => sink.stale(names, status, atUs),
    ...other,
  };
}

const withConfig =
  (field: string, schema: object): ((type: AnyType) => AnyType) =>
  (type) => ({
    ...type,
    config: Type.Object({
      ...(type.config as ReturnType<typeof Type.Object>).properties,
      [field]: Type.Optional(schema),
    }),
  });

const fault = (from: string, to: "unreachable" | "unauthorised") =>
  hooked(() => ({
    connect: (inner, signal) =>
      inner.connect(signal).catch((error: unknown) => {
        if (!(error instanceof ConnectionError) || error.fault !== from) throw error;
        throw new ConnectionError(to, error.message, error.hint, error.technical, { cause: error });
      }),
  }));

const goodOf = (columns: Columns, wrong: number): Columns => ({
  ...columns,
  status: columns.status?.map((status) => (status === wrong ? 0 : status)) ?? null,
});

const leaks: NodeJS.Timeout[] = [];
const unending = new AbortController().signal;

const broken = {
  "kind-kebab-case": (type) => ({ ...type, kind: "Echo_TCP" }),
  "fields-described": withConfig("extra", Type.String()),
  "default-config": withConfig("port", Type.Integer({ minimum: 1, default: 0, description: "More than nothing." })),
  "schema-round-trip": withConfig("extra", Type.String({ description: "A text.", check: () => true })),
  "check-tells": (type) => ({
    ...type,
    async *check(config, context, signal) {
      for await (const { step, ok, detail } of type.check(config, context, signal)) yield { step, ok, detail };
    },
  }),
  "create-does-nothing": hooked(() => {
    const server = createServer();
    return {
      create: () => void server.listen(0),
      close: async (inner) => {
        server.close();
        await inner.close();
      },
    };
  }),
  "close-before-connect": hooked(() => {
    let connected = false;
    return {
      connect: async (inner, signal) => {
        connected = true;
        await inner.connect(signal);
      },
      close: (inner) => (connected ? inner.close() : Promise.reject(new Error("There is nothing to close."))),
    };
  }),
  "connect-after-close": hooked(() => {
    let closed = false;
    return {
      connect: (inner, signal) => (closed ? Promise.reject(new Error("It is closed.")) : inner.connect(signal)),
      close: (inner) => {
        closed = true;
        return inner.close();
      },
    };
  }),
  "connect-aborts": hooked(() => ({ connect: (inner) => inner.connect(unending) })),
  "nothing-left": hooked(() => ({
    connect: (inner, signal) => {
      leaks.push(setInterval(() => undefined, 60_000));
      return inner.connect(signal);
    },
  })),
  unreachable: hooked(() => ({
    connect: (inner, signal) =>
      inner.connect(signal).catch((error: unknown) => {
        const { fault, technical } = error as ConnectionError;
        throw fault === "unreachable" && technical === "ECONNREFUSED" ? new Error("ECONNREFUSED") : error;
      }),
  })),
  unauthorised: fault("unauthorised", "unreachable"),
  misconfigured: fault("misconfigured", "unauthorised"),
  "no-own-retry": hooked(() => ({
    connect: (inner, signal) => inner.connect(signal).catch(() => inner.connect(signal)),
  })),
  "lost-throws": hooked(() => ({
    read: (inner, ...args) =>
      inner.read(...args).catch((error: unknown) => {
        throw args[3].aborted ? error : new Error("socket hang up");
      }),
  })),
  "columns-equal": changing((columns) => ({ ...columns, ordinal: new Uint16Array(columns.rows + 1) })),
  "only-bound": hooked(() => ({
    read: (inner, bindings, from, sink, signal) =>
      inner.read(bindings.length === 2 ? [...bindings, { address: "level" }] : bindings, from, sink, signal),
  })),
  "source-time": changing((columns) => ({ ...columns, time: new Float64Array(columns.rows).fill(Number.NaN) })),
  "bad-delivered": changing((columns) => goodOf(columns, 0x80000000)),
  "outside-type-bad": changing((columns) => goodOf(columns, 0x803c0000)),
  "unreadable-alone": hooked(() => ({
    read: (inner, bindings, from, sink, signal) => {
      const stop = new AbortController();
      const offer = (batch: ConnectorBatch) => {
        if (batch.columns.status?.includes(0x803a0000)) stop.abort(new ConnectionError("protocol", "Bad.", "None."));
        return sink.offer(batch);
      };
      return inner.read(bindings, from, around(sink, { offer }), AbortSignal.any([signal, stop.signal]));
    },
  })),
  "stops-after-abort": hooked(() => ({
    read: (inner, ...args) =>
      inner.read(...args).catch((error: unknown) => {
        throw args[3].aborted ? new Error("It was stopped.") : error;
      }),
  })),
  "reads-again": hooked(() => {
    let reads = 0;
    return {
      connect: (inner, signal) => {
        reads = 0;
        return inner.connect(signal);
      },
      read: (inner, ...args) => (reads++ > 0 ? Promise.reject(new Error("It reads.")) : inner.read(...args)),
    };
  }),
  credit: hooked(() => ({
    read: (inner, bindings, from, sink, signal) =>
      inner.read(bindings, from, around(sink, { credit: () => ({ rows: 1e6, bytes: 1e9 }) }), signal),
  })),
  "acknowledge-last": hooked(() => ({
    read: (inner, bindings, from, sink, signal) => {
      const offer: ConnectorSink["offer"] = async (batch) => {
        void sink.offer(batch);
        return { kind: "rejected", code: "overloaded", detail: "", lsn: null };
      };
      return inner.read(bindings, from, around(sink, { offer }), signal);
    },
  })),
  "secrets-absent": hooked(() => ({
    diagnose: (inner, context, config) => ({
      ...inner.diagnose(),
      password: context.secret((config as { password: string }).password),
    }),
  })),
  "logged-once": hooked(() => ({
    connect: (inner, signal, context) =>
      inner.connect(signal).catch((error: unknown) => {
        context.log("warning", "The device cannot be reached.");
        throw error;
      }),
  })),
} satisfies { [rule in ConnectorRule]?: (type: AnyType) => AnyType };

/** These look at the whole process, so they run alone. */
const alone = ["create-does-nothing", "nothing-left"] as const;

/** Runs the rules, at once or one by one, and gives those that are red with their messages. Patience is short for the one that should be. */
async function redRules(type: AnyType, which: "together" | "alone", fault = ""): Promise<Record<string, string>> {
  const windowMs = which === "together" ? 250 : 30;
  const paced = (patienceMs: number) =>
    ruleTests(type, { ...echoFixture, patienceMs }, { quietMs: windowMs, retryMs: windowMs });
  const tests = [
    ...paced(1000).filter(({ rule }) => rule === fault),
    ...paced(8000).filter(({ rule }) => rule !== fault),
  ];
  const chosen = tests.filter(({ rule }) => (alone as readonly string[]).includes(rule) === (which === "alone"));
  const red: Record<string, string> = {};
  const run = ({ rule, run: work }: (typeof tests)[number]): Promise<void> =>
    work().catch((error: Error) => {
      red[rule] = error.message;
    });
  if (which === "together") await Promise.all(chosen.map(run));
  else for (const one of chosen) await run(one);
  return red;
}

describe("the contract suite of connectors, proved with one fault a rule", () => {
  const red = new Map<string, Record<string, string>>();
  let healthy: Record<string, string> = {};
  let dialling: Record<string, string> = {};
  beforeAll(async () => {
    const type = echo as AnyType;
    // First those that look at the whole process, while nothing else runs in it.
    healthy = await redRules(type, "alone");
    const dials = hooked(() => ({ create: (inner) => void inner.connect(unending).catch(() => undefined) }));
    dialling = await redRules(dials(type), "alone", "create-does-nothing");
    for (const rule of alone) red.set(rule, await redRules(broken[rule](type), "alone", rule));
    Object.assign(healthy, await redRules(type, "together"));
    const waiting = Object.entries(broken);
    const worker = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const [rule, fault] = next;
        red.set(rule, { ...red.get(rule), ...(await redRules(fault(type), "together", rule)) });
      }
    };
    await Promise.all(Array.from({ length: 6 }, worker));
  });
  afterAll(() => {
    for (const timer of leaks) clearInterval(timer);
  });

  test("a correct connector keeps every rule", () => {
    expect(healthy).toEqual({});
  });

  test("every rule for kinds that connect has its fault", () => {
    const rules = ruleTests(echo, echoFixture).map(({ rule }) => rule);
    expect(Object.keys(broken).sort()).toEqual(rules.sort());
  });

  test("a connector that dials in create is found too", () => {
    expect(Object.keys(dialling)).toContain("create-does-nothing");
  });

  for (const rule of Object.keys(broken)) {
    test(`a connector that breaks "${rule}" turns this rule red and no other`, () => {
      expect(Object.keys(red.get(rule) ?? {}), JSON.stringify(red.get(rule))).toEqual([rule]);
    });
  }
});

describe("the suite for kinds that listen", () => {
  /** A peer behind a proxy of the fixture's own: it comes and goes, and the suite does not know how. */
  const listening: ConnectorFixture = {
    ...echoFixture,
    mode: "listens",
    patienceMs: 4000,
    async start(stateDir) {
      const peer = await echoFixture.start(stateDir);
      const proxy = await ChaosProxy.start(peer.address as PeerAddress);
      return {
        ...peer,
        address: null,
        config: () => peer.config(proxy.address),
        refusedConfig: (fault) => peer.refusedConfig(fault, proxy.address),
        attempts: () => proxy.attempts,
        drop: async () => proxy.drop(),
        async stop() {
          await proxy.stop();
          await peer.stop();
        },
      };
    },
  };
  /** Stands for a listener: a peer that leaves is waited for within `read`. */
  const patient = hooked(() => ({
    async read(inner, ...args): Promise<never> {
      for (;;) {
        const error = await inner.read(...args).catch((e: unknown) => e);
        args[3].throwIfAborted();
        if (!(error instanceof ConnectionError)) throw error;
        await inner.connect(args[3]);
      }
    },
  }));
  const red = async (type: AnyType): Promise<string[]> => {
    const found: string[] = [];
    for (const { rule, run } of ruleTests(type, listening, { quietMs: 30, retryMs: 30 }))
      await run().catch(() => void found.push(rule));
    return found;
  };

  test("has no rules of dialling, and is green for one that outlives its peers", async () => {
    const rules = ruleTests(echo, listening).map(({ rule }) => rule);
    expect(rules).toContain("peer-leaves");
    expect(rules).not.toContain("unreachable");
    expect(await red(patient(echo as AnyType))).toEqual([]);
  });

  test("one that ends with its peer breaks peer-leaves", async () => {
    const [rule] = ruleTests(echo, { ...listening, patienceMs: 500 }).filter((one) => one.rule === "peer-leaves");
    await expect(rule.run()).rejects.toThrow(/was not offered/);
  });
});
