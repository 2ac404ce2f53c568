import { ConnectionError, type ConnectorContext } from "@lineshaft/contract/ports";
import type { BrokerSource } from "./broker-source.ts";

/** Where the host puts a connection's place at its broker (`BrokerSource`) for the listening kinds (`ConnectorContext.share`). */
export const embeddedBrokerKey = "mqtt-broker";

/** The embedded broker's messages for this connection. Whose they are is the host's to say: no configuration names another tenant. */
export function embeddedSource(context: ConnectorContext): BrokerSource {
  return context.share<BrokerSource>(embeddedBrokerKey, () => {
    const hint = "Start the server with --mqtt-port, or connect to an external broker.";
    throw new ConnectionError("misconfigured", "The embedded MQTT broker is not switched on.", hint);
  });
}
