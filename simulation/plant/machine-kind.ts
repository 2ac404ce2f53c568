/** What a machine makes, and the shortest time it needs for it. */
export interface Product {
  /** Id of the material. */
  material: string;
  name: string;
  idealCycleSeconds: number;
  /** Units in one cycle with every cavity in use. */
  unitsPerCycle: number;
  /** Of a family mould: what its cavities make, each for an order of its own. Empty: only the product. */
  family: readonly { material: string; name: string; cavities: number }[];
}

/**
 * How a machine tells what it did. `pulses`: two switches, one closes for each good part and one for each reject, and nothing else. Else a state code, and
 * counters that are read as they change (`onChange`) or every so often (`sampled`).
 */
export interface Telling {
  states: "pulses" | "packml" | "machinery" | "code";
  counters: "totalAndScrap" | "totalAndGood" | "sum";
  sampledSeconds: number | null;
  /** The property that tells its order; then nobody books it. */
  order?: string;
}

/** What an engineer writes down of a machine before connecting it. */
export interface MachineSheet {
  /** The part of its addresses before the first point. */
  machine: string;
  /** Names from the site down. */
  equipment: readonly string[];
  telling: Telling;
  /** UCUM. */
  unit: string;
  /** What its counters count. */
  counts: "units" | "cycles";
  /** Kilograms instead of pieces. */
  continuous: boolean;
  products: readonly Product[];
}

/** A kind of machine, and how well it runs. Means in seconds of running time and of standstill. */
export interface MachineKind extends MachineSheet {
  /** Of the configuration. */
  model: string;
  /** In each stretch, after so much time one cavity of the first product is blocked until the order ends; null: never. */
  blockedAfterSeconds: number | null;
  /** Cycles in a typical order. */
  orderCycles: number;
  scrapRate: number;
  reworkRate: number;
  setUpSeconds: number;
  microStopEverySeconds: number;
  microStopSeconds: number;
  breakdownEverySeconds: number;
  breakdownSeconds: number;
  /** Share of running time at reduced speed. */
  slowShare: number;
  /** Stands in breaks. */
  breaks: "stands" | "runs";
  /** Prefix of its job orders. */
  orders: string;
  /** What it measures: a name, a unit, a value when it runs and one when it stands. */
  process: readonly { name: string; address: string; unit: string; running: number; standing: number; noise: number }[];
}
