import { type BriefResult, nowMax, type nowRoutes, ProblemError, parseTimeUs } from "@lineshaft/contract/api";
import type { Page } from "@lineshaft/contract/ports";
import type { Call, Handlers } from "./call.ts";
import type { Services } from "./services.ts";

interface Kit {
  page<P extends Page<unknown>>(
    name: "listNow",
    call: Call<"listNow">,
    list: (query: { limit: number; cursor?: string }) => P,
  ): P;
}

/** What is going on now: thin over the port. */
export function nowHandlers({ now, clock }: Services, kit: Kit): Pick<Handlers, keyof typeof nowRoutes> {
  return {
    listNow: (call) => {
      const { below, equipmentId: equipmentIds, application, value, limit = nowMax } = call.query;
      const answer = kit.page("listNow", call, ({ cursor }) =>
        now.now(call.principal, { below, equipmentIds, application, limit, cursor }),
      );
      if (value === undefined) return answer;
      const wanted = new Set(value);
      const some = (result: BriefResult | null): BriefResult | null =>
        result && { ...result, values: only(result.values, wanted) };
      const items = answer.items.map((item) => ({
        ...item,
        shiftResult: some(item.shiftResult),
        orderResult: some(item.orderResult),
      }));
      return { ...answer, items };
    },
    listTargetsInForce: ({ principal, query: { equipmentId, at } }) => {
      const atUs = at === undefined ? clock.nowUs() : parseTimeUs(at);
      if (atUs === null)
        throw new ProblemError("time_invalid", "at is neither µs since 1970 nor RFC 3339 text with a zone.");
      return { items: now.targets(principal, equipmentId, atUs) };
    },
  };
}

const only = (values: BriefResult["values"], wanted: ReadonlySet<string>): BriefResult["values"] =>
  Object.fromEntries(Object.entries(values).filter(([name]) => wanted.has(name)));
