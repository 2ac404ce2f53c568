import { ConnectionError, type ConnectorContext } from "@lineshaft/contract/ports";
import { Type } from "typebox";
import type { EmbeddedBroker } from "./broker.ts";
import type { BrokerSource } from "./broker-source.ts";

/** Where the host puts its broker for the listening kinds (`ConnectorContext.share`). */
export const embeddedBrokerKey = "mqtt-broker";

export const RealmSchema = Type.String({
  maxLength: 128,
  default: "default",
  description: "Whose devices: only messages of the broker's accounts in this realm are read.",
});

/** The embedded broker's messages of one realm. */
export function embeddedSource(context: ConnectorContext, realm: string): BrokerSource {
  const broker = context.share<EmbeddedBroker>(embeddedBrokerKey, () => {
    const hint = "Switch the broker on in the server's configuration, or connect to an external one.";
    throw new ConnectionError("misconfigured", "The embedded MQTT broker is not switched on.", hint);
  });
  return broker.source(realm);
}
