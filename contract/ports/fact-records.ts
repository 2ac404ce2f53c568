import type {
  FactLot,
  FactRecord,
  FactRecordKind,
  FactToRecord,
  FactUnit,
  Micros,
  Principal,
  RouteResponse,
} from "../api/index.ts";
import type { Lsn } from "./log.ts";
import type { Page } from "./registry.ts";

/** Facts that systems have recorded, as they stand in the log; JSON. */
export interface FactRecordedRecord {
  /** Name of the key that recorded them. */
  by: string;
  items: {
    item: FactToRecord;
    /** With a retraction: the kind of what it takes back. */
    retracts?: FactRecordKind;
    equipmentId: number;
    /** Where the equipment stood then. */
    path: string;
  }[];
}

export interface FactRecordQuery {
  kind?: FactRecordKind;
  equipmentId?: number;
  serial?: string;
  lot?: string;
  order?: string;
  /** Only what meets [fromUs, toUs). */
  fromUs?: Micros;
  toUs?: Micros;
  asOf?: Lsn;
  limit?: number;
  cursor?: string;
}

/** What a batch came to; `index` is that of the item. */
export type FactsRecorded = RouteResponse<"recordFacts">;

/**
 * Facts that are told and not derived, by id, serial number and lot: a view of the log. All reads answer with what equipment in scope has recorded; what else there is looks as if
 * it was not there. Reads wait until all that this process has acknowledged is in the view.
 */
export interface FactRecords {
  /** Resolves when all that is new is durable in the log. Refused by index: what is wrong in itself, out of scope, or known with other content. Throws `overloaded`. */
  record(p: Principal, items: readonly FactToRecord[]): Promise<FactsRecorded>;
  /** By end, then id. Throws `not_found` for equipment that is not visible, `cursor_invalid`. */
  list(p: Principal, q: FactRecordQuery): Promise<Page<FactRecord>>;
  /** Throws `not_found`. */
  revisions(p: Principal, id: string): Promise<RouteResponse<"getFactRevisions">>;
  /** Throws `not_found` where nothing visible names it. */
  unit(p: Principal, serial: string, asOf?: Lsn): Promise<FactUnit>;
  lot(p: Principal, lot: string, asOf?: Lsn): Promise<FactLot>;
  /** What `asOf` of a request says, a position in the log or a time, as a place in the log. Throws `as_of_invalid`. */
  placeOf(asOf: string): Lsn;
  /** When a machine produced units and lots. */
  readonly production: ProductionTimes;
}

/** When a machine produced something, by what was recorded; for placing scrap that is found later. The whole tenant, as numbers must not depend on who asks. */
export interface ProductionTimes {
  /** When the unit was last made at the equipment; null: nothing says so. */
  ofSerial(tenant: number, equipmentId: number, serial: string, asOf?: Lsn): { fromUs: Micros; toUs: Micros } | null;
  /** From the begin of the first to the end of the last portion of the lot at the equipment; null: nothing says so. */
  ofLot(tenant: number, equipmentId: number, lot: string, asOf?: Lsn): { fromUs: Micros; toUs: Micros } | null;
  /** What the record with this id names, or named before it was corrected or retracted. */
  named(tenant: number, id: string): { equipmentId: number; serial?: string; lot?: string }[];
}
