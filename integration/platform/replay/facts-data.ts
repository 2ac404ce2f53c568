import {
  alarmColumns,
  causeOf,
  countKinds,
  type FactsChangedData,
  identifierColumns,
  itemStateOf,
  operationModeOf,
} from "@lineshaft/contract/api";
import { decodeFacts, factsCauses, factsWhats } from "@lineshaft/contract/ports";

/** A record of facts as the stream says it: rows of columns, states by their names. */
export function factsData(payload: Uint8Array): Record<string, unknown> {
  const { ranges, states, counts, alarms, identifiers } = decodeFacts(payload);
  const codes = Array.from(states.code);
  const data: FactsChangedData = {
    ranges: Array.from({ length: ranges.n }, (_, i) => ({
      equipmentId: ranges.equipment[i],
      what: factsWhats[ranges.what[i]],
      fromUs: ranges.from[i],
      toUs: ranges.to[i],
      cause: factsCauses[ranges.cause[i]],
      lsn: ranges.lsn[i],
    })),
    states: {
      equipmentId: Array.from(states.equipment),
      time: Array.from(states.time),
      itemState: codes.map(itemStateOf),
      operationMode: codes.map(operationModeOf),
      cause: codes.map(causeOf),
    },
    counts: {
      equipmentId: Array.from(counts.equipment),
      source: Array.from(counts.source),
      time: Array.from(counts.time),
      n: Array.from(counts.value),
      kind: Array.from(counts.kind, (kind) => countKinds[kind]),
      flags: Array.from(counts.flags),
    },
    alarms: { equipmentId: alarms.map(({ equipment }) => equipment), ...alarmColumns(alarms) },
    identifiers: { equipmentId: identifiers.map(({ equipment }) => equipment), ...identifierColumns(identifiers) },
  };
  return data as unknown as Record<string, unknown>;
}
