import type { CheckStep, ConnectorContext, ConnectorType } from "@lineshaft/contract/ports";
import { ownClientId } from "../../kit/mqtt/client-id.ts";
import { checkEmbedded, embeddedSource } from "../../kit/mqtt/embedded.ts";
import { checkServer, dialServer } from "../../kit/mqtt/server.ts";
import {
  type MqttBrokerConfig,
  MqttBrokerConfigSchema,
  type MqttConfig,
  MqttConfigSchema,
  type MqttReading,
  MqttTagOptionsSchema,
} from "./config.ts";
import { MqttConnector } from "./connector.ts";
import { learning } from "./learn.ts";
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
  learning,
  async replay(config, _, records, sink) {
    const { readCapture } = await import("../../kit/mqtt/capture.ts");
    const version = config.server.version === "5" ? 5 : 4;
    await readCapture((source) => new MqttConnector(config, async () => source), records, version, sink);
  },
  create: (config, context) => {
    let ownId: string | undefined;
    return new MqttConnector(config, (_, unreleased, signal) => {
      const { server, qos, session } = config;
      ownId ??= server.clientId ?? ownClientId(context);
      return dialServer(server, context, { clientId: ownId, qos, clean: session === "clean", unreleased }, signal);
    });
  },
};

/** The same for devices that come to the embedded broker. */
export const mqttBroker: ConnectorType<MqttBrokerConfig> = {
  kind: "mqtt-broker",
  title: "MQTT devices at the embedded broker",
  mode: "listens",
  config: MqttBrokerConfigSchema,
  tagOptions: MqttTagOptionsSchema,
  // What devices send at QoS 1 and 2; QoS 0 promises nothing anywhere.
  delivery: () => "acknowledged",
  // The broker lives there, and its handlers with it.
  thread: "main",
  async *check(config, context) {
    const filters = checkTemplates(config);
    if (!Array.isArray(filters)) {
      yield filters;
      return;
    }
    yield checkEmbedded(context);
  },
  create: (config, context) =>
    new MqttConnector(config, async (filters) => {
      const source = embeddedSource(context);
      // From now on nothing on these topics is acknowledged without us.
      source.reserve(filters);
      const { tapped } = await import("../../kit/mqtt/wire.ts");
      return tapped(source, () => context.wire);
    }),
};

/** The topic filters, or the step that failed. */
function checkTemplates(config: MqttReading): string[] | CheckStep {
  const filters: string[] = [...config.learn];
  for (const template of config.templates) {
    const ready = readTemplate(template);
    if (typeof ready === "string") {
      const hint = "Correct the topic or the tag of the template.";
      return { step: `Template ${template.topic}`, ok: false, detail: ready, hint };
    }
    filters.push(ready.filter);
  }
  if (filters.length > 0) return filters;
  return {
    step: "Templates",
    ok: false,
    detail: "No topic is read.",
    hint: "Add a template, or a filter to learn from.",
  };
}

async function* check(config: MqttConfig, context: ConnectorContext, signal: AbortSignal): AsyncGenerator<CheckStep> {
  const filters = checkTemplates(config);
  if (!Array.isArray(filters)) {
    yield filters;
    return;
  }
  const clientId = config.server.clientId ?? "lineshaft";
  yield* checkServer(config.server, context, { clientId, filters }, signal);
}
