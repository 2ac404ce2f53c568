import {
  type AlarmTransition,
  alarmColumns,
  causeOf,
  countKinds,
  type IdentifierTransition,
  identifierColumns,
  itemStateOf,
  type MachineFactsBody,
  operationModeOf,
  type StateColumns,
} from "@lineshaft/contract/api";
import type { MachineAnswer } from "@lineshaft/contract/ports";

/** Facts as the API says them: columns, states by their names. */
export function machineFactsBody(
  equipmentId: number,
  answer: MachineAnswer,
  alarms: readonly AlarmTransition[],
  identifiers: readonly IdentifierTransition[],
): MachineFactsBody {
  const { facts, watermarkUs, finalBeforeUs, repairing } = answer;
  const { states, increments } = facts;
  return {
    equipmentId,
    fromUs: facts.from,
    toUs: facts.to,
    states: statesBody(states),
    increments: {
      source: Array.from(increments.source),
      time: Array.from(increments.t),
      n: Array.from(increments.n),
      kind: Array.from(increments.kind, (kind) => countKinds[kind]),
      flags: Array.from(increments.flags),
    },
    alarms: alarmColumns(alarms),
    identifiers: identifierColumns(identifiers),
    watermarkUs,
    finalBeforeUs,
    repairing,
  };
}

/** States as the API says them: by their names. */
export function statesBody({ t, code }: StateColumns): MachineFactsBody["states"] {
  const codes = Array.from(code);
  return {
    time: Array.from(t),
    itemState: codes.map(itemStateOf),
    operationMode: codes.map(operationModeOf),
    cause: codes.map(causeOf),
  };
}
