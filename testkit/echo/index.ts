import { ColumnsBuilder, type Value } from "@lineshaft/contract/api";
import {
  type CheckStep,
  ConnectionError,
  type Connector,
  type ConnectorBatch,
  type ConnectorContext,
  type ConnectorSink,
  type ConnectorType,
  type TagBinding,
} from "@lineshaft/contract/ports";
import { type Static, Type } from "typebox";
import { LineSession } from "./session.ts";

/** Echo: lines of JSON over TCP. A small example of a connector that keeps the whole contract. */
const configSchema = Type.Object({
  host: Type.String({ minLength: 1, maxLength: 253, description: "Name or address of the device." }),
  port: Type.Integer({ minimum: 1, maximum: 65535, default: 4711, description: "TCP port of the device." }),
  password: Type.String({ default: "", description: "Reference of the password among the secrets; empty: none." }),
  timeoutMs: Type.Integer({
    minimum: 100,
    maximum: 60_000,
    default: 5000,
    description: "How long to wait for an answer, in ms.",
  }),
});
type EchoConfig = Static<typeof configSchema>;

const tagOptionsSchema = Type.Object({
  min: Type.Optional(Type.Number({ description: "Smallest value of the data type; what lies below is bad." })),
  max: Type.Optional(Type.Number({ description: "Greatest value of the data type; what lies above is bad." })),
});
type TagOptions = Static<typeof tagOptionsSchema>;

const badOutOfRange = 0x803c0000;

interface Message {
  n: number;
  tag: string;
  value: Value;
  timeUs: number;
  status: number;
}

class EchoConnector implements Connector {
  readonly #config: EchoConfig;
  readonly #context: ConnectorContext;
  #session: LineSession | null = null;

  constructor(config: EchoConfig, context: ConnectorContext) {
    this.#config = config;
    this.#context = context;
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.close();
    const { host, port, password, timeoutMs } = this.#config;
    const secret = password === "" ? "" : this.#context.secret(password);
    if (secret === null) {
      const hint = "Create the secret, or correct its name in the configuration.";
      throw new ConnectionError("misconfigured", `There is no secret "${password}".`, hint);
    }
    const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const session = await LineSession.open(host, port, limited, this.#context.wire);
    try {
      session.send({ hello: secret });
      const [answer] = await session.take(limited);
      const { refused } = JSON.parse(answer) as { refused?: string };
      if (refused !== undefined) {
        const hint = "Check the password in the device's own settings.";
        throw new ConnectionError("unauthorised", `${host}:${port} refused the password.`, hint, refused);
      }
      this.#session = session;
    } catch (error) {
      session.close();
      if (error instanceof ConnectionError || signal.aborted) throw error;
      const hint = "Is it this device's protocol that listens on the port?";
      throw new ConnectionError("protocol", `${host}:${port} did not answer as expected.`, hint, String(error));
    }
  }

  async read(
    bindings: readonly TagBinding[],
    _resumeFrom: string | null,
    sink: ConnectorSink,
    signal: AbortSignal,
  ): Promise<never> {
    const session = this.#session;
    if (session === null)
      throw new ConnectionError("lost", "The device is not connected.", "It is connected again by itself.");
    const bound = new Map(bindings.map(({ address, options }) => [address, (options ?? {}) as TagOptions]));
    session.send({ watch: [...bound.keys()] });
    for (;;) {
      signal.throwIfAborted();
      if (sink.credit().rows === 0) await sink.ready(signal);
      const messages: Message[] = [];
      for (const line of await session.take(signal)) {
        const message = parse(line);
        if (message === null) {
          const payload = new TextEncoder().encode(line);
          await sink.reject({ code: "value_invalid", detail: "The line is not a message of this protocol.", payload });
        } else if (bound.has(message.tag)) messages.push(message);
      }
      if (messages.length === 0) continue;
      // Acknowledged only when durable. When the connection ends before its verdict the device sends the message again.
      void sink.offer(decode(messages, bound)).then(
        () => session.send({ ack: messages[messages.length - 1].n }),
        () => undefined,
      );
    }
  }

  async close(): Promise<void> {
    this.#session?.close();
    this.#session = null;
  }

  diagnose(): Record<string, unknown> {
    const { host, port } = this.#config;
    return { host, port, connected: this.#session !== null };
  }
}

function parse(line: string): Message | null {
  try {
    const message = JSON.parse(line) as Message;
    return typeof message.tag === "string" ? message : null;
  } catch {
    return null;
  }
}

function decode(messages: readonly Message[], bound: ReadonlyMap<string, TagOptions>): ConnectorBatch {
  const names = [...new Set(messages.map(({ tag }) => tag))];
  const index = new Map(names.map((name, i) => [name, i]));
  const columns = new ColumnsBuilder(messages.length);
  for (const { tag, value, timeUs, status } of messages) {
    const { min = -Infinity, max = Infinity } = bound.get(tag) ?? {};
    const outside = typeof value === "number" && (value < min || value > max);
    columns.add(index.get(tag) as number, timeUs, value, outside ? badOutOfRange : status);
  }
  return { names, columns: columns.build(), ordinalsGiven: false };
}

/** The steps of a check: reach it, then talk to it. */
async function* check(config: EchoConfig, context: ConnectorContext, signal: AbortSignal): AsyncIterable<CheckStep> {
  const connector = new EchoConnector(config, context);
  const step = `Connect to ${config.host}:${config.port}`;
  try {
    await connector.connect(signal);
    yield { step, ok: true, detail: "The device answers and accepts us." };
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    yield { step, ok: false, detail: error.message, hint: error.hint };
  } finally {
    await connector.close();
  }
}

export const echo: ConnectorType<EchoConfig> = {
  kind: "echo",
  title: "Echo",
  mode: "connects",
  config: configSchema,
  tagOptions: tagOptionsSchema,
  delivery: () => "acknowledged",
  thread: "worker",
  check,
  create: (config, context) => new EchoConnector(config, context),
};
