import {
  type Booking,
  type BookingCause,
  type BookingIntent,
  dayUs,
  type EquipmentLevel,
  type MasterDataItem,
  type MasterDataKind,
  type Micros,
  minuteUs,
  type NewBooking,
  ProblemError,
  type Recorded,
  secondUs,
} from "@lineshaft/contract/api";
import { type Floor, type KeptBooking, replayed } from "./bookings.ts";

type Order = MasterDataItem<"order">;

/** A clock may be ahead of ours by so much, and an entry may have waited so long. */
const aheadUs = 5 * minuteUs;
const behindUs = 35 * dayUs;

/** Master data within one transaction. It reads the whole tenant: who may book at a machine starts any order there. */
export interface Shelf {
  nowUs: Micros;
  level(equipmentId: number): EquipmentLevel;
  find<K extends MasterDataKind>(kind: K, id: string): Recorded<MasterDataItem<K>> | null;
  wasRemoved(kind: MasterDataKind, id: string): boolean;
  /** What names the equipment and holds somewhere from `fromUs` on. */
  list<K extends MasterDataKind>(kind: K, equipmentId: number, fromUs: Micros): Recorded<MasterDataItem<K>>[];
  check<K extends MasterDataKind>(kind: K, id: string, item: MasterDataItem<K>): void;
  put<K extends MasterDataKind>(kind: K, id: string, item: MasterDataItem<K>): Recorded<MasterDataItem<K>>;
  remove<K extends MasterDataKind>(kind: K, current: Recorded<MasterDataItem<K>>): void;
}

export interface Booked {
  item: Recorded<Booking>;
  cause: BookingCause | null;
  repeated: boolean;
}

/** Keeps a booking and makes of all of them what they mean together. The same again changes nothing. */
export function book(shelf: Shelf, equipmentId: number, { id, ...said }: NewBooking): Booked {
  const known = shelf.find("booking", id);
  if (known !== null) return { item: known, cause: repeatOf(shelf, known, equipmentId, said), repeated: true };
  if (shelf.wasRemoved("booking", id))
    throw new ProblemError("booking_conflict", `The booking "${id}" was made before, and taken back.`);
  const item: Booking = { equipmentId, ...said, intent: resolved(shelf, equipmentId, { id, ...said }) };
  demandTime(shelf, item.atUs);
  const level = shelf.level(equipmentId);
  if (level !== "workUnit" && level !== "workCenter")
    throw new ProblemError("equipment_not_bookable", `The equipment ${equipmentId} is a ${level}.`);
  shelf.check("booking", id, item);
  const kept = shelf.put("booking", id, item);
  putOwnItem(shelf, id, item);
  return { item: kept, cause: replay(shelf, equipmentId, item.atUs).get(id) ?? null, repeated: false };
}

/** As if it had not been made. */
export function takeBack(shelf: Shelf, booking: Recorded<Booking>): void {
  const { equipmentId, atUs } = booking.item;
  shelf.remove("booking", booking);
  for (const kind of ["annotation", "lateScrap"] as const) {
    const own = shelf.find(kind, booking.id);
    if (own !== null && kind === ownKind(booking.item.intent)) shelf.remove(kind, own);
  }
  replay(shelf, equipmentId, atUs);
}

/** Throws `booking_conflict` unless it is the same in every field. */
function repeatOf(
  shelf: Shelf,
  known: Recorded<Booking>,
  equipmentId: number,
  said: Omit<NewBooking, "id">,
): BookingCause | null {
  // What it did not say was found out when it came.
  const intent =
    "operation" in known.item.intent ? { ...said.intent, operation: known.item.intent.operation } : said.intent;
  const asked = "operation" in said.intent ? said.intent : intent;
  if (canonical({ equipmentId, ...said, intent: asked }) !== canonical(known.item))
    throw new ProblemError("booking_conflict", `The booking "${known.id}" is known with other content.`);
  return replay(shelf, equipmentId, known.item.atUs).get(known.id) ?? null;
}

/** The order and its operation by name. Throws `order_unknown`, `operation_ambiguous`, `order_finished`. */
function resolved(shelf: Shelf, equipmentId: number, { id, intent, atUs }: NewBooking): BookingIntent {
  if (!("order" in intent) || intent.order == null) return intent;
  const order = shelf.find("order", intent.order)?.item;
  if (order === undefined)
    throw new ProblemError("order_unknown", `There is no order ${JSON.stringify(intent.order)}.`);
  if (intent.kind === "setUpBegin") return intent;
  const operation = operationOf(order, intent.order, intent.operation ?? null, equipmentId);
  // Of one instant the ids decide, as they do when bookings are replayed.
  const finished = operation.finished?.find(
    (each) => each.equipmentId === equipmentId && (each.atUs < atUs || (each.atUs === atUs && (each.by ?? "") < id)),
  );
  if (intent.kind === "startOrder" && finished !== undefined)
    throw new ProblemError(
      "order_finished",
      `The order "${intent.order}", operation ${operation.id}, is finished here${finished.by === undefined ? "" : ` by the booking ${finished.by}`}.`,
    );
  return { ...intent, operation: operation.id };
}

