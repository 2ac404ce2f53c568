import { type CheckStep, ConnectionError, type ConnectorContext, type ConnectorType } from "@lineshaft/contract/ports";
import { dialServer } from "../../kit/mqtt/server.ts";
import { type MqttConfig, MqttConfigSchema, MqttTagOptionsSchema } from "./config.ts";
import { MqttConnector } from "./connector.ts";
import { readTemplate } from "./template.ts";

/** Plain MQTT: topics by template as raw tags. Begin with `template.ts` and `payload.ts` (pure), then `connector.ts`. */
export const mqtt: ConnectorType<MqttConfig> = {
  kind: "mqtt",
  title: "MQTT 3.1.1 and 5",
  mode: "connects",
  config: MqttConfigSchema,
  tagOptions: MqttTagOptionsSchema,
  delivery: ({ qos, session }) => (qos > 0 && session === "kept" ? "acknowledged" : "bestEffort"),
  thread: "worker",
  check,
  create: (config, context) => new MqttConnector(config, context),
};

async function* check(config: MqttConfig, context: ConnectorContext, signal: AbortSignal): AsyncGenerator<CheckStep> {
  const filters: string[] = [...config.learn];
  for (const template of config.templates) {
    const ready = readTemplate(template);
    if (typeof ready === "string") {
      yield {
        step: `Template ${template.topic}`,
        ok: false,
        detail: ready,
        hint: "Correct the topic or the tag of the template.",
      };
      return;
    }
    filters.push(ready.filter);
  }
  if (filters.length === 0) {
    yield {
      step: "Templates",
      ok: false,
      detail: "No topic is read.",
      hint: "Add a template, or a filter to learn from.",
    };
    return;
  }
  const where = `${config.server.host}:${config.server.port}`;
  try {
    // A client identifier of its own: the check must not take over the session that is running.
    const clientId = `${config.server.clientId ?? "lineshaft"}-check`;
    const session = await dialServer(config.server, context, { clientId, clean: true, qos: 0 }, signal);
    yield { step: `Connect to ${where}`, ok: true, detail: "The server accepts us." };
    try {
      await session.claim(filters, async () => {});
      yield { step: "Subscribe", ok: true, detail: `${filters.length} topic filters may be read.` };
    } finally {
      await session.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ConnectionError)) throw error;
    const { message, technical, hint } = error;
    yield {
      step: `Connect to ${where}`,
      ok: false,
      detail: technical === "" ? message : `${message} (${technical})`,
      hint,
    };
  }
}
