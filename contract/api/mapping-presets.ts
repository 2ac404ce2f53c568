import type { Mapping, StateMeaning, StatePreset } from "./mapping.ts";

type Rows = NonNullable<Mapping["states"]>;

const rows = (meaning: StateMeaning, values: readonly (number | string | boolean)[]): Rows =>
  values.map((value) => ({ value, ...meaning }));

const executing: StateMeaning = { itemState: "Executing" };
const notExecuting: StateMeaning = { itemState: "NotExecuting" };
const outOfService: StateMeaning = { itemState: "OutOfService" };
const unknown: StateMeaning = { itemState: "unknown" };

/** The tables that come with the product. Where a standard knows more than four states, they are drawn together; a table of one's own can say more. */
export const presetRows: Record<StatePreset, Rows> = {
  // OPC 40001-1, state numbers of MachineryItemState_StateMachineType.
  machineryItemState: [
    ...rows({ itemState: "NotAvailable" }, [0, "NotAvailable"]),
    ...rows(outOfService, [1, "OutOfService"]),
    ...rows(notExecuting, [2, "NotExecuting"]),
    ...rows(executing, [3, "Executing"]),
  ],
  // OPC 40001-1, state numbers of MachineryOperationModeStateMachineType.
  machineryOperationMode: [
    ...rows({ operationMode: "None" }, [0, "None"]),
    ...rows({ operationMode: "Maintenance" }, [1, "Maintenance"]),
    ...rows({ operationMode: "Setup" }, [2, "Setup"]),
    ...rows({ operationMode: "Processing" }, [3, "Processing"]),
  ],
  // PackML StateCurrent. Held and Suspended wait, Aborted and what leads there or away is a fault.
  packml: [
    ...rows(executing, [6, "Execute"]),
    ...rows(notExecuting, [2, 3, 4, 5, 7, 10, 11, 12, 13, 14, 15, 16, 17]),
    ...rows(notExecuting, ["Stopped", "Starting", "Idle", "Suspended", "Stopping", "Holding", "Held", "Unholding"]),
    ...rows(notExecuting, ["Suspending", "Unsuspending", "Resetting", "Completing", "Complete"]),
    ...rows(outOfService, [1, 8, 9, "Clearing", "Aborting", "Aborted"]),
  ],
  packmlUnitMode: [
    ...rows({ operationMode: "None" }, [0, "Invalid"]),
    ...rows({ operationMode: "Processing" }, [1, "Production"]),
    ...rows({ operationMode: "Maintenance" }, [2, "Maintenance"]),
    ...rows({ operationMode: "Setup" }, [3, "Manual"]),
  ],
  mtconnectExecution: [
    ...rows(executing, ["ACTIVE"]),
    ...rows(notExecuting, ["READY", "INTERRUPTED", "FEED_HOLD", "STOPPED", "WAIT"]),
    ...rows(notExecuting, ["OPTIONAL_STOP", "PROGRAM_STOPPED", "PROGRAM_OPTIONAL_STOP", "PROGRAM_COMPLETED"]),
    ...rows(unknown, ["UNAVAILABLE"]),
  ],
  // Weihenstephan Standards, WS_Cur_State: one bit a state; 0 stands for none of them.
  weihenstephanState: [
    ...rows(executing, [128]),
    ...rows(notExecuting, [1, 2, 4, 8, 16, 32, 64, 256, 512, 2048, 8192, 16384, 32768]),
    ...rows(outOfService, [1024, 4096]),
    ...rows(unknown, [0]),
  ],
  // OPC 40600, WSProgramEnumerationType.
  weihenstephanProgram: [
    ...rows({ operationMode: "None" }, [0, 64]),
    ...rows({ operationMode: "Processing" }, [1, 4]),
    ...rows({ operationMode: "Setup" }, [2, 16]),
    ...rows({ operationMode: "Maintenance" }, [8, 32]),
  ],
  // A signal "machine runs"; a boolean is 0 or 1.
  running: [...rows(notExecuting, [0]), ...rows(executing, [1])],
};
