import { BookingIntentSchema } from "@lineshaft/contract/api";
import { absent, choice, field, type Group, key, number, optional, type Table, text, time } from "./fields.ts";
import { flatBooking, flatLateScrap } from "./flat.ts";

export const equipment = field("equipment")("equipment", "anlage,maschine,arbeitsplatz,machine,path,pfad,equipmentid", {
  path: ["equipmentId"],
});
export const from = time("from", "von,gültig von,ab,beginn,start,valid from", { path: ["fromUs"] });
export const to = time("to", "bis,gültig bis,ende,end,valid to", { path: ["toUs"], ...optional });

export const id = (words: string) => ({ column: "id", words: words.split(",") });

/** Which bookings began and ended it, where bookings did. */
export const bookedEnds = [
  key("startedBy", "", absent),
  key("endedBy", "", { path: ["endedBy", "booking"], ...absent }),
  time("endedOtherwise", "", { path: ["endedBy", "otherwiseUs"], ...optional }),
];
/** When scrap was made: by a time, by a lot, or by the units, a row each. */
const madeColumns = [
  time("madeFrom", "gefertigt von", { path: ["madeUs", "fromUs"], ...optional }),
  time("madeTo", "gefertigt bis", { path: ["madeUs", "toUs"], ...optional }),
];
const lot = key("lot", "los,charge,chargennummer,batch", { ...absent, ofOneLength: true });
const serialRows: Group = {
  list: "serials",
  mark: "serial",
  fields: [key("serial", "seriennummer,serial number,sn", { ofOneLength: true })],
  groups: [],
  optional: true,
};
const bookingKinds = BookingIntentSchema.anyOf.map(({ properties }) => properties.kind.const);

/** The columns of what the floor books. */
export const bookedTables = {
  lateScrap: {
    id: id("buchung,schlüssel,key"),
    flat: flatLateScrap,
    fields: [
      equipment,
      key("order", "auftrag,auftragsnummer", { names: "order" }),
      key("operation", "vorgang,arbeitsgang", { ...optional, ofOneLength: true }),
      number("quantity", "menge,ausschuss"),
      time("booked", "gebucht,buchungszeit", { path: ["bookedUs"] }),
      ...madeColumns,
      lot,
      choice("becomes", "wird,ausschuss oder nacharbeit", ["scrap", "rework"], absent),
      number("reason", "grund,fehlergrund", absent),
    ],
    groups: [serialRows],
    nullable: ["madeUs"],
  },
  setUp: {
    id: id("rüstvorgang,schlüssel,key"),
    fields: [
      equipment,
      key("order", "auftrag,auftragsnummer", { ...optional, names: "order" }),
      from,
      to,
      ...bookedEnds,
    ],
    groups: [],
    droppable: ["endedBy"],
  },
  booking: {
    id: id("booking,buchung,schlüssel,key"),
    flat: flatBooking,
    fields: [
      equipment,
      time("at", "zeit,um,zeitpunkt,gebucht", { path: ["atUs"] }),
      key("by", "von wem,kürzel,pseudonym", absent),
      choice("kind", "art,was", bookingKinds),
      key("order", "auftrag,auftragsnummer", { ...absent, names: "order" }),
      key("operation", "vorgang,arbeitsgang", { ...absent, ofOneLength: true }),
      choice("others", "andere", ["interrupt", "keep"], absent),
      time("from", "von,beginn,start", { path: ["fromUs"], ...absent }),
      time("to", "bis,ende,end", { path: ["toUs"], ...absent }),
      number("reason", "grund,fehlergrund", absent),
      text("text", "bemerkung,kommentar,comment", absent),
      number("quantity", "menge", absent),
      ...madeColumns,
      lot,
    ],
    groups: [serialRows],
    nullable: ["madeUs"],
  },
} satisfies Record<string, Table>;
