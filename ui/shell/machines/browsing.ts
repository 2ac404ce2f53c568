import type { BrowseItem } from "@lineshaft/contract/api";

/** What was seen of a machine's address space so far. Levels are asked for when they are opened, one at a time. */
export interface Seen {
  /** Children by the address of their parent; "" is the root. */
  readonly levels: ReadonlyMap<string, readonly BrowseItem[]>;
  /** Levels that hold more than was given. */
  readonly cut: ReadonlySet<string>;
}

export interface BrowseRow {
  item: BrowseItem;
  depth: number;
  parent: string;
  /** Unique, as an address may be reached by more than one way. */
  key: string;
}

export const nothingSeen: Seen = { levels: new Map(), cut: new Set() };

export function withLevel(seen: Seen, from: string, items: readonly BrowseItem[], more: boolean): Seen {
  const levels = new Map(seen.levels).set(from, items);
  const cut = new Set(seen.cut);
  if (more) cut.add(from);
  else cut.delete(from);
  return { levels, cut };
}

/** The rows as they stand below each other. Loops in the address space end where they begin. */
export function rowsOf(seen: Seen, open: ReadonlySet<string>, search: string): BrowseRow[] {
  const rows: BrowseRow[] = [];
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ name, address }: BrowseItem): boolean => {
    const hay = `${name} ${address}`.toLowerCase();
    return words.every((word) => hay.includes(word));
  };
  const visit = (from: string, depth: number, path: readonly string[], prefix: string): boolean => {
    let any = false;
    for (const item of seen.levels.get(from) ?? []) {
      const key = `${prefix}\n${item.address}`;
      const at = rows.length;
      rows.push({ item, depth, parent: from, key });
      const inside =
        !path.includes(item.address) && (words.length > 0 || open.has(key))
          ? visit(item.address, depth + 1, [...path, item.address], key)
          : false;
      // While searching, what does not fit stays only as the way to what does.
      if (words.length > 0 && !inside && !fits(item)) rows.length = at;
      else any = true;
    }
    return any;
  };
  visit("", 0, [""], "");
  return rows;
}

export interface Walk {
  levels: number;
  readable: number;
}

/**
 * Opens everything below an address, one level at a time, and tells each level as it comes. Ends at `most` readable items, as nobody means more by
 * one click. Returns all that can be read below.
 */
export async function walk(
  from: string,
  most: number,
  level: (address: string) => Promise<readonly BrowseItem[]>,
  onProgress: (walk: Walk) => void,
): Promise<{ items: BrowseItem[]; more: boolean }> {
  const items: BrowseItem[] = [];
  const known = new Set<string>([from]);
  const waiting = [from];
  let levels = 0;
  for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
    for (const item of await level(address)) {
      if (known.has(item.address)) continue;
      known.add(item.address);
      if (item.readable) items.push(item);
      if (item.expandable) waiting.push(item.address);
      if (items.length >= most) return { items, more: true };
    }
    onProgress({ levels: ++levels, readable: items.length });
  }
  return { items, more: false };
}
