import { dayUs, ProblemError, type stopRoutes } from "@lineshaft/contract/api";
import type { Handlers } from "./call.ts";
import type { Services } from "./services.ts";

const defaultLimit = 200;

interface Kit {
  readRange(query: { from: string | number; to: string | number }): { fromUs: number; toUs: number };
}

/** Stops one by one: thin over the port. */
export function stopHandlers({ stops }: Services, { readRange }: Kit): Pick<Handlers, keyof typeof stopRoutes> {
  return {
    listStops: ({ principal, query }) => {
      const {
        equipmentId,
        timeClass: timeClasses,
        reason: reasons,
        micro,
        leastUs,
        sort,
        limit = defaultLimit,
      } = query;
      const { fromUs: from, toUs: to } = readRange(query);
      if (to - from > 31 * dayUs)
        throw new ProblemError("query_too_large", "At most 31 days of stops are given at once.");
      const wanted = { timeClasses, reasons, micro, leastUs, sort, limit };
      return stops.stops(principal, equipmentId, { from, to }, wanted);
    },
  };
}
