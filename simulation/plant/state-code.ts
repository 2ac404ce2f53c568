import type { ItemState, OperationMode } from "@lineshaft/contract/api";
import type { TrueState } from "./truth.ts";

type Row = readonly [itemState: ItemState, operationMode: OperationMode, cause: number, packMl: number];

/** What machines can be in, by their own number (the row), and what PackML makes of it: StateCurrent, as ISA-TR88.00.02 numbers it. */
const rows: readonly Row[] = [
  ["NotExecuting", "Processing", 0, 4],
  ["Executing", "Processing", 0, 6],
  ["Executing", "Processing", 1_200_000, 6],
  ["Executing", "Setup", 5_100_000, 6],
  ["NotExecuting", "Setup", 5_100_000, 15],
  ["NotExecuting", "Processing", 6_100_000, 2],
  ["NotExecuting", "None", 6_200_000, 2],
  ["NotExecuting", "None", 6_400_000, 4],
  ["NotExecuting", "Processing", 3_100_000, 11],
  ["NotExecuting", "Processing", 4_100_000, 5],
  ["NotExecuting", "Processing", 4_200_000, 5],
  ["OutOfService", "Processing", 7_100_000, 9],
  ["OutOfService", "Processing", 7_200_000, 9],
  ["OutOfService", "Processing", 7_900_000, 9],
];

/** The table of a machine with codes of its own, as its maker's manual has it. */
export const stateCodes = rows.map(([itemState, operationMode, cause], code) => ({
  code,
  itemState,
  operationMode,
  cause,
}));

export function stateNumber(state: TrueState, by: "code" | "packml"): number {
  const code = rows.findIndex(
    ([itemState, operationMode, cause]) =>
      itemState === state.itemState && operationMode === state.operationMode && cause === state.cause,
  );
  return by === "code" ? Math.max(0, code) : (rows[code]?.[3] ?? 4);
}
