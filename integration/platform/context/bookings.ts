import type { Booking, BookingCause, MasterDataItem, Micros } from "@lineshaft/contract/api";

type Order = MasterDataItem<"order">;
type Execution = Order["operations"][number]["executions"][number];
type Finished = NonNullable<Order["operations"][number]["finished"]>[number];
type SetUp = MasterDataItem<"setUp">;

/** A piece of work at the equipment: an execution of an operation of an order. */
interface Run extends Omit<Execution, "equipmentId"> {
  order: string;
  operation: string;
}

/** What holds at one equipment, as far as bookings can change it. `replayed` changes it in place. */
export interface Floor {
  equipmentId: number;
  /** Those that are executed here, and those that bookings name. */
  orders: Map<string, Order>;
  setUps: Map<string, SetUp>;
}

export interface KeptBooking {
  id: string;
  item: Booking;
}

/** `null`: it did what it says. */
export type Causes = Map<string, BookingCause | null>;

/** Bookings in the order in which things happened; which came first decides nothing. */
export const inTime = (a: KeptBooking, b: KeptBooking): number =>
  a.item.atUs - b.item.atUs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/**
 * Lets all bookings from an instant on happen again, on what held just before it: what earlier passes made of bookings from there on is taken back first. So the result is a
 * function of the set of bookings, and putting one in among others costs only those after it.
 */
export function replayed(
  before: Floor,
  fromUs: Micros,
  bookings: readonly KeptBooking[],
): { floor: Floor; causes: Causes } {
  const replay = new Replay(before, fromUs);
  const causes: Causes = new Map();
  for (const booking of [...bookings].sort(inTime)) causes.set(booking.id, replay.apply(booking));
  return { floor: replay.floor(), causes };
}

class Replay {
  readonly #before: Floor;
  readonly #finished = new Map<string, Finished[]>();
  #runs: Run[] = [];
  #setUps: (SetUp & { id: string })[];

