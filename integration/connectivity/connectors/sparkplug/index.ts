import type { CheckStep, ConnectorContext, ConnectorType } from "@lineshaft/contract/ports";
import { checkEmbedded, embeddedSource } from "../../kit/mqtt/embedded.ts";
import { checkServer, dialServer } from "../../kit/mqtt/server.ts";
import {
  type SparkplugBrokerConfig,
  SparkplugBrokerConfigSchema,
  type SparkplugConfig,
  SparkplugConfigSchema,
  SparkplugTagOptionsSchema,
} from "./config.ts";
import { type HostServer, SparkplugConnector } from "./connector.ts";
import { hostFilters } from "./host.ts";

/** Sparkplug B 3.0 as a host application. Begin with `machine.ts` (what a message means), then `connector.ts` (what is done about it). */
export const sparkplug: ConnectorType<SparkplugConfig> = {
  kind: "sparkplug",
  title: "Sparkplug B 3.0 (host application)",
  mode: "connects",
  config: SparkplugConfigSchema,
  tagOptions: SparkplugTagOptionsSchema,
  // Data travel at QoS 0 (6.4.22); the sequence numbers tell of a loss.
  delivery: () => "detectable",
  thread: "worker",
  check,
  create: (config, context) => new SparkplugConnector(config, externalServers(config, context), context),
  async replay(config, context, records, sink) {
    const { readCapture } = await import("../../kit/mqtt/capture.ts");
    const version = config.servers[0].version === "5" ? 5 : 4;
    const make: Parameters<typeof readCapture>[0] = (source) =>
      new SparkplugConnector(config, [{ where: "capture", open: async () => source }], context);
    await readCapture(make, records, version, sink);
  },
};

/** The same at the embedded broker, where edge nodes come to us. */
export const sparkplugBroker: ConnectorType<SparkplugBrokerConfig> = {
  kind: "sparkplug-broker",
  title: "Sparkplug B 3.0 at the embedded broker",
  mode: "listens",
  config: SparkplugBrokerConfigSchema,
  tagOptions: SparkplugTagOptionsSchema,
  delivery: () => "detectable",
  // The broker lives there, and its handlers with it.
  thread: "main",
  async *check(_, context) {
    yield checkEmbedded(context);
  },
  create: (config, context) => {
    const open: HostServer["open"] = async () => {
      const source = embeddedSource(context);
      source.reserve(hostFilters(config.hostId, config.groups));
      const { tapped } = await import("../../kit/mqtt/wire.ts");
      return tapped(source, () => context.wire);
    };
    return new SparkplugConnector(config, [{ where: "embedded broker", open }], context);
  },
};

function externalServers(config: SparkplugConfig, context: ConnectorContext): HostServer[] {
  return config.servers.map((server, i) => ({
    where: `${server.host}:${server.port}`,
    open: (presence, signal) => {
      const clientId = server.clientId ?? `${config.hostId}-host-${i + 1}`;
      // 5.3: clean session, so that nothing of an earlier one arrives before the births.
      return dialServer(server, context, { clientId, clean: true, qos: 1, will: presence.will() }, signal);
    },
  }));
}

async function* check(
  config: SparkplugConfig,
  context: ConnectorContext,
  signal: AbortSignal,
): AsyncGenerator<CheckStep> {
  const filters = hostFilters(config.hostId, config.groups);
  for (const server of config.servers) {
    const clientId = server.clientId ?? config.hostId;
    yield* checkServer(server, context, { clientId, filters }, signal);
  }
}
