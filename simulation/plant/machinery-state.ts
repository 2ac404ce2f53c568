import type { ItemState, OperationMode } from "@lineshaft/contract/api";
import type { PackMlState } from "./unit.ts";

/** MachineryItemState and MachineryOperationMode of OPC 40001-1 for a state of the machine. */
export function machineryState(state: PackMlState): {
  itemState: ItemState;
  operationMode: OperationMode;
} {
  switch (state) {
    case "execute":
      return { itemState: "Executing", operationMode: "Processing" };
    case "aborting":
    case "aborted":
    case "clearing":
      return { itemState: "OutOfService", operationMode: "Maintenance" };
    case "completing":
    case "complete":
    case "resetting":
      return { itemState: "NotExecuting", operationMode: "Setup" };
    default:
      return { itemState: "NotExecuting", operationMode: "Processing" };
  }
}
