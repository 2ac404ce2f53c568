import { type Columns, type Micros, selectRows } from "@lineshaft/contract/api";
import type { PlantLine } from "./index.ts";
import type { Signal } from "./signal.ts";
import { machineOf } from "./wiring.ts";

/** A line as somebody reads it: whole, or only some of its machines. */
export interface PlayedLine {
  readonly signals: readonly Signal[];
  advance(toUs: Micros): Columns;
}

/** The rows and signals of these machines only, as if the others were not there. */
export function partOfLine(line: PlantLine, machines: ReadonlySet<string>): PlayedLine {
  const kept = line.signals.filter((signal) => machines.has(machineOf(signal)));
  if (kept.length === line.signals.length) return line;
  // The order of a line's signals is the same in each shift.
  const indexOf = new Map(kept.map(({ address }, index) => [address, index]));
  const newTag = line.signals.map(({ address }) => indexOf.get(address) ?? -1);
  return {
    signals: kept,
    advance: (toUs) => {
      const columns = line.advance(toUs);
      const rows: number[] = [];
      for (let i = 0; i < columns.rows; i++) if (newTag[columns.tag[i]] >= 0) rows.push(i);
      const part = selectRows(columns, rows);
      for (let i = 0; i < part.rows; i++) part.tag[i] = newTag[part.tag[i]];
      return part;
    },
  };
}
