import { keptMicros, localOfMicros } from "./fields.tsx";
import type { Execution, Operation, Order, RecordedOrder } from "./model.ts";

/** A row of the form: where an operation runs, or is meant to. Texts, as they are typed; `was` is what it was made from. */
export interface PlaceForm {
  key: number;
  was: Execution | null;
  /** Nothing runs because of a plan. null: the row is new, and a plan while it lies ahead. */
  plan: boolean | null;
  equipmentId: number;
  from: string;
  to: string;
  share: string;
}
export interface OperationForm {
  key: number;
  id: string;
  name: string;
  places: PlaceForm[];
  finished: Operation["finished"];
}
export interface OrderForm {
  id: string;
  material: string;
  quantity: string;
  unit: string;
  operations: OperationForm[];
}

let keys = 0;
/** Of rows, which have no name of their own. */
export const nextKey = (): number => keys++;

export const formOf = (order: RecordedOrder | null): OrderForm => ({
  id: order?.id ?? "",
  material: order?.item.material ?? "",
  quantity: order === null ? "" : String(order.item.quantity),
  unit: order?.item.unit ?? "1",
  operations: (order?.item.operations ?? [{ id: "0010", name: null, executions: [] }]).map(operationForm),
});

function operationForm({ id, name, executions, planned = [], finished }: Operation): OperationForm {
  const row = (was: Execution, plan: boolean): PlaceForm => ({
    key: nextKey(),
    was,
    plan,
    equipmentId: was.equipmentId,
    from: localOfMicros(was.fromUs),
    to: localOfMicros(was.toUs),
    share: was.share === undefined ? "" : String(was.share),
  });
  const places = [...executions.map((one) => row(one, false)), ...planned.map((one) => row(one, true))];
  return { key: nextKey(), id, name: name ?? "", places, finished };
}

const numberOf = (text: string): number => Number(text.trim().replace(",", "."));

function placeOf({ was, equipmentId, from, to, share }: PlaceForm): Execution {
  const { share: _, ...rest } = was ?? {};
  return {
    ...rest,
    equipmentId,
    fromUs: keptMicros(from, was?.fromUs ?? null) ?? Number.NaN,
    toUs: to === "" ? null : keptMicros(to, was?.toUs ?? null),
    ...(share.trim() === "" ? {} : { share: numberOf(share) }),
  };
}

/** The order that a form says; null: something is missing, which the fields tell. */
export function orderOf(form: OrderForm, before: Order | null, nowUs: number): Order | null {
  const quantity = form.quantity.trim() === "" ? Number.NaN : numberOf(form.quantity);
  const operations = form.operations.map(({ id, name, places, finished }): Operation => {
    const made = places.map((one) => ({ of: placeOf(one), plan: one.plan }));
    const isPlan = ({ of, plan }: (typeof made)[number]): boolean => plan ?? of.fromUs > nowUs;
    const planned = made.filter(isPlan).map(({ of: { equipmentId, fromUs, toUs } }) => ({ equipmentId, fromUs, toUs }));
    return {
      id: id.trim(),
      name: name.trim() === "" ? null : name,
      executions: made.filter((one) => !isPlan(one)).map(({ of }) => of),
      ...(planned.length === 0 ? {} : { planned }),
      ...(finished === undefined ? {} : { finished }),
    };
  });
  const dated = operations.every(({ id, executions, planned = [] }) =>
    id === "" ? false : [...executions, ...planned].every(({ fromUs }) => Number.isFinite(fromUs)),
  );
  if (!Number.isFinite(quantity) || !dated) return null;
  const material = form.material.trim() === "" ? null : form.material.trim();
  return { ...before, material, unit: form.unit.trim(), quantity, operations };
}
