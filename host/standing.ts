import type { Standing } from "@lineshaft/connectivity";
import { ColumnsBuilder, statusBadNoCommunication, valueFromJson } from "@lineshaft/contract/api";
import type { LastValues } from "@lineshaft/contract/ports";
import type { LiveConnection } from "@lineshaft/platform/ingest";

/** The values of a connection that look live, and when it was last heard; null: it never spoke. */
export function standingOf(
  connection: Pick<LiveConnection, "tags" | "lastBatchUs"> | undefined,
  values: Pick<LastValues, "get">,
): Standing | null {
  if (connection === undefined || connection.lastBatchUs === null) return null;
  const addresses = [...connection.tags.keys()];
  const names: string[] = [];
  const columns = new ColumnsBuilder();
  values.get([...connection.tags.values()]).forEach(({ time, value, type, status }, i) => {
    if (time === null || status === statusBadNoCommunication) return;
    columns.add(names.length, time, valueFromJson(value) ?? null, status, 0, type === "int64" ? "int64" : undefined);
    names.push(addresses[i]);
  });
  return { names, columns: columns.build(), heardUs: connection.lastBatchUs };
}
