import { type demoRoutes, ProblemError } from "@lineshaft/contract/api";
import type { DemoPlant } from "@lineshaft/contract/ports";
import type { Handlers } from "./call.ts";
import type { Services } from "./services.ts";

/** The demo plant, where there is one. */
export function demoHandlers(
  { demoPlant }: Services,
  readTime: (input: string | number, name: string) => number,
): Pick<Handlers, keyof typeof demoRoutes> {
  const plant = (): DemoPlant => {
    if (demoPlant === undefined) throw new ProblemError("not_found", "This server has no demo plant.");
    return demoPlant;
  };
  const time = (input: string | number | undefined, name: string) =>
    input === undefined ? undefined : readTime(input, name);
  return {
    getDemoFaults: () => plant().faults(),
    orderDemoFault: ({ body }) => plant().order(body),
    getDemoTruth: ({ query: { equipment, from, to } }) => plant().truth(equipment, time(from, "from"), time(to, "to")),
  };
}
