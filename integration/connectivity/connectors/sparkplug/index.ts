import type { CheckStep, ConnectorContext, ConnectorType } from "@lineshaft/contract/ports";
import { ConnectionError } from "@lineshaft/contract/ports";
import { dialServer } from "../../kit/mqtt/server.ts";
import { type SparkplugConfig, SparkplugConfigSchema, SparkplugTagOptionsSchema } from "./config.ts";
import { SparkplugConnector } from "./connector.ts";
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
  create: (config, context) => new SparkplugConnector(config, context),
};

/** Each server: is it there, does it take us, may we subscribe? Without STATE: nobody must believe that the host has come. */
async function* check(
  config: SparkplugConfig,
  context: ConnectorContext,
  signal: AbortSignal,
): AsyncGenerator<CheckStep> {
  for (const server of config.servers) {
    const where = `${server.host}:${server.port}`;
    try {
      const clientId = `${server.clientId ?? config.hostId}-check`;
      const session = await dialServer(server, context, { clientId, clean: true, qos: 1 }, signal);
      yield { step: `Connect to ${where}`, ok: true, detail: "The server accepts us." };
      try {
        await session.claim(hostFilters(config.hostId, config.groups), async () => {});
        yield { step: `Subscribe at ${where}`, ok: true, detail: "The Sparkplug topics may be read." };
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
}
