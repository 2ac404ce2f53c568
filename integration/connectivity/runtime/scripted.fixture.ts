import { ColumnsBuilder } from "@lineshaft/contract/api";
import {
  type BrowseItem,
  ConnectionError,
  type Connector,
  type ConnectorContext,
  type ConnectorType,
} from "@lineshaft/contract/ports";
import { type Static, Type } from "typebox";

/** Connectors that behave, or misbehave, as their configuration says. */
const configSchema = Type.Object({
  script: Type.Enum(
    [
      "steady",
      "grows",
      "quiet",
      "throwsLater",
      "throwsNow",
      "spins",
      "spinsInPromises",
      "malformed",
      "exits",
      "lost",
      "refused",
      "misconfigured",
      "stubborn",
      "neverEnds",
      "returns",
    ],
    {
      description: "What it does.",
      default: "steady",
    },
  ),
  afterRows: Type.Integer({ minimum: 0, default: 3, description: "When it does it." }),
  everyMs: Type.Integer({ minimum: 1, default: 5, description: "A row so often." }),
  password: Type.String({ default: "", description: "Reference of a secret." }),
  children: Type.Integer({ minimum: 0, default: 3, description: "What a browse finds." }),
  certificateDays: Type.Optional(Type.Number({ description: "Days until its certificate ends." })),
});
type Config = Static<typeof configSchema>;

const wait = (context: ConnectorContext, ms: number, signal: AbortSignal): Promise<void> =>
  context.clock.sleep(ms, signal).catch(() => signal.throwIfAborted());

class Scripted implements Connector {
  readonly #config: Config;
  readonly #context: ConnectorContext;
  #connects = 0;
  #secret: string | null = null;

  constructor(config: Config, context: ConnectorContext) {
    this.#config = config;
    this.#context = context;
  }

  async connect(): Promise<void> {
    this.#connects++;
    const { script, password } = this.#config;
    this.#secret = password === "" ? null : this.#context.secret(password);
    if (script === "refused")
      throw new ConnectionError("unreachable", `Nobody answers (${this.#secret}).`, "Switch it on.");
    if (script === "misconfigured") throw new ConnectionError("misconfigured", "It cannot work.", "Change it.");
  }

  async read(...[bindings, resumeFrom, sink, signal]: Parameters<Connector["read"]>): Promise<never> {
    let names = bindings.map(({ address }) => address);
    const { script, afterRows, everyMs } = this.#config;
    for (let n = 1; ; n++) {
      if (script === "stubborn") await new Promise(() => undefined);
      await wait(this.#context, everyMs, signal);
      this.#context.wire?.("in", Buffer.from(`row ${n} ${this.#secret}`));
      if (n > afterRows) await this.#misbehave(names, sink, signal);
      if (script === "quiet" && n > afterRows) continue;
      if (sink.credit().rows === 0) await sink.ready(signal);
      const columns = new ColumnsBuilder(names.length);
      for (let i = 0; i < names.length; i++) columns.add(i, this.#context.clock.nowUs(), n);
      if (script === "grows") {
        // A list that is kept and grows, and now and then a new one.
        if (n % 4 === 0) names = [...names].reverse();
        names.push(`grown-${n}`);
        columns.add(names.length - 1, this.#context.clock.nowUs(), n);
      }
      const sourceCursor = `${resumeFrom ?? ""}+${n}`.slice(-20);
      const namesKept = script === "grows";
      const properties = new Map(bindings.map(({ address }) => [address, { unit: "bar" }]));
      void sink
        .offer({ names, namesKept, columns: columns.build(), ordinalsGiven: false, sourceCursor, properties })
        .catch(() => undefined);
    }
  }

  async #misbehave(names: string[], sink: Parameters<Connector["read"]>[2], signal: AbortSignal): Promise<void> {
    switch (this.#config.script) {
      case "throwsNow":
        throw new TypeError("Cannot read properties of undefined");
      case "throwsLater":
        setImmediate(() => {
          throw new TypeError("Cannot read properties of null");
        });
        return wait(this.#context, 60_000, signal);
      case "spins":
        for (;;);
      case "spinsInPromises":
        for (;;) await Promise.resolve();
      case "malformed": {
        const columns = { ...new ColumnsBuilder(1).build(), rows: 7 };
        void sink.offer({ names, columns, ordinalsGiven: false }).catch(() => undefined);
        return wait(this.#context, 60_000, signal);
      }
      case "exits":
        process.exit(3);
        break;
      case "neverEnds":
        await new Promise(() => undefined);
        break;
      case "lost":
        throw new ConnectionError("lost", "The device has gone.", "Look at it.");
      default:
    }
  }

  async close(): Promise<void> {
    if (this.#config.script === "neverEnds") await new Promise(() => undefined);
  }

  async *browse(address: string): AsyncGenerator<BrowseItem> {
    if (address === "broken") throw new ConnectionError("protocol", `No ${this.#secret}.`, "Refresh.", "BadNode");
    for (let i = 0; i < this.#config.children; i++)
      yield { address: `${address}/${i}`, name: String(i), readable: true, expandable: false };
  }

  diagnose(): Record<string, unknown> {
    const { certificateDays, script } = this.#config;
    const validToUs = this.#context.clock.nowUs() + ((certificateDays ?? 0) + 0.5) * 86_400e6;
    return {
      connects: this.#connects,
      secret: this.#secret,
      script,
      kindDir: this.#context.kindDir,
      ...(certificateDays === undefined
        ? {}
        : { certificates: [{ of: "peer", thumbprint: "AA", subject: "CN=Press", validToUs }] }),
    };
  }
}

const scripted = (kind: string, thread: "main" | "worker"): ConnectorType<Config> => ({
  kind,
  title: kind,
  mode: "connects",
  config: configSchema,
  tagOptions: Type.Object({}),
  // By a field's default, so that it shows whether defaults were filled in.
  delivery: ({ script }) => (script === "steady" ? "bestEffort" : "detectable"),
  thread,
  async *check() {
    yield { step: "Look", ok: true, detail: "There it is." };
  },
  create: (config, context) => new Scripted(config, context),
  learning: {
    config: (config, filters) => ({ ...config, script: filters[0] as "quiet" }),
    proposals: ({ script }) => ({ items: [{ template: { script }, topics: 1, example: "a" }], overlooked: 0 }),
  },
});

export const connectorKinds: Record<string, () => Promise<ConnectorType>> = {
  "in-worker": async () => scripted("in-worker", "worker") as ConnectorType,
  "on-main": async () => scripted("on-main", "main") as ConnectorType,
  blind: async () => {
    const type = scripted("blind", "worker") as ConnectorType;
    return {
      ...type,
      learning: undefined,
      create: (config, context) => Object.assign(type.create(config, context), { browse: undefined }),
    };
  },
};
