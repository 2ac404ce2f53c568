import type { MasterDataItem } from "@lineshaft/contract/api";

type Order = MasterDataItem<"order">;
type Operation = Order["operations"][number];
type Execution = Operation["executions"][number];

/**
 * An order as somebody puts it, with what bookings made of it. An ERP that sends its order again knows nothing of those; they are taken back as bookings, and not by
 * leaving them out.
 */
export function withBookedParts(before: Order, put: Order): Order {
  const old = new Map(before.operations.map((operation) => [operation.id, operation]));
  const operations = put.operations.map((operation) => merged(old.get(operation.id), operation));
  const putIds = new Set(put.operations.map(({ id }) => id));
  const gone = before.operations.flatMap((operation) => {
    const { executions, finished } = bookedOf(operation);
    const { planned: _, finished: __, ...rest } = operation;
    if (putIds.has(operation.id) || executions.length + finished.length === 0) return [];
    return [{ ...rest, executions, ...(finished.length === 0 ? {} : { finished }) }];
  });
  return { ...put, operations: [...operations, ...gone] };
}

const bookedOf = ({ executions, finished = [] }: Operation) => ({
  executions: executions.filter(({ startedBy }) => startedBy !== undefined),
  finished: finished.filter(({ by }) => by !== undefined),
});

function merged(before: Operation | undefined, put: Operation): Operation {
  if (before === undefined) return put;
  const booked = bookedOf(before);
  const told = new Set(put.executions.map(({ startedBy }) => startedBy));
  const toldFinished = new Set(put.finished?.map(({ by }) => by));
  const finished = [...(put.finished ?? []), ...booked.finished.filter(({ by }) => !toldFinished.has(by))];
  return {
    ...put,
    executions: [
      ...put.executions.map((execution) => endedAsBefore(before.executions, execution)),
      ...booked.executions.filter(({ startedBy }) => !told.has(startedBy)),
    ],
    ...(finished.length === 0 ? {} : { finished }),
  };
}

/** The same execution, ended by a booking before it would end now: it stays so, and ends as it is put once that is taken back. */
function endedAsBefore(before: readonly Execution[], execution: Execution): Execution {
  if (execution.endedBy !== undefined) return execution;
  const same = before.find((each) => each.equipmentId === execution.equipmentId && each.fromUs === execution.fromUs);
  if (same?.endedBy === undefined || same.toUs === null) return execution;
  if (execution.toUs !== null && execution.toUs <= same.toUs) return execution;
  return { ...execution, toUs: same.toUs, endedBy: { booking: same.endedBy.booking, otherwiseUs: execution.toUs } };
}
