import type { Booking, BookingIntent, LateScrapBooking } from "@lineshaft/contract/api";
import type { Flat } from "./fields.ts";

/** A list of serial numbers has a row each, as they come from a scanner. */
interface SerialRow {
  serial: string;
}

const rowsOf = (serials: readonly string[] = []): SerialRow[] => serials.map((serial) => ({ serial }));
/** Left out where there are none; what could not be read was complained of. */
const serialsOf = (rows: unknown): { serials?: string[] } => {
  const serials = ((rows ?? []) as SerialRow[]).flatMap(({ serial }) => serial ?? []);
  return serials.length === 0 ? {} : { serials };
};

export const flatLateScrap: Flat = {
  to: (item) => {
    const { serials, ...rest } = item as LateScrapBooking;
    return { ...rest, serials: rowsOf(serials) };
  },
  from: ({ serials, ...rest }) => ({ ...rest, ...serialsOf(serials) }),
  place: (pointer) => pointer,
};

/** The values of an intent stand in columns of their own, whatever its kind. */
export const flatBooking: Flat = {
  to: (item) => {
    const { intent, ...rest } = item as Booking;
    const { serials, ...said } = intent as BookingIntent & { serials?: string[] };
    return { ...rest, ...said, serials: rowsOf(serials) };
  },
  from: ({ equipmentId, atUs, by, serials, madeUs, ...said }) => {
    const made = madeUs as { fromUs: unknown; toUs: unknown } | null | undefined;
    const told = Object.entries(said).filter(([, value]) => value !== null && value !== undefined);
    return {
      ...(equipmentId === undefined ? {} : { equipmentId }),
      ...(atUs === undefined ? {} : { atUs }),
      ...(by == null ? {} : { by }),
      intent: { ...Object.fromEntries(told), ...(made == null ? {} : { madeUs: made }), ...serialsOf(serials) },
    };
  },
  place: (pointer) => (pointer === "/intent" ? "/kind" : pointer.replace(/^\/intent(?=\/)/, "")),
};
