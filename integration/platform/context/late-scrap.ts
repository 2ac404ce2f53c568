import type { EquipmentContext, LateScrap, LateScrapBooking, MachineFacts, Micros } from "@lineshaft/contract/api";
import { runsOf, stateSpans } from "./states.ts";

type Booking = Omit<LateScrapBooking, "equipmentId">;

/**
 * Where late scrap counts (RULES 11): at the time of production if that is known, else in the last interval before the booking in which the machine produced for the
 * order, marked as assigned. `unplaced`: the facts hold no such interval; nothing is guessed.
 */
export function placeLateScrap(
  facts: MachineFacts,
  executions: EquipmentContext["executions"],
  bookings: readonly Booking[],
): { placed: LateScrap[]; unplaced: Booking[] } {
  const runs = runsOf(stateSpans(facts));
  const placed: LateScrap[] = [];
  const unplaced: Booking[] = [];
  for (const booking of bookings) {
    const { order, operation, quantity, bookedUs, madeUs, becomes } = booking;
    const at = madeUs ?? lastInterval();
    if (at === null) unplaced.push(booking);
    else {
      const assigned = madeUs === null;
      const what = becomes === undefined ? {} : { becomes };
      placed.push({ order, operation, quantity, ...what, fromUs: at.fromUs, toUs: at.toUs, assigned });
    }

    function lastInterval(): { fromUs: Micros; toUs: Micros } | null {
      let last: { fromUs: Micros; toUs: Micros } | null = null;
      for (const execution of executions) {
        if (execution.order !== order || execution.operation !== operation) continue;
        for (const run of runs) {
          const fromUs = Math.max(run.from, execution.fromUs);
          const toUs = Math.min(run.to, execution.toUs, bookedUs);
          if (fromUs < toUs && (last === null || toUs > last.toUs)) last = { fromUs, toUs };
        }
      }
      return last;
    }
  }
  return { placed, unplaced };
}
