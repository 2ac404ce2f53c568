/**
 * OPC UA client: reads tags of one server by one subscription. Start with `connector.ts` (life of a connection); `link.ts` opens channel and session,
 * `feed.ts` keeps the messages in order, `reader.ts` turns them into columns, `fill.ts` closes gaps;
 * `certificates.ts` is also how a person's trust gets in.
 */
import type { ConnectorType } from "@lineshaft/contract/ports";
import { CertificateFolder } from "./certificates.ts";
import { checkServer } from "./check.ts";
import { type OpcuaConfig, OpcuaConfigSchema, OpcuaTagOptionsSchema } from "./config.ts";
import { OpcuaConnector } from "./connector.ts";

export const opcua: ConnectorType<OpcuaConfig> = {
  kind: "opcua",
  title: "OPC UA",
  mode: "connects",
  config: OpcuaConfigSchema,
  tagOptions: OpcuaTagOptionsSchema,
  // A message is acknowledged when it is durable, and asked for again after a loss; a server that restarts has only its history to give.
  delivery: (config) => (config.history ? "resumable" : "detectable"),
  thread: "worker",
  check: checkServer,
  create: (config, context) => new OpcuaConnector(config, context),
  certificates: (kindDir) => new CertificateFolder(kindDir),
};
