import type { BindingEntry, Model, Property, PropertyKind } from "@lineshaft/contract/api";
import type { DraftTag } from "./draft.ts";

/** Properties of a model guessed from tags, and tags matched to properties: proposals for a person to look at. Pure. */

export const modelReference = ({ name, version }: Pick<Model, "name" | "version">): string => `${name}@${version}`;

const lastPart = (text: string): string =>
  text
    .split(/[./:;=|\\]/)
    .filter(Boolean)
    .at(-1) ?? text;

/** A name as properties have them: `Druck vorn (bar)` → `druckVornBar`. */
export function propertyName(text: string): string {
  const words = lastPart(text)
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/ß/g, "ss")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean);
  const joined = words
    .map((word, i) => (i === 0 ? word.toLowerCase() : word.charAt(0).toUpperCase() + word.slice(1).toLowerCase()))
    .join("");
  return (/^[A-Za-z]/.test(joined) ? joined : `p${joined}`).slice(0, 64);
}

const kinds: readonly [RegExp, PropertyKind, Property["counts"] | null][] = [
  [/mode|betriebsart/i, "operationMode", null],
  [/state|status|zustand/i, "itemState", null],
  [/alarm|fault|error|stor|warn/i, "alarm", null],
  [/scrap|reject|ausschuss|bad|nio|defect/i, "counter", "scrap"],
  [/rework|nacharbeit/i, "counter", "rework"],
  [/good|gut|io\b|ok\b/i, "counter", "good"],
  [/count|zahl|stueck|pieces|total|quantity/i, "counter", "total"],
  [/serial|order|lot|batch|recipe|program|charge|auftrag/i, "identifier", null],
];

/** What a tag is likely to mean, by its name. */
export function guessedProperty(tag: DraftTag): Property {
  const name = propertyName(tag.name ?? tag.address);
  const found = kinds.find(([pattern]) => pattern.test(name));
  return {
    name,
    kind: found?.[1] ?? "processValue",
    ...(found?.[2] ? { counts: found[2] } : {}),
    ...(tag.unit === undefined ? {} : { unit: tag.unit }),
  };
}

/** A model with a property a tag; equal names count up. */
export function modelFrom(name: string, tags: readonly DraftTag[]): Model {
  const used = new Set<string>();
  const properties = tags.map((tag) => {
    const guess = guessedProperty(tag);
    let free = guess.name;
    for (let n = 2; used.has(free); n++) free = `${guess.name}${n}`;
    used.add(free);
    return { ...guess, name: free };
  });
  return { name, version: "1.0.0", properties };
}

const bare = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");

/** The property that a tag belongs to by its name; null: none is like it. */
export function matchingProperty(tag: DraftTag, properties: readonly Property[]): string | null {
  const names = [tag.name ?? "", lastPart(tag.address)].map((text) => bare(propertyName(text === "" ? "-" : text)));
  return properties.find(({ name }) => names.includes(bare(name)))?.name ?? null;
}

/** The tag means this property of its own equipment from now on; other meanings stay. */
export function bound(tag: DraftTag, property: string): DraftTag {
  const { bind = [], ...rest } = tag;
  const others: BindingEntry[] = bind.filter(
    ({ equipment, validFrom, validTo }) => equipment !== undefined || validFrom !== undefined || validTo !== undefined,
  );
  const next = property === "" ? others : [{ property }, ...others];
  return next.length === 0 ? rest : { ...rest, bind: next };
}

export const boundProperty = ({ bind = [] }: DraftTag): string =>
  bind.find(({ equipment, validTo }) => equipment === undefined && validTo === undefined)?.property ?? "";
