import {
  type FactRecord,
  type FactRecordItem,
  type FactToRecord,
  inScope,
  type Principal,
  ProblemError,
} from "@lineshaft/contract/api";
import type { FactRecords } from "@lineshaft/contract/ports";

/** The port of recorded facts in memory: keeps what comes, refuses what is of equipment out of scope. */
export class FakeFactRecords implements FactRecords {
  readonly kept: FactRecord[] = [];
  /** The items of each call, as the interface gave them on. */
  readonly calls: FactToRecord[][] = [];
  readonly #pathOf: (equipmentId: number) => string;

  constructor(pathOf: (equipmentId: number) => string) {
    this.#pathOf = pathOf;
  }

  record: FactRecords["record"] = async (p, items) => {
    this.calls.push([...items]);
    const faults = items.flatMap((item, index) =>
      item.kind === "retraction" || this.#sees(p, item)
        ? []
        : [{ index, code: "equipment_unknown", detail: "Not there." }],
    );
    const bad = new Set(faults.map(({ index }) => index));
    for (const [i, item] of items.entries())
      if (!bad.has(i) && item.kind !== "retraction")
        this.kept.push({ item, path: this.#pathOf(item.equipmentId), lsn: 7, recordedUs: 0, by: p.name });
    return { recorded: items.length - bad.size, repeated: 0, lsn: 7, faults };
  };

  list: FactRecords["list"] = async (p, { limit = 100, cursor = "0" }) => {
    const all = this.kept.filter(({ item }) => this.#sees(p, item));
    const end = Number(cursor) + limit;
    return { items: all.slice(Number(cursor), end), cursor: end < all.length ? String(end) : null };
  };

  revisions: FactRecords["revisions"] = async () => ({ items: this.kept, retracted: false });

  unit: FactRecords["unit"] = async (_p, serial) => ({ serial, ...nothing() });

  lot: FactRecords["lot"] = async (_p, lot) => ({ lot, totals: [], ...nothing() });

  placeOf = (asOf: string): number => {
    if (!/^\d+$/.test(asOf)) throw new ProblemError("as_of_invalid", `${asOf} is no place in the log.`);
    return Number(asOf);
  };

  production = { ofSerial: () => null, ofLot: () => null, named: () => [] };

  #sees(p: Principal, item: FactRecordItem): boolean {
    return inScope(p, this.#pathOf(item.equipmentId));
  }
}

function nothing() {
  const listed = () => ({ items: [], more: false });
  return {
    ...{ produced: listed(), consumed: listed(), tests: listed(), samples: listed() },
    ...{ madeOf: listed(), wentInto: listed() },
  };
}
