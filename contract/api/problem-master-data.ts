import { type CatalogueEntry, catalogueEntry as entry } from "./problem-entry.ts";

/** What can be wrong with what people and ERPs say of materials, orders, calendars and reasons; part of the catalogue. */
export const masterDataProblems = {
  equipment_unknown: entry(
    422,
    "changed",
    "It names equipment that is not there, or is not visible to you.",
    "Check the id; list the equipment to see what exists.",
  ),
  quantity_negative: entry(
    422,
    "changed",
    "A quantity, share or factor is negative, or zero where something must be there.",
    "Correct the number named; what was taken back is booked by changing the item, not by a negative one.",
  ),
  cycle_time_invalid: entry(
    422,
    "changed",
    "An ideal cycle time is not above zero.",
    "Give the shortest time of one cycle in µs, and how many units it makes; leave the item out where it is not known.",
  ),
  calendar_invalid: entry(
    422,
    "changed",
    "The shift calendar cannot be worked by.",
    "Correct the places named in `errors`; nothing was changed.",
  ),
  time_zone_unknown: entry(
    422,
    "changed",
    "There is no such time zone.",
    "Use an IANA name such as Europe/Berlin; a bare offset knows no summer time.",
  ),
  shifts_overlap: entry(
    422,
    "changed",
    "Two shifts overlap.",
    "Let one end where the next begins; an equipment works one shift at a time.",
  ),
  reason_circular: entry(
    422,
    "changed",
    "The tree of reasons would bite its own tail.",
    "Put the reason below another one that does not stand below it.",
  ),
  import_invalid: entry(
    422,
    "changed",
    "The file of master data cannot be taken as it stands.",
    "Correct the cells named in `errors` and send the file again; nothing was changed.",
  ),
  cell_missing: entry(422, "changed", "A cell is empty that must hold something.", "Fill it in, or take the row out."),
  cell_unreadable: entry(
    422,
    "changed",
    "A cell does not hold what its column needs.",
    "Write numbers without a thousands separator and times like 2026-11-26 06:00 or 26.11.2026 06:00.",
  ),
  order_unknown: entry(
    422,
    "changed",
    "There is no such order, or it has no such operation.",
    "Check the number; an order that the ERP has just released may need a moment to come.",
  ),
  operation_ambiguous: entry(
    422,
    "changed",
    "The order has several operations, and it is not said which one.",
    "Name one of the operations in `errors`.",
  ),
  order_finished: entry(
    409,
    "changed",
    "The order is finished at this equipment.",
    "Take the booking that finished it back if more is to be made.",
  ),
  booking_time_invalid: entry(
    422,
    "changed",
    "The time of the booking is in the future, or too long ago.",
    "Check the clock of the terminal.",
  ),
  booking_conflict: entry(
    409,
    "never",
    "Another booking has the same id.",
    "Give each booking an id of its own, e.g. a UUID; a repeat must be the same in every field.",
  ),
  equipment_not_bookable: entry(
    422,
    "changed",
    "This equipment executes no orders.",
    "Book on a work unit, or on a work center that is booked as a whole.",
  ),
} as const satisfies Record<string, CatalogueEntry>;