  constructor(before: Floor, fromUs: Micros) {
    this.#before = before;
    const { equipmentId } = before;
    for (const [order, { operations }] of before.orders)
      for (const { id: operation, executions, finished = [] } of operations) {
        for (const { equipmentId: place, ...execution } of executions)
          if (place === equipmentId) this.#runs.push({ ...execution, order, operation });
        this.#finished.set(
          keyOf(order, operation),
          finished.filter((each) => each.equipmentId === equipmentId && (each.by === undefined || each.atUs < fromUs)),
        );
      }
    this.#runs = undone(this.#runs, fromUs);
    const all = [...before.setUps].map(([id, setUp]) => ({ ...setUp, id }));
    this.#setUps = undone(all, fromUs);
  }

  apply({ id, item: { atUs, intent } }: KeptBooking): BookingCause | null {
    switch (intent.kind) {
      case "startOrder":
        return this.#start(id, atUs, intent.order, intent.operation ?? null, intent.others ?? "interrupt");
      case "interruptOrder":
        return this.#interrupt(id, atUs, intent.order, intent.operation ?? null);
      case "finishOrder":
        return this.#finish(id, atUs, intent.order, intent.operation ?? null);
      case "setUpBegin":
        return this.#setUpBegin(id, atUs, intent.order ?? null);
      case "setUpEnd":
        return this.#endSetUps(id, atUs, () => true) ? null : "notSettingUp";
      default:
        // Reasons, comments and scrap are items of their own and touch nobody.
        return null;
    }
  }

  #start(
    id: string,
    t: Micros,
    order: string,
    operation: string | null,
    others: "interrupt" | "keep",
  ): BookingCause | null {
    if (operation === null || !this.#finished.has(keyOf(order, operation))) return "orderUnknown";
    if (this.#isFinished(order, operation, t)) return "orderFinished";
    const isThis = (run: Run) => run.order === order && run.operation === operation;
    if (others === "interrupt") for (const run of this.#runs) if (!isThis(run) && holds(run, t)) end(run, t, id);
    if (this.#runs.some((run) => isThis(run) && holds(run, t))) return "alreadyRunning";
    // What somebody else has put for later goes on from there.
    const later = this.#runs.filter((run) => isThis(run) && run.fromUs > t).map(({ fromUs }) => fromUs);
    this.#runs.push({
      order,
      operation,
      fromUs: t,
      toUs: later.length === 0 ? null : Math.min(...later),
      startedBy: id,
    });
    return null;
  }

  #interrupt(id: string, t: Micros, order: string, operation: string | null): BookingCause | null {
    if (!this.#before.orders.has(order)) return "orderUnknown";
    const running = this.#runningOf(t, order, operation);
    for (const run of running) end(run, t, id);
    this.#endSetUps(id, t, (setUp) => setUp.order === order);
    return running.length === 0 ? "notRunning" : null;
  }

  #finish(id: string, t: Micros, order: string, operation: string | null): BookingCause | null {
    if (operation === null || !this.#finished.has(keyOf(order, operation))) return "orderUnknown";
    if (this.#isFinished(order, operation, t)) return "orderFinished";
    for (const run of this.#runningOf(t, order, operation)) end(run, t, id);
    this.#endSetUps(id, t, (setUp) => setUp.order === order);
    this.#finished.get(keyOf(order, operation))?.push({ equipmentId: this.#before.equipmentId, atUs: t, by: id });
    return null;
  }

  #setUpBegin(id: string, t: Micros, order: string | null): BookingCause | null {
    if (this.#setUps.some((setUp) => setUp.order === order && holds(setUp, t))) return "alreadySettingUp";
    this.#endSetUps(id, t, () => true);
    this.#setUps.push({ id, equipmentId: this.#before.equipmentId, order, fromUs: t, toUs: null, startedBy: id });
    return null;
  }

  #endSetUps(id: string, t: Micros, which: (setUp: SetUp) => boolean): boolean {
    const open = this.#setUps.filter((setUp) => holds(setUp, t) && which(setUp));
    for (const setUp of open) end(setUp, t, id);
    return open.length > 0;
  }

  #runningOf(t: Micros, order: string, operation: string | null): Run[] {
    return this.#runs.filter(
      (run) => run.order === order && (operation === null || run.operation === operation) && holds(run, t),
    );
  }

  #isFinished(order: string, operation: string, t: Micros): boolean {
    return this.#finished.get(keyOf(order, operation))?.some(({ atUs }) => atUs <= t) ?? false;
  }

  floor(): Floor {
    const { equipmentId, orders } = this.#before;
    const runs = this.#runs.filter(lasts).sort((a, b) => a.fromUs - b.fromUs);
    return {
      equipmentId,
      orders: new Map([...orders].map(([id, order]) => [id, this.#orderWith(id, order, runs)])),
      setUps: new Map(this.#setUps.filter(lasts).map(({ id, ...setUp }) => [id, setUp])),
    };
  }

  #orderWith(id: string, order: Order, runs: readonly Run[]): Order {
    const { equipmentId } = this.#before;
    const elsewhere = (each: { equipmentId: number }) => each.equipmentId !== equipmentId;
    return {
      ...order,
      operations: order.operations.map(({ finished, ...operation }) => {
        const here = runs
          .filter((run) => run.order === id && run.operation === operation.id)
          .map(({ order: _, operation: __, ...execution }) => ({ equipmentId, ...execution }));
        const done = [...(finished ?? []).filter(elsewhere), ...(this.#finished.get(keyOf(id, operation.id)) ?? [])];
        return {
          ...operation,
          executions: [...operation.executions.filter(elsewhere), ...here].sort(
            (a, b) => a.fromUs - b.fromUs || a.equipmentId - b.equipmentId,
          ),
          ...(done.length === 0 ? {} : { finished: done }),
        };
      }),
    };
  }
}

interface Ended {
  fromUs: Micros;
  toUs: Micros | null;
  startedBy?: string;
  endedBy?: { booking: string; otherwiseUs: Micros | null };
}

/** Without what bookings from `fromUs` on did to them. */
function undone<T extends Ended>(all: readonly T[], fromUs: Micros): T[] {
  return all
    .filter((each) => each.startedBy === undefined || each.fromUs < fromUs)
    .map((each) => {
      if (each.endedBy === undefined || (each.toUs as Micros) < fromUs) return { ...each };
      const { endedBy, ...rest } = each;
      return { ...rest, toUs: endedBy.otherwiseUs } as T;
    });
}

/** Does it run at `t`? What somebody else let begin at just this instant is not ended by a booking of the same. */
const holds = ({ fromUs, toUs, startedBy }: Ended, t: Micros): boolean =>
  (fromUs < t || (fromUs === t && startedBy !== undefined)) && (toUs === null || toUs > t);

const lasts = ({ fromUs, toUs }: Ended): boolean => toUs === null || toUs > fromUs;

function end(each: Ended, t: Micros, booking: string): void {
  each.endedBy = { booking, otherwiseUs: each.toUs };
  each.toUs = t;
}

const keyOf = (order: string, operation: string): string => `${order}\u0000${operation}`;
