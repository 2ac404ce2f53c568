import {
  identifierDimensions,
  itemStates,
  operationModes,
  outsidePlanRules,
  plannedClasses,
  reasonLosses,
  type TableKind,
} from "@lineshaft/contract/api";

/** How a cell is read and written. `key`: a name of something, trimmed; `text`: as it stands; `seconds`: µs in the item; `equipment`: its path or id. */
export type CellType = "key" | "text" | "number" | "seconds" | "time" | "equipment" | "choice" | "flag";

export interface Field {
  column: string;
  /** Other words for the column, in lower case. */
  words: readonly string[];
  type: CellType;
  /** Where the value stands in the item, or in the element of its list. */
  path: readonly string[];
  /** What an empty cell means; `missing`: it may not be empty; `absent`: the item has no such value. */
  empty: { is: string | number | boolean | null } | "missing" | "absent";
  choices?: readonly string[];
  /** The kind that the cell names an item of; `dimension`: the one that the column `dimension` says. */
  names?: NamedKind | "dimension";
  /** Its values are numbers of one length, if they are numbers. */
  ofOneLength?: true;
}
export type NamedKind = "material" | "order" | "calendar" | "lookUp" | "physicalAsset";

/** A list of the item: each of its elements has a row, or several with the same key. */
export interface Group {
  list: string;
  key?: Field;
  /** A row belongs to the group when this column is filled. */
  mark: string;
  fields: readonly Field[];
  groups: readonly Group[];
  /** The list is not there when it is empty. */
  optional?: true;
  /** Objects in an element that are not there when all in them is empty. */
  droppable?: readonly string[];
}

export interface Table {
  /** The column of the item's id, and, where the item repeats it as a number, the name of that. */
  id: { column: string; words: readonly string[]; number?: string };
  fields: readonly Field[];
  groups: readonly Group[];
  /** Objects that are null when all in them is empty. */
  nullable?: readonly string[];
}

type More = Partial<Pick<Field, "empty" | "choices" | "names" | "path" | "ofOneLength">>;
const field =
  (type: CellType) =>
  (column: string, words: string, more: More = {}): Field => ({
    column,
    words: words.split(",").filter((word) => word !== ""),
    type,
    path: [column],
    empty: "missing",
    ...more,
  });
const key = field("key");
const text = field("text");
const number = field("number");
const seconds = field("seconds");
const time = field("time");
const choice = (column: string, words: string, choices: readonly string[], more: More = {}): Field =>
  field("choice")(column, words, { choices, ...more });
const optional = { empty: { is: null } } as const;
const absent = { empty: "absent" } as const;

const equipment = field("equipment")("equipment", "anlage,maschine,arbeitsplatz,machine,path,pfad,equipmentid", {
  path: ["equipmentId"],
});
const onEquipment = (column: string, words: string): Field =>
  field("equipment")(column, words, { path: ["equipmentId"] });
const from = time("from", "von,gültig von,ab,beginn,start,valid from", { path: ["fromUs"] });
const to = time("to", "bis,gültig bis,ende,end,valid to", { path: ["toUs"], ...optional });
/** What always held needs no beginning. */
const sinceEver: Field = { ...from, empty: { is: 0 } };
const dimension = choice("dimension", "dimension,was", identifierDimensions);
const unit = key("unit", "einheit,me", { empty: { is: "1" } });

const id = (words: string) => ({ column: "id", words: words.split(",") });

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
              key("startedBy", "", absent),
              key("endedBy", "", { path: ["endedBy", "booking"], ...absent }),
              time("endedOtherwise", "", { path: ["endedBy", "otherwiseUs"], ...optional }),
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
  lateScrap: {
    id: id("buchung,schlüssel,key"),
    fields: [
      equipment,
      key("order", "auftrag,auftragsnummer", { names: "order" }),
      key("operation", "vorgang,arbeitsgang", { ...optional, ofOneLength: true }),
      number("quantity", "menge,ausschuss"),
      time("booked", "gebucht,buchungszeit", { path: ["bookedUs"] }),
      time("madeFrom", "gefertigt von", { path: ["madeUs", "fromUs"], ...optional }),
      time("madeTo", "gefertigt bis", { path: ["madeUs", "toUs"], ...optional }),
    ],
    groups: [],
    nullable: ["madeUs"],
  },
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
