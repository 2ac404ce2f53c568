import type { DemoFaultOrder, DemoFaults, DemoTruth, Micros } from "../api/index.ts";

/** The demo plant's own interface, as far as the console shows it. Rejects with ProblemError. */
export interface DemoPlant {
  faults(): Promise<DemoFaults>;
  order(order: DemoFaultOrder): Promise<{ machine: string; fault: string; affected: string[] }>;
  /** Without times: the shift that is on. */
  truth(equipment: string, fromUs?: Micros, toUs?: Micros): Promise<DemoTruth>;
}
