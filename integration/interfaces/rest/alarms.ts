import {
  type Alarm,
  type AlarmInterval,
  type alarmRoutes,
  type Micros,
  type Principal,
  ProblemError,
} from "@lineshaft/contract/api";
import type { Page } from "@lineshaft/contract/ports";
import type { Call, Handlers } from "./call.ts";
import type { Services } from "./services.ts";

interface Kit {
  page<P extends Page<unknown>>(
    name: "listAlarms",
    call: Call<"listAlarms">,
    list: (query: { limit: number; cursor?: string }) => P,
  ): P;
  readRange(query: { from: string | number; to: string | number }): { fromUs: Micros; toUs: Micros };
}

/** Alarms of all equipment that may be seen, the newest first. */
export function alarmHandlers(
  { facts, registry, clock }: Pick<Services, "facts" | "registry" | "clock">,
  kit: Kit,
): Pick<Handlers, keyof typeof alarmRoutes> {
  return {
    listAlarms: (call) => {
      const { equipment, from, to } = call.query;
      if ((from === undefined) !== (to === undefined))
        throw new ProblemError("range_invalid", "A range has both ends: from and to.");
      const nowUs = clock.nowUs();
      const asked = from === undefined || to === undefined ? null : kit.readRange({ from, to });
      const { fromUs, toUs } = asked ?? { fromUs: nowUs, toUs: nowUs + 1 };
      const sees = seenBy(call.principal, equipment);
      return kit.page("listAlarms", call, ({ limit, cursor }) => {
        const all = facts.alarmEquipment().flatMap((equipmentId) => {
          const path = sees(equipmentId);
          if (path === null) return [];
          const found = facts.alarmIntervals(equipmentId, fromUs, toUs);
          return found.flatMap((each) =>
            asked === null && each.untilUs !== null ? [] : [{ equipmentId, path, each }],
          );
        });
        all.sort((a, b) => (b.each.sinceUs ?? 0) - (a.each.sinceUs ?? 0) || a.each.tagId - b.each.tagId);
        const begin = cursor === undefined ? 0 : all.findIndex(({ each }) => isBehind(each, cursor));
        const items = begin < 0 ? [] : all.slice(begin, begin + limit);
        const last = items.at(-1)?.each;
        const more = begin >= 0 && begin + limit < all.length && last !== undefined;
        const texts = nameOf(call.principal);
        return {
          items: items.map(
            ({ equipmentId, path, each }): Alarm => ({
              ...{ equipmentId, path },
              ...each,
              text: textOf(each, texts),
            }),
          ),
          cursor: more ? `${last.sinceUs ?? 0} ${last.tagId}` : null,
        };
      });
    },
  };

  /** The path of equipment that may be seen and is asked for; null: it is not. */
  function seenBy(p: Principal, equipment: string | undefined): (id: number) => string | null {
    // By whatever name it was asked for, the place at the top is the first of the list.
    const [top] = equipment === undefined ? [] : registry.listEquipment(p, { under: equipment, limit: 1 }).items;
    const under = top?.path ?? equipment ?? "";
    return (id) => {
      try {
        const { path } = registry.getEquipment(p, id);
        return under === "" || path === under || path.startsWith(`${under}/`) ? path : null;
      } catch (error) {
        if (error instanceof ProblemError && error.code === "not_found") return null;
        throw error;
      }
    };
  }

  function nameOf(p: Principal): (tagId: number) => string | null {
    return (tagId) => {
      if (registry.readableTags(p, [tagId]).length === 0) return null;
      const { name, address } = registry.getTag(p, tagId);
      return name ?? address;
    };
  }
}

/** Newest first, then by tag: what comes behind a place in the list. */
function isBehind({ sinceUs, tagId }: AlarmInterval, cursor: string): boolean {
  const [since, tag] = cursor.split(" ").map(Number);
  const own = sinceUs ?? 0;
  return own < since || (own === since && tagId > tag);
}

function textOf({ text, property, tagId }: AlarmInterval, nameOf: (tagId: number) => string | null): Alarm["text"] {
  const name = text?.en !== undefined && text.de !== undefined ? "" : (nameOf(tagId) ?? property);
  return { en: text?.en ?? text?.de ?? name, de: text?.de ?? text?.en ?? name };
}
