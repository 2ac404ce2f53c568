import { connectorKinds } from "@lineshaft/connectivity";
import { ProblemError } from "@lineshaft/contract/api";
import type { ConfigurationService, Registry } from "@lineshaft/contract/ports";
import { type ConnectorKind, createConfigurationService, httpKind } from "@lineshaft/platform/configuration";
import type { TagDirectory } from "@lineshaft/platform/ingest";

/** Every kind of connection that this server knows. */
export async function loadKinds(): Promise<ConnectorKind[]> {
  return [httpKind, ...(await Promise.all(Object.values(connectorKinds).map((load) => load())))];
}

/** Joins the registry's configuration with the names that ingest works with. */
export function configurationService(
  registry: Registry,
  directory: TagDirectory,
  kinds: readonly ConnectorKind[],
): ConfigurationService {
  return createConfigurationService({
    registry,
    kinds,
    connections: {
      idFor: (tenant, name, kind) => {
        const known = directory.connection(tenant, name);
        if (known === undefined) return directory.nextConnectionId();
        if (known.kind === kind) return known.id;
        const detail = `There is already a connection ${JSON.stringify(name)} of kind ${known.kind}.`;
        throw new ProblemError("connection_kind_invalid", detail);
      },
      put: (tenant, row) => {
        if (directory.connectionById(row.id) === undefined) directory.addConnection(tenant, row);
        else directory.updateConnection(tenant, row);
      },
    },
  });
}
