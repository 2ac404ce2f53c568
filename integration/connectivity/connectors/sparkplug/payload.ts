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
  alias: Float64Array;
  timeMs: Float64Array;
  type: Uint8Array;
  flags: Uint8Array;
  /** `valueField` */
  field: Uint8Array;
  number: Float64Array;
  lo: Uint32Array;
  hi: Uint32Array;
  object: (string | Uint8Array | DataSet | Template | null)[] = [];
  properties: (PropertySet | null)[] = [];

  constructor(capacity = 16) {
    this.alias = new Float64Array(capacity);
    this.timeMs = new Float64Array(capacity);
    this.type = new Uint8Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.field = new Uint8Array(capacity);
    this.number = new Float64Array(capacity);
    this.lo = new Uint32Array(capacity);
    this.hi = new Uint32Array(capacity);
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
    if (row === this.alias.length) this.#grow();
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

  #grow(): void {
    const from = { ...this };
    const capacity = this.alias.length * 2;
    this.alias = new Float64Array(capacity);
    this.timeMs = new Float64Array(capacity);
    this.type = new Uint8Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.field = new Uint8Array(capacity);
    this.number = new Float64Array(capacity);
    this.lo = new Uint32Array(capacity);
    this.hi = new Uint32Array(capacity);
    for (const key of ["alias", "timeMs", "type", "flags", "field", "number", "lo", "hi"] as const)
      this[key].set(from[key]);
  }
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
