import type {
  Cells,
  EquipmentLevel,
  EvidenceTerm,
  MasterDataKind,
  Order,
  Recorded,
  Result,
  WorkItem,
} from "@lineshaft/contract/api";

/** Everything of one work item, read beforehand at its basisLsn. */
export interface View {
  item: WorkItem;
  equipment: { id: number; path: string; level: EquipmentLevel };
  /** Of a work unit or a line: its cells in the range of the item. */
  cells: Cells | null;
  /** Of what stands above: the newest result of each equipment directly below, same period and key. */
  below: readonly Result[];
  /** Of an order or an operation: the order as it was known. */
  order: Recorded<Order> | null;
  /** What the cells rest on. */
  masterData: readonly { entity: MasterDataKind; id: string; revision: number }[];
}

/** What is said of a key. */
export interface Computed {
  values: Record<string, number | null>;
  coverage: number | null;
  detail: unknown;
  evidence: EvidenceTerm[];
}
