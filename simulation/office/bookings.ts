import type { MasterDataItem, Micros } from "@lineshaft/contract/api";
import { minuteUs } from "@lineshaft/contract/api";
import type { MachineTruth } from "../plant/index.ts";
import type { MachineSheet } from "../plant/machine-kind.ts";
import type { Paper } from "./desk.ts";
import type { Planned } from "./planning.ts";
import { breakdownReasons, operationOf, policyOf } from "./set-up.ts";

/** A machine with its place and what happened at it, up to `truth.toUs`, which is now. */
export interface Booked {
  sheet: MachineSheet;
  equipmentId: number;
  truth: MachineTruth;
  /** What it is to work at next. Default: nobody plans. */
  ahead?: readonly Planned[];
}

/** What a machine that tells its orders has left is closed in the office so much later. */
const closedAfterUs = 30 * minuteUs;

type Order = MasterDataItem<"order">;

/**
 * All orders of these machines as they stand now: what runs is open; what ran and does not go on at a machine is finished there; what comes next is planned. Of machines that tell their order nobody
 * books what runs; what they have left is closed after a while, short or not.
 */
export function ordersOf(machines: readonly Booked[]): Paper[] {
  const orders = new Map<string, Order>();
  const operationAt = (sheet: MachineSheet, id: string, of: Pick<Planned, "material" | "quantity">) => {
    const { material, quantity } = of;
    const order: Order = orders.get(id) ?? { material, unit: sheet.unit, quantity, operations: [] };
    orders.set(id, order);
    const name = operationOf(sheet.machine);
    const operation = order.operations.find((each) => each.id === name) ?? { id: name, name: null, executions: [] };
    if (!order.operations.includes(operation)) order.operations.push(operation);
    return operation;
  };
  for (const { sheet, equipmentId, truth, ahead = [] } of machines) {
    for (const { order: id, material, quantity, cavities, fromUs, toUs } of truth.executions) {
      const operation = operationAt(sheet, id, { material, quantity });
      const elsewhere = operation.finished?.filter((each) => each.equipmentId !== equipmentId) ?? [];
      if (sheet.telling.order !== undefined) {
        // What runs the machine tells itself; that it is meant for it stands in the order.
        operation.planned ??= [{ equipmentId, fromUs, toUs: null }];
        const closedUs = toUs + closedAfterUs;
        if (closedUs < truth.toUs) operation.finished = [...elsewhere, { equipmentId, atUs: closedUs }];
        continue;
      }
      operation.executions.push({
        equipmentId,
        ...(sheet.counts === "cycles" ? { cavities } : {}),
        fromUs,
        toUs: toUs >= truth.toUs ? null : toUs,
      });
      operation.finished = toUs >= truth.toUs ? elsewhere : [...elsewhere, { equipmentId, atUs: toUs }];
    }
    for (const { order: id, fromUs, toUs, ...of } of ahead) {
      const operation = operationAt(sheet, id, of);
      // Interrupted for one in a hurry: that it goes on needs no plan.
      const here = (each: { equipmentId: number }): boolean => each.equipmentId === equipmentId;
      if (operation.executions.some(here) || (operation.planned ?? []).some(here)) continue;
      operation.planned = [...(operation.planned ?? []), { equipmentId, fromUs, toUs }];
    }
  }
  // Along a line the machine that is asked first need not be the one that works first.
  for (const { operations } of orders.values()) operations.sort((a, b) => (a.id < b.id ? -1 : 1));
  return [...orders].map(([id, item]) => ({ kind: "order", id, item }));
}

/** A fault that lasted gets its reason when it is over, from whoever repaired it; machines with a table of their own tell theirs. */
const reasonAfterUs = 4 * minuteUs;

export function reasonsOf({ sheet, equipmentId, truth }: Booked): Paper[] {
  if (sheet.telling.states === "pulses" || sheet.telling.states === "code") return [];
  return truth.states.flatMap(({ itemState, fromUs, text }, i): Paper[] => {
    const toUs = truth.states[i + 1]?.fromUs;
    if (itemState !== "OutOfService" || toUs === undefined || toUs - fromUs < reasonAfterUs) return [];
    const anchorUs = Math.floor((fromUs + toUs) / 2);
    const reason = breakdownReasons[Math.floor(fromUs / minuteUs) % breakdownReasons.length];
    const item = { equipmentId, kind: "reason" as const, anchorUs, fromUs, toUs, reason, text };
    return [{ kind: "annotation", id: `${sheet.machine}-${fromUs}`, item }];
  });
}

/** Who books set-ups: machines that do not tell theirs, at a site that does not let it run to the first good part. */
export const booksSetUps = ({ telling, equipment }: MachineSheet): boolean =>
  telling.states === "packml" && policyOf(equipment).setUp === "booked";

export function setUpsOf({ sheet, equipmentId, truth }: Booked): Paper[] {
  if (!booksSetUps(sheet)) return [];
  return truth.setUps.map(({ order, fromUs, toUs }) => ({
    kind: "setUp",
    id: `${sheet.machine}-${fromUs}`,
    item: { equipmentId, order, fromUs, toUs: toUs >= truth.toUs ? null : toUs },
  }));
}

/** The mould of a machine that counts cycles, with its blocked cavities. */
export function mouldOf({ sheet, equipmentId, truth }: Booked, mountedUs: Micros): Paper[] {
  if (sheet.counts !== "cycles") return [];
  return [
    {
      kind: "physicalAsset",
      id: `mould-${sheet.machine}`,
      item: {
        name: `Mould of ${sheet.equipment.at(-1)}`,
        serialNumber: `M-${sheet.machine}-01`,
        manufacturer: "Lineshaft Toolmaking",
        mounts: [{ equipmentId, fromUs: mountedUs, toUs: null }],
        blockedCavities: truth.blocked.map(({ order, cavities, fromUs, toUs }) => ({
          order,
          cavities,
          fromUs,
          toUs: toUs >= truth.toUs ? null : toUs,
        })),
      },
    },
  ];
}
