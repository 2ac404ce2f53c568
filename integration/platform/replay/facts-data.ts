import { causeOf, countKinds, type FactsChangedData, itemStateOf, operationModeOf } from "@lineshaft/contract/api";
import { decodeFacts, factsCauses } from "@lineshaft/contract/ports";

/** A record of facts as the stream says it: rows of columns, states by their names. */
export function factsData(payload: Uint8Array): Record<string, unknown> {
  const { ranges, states, counts } = decodeFacts(payload);
  const codes = Array.from(states.code);
  const data: FactsChangedData = {
    ranges: Array.from({ length: ranges.n }, (_, i) => ({
      equipmentId: ranges.equipment[i],
      what: ranges.what[i] === 0 ? "states" : "counts",
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
  };
  return data as unknown as Record<string, unknown>;
}
