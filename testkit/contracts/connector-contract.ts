import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { qualityOf, type Value } from "@lineshaft/contract/api";
import {
  ConnectionError,
  type ConnectionFault,
  type Connector,
  type ConnectorContext,
  type ConnectorType,
  connectionFaults,
} from "@lineshaft/contract/ports";
import { Value as Schema } from "typebox/value";
import { describe, expect, test } from "vitest";
import { ChaosProxy, deadPort } from "../chaos-proxy.ts";
import { realClock } from "../real-clock.ts";
import { RecordingSink, type SeenRow } from "../recording-sink.ts";
import { type ConnectorFixture, type ConnectorPeer, type ConnectorRule, connectorRules } from "./connector-fixture.ts";

/** Rules for kinds that dial only, and those for kinds that listen only. */
const dialling: readonly ConnectorRule[] = [
  "connect-aborts",
  "unreachable",
  "unauthorised",
  "no-own-retry",
  "lost-throws",
];
const listening: readonly ConnectorRule[] = ["peer-leaves"];

/** One rule as a test: `run` rejects when the connector breaks it. */
export interface RuleTest {
  rule: ConnectorRule;
  title: string;
  run(): Promise<void>;
}

/** What every connector promises, as STYLE.md lists it: registers one test a rule. */
export function connectorContract<Config>(type: ConnectorType<Config>, fixture: ConnectorFixture): void {
  const mode = fixture.mode ?? type.mode;
  describe(`Connector contract: ${type.kind} (${mode})`, () => {
    const waivers = fixture.waivers ?? {};
    test("each waiver names a rule of this mode and gives its reason", () => {
      const known = ruleTests(type, fixture).map(({ rule }) => rule);
      for (const [rule, reason] of Object.entries(waivers)) {
        expect(known).toContain(rule);
        expect(reason.length, `The reason for waiving ${rule}`).toBeGreaterThan(20);
      }
    });
    for (const { rule, title, run } of ruleTests(type, fixture)) {
      if (waivers[rule] === undefined) test(`${rule}: ${title}`, run);
    }
  });
}

/** Windows in which nothing must happen; the proof of the suite itself shortens them. */
export interface SuitePace {
  quietMs: number;
  /** Longer than what protocol libraries wait before they connect again by themselves (often 1 s). */
  retryMs: number;
}

/** The rules of one kind's mode, waived ones included. */
export function ruleTests<Config>(
  type: ConnectorType<Config>,
  fixture: ConnectorFixture,
  pace: SuitePace = { quietMs: 300, retryMs: 1200 },
): RuleTest[] {
  const mode = fixture.mode ?? type.mode;
  const rules = rulesOf(type as ConnectorType<unknown>, fixture, pace);
  return connectorRules
    .filter((rule) => !(mode === "listens" ? dialling : listening).includes(rule))
    .map((rule) => ({ rule, title: rules[rule][0], run: rules[rule][1] }));
}

/** One test's parts. `track` and `bench` end what is left over, so that a red rule does not disturb the next. */
interface Bench {
  peer: ConnectorPeer;
  proxy: ChaosProxy | null;
  context: ConnectorContext;
  logged: string[];
  config: Record<string, unknown>;
  attempts(): number;
  drop(): Promise<void>;
  create(config?: Record<string, unknown>): Connector;
  /** Creates, connects and reads; `tags` default to all of them. */
  reading(sink: RecordingSink, tags?: readonly string[]): Promise<Reading>;
  read(connector: Connector, sink: RecordingSink, tags?: readonly string[]): Reading;
}

interface Reading {
  connector: Connector;
  abort(reason?: unknown): void;
  /** How `read` ended; pending while it reads. */
  ended: Promise<unknown>;
  /** The same at once: undefined while it reads. */
  outcome(): unknown;
}

type Rules = Record<ConnectorRule, [title: string, run: () => Promise<void>]>;