function operationOf(
  order: Order,
  id: string,
  wanted: string | null,
  equipmentId: number,
): Order["operations"][number] {
  if (wanted !== null) {
    const found = order.operations.find((operation) => operation.id === wanted);
    if (found === undefined) throw new ProblemError("order_unknown", `The order "${id}" has no operation "${wanted}".`);
    return found;
  }
  const here = order.operations.filter((operation) =>
    operation.planned?.some((each) => each.equipmentId === equipmentId),
  );
  const candidates = here.length > 0 ? here : order.operations;
  if (candidates.length === 0) throw new ProblemError("order_unknown", `The order "${id}" has no operation.`);
  if (candidates.length > 1)
    throw new ProblemError("operation_ambiguous", `The order "${id}" has ${candidates.length} operations.`, {
      errors: candidates.slice(0, 100).map((each) => ({ path: "/intent/operation", message: each.id })),
    });
  return candidates[0];
}

function demandTime({ nowUs }: Shelf, atUs: Micros): void {
  const seconds = Math.round((atUs - nowUs) / secondUs);
  if (atUs > nowUs + aheadUs)
    throw new ProblemError("booking_time_invalid", `The booking is ${seconds} s ahead of the server's clock.`);
  if (atUs < nowUs - behindUs)
    throw new ProblemError("booking_time_invalid", `The booking is ${-seconds} s old; 35 days are taken.`);
}

const ownKind = ({ kind }: BookingIntent): "annotation" | "lateScrap" | null =>
  kind === "reason" || kind === "split" || kind === "comment"
    ? "annotation"
    : kind === "scrap" || kind === "rework"
      ? "lateScrap"
      : null;

/** What is an item by itself: it stands under the booking's id. */
function putOwnItem(shelf: Shelf, id: string, { equipmentId, atUs, intent }: Booking): void {
  const kind = ownKind(intent);
  if (kind !== null && shelf.find(kind, id) !== null)
    throw new ProblemError("booking_conflict", `There is another ${kind} with the id "${id}".`);
  switch (intent.kind) {
    case "reason":
    case "split":
    case "comment": {
      const { fromUs, toUs } = intent;
      const annotation: MasterDataItem<"annotation"> = {
        equipmentId,
        kind: intent.kind,
        // The middle stays inside when the ends of a stop move.
        anchorUs: fromUs + Math.floor((toUs - fromUs) / 2),
        fromUs,
        toUs,
        reason: intent.kind === "comment" ? null : intent.reason,
        text: intent.text ?? "",
        saidUs: atUs,
      };
      shelf.check("annotation", id, annotation);
      shelf.put("annotation", id, annotation);
      return;
    }
    case "scrap":
    case "rework": {
      const late: MasterDataItem<"lateScrap"> = {
        equipmentId,
        order: intent.order,
        operation: intent.operation ?? null,
        quantity: intent.quantity,
        bookedUs: atUs,
        madeUs: intent.madeUs ?? null,
        ...(intent.serials === undefined ? {} : { serials: intent.serials }),
        ...(intent.lot === undefined ? {} : { lot: intent.lot }),
        becomes: intent.kind,
        reason: intent.reason ?? null,
      };
      shelf.check("lateScrap", id, late);
      shelf.put("lateScrap", id, late);
    }
  }
}

/** Writes what all bookings from `fromUs` on make of orders and set-ups, where it is not so already. */
function replay(shelf: Shelf, equipmentId: number, fromUs: Micros): ReadonlyMap<string, BookingCause | null> {
  const bookings: KeptBooking[] = shelf.list("booking", equipmentId, fromUs);
  // One µs before: what a booking ended at just this instant is a part of it.
  const orders = new Map(shelf.list("order", equipmentId, fromUs - 1).map(({ id, item }) => [id, item]));
  for (const { item } of bookings) {
    const named = "order" in item.intent ? item.intent.order : null;
    const order = named == null || orders.has(named) ? null : shelf.find("order", named);
    if (order !== null) orders.set(order.id, order.item);
  }
  const setUps = new Map(shelf.list("setUp", equipmentId, fromUs - 1).map(({ id, item }) => [id, item]));
  const before: Floor = { equipmentId, orders, setUps };
  const { floor, causes } = replayed(before, fromUs, bookings);
  putChanged(shelf, "order", orders, floor.orders);
  putChanged(shelf, "setUp", setUps, floor.setUps);
  return causes;
}

function putChanged<K extends "order" | "setUp">(
  shelf: Shelf,
  kind: K,
  before: ReadonlyMap<string, MasterDataItem<K>>,
  after: ReadonlyMap<string, MasterDataItem<K>>,
): void {
  for (const [id, item] of after) {
    const was = before.get(id);
    if (was === undefined || canonical(was) !== canonical(item)) shelf.put(kind, id, item);
  }
  for (const id of before.keys()) {
    const current = after.has(id) ? null : shelf.find(kind, id);
    if (current !== null) shelf.remove(kind, current);
  }
}

/** Equal for equal values, whatever the order of their fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
