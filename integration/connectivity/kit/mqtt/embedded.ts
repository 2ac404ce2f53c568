import { type CheckStep, ConnectionError, type ConnectorContext } from "@lineshaft/contract/ports";
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

/** Is there a broker to come to? For the `check` of a listening kind. */
export function checkEmbedded(context: ConnectorContext): CheckStep {
  const step = "Embedded broker";
  try {
    embeddedSource(context).close();
    return { step, ok: true, detail: "It is switched on." };
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { step, ok: false, detail: error.message, hint: error.hint };
  }
}
