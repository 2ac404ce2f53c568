import { causeOf, countKinds, itemStateOf, type MachineFactsBody, operationModeOf } from "@lineshaft/contract/api";
import type { MachineAnswer } from "@lineshaft/contract/ports";

/** Facts as the API says them: columns, states by their names. */
export function machineFactsBody(equipmentId: number, answer: MachineAnswer): MachineFactsBody {
  const { facts, watermarkUs, finalBeforeUs, repairing } = answer;
  const { states, increments } = facts;
  const codes = Array.from(states.code);
  return {
    equipmentId,
    fromUs: facts.from,
    toUs: facts.to,
    states: {
      time: Array.from(states.t),
      itemState: codes.map(itemStateOf),
      operationMode: codes.map(operationModeOf),
      cause: codes.map(causeOf),
    },
    increments: {
      source: Array.from(increments.source),
      time: Array.from(increments.t),
      n: Array.from(increments.n),
      kind: Array.from(increments.kind, (kind) => countKinds[kind]),
      flags: Array.from(increments.flags),
    },
    watermarkUs,
    finalBeforeUs,
    repairing,
  };
}
