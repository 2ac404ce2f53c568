import { join } from "node:path";
import type { Diagnosis } from "./mqtt-rig.ts";
import type { MqttSenderJob } from "./mqtt-sender.ts";
import type { BenchContext } from "./report.ts";
import { ServerProcess } from "./server.ts";

/** A server with its own MQTT broker, and the account that the machines use. */
export async function startBroker(
  { dir, profileDir }: BenchContext,
  name = "data",
  args: string[] = [],
): Promise<{ server: ServerProcess; account: Pick<MqttSenderJob, "port" | "username" | "password"> }> {
  const server = await ServerProcess.start({
    dataDir: join(dir, name),
    profileDir,
    args: ["--mqtt-port", "0", ...args],
  });
  return { server, account: { port: server.mqttPort, username: "machine", password: server.api.key } };
}

/** Both kinds that listen at the broker say so. */
export const claimed = ({ connector }: Diagnosis): boolean =>
  connector.source?.claimed === true || (connector.servers?.every(({ announced }) => announced) ?? false);
