import type {
  Booking,
  BookingCause,
  MasterDataImport,
  MasterDataItem,
  MasterDataKind,
  MasterDataRevision,
  Micros,
  NewBooking,
  Principal,
  ProblemError,
  Recorded,
  ShiftOccurrence,
  TransferFormat,
  TransferKind,
} from "../api/index.ts";
import type { Lsn } from "./log.ts";
import type { Page, Written } from "./registry.ts";

export interface MasterDataQuery {
  equipmentId?: number;
  /** Only what holds somewhere in [fromUs, toUs). */
  fromUs?: Micros;
  toUs?: Micros;
  /** What was known by this place in the log. */
  asOf?: Lsn;
  limit?: number;
  /** The id after which the page begins. */
  cursor?: string;
}

/**
 * What people and ERPs say of the floor, bitemporal: nothing is overwritten, each change is a revision with its record in the log. Items that name equipment are
 * seen and changed by whoever may see it; those of the whole enterprise (materials, calendars, reasons) are read by all and changed by whoever has all of it in scope.
 * An implementation passes `masterDataContract` of the testkit.
 */
export interface MasterData {
  list<K extends MasterDataKind>(p: Principal, kind: K, q: MasterDataQuery): Page<Recorded<MasterDataItem<K>>>;
  /** null: there is no such item that `p` may see. What is given is shared and cannot be changed. */
  find<K extends MasterDataKind>(p: Principal, kind: K, id: string, asOf?: Lsn): Recorded<MasterDataItem<K>> | null;
  /** The same; throws `not_found`. */
  get<K extends MasterDataKind>(p: Principal, kind: K, id: string, asOf?: Lsn): Recorded<MasterDataItem<K>>;
  /**
   * Creates an item (`revision` null) or changes it. Throws `precondition_required` where it exists and no revision is named, `revision_conflict` where another is
   * current, and the code of what is wrong with it.
   */
  put<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    id: string,
    item: MasterDataItem<K>,
    revision: number | null,
  ): Written<Recorded<MasterDataItem<K>>>;
  /** Ends an item; what it was stays readable by `asOf`. Throws `still_in_use` where another item names it. */
  remove<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    id: string,
    revision: number,
  ): Written<Recorded<MasterDataItem<K>>>;
  /** The last revision that changed anything of a kind; 0: none yet. */
  revisionOf(p: Principal, kind: MasterDataKind): number;
  /**
   * Creates or changes many items in one transaction: all of them, or with any fault none. They are judged together, so they may name one another. `dryRun` judges
   * and keeps nothing. Throws `revision_conflict` where `revision` is named and the kind has another.
   */
  putAll<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    entries: readonly { id: string; item: MasterDataItem<K> }[],
    options: { revision: number | null; dryRun: boolean },
  ): { faults: { index: number; problem: ProblemError }[]; revision: number | null };
  /** What an item was, newest first, those versions that `p` may see. Throws `not_found`. */
  revisions(
    p: Principal,
    kind: MasterDataKind,
    id: string,
    q: { limit?: number; cursor?: string },
  ): Page<MasterDataRevision>;
  /** Makes an item again what it was at the revision `to`, also one that was removed. `revision` is the last there is: `revision_conflict` else. */
  restore<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    id: string,
    to: number,
    revision: number,
  ): Written<Recorded<MasterDataItem<K>>>;
  /**
   * Keeps what happened at an equipment, and makes orders, set-ups, annotations and late scrap of it, all or nothing. What comes of bookings depends on their times and ids, not
   * on the order in which they come; the same id again changes nothing. `cause`: why it changes nothing, null where it does. Throws `not_found`, `order_unknown`,
   * `order_finished`, `booking_conflict` and the codes of what is wrong with it.
   */
  book(
    p: Principal,
    equipmentId: number,
    booking: NewBooking,
  ): Written<Recorded<Booking>> & { cause: BookingCause | null; repeated: boolean };
  /**
   * The same for many, by their times: all of them, or with any fault none. `dryRun` judges and keeps nothing. Throws `revision_conflict` where `revision` is named and bookings have another.
   */
  bookAll(
    p: Principal,
    entries: readonly { id: string; item: Booking }[],
    options: { revision: number | null; dryRun: boolean },
  ): { faults: { index: number; problem: ProblemError }[]; revision: number | null };
  /** As if the booking had not been made; what it was stays readable by `asOf`. */
  takeBack(p: Principal, id: string, revision: number): Written<Recorded<Booking>>;
  /** The shifts of an equipment in [fromUs, toUs): by the calendars assigned to it, else to the nearest place above that has any. */
  shifts(p: Principal, equipmentId: number, fromUs: Micros, toUs: Micros, asOf?: Lsn): ShiftOccurrence[];
}

/** Master data as files: tables of spreadsheet programs for the kinds that fit one, JSON and YAML for all. */
export interface MasterDataTransfer {
  /** All that `p` sees of a kind. Throws `request_invalid` where the kind fits no table, `time_zone_unknown`. */
  export(
    p: Principal,
    kind: TransferKind,
    how: { format?: TransferFormat; decimal?: "point" | "comma"; timeZone?: string },
  ): { bytes: Uint8Array; format: TransferFormat };
  /** All of a file or nothing. Throws `import_invalid` with each fault's line and column. */
  import(
    p: Principal,
    kind: TransferKind,
    bytes: Uint8Array,
    how: { form: "table" | "text"; dryRun: boolean; revision: number | null; timeZone?: string },
  ): { summary: Omit<MasterDataImport, "receipt">; revision: number | null };
  /** Throws `calendar_invalid`, `shifts_overlap`, `time_zone_unknown`. */
  previewShifts(calendar: MasterDataItem<"calendar">, fromUs: Micros, toUs: Micros): ShiftOccurrence[];
}
