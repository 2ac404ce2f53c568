/** How a cell is read and written. `key`: a name of something, trimmed; `text`: as it stands; `seconds`: µs in the item; `equipment`: its path or id; `clock`: 06:00; `day`: a date. */
export type CellType =
  | "key"
  | "text"
  | "number"
  | "seconds"
  | "time"
  | "equipment"
  | "choice"
  | "flag"
  | "clock"
  | "day";

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
  /** A whole number from 1 to this. */
  wholeTo?: number;
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
  /** Objects that are not there when all in them is empty. */
  droppable?: readonly string[];
  /** Where rows cannot hold an item as it is. */
  flat?: Flat;
}

/** An item in another shape, whose lists are all of objects. */
export interface Flat {
  to(item: object): Record<string, unknown>;
  from(flat: Record<string, unknown>, id: string): Record<string, unknown>;
  /** Where in the flat item a place (a JSON pointer) of the item lies. */
  place(pointer: string): string;
}

type More = Partial<Pick<Field, "empty" | "choices" | "names" | "path" | "ofOneLength" | "wholeTo">>;
export const field =
  (type: CellType) =>
  (column: string, words: string, more: More = {}): Field => ({
    column,
    words: words.split(",").filter((word) => word !== ""),
    type,
    path: [column],
    empty: "missing",
    ...more,
  });
export const key = field("key");
export const text = field("text");
export const number = field("number");
export const seconds = field("seconds");
export const time = field("time");
export const clock = field("clock");
export const day = field("day");
export const choice = (column: string, words: string, choices: readonly string[], more: More = {}): Field =>
  field("choice")(column, words, { choices, ...more });
export const optional = { empty: { is: null } } as const;
export const absent = { empty: "absent" } as const;

/** What the cells of a table are looked up in. */
export interface Surroundings {
  /** The id of the equipment at a path, or of that id; null: there is none that may be seen. */
  equipment(text: string): number | null;
  equipmentPaths(): Iterable<string>;
  zoneOf(equipmentId: number | null): string;
  /** The item as it is, for columns that the table does not have. */
  current(id: string): Record<string, unknown> | null;
  /** An id of the kind that is `text` but for leading zeros that `text` has lost; null: none. */
  zerosLost(kind: "own" | NamedKind, text: string): string | null;
}