function rulesOf(type: ConnectorType, fixture: ConnectorFixture, pace: SuitePace): Rules {
  const patienceMs = fixture.patienceMs ?? 5000;
  const asNumber = fixture.asNumber ?? ((value: Value) => Number(value));
  const never = new AbortController().signal;

  const until = async (what: string, holds: () => boolean): Promise<void> => {
    const end = performance.now() + patienceMs;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`Within ${patienceMs} ms this did not happen: ${what}.`);
      await sleep(5);
    }
  };
  const within = async <T>(ms: number, what: string, work: Promise<T>): Promise<T> => {
    const stop = new AbortController();
    const late = sleep(ms, undefined, { signal: stop.signal }).then(() => {
      throw new Error(`${what} took longer than ${ms} ms.`);
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([work, late]);
    } finally {
      stop.abort();
    }
  };
  const parse = (config: Record<string, unknown>): unknown => {
    const full = Schema.Default(type.config, structuredClone(config));
    const [error] = Schema.Errors(type.config, full);
    if (error !== undefined) throw new Error(`The configuration does not pass: ${error.instancePath} ${error.message}`);
    return full;
  };
  const nowMs = (): number => Math.floor(realClock.nowUs() / 1000);
  const rowsOf = (sink: RecordingSink, tag: string): SeenRow[] => sink.rows.filter((row) => row.tag === tag);
  const seen = (sink: RecordingSink, tag: string, value: number): SeenRow | undefined =>
    sink.rows.find((row) => row.tag === tag && qualityOf(row.status) !== "bad" && asNumber(row.value) === value);
  const arrives = (sink: RecordingSink, tag: string, value: number): Promise<void> =>
    until(`${tag} = ${value} is offered`, () => seen(sink, tag, value) !== undefined);

  const bench = async (work: (bench: Bench) => Promise<void>): Promise<void> => {
    const stateDir = mkdtempSync(join(tmpdir(), "connector-"));
    const peer = await fixture.start(stateDir);
    const dials = (fixture.mode ?? type.mode) === "connects";
    const proxy = dials && peer.address !== null ? await ChaosProxy.start(peer.address) : null;
    const address = proxy?.address ?? peer.address ?? { host: "127.0.0.1", port: 0 };
    const made: { connector: Connector; abort: AbortController }[] = [];
    const logged: string[] = [];
    const shared = new Map<string, object>(peer.shared ?? []);
    const context: ConnectorContext = {
      clock: realClock,
      secret: (reference) => fixture.secrets?.[reference] ?? null,
      stateDir,
      share<T extends object>(key: string, make: () => T): T {
        const there = shared.get(key) ?? make();
        shared.set(key, there);
        return there as T;
      },
      log: (_, text) => void logged.push(text),
    };
    const config = peer.config(address);
    const parts: Bench = {
      peer,
      proxy,
      context,
      logged,
      config,
      attempts: () => peer.attempts?.() ?? proxy?.attempts ?? 0,
      drop: async () => (peer.drop === undefined ? proxy?.drop() : await peer.drop()),
      create(given = config) {
        const connector = type.create(parse(given), context);
        made.push({ connector, abort: new AbortController() });
        return connector;
      },
      async reading(sink, tags) {
        const connector = parts.create();
        await within(patienceMs, "connect", connector.connect(never));
        return parts.read(connector, sink, tags);
      },
      read(connector, sink, tags = peer.tags) {
        const abort = new AbortController();
        made.push({ connector, abort });
        let outcome: unknown;
        const ended = connector.read(tags.map(peer.bind), null, sink, abort.signal).then(
          () => {
            outcome = new Error("read returned, which it never may.");
            return outcome;
          },
          (error: unknown) => {
            outcome = error;
            return error;
          },
        );
        return { connector, abort: (reason) => abort.abort(reason), ended, outcome: () => outcome };
      },
    };
    try {
      await work(parts);
    } finally {
      for (const { abort } of made) abort.abort(new Error("The test is over."));
      await Promise.allSettled(made.map(({ connector }) => within(2000, "close", connector.close())));
      await proxy?.stop();
      await peer.stop();
      rmSync(stateDir, { recursive: true, force: true });
    }
  };

  /** The error of a refused connection: with its fault, a sentence for people and what to do. */
  const refused = async (connector: Connector, fault: ConnectionFault): Promise<ConnectionError> => {
    const error = await within(patienceMs, "connect", connector.connect(never)).then(
      () => null,
      (e: unknown) => e,
    );
    return expectFault(error, fault);
  };
  const expectFault = (error: unknown, ...faults: ConnectionFault[]): ConnectionError => {
    expect(error, `It should fail with a ConnectionError "${faults[0]}".`).toBeInstanceOf(ConnectionError);
    const failure = error as ConnectionError;
    expect(faults, `${failure.message} (${failure.technical})`).toContain(failure.fault);
    expect(failure.message.length, "The message is a sentence for people.").toBeGreaterThan(10);
    expect(failure.hint.length, "The hint says what to do next.").toBeGreaterThan(10);
    return failure;
  };
  const refusedAs = (fault: ConnectionFault) => (): Promise<void> =>
    bench(async ({ peer, proxy, create }) => {
      const given = peer.refusedConfig(fault, proxy?.address ?? peer.address ?? { host: "127.0.0.1", port: 0 });
      expect(given, `refusedConfig("${fault}") is null; if the protocol has no such thing, waive the rule`).not.toBe(
        null,
      );
      let connector: Connector;
      try {
        connector = create(given as Record<string, unknown>);
      } catch (error) {
        // The schema may find it already.
        expect(fault).toBe("misconfigured");
        expect((error as Error).message).toMatch(/does not pass/);
        return;
      }
      await refused(connector, fault);
    });
  /** Nothing new within the quiet window. */
  const stays = async (what: string, count: () => number): Promise<void> => {
    const before = count();
    await sleep(pace.quietMs);
    expect(count(), what).toBe(before);
  };

  return {
    // ── identity ──────────────────────────────────────────────────────────────────────────────────────────────────
    "kind-kebab-case": [
      "the kind is the protocol's name in kebab-case, with a title for people",
      async () => {
        expect(type.kind).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
        expect(type.title.length).toBeGreaterThan(2);
      },
    ],
    "fields-described": [
      "every field of the configuration and of the tag options is described",
      async () => {
        const silent = [...undescribed(type.config, "config"), ...undescribed(type.tagOptions, "tagOptions")];
        expect(silent, "fields without a description").toEqual([]);
      },
    ],
    "default-config": [
      "an empty configuration with defaults passes, or only says what is missing",
      async () => {
        const errors = [...Schema.Errors(type.config, Schema.Default(type.config, {}))];
        for (const { keyword, instancePath, message } of errors)
          expect(keyword, `The default at "${instancePath}" does not pass: ${message}`).toBe("required");
      },
    ],
    "schema-round-trip": [
      "the schemas are plain JSON Schema, so that a form can be made from them",
      async () => {
        expect([...notJson(type.config, "config"), ...notJson(type.tagOptions, "tagOptions")]).toEqual([]);
        await bench(async ({ config }) => {
          const copy = JSON.parse(JSON.stringify(type.config)) as typeof type.config;
          expect(Schema.Check(copy, parse(config))).toBe(true);
        });
      },
    ],
    "check-tells": [
      "a check tells its steps; one that fails says what to do",
      () =>
        bench(async ({ config, context, peer }) => {
          const steps = [];
          for await (const step of type.check(parse(config), context, never)) steps.push(step);
          expect(steps.length).toBeGreaterThan(0);
          for (const step of steps) expect(step, step.detail).toMatchObject({ ok: true });
          const dead = peer.address === null ? null : { host: "127.0.0.1", port: await deadPort() };
          const broken =
            dead === null || (fixture.mode ?? type.mode) === "listens"
              ? peer.refusedConfig("misconfigured", peer.address ?? { host: "127.0.0.1", port: 0 })
              : peer.config(dead);
          if (broken === null || Schema.Errors(type.config, Schema.Default(type.config, broken)).length > 0) return;
          const failing = [];
          for await (const step of type.check(parse(broken), context, never)) if (!step.ok) failing.push(step);
          expect(failing.length, "failing steps").toBeGreaterThan(0);
          for (const step of failing) expect(step.hint?.length ?? 0, `hint of "${step.step}"`).toBeGreaterThan(10);
        }),
    ],
    // ── lifecycle ─────────────────────────────────────────────────────────────────────────────────────────────────
    "create-does-nothing": [
      "create opens nothing",
      () =>
        bench(async ({ create, attempts }) => {
          const before = await settled();
          create();
          await sleep(Math.min(100, pace.quietMs));
          expect(attempts()).toBe(0);
          // Other sockets of this process are none of its business: listening ones are the peer's or ours.
          expect(resources().TCPServerWrap ?? 0).toBeLessThanOrEqual(before.TCPServerWrap ?? 0);
        }),
    ],
    "close-before-connect": [
      "close works before connect, and twice",
      () =>
        bench(async ({ create }) => {
          const connector = create();
          await within(1000, "close", connector.close());
          await within(1000, "close", connector.close());
        }),
    ],
    "connect-after-close": [
      "the same instance connects and reads again after close",
      () =>
        bench(async ({ create, read, peer }) => {
          const connector = create();
          await within(patienceMs, "connect", connector.connect(never));
          await within(patienceMs, "close", connector.close());
          await within(patienceMs, "connect", connector.connect(never));
          const sink = new RecordingSink();
          read(connector, sink);
          await setUntil(peer, sink, peer.tags[0], 11);
        }),
    ],
    "connect-aborts": [
      "connect to a peer that never answers ends within 1 s after the abort",
      () =>
        bench(async ({ create, proxy }) => {
          if (proxy !== null) proxy.mode = "blackHole";
          const abort = new AbortController();
          const connecting = create().connect(abort.signal);
          connecting.catch(() => undefined);
          await sleep(50);
          abort.abort(new Error("enough"));
          await within(
            1000,
            "connect after its abort",
            connecting.then(
              () => undefined,
              () => undefined,
            ),
          );
        }),
    ],
    "nothing-left": [
      "no timer and no socket is left after close",
      async () => {
        const before = await settled();
        await bench(async ({ reading, proxy, peer }) => {
          const sink = new RecordingSink();
          const { connector, abort, ended } = await reading(sink);
          await setUntil(peer, sink, peer.tags[0], 12);
          abort(new Error("enough"));
          await within(1000, "read after its abort", ended);
          await within(2000, "close", connector.close());
          if (proxy !== null) await until("its connections are closed", () => proxy.open === 0);
        });
        await until(`only ${JSON.stringify(before)} is left`, () => {
          const now = resources();
          return Object.entries(now).every(([kind, n]) => n <= (before[kind] ?? 0));
        });
      },
    ],
    // ── failure ───────────────────────────────────────────────────────────────────────────────────────────────────
    unreachable: [
      'a peer that is not there is "unreachable", with a hint',
      () =>
        bench(async ({ create, peer }) => {
          const nowhere = { host: "127.0.0.1", port: await deadPort() };
          const config = peer.address === null ? peer.refusedConfig("unreachable", nowhere) : peer.config(nowhere);
          expect(config, 'refusedConfig("unreachable")').not.toBe(null);
          await refused(create(config as Record<string, unknown>), "unreachable");
        }),
    ],
    unauthorised: ['a refused credential is "unauthorised", with a hint', refusedAs("unauthorised")],
    misconfigured: ['a configuration that cannot work is "misconfigured", with a hint', refusedAs("misconfigured")],
    "no-own-retry": [
      "one attempt for each connect, and none by itself after a loss",
      async () => {
        const most = fixture.socketsPerConnect ?? 1;
        const refusing = bench(async ({ create, proxy, attempts }) => {
          if (proxy === null) return;
          proxy.mode = "refuse";
          await expect(within(patienceMs, "connect", create().connect(never))).rejects.toThrow();
          await sleep(pace.retryMs);
          expect(attempts(), "attempts for one connect").toBeLessThanOrEqual(most);
        });
        const dropping = bench(async ({ reading, attempts, drop, peer }) => {
          const sink = new RecordingSink();
          const { ended } = await reading(sink);
          expect(attempts(), "attempts for one connect").toBeLessThanOrEqual(most);
          await setUntil(peer, sink, peer.tags[0], 13);
          await drop();
          await Promise.race([ended, sleep(pace.quietMs)]);
          const before = attempts();
          await sleep(pace.retryMs);
          expect(attempts(), "attempts after a loss").toBe(before);
        });
        await Promise.all([refusing, dropping]);
      },
    ],
    "lost-throws": [
      'read throws "lost" when the peer goes away, and never ends silently',
      () =>
        bench(async ({ reading, peer, drop }) => {
          const sink = new RecordingSink();
          const { ended } = await reading(sink);
          await setUntil(peer, sink, peer.tags[0], 14);
          await drop();
          expectFault(await within(patienceMs, "read after the loss", ended), "lost");
        }),
    ],
    "peer-leaves": [
      "a peer that leaves does not end read, and is served when it is back",
      () =>
        bench(async ({ reading, peer, drop }) => {
          const sink = new RecordingSink();
          const { outcome } = await reading(sink);
          await setUntil(peer, sink, peer.tags[0], 15);
          await drop();
          await sleep(Math.min(100, pace.quietMs));
          await setUntil(peer, sink, peer.tags[0], 16);
          expect(outcome()).toBe(undefined);
        }),
    ],
    // ── data ──────────────────────────────────────────────────────────────────────────────────────────────────────
    "columns-equal": [
      "all columns of a batch have equal length and decode as they are",
      () =>
        bench(async ({ reading, peer }) => {
          const sink = new RecordingSink();
          await reading(sink);
          for (const [i, tag] of peer.tags.entries()) await setUntil(peer, sink, tag, 20 + i);
          expect(sink.breaches).toEqual([]);
        }),
    ],
    "only-bound": [
      "only bound tags are delivered",
      () =>
        bench(async ({ reading, peer }) => {
          const [first, second, ...others] = peer.tags;
          expect(others.length, "a peer has at least three tags").toBeGreaterThan(0);
          const sink = new RecordingSink();
          await reading(sink, [first, second]);
          for (const other of others) await peer.set(other, 31, nowMs() * 1000);
          await setUntil(peer, sink, second, 32);
          await setUntil(peer, sink, first, 33);
          expect([...new Set(sink.rows.map(({ tag }) => tag))].sort()).toEqual([first, second].sort());
        }),
    ],
    "source-time": [
      "the source's own time is the row's time",
      () =>
        bench(async ({ reading, peer }) => {
          const sink = new RecordingSink();
          await reading(sink);
          const [tag] = peer.tags;
          await setUntil(peer, sink, tag, 41);
          const timeUs = (nowMs() + 7) * 1000;
          await peer.set(tag, 42, timeUs);
          await arrives(sink, tag, 42);
          expect(seen(sink, tag, 42)?.time).toBe(timeUs);
        }),
    ],
    "bad-delivered": [
      "bad quality is delivered as bad and not dropped",
      () =>
        bench(async ({ reading, peer }) => {
          const sink = new RecordingSink();
          await reading(sink);
          const [tag] = peer.tags;
          await setUntil(peer, sink, tag, 51);
          await peer.spoil(tag, "badQuality");
          await until(`a bad row of ${tag} is offered`, () => rowsOf(sink, tag).some(isBad));
        }),
    ],
    "outside-type-bad": [
      "a value outside the declared type is bad, neither clipped nor wrapped",
      () =>
        bench(async ({ reading, peer }) => {
          const sink = new RecordingSink();
          await reading(sink);
          const [tag] = peer.tags;
          await setUntil(peer, sink, tag, 52);
          await peer.spoil(tag, "outsideType");
          const others = (): SeenRow[] =>
            rowsOf(sink, tag).filter((row) => !isBad(row) && ![0, 52].includes(asNumber(row.value)));
          await until(`a bad row of ${tag} is offered`, () => others().length > 0 || rowsOf(sink, tag).some(isBad));
          expect(others(), "rows that pass as a good value").toEqual([]);
        }),
    ],
    "unreadable-alone": [
      "one tag that cannot be read does not stop the others",
      () =>
        bench(async ({ reading, peer }) => {
          const sink = new RecordingSink();
          const { outcome } = await reading(sink);
          const [bad, good] = peer.tags;
          await setUntil(peer, sink, bad, 53);
          await peer.spoil(bad, "unreadable");
          await setUntil(peer, sink, good, 54);
          await setUntil(peer, sink, good, 55);
          expect(outcome()).toBe(undefined);
        }),
    ],
    // ── flow ──────────────────────────────────────────────────────────────────────────────────────────────────────
    "stops-after-abort": [
      "after the abort read rejects with its reason within 1 s and offers no more",
      () =>
        bench(async ({ reading, peer }) => {
          const sink = new RecordingSink();
          const { abort, ended } = await reading(sink);
          await setUntil(peer, sink, peer.tags[0], 61);
          const reason = new Error("enough");
          abort(reason);
          expect(await within(1000, "read after its abort", ended)).toBe(reason);
          void peer.set(peer.tags[0], 62, nowMs() * 1000).catch(() => undefined);
          await stays("batches after the abort", () => sink.batches.length);
        }),
    ],
    "reads-again": [
      "read works again on the same connection, with other bindings",
      () =>
        bench(async ({ reading, read, peer }) => {
          const sink = new RecordingSink();
          const { connector, abort, ended } = await reading(sink, peer.tags.slice(0, 1));
          await setUntil(peer, sink, peer.tags[0], 63);
          abort(new Error("other bindings"));
          await within(1000, "read after its abort", ended);
          const again = new RecordingSink();
          read(connector, again, peer.tags.slice(1));
          await setUntil(peer, again, peer.tags[1], 64);
        }),
    ],
    credit: [
      "nothing is offered when the credit is spent, and everything goes on when it is back",
      () =>
        bench(async ({ reading, peer }) => {
          const sink = new RecordingSink(8);
          sink.hold();
          await reading(sink);
          const press = async (rounds: number, enough: () => boolean): Promise<void> => {
            for (let round = 0; round < rounds && !enough(); round++) {
              // Not awaited: a source that is held back may take its time.
              for (const tag of peer.tags) void peer.set(tag, 100 + round, nowMs() * 1000).catch(() => undefined);
              await sleep(5);
            }
          };
          await press(Math.min(800, patienceMs / 5), () => sink.credit().rows === 0);
          expect(sink.credit().rows, "credit left after all that was sent").toBe(0);
          await press(20, () => false);
          await sleep(pace.quietMs);
          expect(sink.overdrafts, "offers without credit").toBe(0);
          sink.release();
          await setUntil(peer, sink, peer.tags[0], 65);
        }),
    ],
    "acknowledge-last": [
      "a message is acknowledged to its source only when it is durable",
      () =>
        bench(async ({ reading, peer }) => {
          const { acknowledged } = peer;
          expect(acknowledged, "The peer counts no acknowledgements; waive the rule if there are none.").toBeDefined();
          if (acknowledged === undefined) return;
          const sink = new RecordingSink();
          await reading(sink);
          const [tag] = peer.tags;
          await setUntil(peer, sink, tag, 66);
          await until("that is acknowledged", () => acknowledged.call(peer) > 0);
          // What the source told before may still be on its way: only a number that stands is the one before.
          let before = 0;
          for (let standing = 0; standing < 3; standing++) {
            await turns(Math.min(100, pace.quietMs));
            const now = acknowledged.call(peer);
            if (now !== before) standing = -1;
            before = now;
          }
          sink.hold();
          void peer.set(tag, 67, nowMs() * 1000).catch(() => undefined);
          await arrives(sink, tag, 67);
          await turns(Math.min(200, pace.quietMs));
          expect(acknowledged.call(peer), "acknowledged before the verdict").toBe(before);
          sink.release();
          await until("it is acknowledged after the verdict", () => acknowledged.call(peer) > before);
        }),
    ],
    // ── privacy ───────────────────────────────────────────────────────────────────────────────────────────────────
    "secrets-absent": [
      "no secret turns up in logs, diagnosis or errors",
      () =>
        bench(async ({ reading, create, peer, drop, logged, proxy }) => {
          const secrets = Object.values(fixture.secrets ?? {});
          expect(
            secrets.length,
            "The fixture has no secrets; waive the rule if the protocol has none.",
          ).toBeGreaterThan(0);
          const texts: string[] = [];
          const address = proxy?.address ?? peer.address ?? { host: "127.0.0.1", port: 0 };
          for (const fault of Object.keys(connectionFaults) as ConnectionFault[]) {
            const config = peer.refusedConfig(fault, address);
            if (config === null || Schema.Errors(type.config, Schema.Default(type.config, config)).length > 0) continue;
            const connector = create(config);
            await within(patienceMs, "connect", connector.connect(never)).catch(
              (e: unknown) => void texts.push(told(e)),
            );
            texts.push(JSON.stringify(connector.diagnose()));
          }
          const sink = new RecordingSink();
          const { connector, ended } = await reading(sink);
          await setUntil(peer, sink, peer.tags[0], 71);
          texts.push(JSON.stringify(connector.diagnose()));
          await drop();
          texts.push(told(await Promise.race([ended, sleep(Math.min(500, pace.quietMs))])));
          texts.push(JSON.stringify(connector.diagnose()), ...logged);
          for (const secret of secrets) {
            for (const form of [secret, Buffer.from(secret).toString("base64"), encodeURIComponent(secret)])
              expect(
                texts.filter((text) => text.includes(form)),
                "texts with a secret",
              ).toEqual([]);
          }
        }),
    ],
    "logged-once": [
      "an outage is told at most once, and so is its end",
      () =>
        bench(async ({ reading, read, peer, drop, proxy, logged }) => {
          const sink = new RecordingSink();
          const { connector, ended } = await reading(sink);
          await setUntil(peer, sink, peer.tags[0], 72);
          logged.length = 0;
          await drop();
          if (proxy !== null) {
            await within(patienceMs, "read after the loss", ended);
            proxy.mode = "refuse";
            for (let i = 0; i < 3; i++)
              await within(patienceMs, "connect", connector.connect(never)).catch(() => undefined);
            proxy.mode = "pass";
            await within(patienceMs, "connect", connector.connect(never));
            read(connector, sink);
          }
          await setUntil(peer, sink, peer.tags[0], 73);
          const repeated = logged.filter((text, i) => logged.indexOf(text) !== i);
          expect(repeated, "lines told more than once").toEqual([]);
        }),
    ],
  };

  /** Sets the value again and again until it is offered: a subscription may stand a moment after `read` was called. */
  async function setUntil(peer: ConnectorPeer, sink: RecordingSink, tag: string, value: number): Promise<void> {
    const end = performance.now() + patienceMs;
    while (seen(sink, tag, value) === undefined) {
      if (performance.now() > end)
        throw new Error(`Within ${patienceMs} ms ${tag} = ${value} was not offered. ${sink.breaches.join(" ")}`);
      await peer.set(tag, value, nowMs() * 1000);
      for (let i = 0; i < 20 && seen(sink, tag, value) === undefined; i++) await sleep(5);
    }
  }
}

