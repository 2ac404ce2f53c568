import type { EquipmentNow, Micros } from "@lineshaft/contract/api";
import type { PageContext, PagePlatform } from "@lineshaft/ui/kit";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { NowFeed, type NowView } from "./now-feed.ts";

/** What the pages show of a result; the rest of it is not sent. */
const values = [
  "oeeIndex",
  "stateCoverage",
  "availabilityLowerBound",
  "availabilityUpperBound",
  "plannedBusyTimeKnownUs",
  "goodQuantity",
];

/** Every page of what is going on, at or below a path; of these equipments only where they are named. */
export async function readAllNow(
  platform: PagePlatform,
  below: string,
  ids: readonly number[] | null,
  signal: AbortSignal,
): Promise<{ atUs: Micros; items: EquipmentNow[] }> {
  const query = {
    ...{ application: "oee", value: values },
    ...(below === "" ? {} : { below }),
    ...(ids === null ? {} : { equipmentId: [...ids] }),
  };
  const items: EquipmentNow[] = [];
  let atUs = 0;
  let cursor: string | undefined;
  do {
    const page = await platform.call("listNow", { query: { ...query, cursor }, signal });
    items.push(...page.items);
    atUs = page.atUs;
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return { atUs, items };
}

/** What was read last, for whoever comes back to a page: it is drawn at once, with its age. */
const kept = new Map<string, NowView>();

/** What equipment at and below a path does now, kept up by events. */
export function useNow(context: PageContext, below: string, onRegistry: (entity: string) => void): NowView {
  const { platform, session } = context;
  const key = `${session.name} ${below}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the context is another object at every rendering, and the same server
  const feed = useMemo(
    () =>
      new NowFeed(
        {
          read: (ids, signal) => readAllNow(platform, below, ids, signal),
          follow: platform.follow,
          request: {
            types: ["facts.changed", "registry.changed", "result.published"],
            ...(below === "" ? {} : { equipment: below }),
          },
          later: (run, ms) => {
            const timer = setTimeout(run, ms);
            return () => clearTimeout(timer);
          },
          nowMs: () => performance.now(),
          onRegistry,
        },
        kept.get(key),
      ),
    [key],
  );
  useEffect(() => {
    const stop = feed.start();
    const seen = (): void => feed.sleep(document.hidden);
    seen();
    document.addEventListener("visibilitychange", seen);
    return () => {
      document.removeEventListener("visibilitychange", seen);
      stop();
      kept.clear();
      kept.set(key, feed.snapshot());
    };
  }, [feed, key]);
  return useSyncExternalStore(feed.observe, feed.snapshot);
}
