import { type FactRecordItem, type FactUnit, factRecordLimits } from "@lineshaft/contract/api";

/** A unit or a lot: `s` and its serial number, `l` and its name. */
export type Thing = `s${string}` | `l${string}`;

export const unitNamed = (serial: string): Thing => `s${serial}`;
export const lotNamed = (lot: string): Thing => `l${lot}`;

/** What a record says went into what. A unit that names its lot too is meant by its serial number. */
export function edgesOf(item: FactRecordItem): { part: Thing; whole: Thing }[] {
  if (item.kind === "unitProduced") {
    const whole = nameOf(item);
    const parts = (item.parents ?? []).map(nameOf);
    return whole === null ? [] : parts.flatMap((part) => (part === null || part === whole ? [] : [{ part, whole }]));
  }
  if (item.kind !== "lotConsumption" || item.into === undefined) return [];
  const [part, whole] = [nameOf(item), nameOf(item.into)];
  return part === null || whole === null || part === whole ? [] : [{ part, whole }];
}

function nameOf({ serial, lot }: { serial?: string; lot?: string }): Thing | null {
  if (serial !== undefined) return unitNamed(serial);
  return lot === undefined ? null : lotNamed(lot);
}

type Relatives = FactUnit["madeOf"];

/** Steps from one thing to another that are looked at for one answer. */
const stepsMax = 20_000;

/** All that can be reached from a thing, nearest first, each once; bounded in number, in generations and in steps. `next` names neighbours in one direction, at most `limit`. */
export function relativesOf(start: Thing, next: (thing: Thing, limit: number) => Thing[]): Relatives {
  const known = new Set<Thing>([start]);
  const items: Relatives["items"] = [];
  let near: Thing[] = [start];
  let steps = stepsMax;
  for (let generation = 1; near.length > 0; generation++) {
    const further: Thing[] = [];
    for (const nearer of near) {
      const found = next(nearer, steps + 1);
      steps -= found.length;
      for (const thing of found) {
        if (known.has(thing)) continue;
        if (items.length === factRecordLimits.relatives || generation > factRecordLimits.generations)
          return { items, more: true };
        known.add(thing);
        items.push({ ...thingOf(thing), generation, next: thingOf(nearer) });
        further.push(thing);
      }
      if (steps < 0) return { items, more: true };
    }
    near = further;
  }
  return { items, more: false };
}

function thingOf(thing: Thing): { serial: string | null; lot: string | null } {
  const name = thing.slice(1);
  return thing.startsWith("s") ? { serial: name, lot: null } : { serial: null, lot: name };
}