/** A pause in which the process has had its turns too, however crowded the machine is. */
async function turns(ms: number): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await sleep(ms / 10);
}

const isBad = (row: SeenRow): boolean => qualityOf(row.status) === "bad";

/** Everything that an error says, down to its causes. */
function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { hint, technical } = error as Partial<ConnectionError>;
  return [error.message, hint, technical, error.stack, error.cause === undefined ? "" : told(error.cause)].join("\n");
}

/** What keeps this process alive, by kind. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (/^(Timeout|TCP|Pipe|UDP|TLS|FSEvent|StatWatcher)/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** The same once what earlier tests closed is really gone. */
async function settled(): Promise<Record<string, number>> {
  let last = "";
  for (let equal = 0, polls = 0; equal < 3 && polls < 100; polls++) {
    await sleep(10);
    const now = JSON.stringify(resources());
    equal = now === last ? equal + 1 : 0;
    last = now;
  }
  return resources();
}

/** Properties without a description, by path. */
function undescribed(schema: unknown, path: string): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const found: string[] = [];
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties") {
      for (const [name, field] of Object.entries(value as Record<string, { description?: string }>)) {
        if ((field.description ?? "").length < 5) found.push(`${path}.${name}`);
        found.push(...undescribed(field, `${path}.${name}`));
      }
    } else found.push(...undescribed(value, path));
  }
  return found;
}

/** Parts of a schema that JSON cannot carry, by path. */
function notJson(part: unknown, path: string): string[] {
  if (part === null || ["string", "number", "boolean", "undefined"].includes(typeof part)) return [];
  if (Array.isArray(part)) return part.flatMap((item, i) => notJson(item, `${path}[${i}]`));
  if (typeof part !== "object" || part instanceof RegExp || part instanceof Date) return [path];
  return Object.entries(part).flatMap(([key, value]) => notJson(value, `${path}.${key}`));
}
