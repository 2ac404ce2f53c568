import { type Micros, ProblemError, parseTimeUs, type resultRoutes } from "@lineshaft/contract/api";
import type { Page } from "@lineshaft/contract/ports";
import type { Call, Handlers } from "./call.ts";
import type { Services } from "./services.ts";

const defaultPage = 1000;

interface Kit {
  page<P extends Page<unknown>>(
    name: "listResults",
    call: Call<"listResults">,
    list: (query: { limit: number; cursor?: string }) => P,
  ): P;
}

/** The contract of applications: thin over the port, which checks scope and keeps its promises. */
export function resultHandlers({ results }: Services, kit: Kit): Pick<Handlers, keyof typeof resultRoutes> {
  return {
    registerApplication: ({ principal, params, body }) => results.register(principal, params.application, body),
    takeWork: async ({ principal, params, body, signal }) => ({
      items: await results.takeWork(principal, params.application, body, signal),
    }),
    publishResults: ({ principal, params, body }) => results.publish(principal, params.application, body.items),
    listResults: (call) => {
      const { application, equipmentId: equipmentIds, period, periodKey: key, from, to, asOf, detail } = call.query;
      const fromUs = from === undefined ? undefined : timeOf(from, "from");
      const toUs = to === undefined ? undefined : timeOf(to, "to");
      if (fromUs !== undefined && toUs !== undefined && fromUs >= toUs)
        throw new ProblemError("range_invalid", `from (${from}) is not before to (${to}).`);
      return kit.page("listResults", call, ({ cursor }) =>
        results.list(call.principal, {
          application,
          equipmentIds,
          period,
          key,
          fromUs,
          toUs,
          asOf,
          detail,
          limit: call.query.limit ?? defaultPage,
          cursor,
        }),
      );
    },
    listRevisions: ({ principal, query: { periodKey: key, ...query } }) => ({
      items: results.revisions(principal, { ...query, key }),
    }),
  };
}

function timeOf(input: string | number, name: string): Micros {
  const time = parseTimeUs(input);
  if (time === null)
    throw new ProblemError("time_invalid", `${name} is neither µs since 1970 nor RFC 3339 text with a zone.`);
  return time;
}
