import type { orderProgressRoutes } from "@lineshaft/contract/api";
import type { Page } from "@lineshaft/contract/ports";
import type { Call, Handlers } from "./call.ts";
import type { Services } from "./services.ts";

interface Kit {
  pageLater<P extends Page<unknown>>(
    name: "listOrderProgress",
    call: Call<"listOrderProgress">,
    list: (query: { limit: number; cursor?: string }) => Promise<P>,
  ): Promise<P>;
}

/** How far orders are: thin over the port. */
export function orderProgressHandlers({ work }: Services, kit: Kit): Pick<Handlers, keyof typeof orderProgressRoutes> {
  return {
    listOrderProgress: (call) =>
      kit.pageLater("listOrderProgress", call, ({ limit, cursor }) =>
        work.progress(call.principal, { orders: call.query.order, limit, cursor }),
      ),
  };
}
