// Hot path: the shapes that the decoder fills. One payload as columns, filled again and again.

export interface DataSet {
  columns: string[];
  types: number[];
  /** Row by row; each cell as it travelled, to be read with the type of its column. */
  rows: Cell[][];
}

/** A value without its metric: a cell of a data set, a property, a template's parameter. */
export interface Cell {
  field: number;
  number: number;
  lo: number;
  hi: number;
  text: string | null;
}

export interface Property {
  type: number;
  isNull: boolean;
  cell: Cell | null;
  sets: PropertySet[];
}
export type PropertySet = Map<string, Property>;

export interface Template {
  definition: boolean;
  reference: string | null;
  version: string | null;
  members: MetricColumns;
  parameters: { name: string; type: number; cell: Cell | null }[];
}

export const metricFlag = { historical: 1, transient: 2, null: 4 } as const;

/** Metrics as columns. NaN and null mean "absent". `lo` and `hi` hold integers as they travelled: two's complement, unsigned. */
export class MetricColumns {
  count = 0;
  name: (string | null)[] = [];
  alias = new Float64Array();
  timeMs = new Float64Array();
  type = new Uint8Array();
  flags = new Uint8Array();
  /** `valueField` */
  field = new Uint8Array();
  number = new Float64Array();
  lo = new Uint32Array();
  hi = new Uint32Array();
  object: (string | Uint8Array | DataSet | Template | null)[] = [];
  properties: (PropertySet | null)[] = [];

  constructor(capacity = 16) {
    this.#reserve(capacity);
  }

  clear(): void {
    this.count = 0;
    this.name.length = 0;
    this.object.length = 0;
    this.properties.length = 0;
  }

  /** A new row of absent fields; its index. */
  open(): number {
    const row = this.count++;
    if (row === this.alias.length) this.#reserve(row * 2);
    this.name[row] = null;
    this.alias[row] = NaN;
    this.timeMs[row] = NaN;
    this.type[row] = 0;
    this.flags[row] = 0;
    this.field[row] = 0;
    this.object[row] = null;
    this.properties[row] = null;
    return row;
  }

  #reserve(capacity: number): void {
    this.alias = resized(this.alias, capacity);
    this.timeMs = resized(this.timeMs, capacity);
    this.type = resized(this.type, capacity);
    this.flags = resized(this.flags, capacity);
    this.field = resized(this.field, capacity);
    this.number = resized(this.number, capacity);
    this.lo = resized(this.lo, capacity);
    this.hi = resized(this.hi, capacity);
  }
}

function resized<T extends Float64Array | Uint8Array | Uint32Array>(column: T, capacity: number): T {
  const larger = new (column.constructor as new (length: number) => T)(capacity);
  larger.set(column);
  return larger;
}

export class SparkplugPayload {
  timeMs = NaN;
  /** −1: absent. */
  seq = -1;
  readonly metrics = new MetricColumns(64);

  clear(): void {
    this.timeMs = NaN;
    this.seq = -1;
    this.metrics.clear();
  }
}
