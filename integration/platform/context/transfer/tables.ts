import {
  identifierDimensions,
  itemStates,
  operationModes,
  outsidePlanRules,
  plannedClasses,
  reasonLosses,
  type TableKind,
} from "@lineshaft/contract/api";
import { bookedEnds, bookedTables, equipment, from, id, to } from "./booked-tables.ts";
import { flatCalendar } from "./calendar-rows.ts";
import {
  absent,
  choice,
  clock,
  day,
  type Field,
  field,
  type Group,
  key,
  type NamedKind,
  number,
  optional,
  seconds,
  type Table,
  text,
  time,
} from "./fields.ts";

const onEquipment = (column: string, words: string): Field =>
  field("equipment")(column, words, { path: ["equipmentId"] });
/** What always held needs no beginning. */
const sinceEver: Field = { ...from, empty: { is: 0 } };
const dimension = choice("dimension", "dimension,was", identifierDimensions);
const unit = key("unit", "einheit,me", { empty: { is: "1" } });

/** The columns of each kind, in their order. */
export const tables: Readonly<Record<TableKind, Table>> = {
  material: {
    id: id("material,materialnummer,artikel,artikelnummer,nummer,number"),
    fields: [text("name", "bezeichnung,benennung", optional), unit],
    groups: [
      {
        list: "conversions",
        mark: "conversionUnit",
        fields: [
          key("conversionUnit", "umrechnungseinheit,alternativeinheit", { path: ["unit"] }),
          number("factor", "faktor,umrechnungsfaktor"),
        ],
        groups: [],
      },
    ],
  },
  idealCycleTime: {
    id: id("schlüssel,key"),
    fields: [
      equipment,
      key("material", "artikel,artikelnummer", { ...optional, names: "material" }),
      seconds("cycleSeconds", "taktzeit,taktzeit in s,zykluszeit,cycle", { path: ["cycleUs"] }),
      number("unitsPerCycle", "stück je takt,einheiten je zyklus,kavitäten", { empty: { is: 1 } }),
      from,
      to,
    ],
    groups: [],
  },
  order: {
    id: id("order,auftrag,auftragsnummer,fertigungsauftrag,job order"),
    fields: [
      key("material", "artikel,artikelnummer", { ...optional, names: "material" }),
      number("quantity", "menge,auftragsmenge,sollmenge"),
      unit,
    ],
    groups: [
      {
        list: "operations",
        mark: "operation",
        key: key("operation", "vorgang,arbeitsgang,avo", { path: ["id"], ofOneLength: true }),
        fields: [text("operationName", "vorgangstext,arbeitsgang text", { path: ["name"], ...optional })],
        groups: [
          {
            list: "executions",
            mark: "equipment",
            fields: [
              equipment,
              from,
              to,
              number("share", "anteil,zeitanteil", absent),
              number("outputShare", "mengenanteil", absent),
              number("cavities", "kavitäten,nester", absent),
              ...bookedEnds,
            ],
            groups: [],
            droppable: ["endedBy"],
          },
          {
            list: "planned",
            mark: "plannedOn",
            optional: true,
            fields: [
              onEquipment("plannedOn", "geplant auf,plananlage"),
              time("plannedFrom", "geplant von,planbeginn,start geplant", { path: ["fromUs"] }),
              time("plannedTo", "geplant bis,planende,ende geplant", { path: ["toUs"], ...optional }),
            ],
            groups: [],
          },
          {
            list: "finished",
            mark: "finishedOn",
            optional: true,
            fields: [
              onEquipment("finishedOn", "fertig auf"),
              time("finishedAt", "fertig um,fertig", { path: ["atUs"] }),
              key("finishedBy", "", { path: ["by"], ...absent }),
            ],
            groups: [],
          },
        ],
      },
    ],
  },
  calendarAssignment: {
    id: id("schlüssel,key"),
    fields: [equipment, key("calendar", "kalender,schichtkalender", { names: "calendar" }), from, to],
    groups: [],
  },
  policyAssignment: {
    id: id("schlüssel,key"),
    fields: [
      equipment,
      key("version", "", { path: ["policy", "version"] }),
      seconds("microStopSeconds", "kurzstillstand,kurzstillstand in s", {
        path: ["policy", "microStopUs"],
        empty: { is: 0 },
      }),
      choice("microStopTo", "kurzstillstand zu", ["availability", "effectiveness"], {
        path: ["policy", "microStopTo"],
        empty: { is: "availability" },
      }),
      choice("outsidePlan", "außerhalb des plans", outsidePlanRules, {
        path: ["policy", "outsidePlan"],
        empty: { is: "extend" },
      }),
      choice("noOrder", "ohne auftrag", ["busy", "notBusy"], { path: ["policy", "noOrder"], empty: { is: "busy" } }),
      choice("setUp", "rüsten", ["booked", "firstGoodPart"], { path: ["policy", "setUp"], empty: { is: "booked" } }),
      number("setUpParts", "rüstteile", { path: ["policy", "setUpParts"], empty: { is: 1 } }),
      choice("setUpQuantity", "rüstmenge", ["inside", "outside"], {
        path: ["policy", "setUpQuantity"],
        empty: { is: "outside" },
      }),
      from,
      to,
    ],
    groups: [],
  },
  countingAssignment: {
    id: id("schlüssel,key"),
    fields: [
      equipment,
      choice("counts", "zählt", ["units", "cycles"]),
      choice("quantities", "mengen", ["sum", "totalAndScrap", "totalAndGood"]),
      number("unitsPerCount", "einheiten je zählung", { empty: { is: 1 } }),
      field("flag")("continuous", "kontinuierlich", { empty: { is: false } }),
      unit,
      from,
      to,
    ],
    groups: [],
  },
  ...bookedTables,
  physicalAsset: {
    id: id("werkzeug,inventarnummer,schlüssel,key"),
    fields: [
      text("name", "bezeichnung,benennung"),
      key("serialNumber", "seriennummer", optional),
      text("manufacturer", "hersteller", optional),
    ],
    groups: [
      { list: "mounts", mark: "equipment", fields: [equipment, from, to], groups: [] },
      {
        list: "blockedCavities",
        mark: "order",
        fields: [
          key("order", "auftrag,auftragsnummer", { names: "order" }),
          number("cavities", "kavitäten,nester"),
          from,
          to,
        ],
        groups: [],
      },
    ],
  },
  reason: {
    id: { column: "number", words: ["nummer", "id", "grund"], number: "number" },
    fields: [
      number("parent", "unter,übergeordnet", optional),
      text("nameEn", "englisch,english", { path: ["name", "en"] }),
      text("nameDe", "deutsch,german", { path: ["name", "de"] }),
      choice("itemState", "zustand", itemStates, optional),
      choice("operationMode", "betriebsart", operationModes, optional),
      choice("planned", "geplant", plannedClasses, optional),
      choice("loss", "verlust", reasonLosses, optional),
    ],
    groups: [],
  },
  annotation: {
    id: id("schlüssel,key"),
    fields: [
      equipment,
      choice("kind", "art", ["reason", "split", "comment"]),
      time("anchor", "anker", { path: ["anchorUs"] }),
      from,
      time("to", "bis,ende,end", { path: ["toUs"] }),
      number("reason", "grund", optional),
      text("text", "bemerkung,kommentar,comment", { empty: { is: "" } }),
    ],
    groups: [],
  },
  identifierRule: {
    id: id("schlüssel,key"),
    fields: [
      equipment,
      dimension,
      key("property", "merkmal,eigenschaft"),
      key("prefix", "vorsatz,präfix", optional),
      number("padTo", "stellen,auffüllen auf", optional),
      key("none", "kein,leerwert", optional),
      key("lookUp", "nachschlagetabelle,tabelle", { ...optional, names: "lookUp" }),
      sinceEver,
      to,
    ],
    groups: [],
  },
  lookUp: {
    id: id("tabelle,nachschlagetabelle,schlüssel,key"),
    fields: [dimension],
    groups: [
      {
        list: "rows",
        mark: "value",
        fields: [
          key("value", "wert,rezept,recipe", { ofOneLength: true }),
          key("target", "ziel,steht für,stands for", { path: ["id"], names: "dimension" }),
          sinceEver,
          to,
        ],
        groups: [],
      },
    ],
  },
  calendar: {
    id: id("kalender,schichtkalender,calendar"),
    flat: flatCalendar,
    fields: [
      key("timeZone", "zeitzone,zone"),
      day("anchor", "anker,rhythmus ab,rotation from", { path: ["rotation", "anchor"] }),
    ],
    groups: [
      {
        list: "shifts",
        mark: "shift",
        key: key("shift", "schicht", { path: ["name"] }),
        fields: [
          clock("start", "beginn,von,from"),
          clock("end", "ende,bis,to"),
          choice("productionDay", "produktionstag", ["start", "end"], absent),
        ],
        groups: [
          {
            list: "breaks",
            mark: "breakStart",
            fields: [
              key("breakName", "pause", { path: ["name"], ...absent }),
              clock("breakStart", "pausenbeginn,pause von,break from", { path: ["start"] }),
              number("breakMinutes", "pausenminuten,pause in min", { path: ["minutes"] }),
            ],
            groups: [],
          },
        ],
      },
      {
        list: "rotationDays",
        mark: "rotationDay",
        key: number("rotationDay", "tag,rhythmustag,day", { path: ["day"], wholeTo: 366 }),
        fields: [],
        groups: [
          {
            list: "shifts",
            mark: "works",
            fields: [
              key("works", "arbeitet,worked shift", { path: ["shift"] }),
              key("crew", "gruppe,mannschaft", absent),
            ],
            groups: [],
          },
        ],
      },
      {
        list: "holidays",
        mark: "holiday",
        fields: [
          day("holiday", "feiertag", { path: ["day"] }),
          key("holidayName", "feiertagsname,name des feiertags", { path: ["name"] }),
        ],
        groups: [],
      },
      {
        list: "exceptions",
        mark: "exception",
        key: day("exception", "ausnahme,ausnahmetag", { path: ["day"] }),
        fields: [],
        groups: [
          {
            list: "shifts",
            mark: "exceptionShift",
            fields: [
              key("exceptionShift", "ausnahmeschicht", { path: ["shift"] }),
              key("exceptionCrew", "ausnahmegruppe", { path: ["crew"], ...absent }),
            ],
            groups: [],
          },
        ],
      },
    ],
  },
};

/** All fields of a table, those that share a column once. */
export function columnsOf(table: Table): Field[] {
  const found = new Map<string, Field>();
  const walk = (fields: readonly Field[], groups: readonly Group[]): void => {
    for (const one of fields) if (!found.has(one.column)) found.set(one.column, one);
    for (const group of groups)
      walk(group.key === undefined ? group.fields : [group.key, ...group.fields], group.groups);
  };
  walk(table.fields, table.groups);
  return [...found.values()];
}

const kindsOfDimensions: Readonly<Record<string, NamedKind>> = {
  order: "order",
  material: "material",
  tool: "physicalAsset",
};

/** The kind that a cell of the field names an item of, in a row whose column `dimension` says so; null: it names none, or it is not said which. */
export function kindNamed({ names }: Field, dimension: string | undefined): NamedKind | null {
  if (names !== "dimension") return names ?? null;
  return kindsOfDimensions[dimension?.trim().toLowerCase() ?? ""] ?? null;
}
