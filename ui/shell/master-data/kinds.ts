import { defaultOeePolicy, type MasterDataItem, type Micros } from "@lineshaft/contract/api";

/** The kinds of the page of master data: what a new item begins as, what it is called, and whom it reaches. Their fields are read from their schemas. */

/** Forms of these are made from the schema. */
export const formKinds = [
  "material",
  "idealCycleTime",
  "setUp",
  "lineTopology",
  "physicalAsset",
  "policyAssignment",
  "countingAssignment",
  "kpiTarget",
  "identifierRule",
  "lookUp",
] as const;
export type FormKind = (typeof formKinds)[number];

/** Which equipment a kind stands at. */
export type Places = "workUnits" | "workCenters" | "all";

export interface KindSpec<K extends FormKind> {
  places: Places;
  /** Where a change of it makes another of what machines made: nowhere, on the machine, on all machines below. */
  reach: "none" | "machine" | "below";
  /** What a new one begins as. */
  start(equipmentId: number, fromUs: Micros): Partial<MasterDataItem<K>>;
  /** What names it beside its beginning; null: people name it. */
  idOf: ((item: MasterDataItem<K>) => readonly (string | number)[]) | null;
}

const always = { fromUs: 0, toUs: null };

export const kindSpecs: { readonly [K in FormKind]: KindSpec<K> } = {
  material: { places: "all", reach: "none", start: () => ({ unit: "1" }), idOf: null },
  idealCycleTime: {
    places: "workUnits",
    reach: "machine",
    start: (equipmentId, fromUs) => ({ equipmentId, unitsPerCycle: 1, fromUs }),
    idOf: ({ equipmentId, material }) => [equipmentId, material ?? "any"],
  },
  setUp: {
    places: "workUnits",
    reach: "machine",
    start: (equipmentId, fromUs) => ({ equipmentId, fromUs }),
    idOf: ({ equipmentId }) => [equipmentId, "set-up"],
  },
  lineTopology: {
    places: "workCenters",
    reach: "below",
    start: (equipmentId) => ({ equipmentId, ...always }),
    idOf: ({ equipmentId }) => [equipmentId],
  },
  physicalAsset: { places: "workUnits", reach: "none", start: () => ({}), idOf: null },
  policyAssignment: {
    places: "all",
    reach: "below",
    start: (equipmentId, fromUs) => ({ equipmentId, policy: { ...defaultOeePolicy, version: "" }, fromUs }),
    idOf: ({ equipmentId, policy }) => [equipmentId, policy.version],
  },
  countingAssignment: {
    places: "workUnits",
    reach: "machine",
    start: (equipmentId, fromUs) => ({
      ...{ equipmentId, counts: "units", quantities: "sum", unitsPerCount: 1, continuous: false, unit: "1", fromUs },
    }),
    idOf: ({ equipmentId, counts }) => [equipmentId, counts],
  },
  kpiTarget: {
    places: "all",
    reach: "none",
    start: (equipmentId, fromUs) => ({ equipmentId, kpi: "oeeIndex", fromUs }),
    idOf: ({ equipmentId, kpi }) => [equipmentId, kpi],
  },
  identifierRule: {
    places: "all",
    reach: "below",
    start: (equipmentId, fromUs) => ({ equipmentId, dimension: "order", fromUs }),
    idOf: ({ equipmentId, dimension }) => [equipmentId, dimension],
  },
  lookUp: {
    places: "all",
    reach: "none",
    start: () => ({ dimension: "material", rows: [{ value: "", id: "", ...always }] }),
    idOf: null,
  },
};

/** Unique and readable, and never a name that was used: the beginning is part of it. */
export function idOf<K extends FormKind>(kind: K, item: MasterDataItem<K>): string | null {
  const parts = (kindSpecs[kind] as unknown as KindSpec<K>).idOf?.(item);
  if (parts === undefined) return null;
  const from = "fromUs" in item ? [item.fromUs] : [];
  return [...parts, ...from].join("-").replaceAll("/", "_").slice(0, 128);
}

/** What the page offers, in groups, with the words that stand in its address. */
export const kindGroups: readonly {
  group: "made" | "machines" | "counts" | "told";
  views: readonly { view: string; kind: FormKind | "reason" }[];
}[] = [
  {
    group: "made",
    views: [
      { view: "materials", kind: "material" },
      { view: "cycles", kind: "idealCycleTime" },
      { view: "setUps", kind: "setUp" },
    ],
  },
  {
    group: "machines",
    views: [
      { view: "lines", kind: "lineTopology" },
      { view: "assets", kind: "physicalAsset" },
    ],
  },
  {
    group: "counts",
    views: [
      { view: "policies", kind: "policyAssignment" },
      { view: "counting", kind: "countingAssignment" },
      { view: "targets", kind: "kpiTarget" },
      { view: "reasons", kind: "reason" },
    ],
  },
  {
    group: "told",
    views: [
      { view: "rules", kind: "identifierRule" },
      { view: "lookUps", kind: "lookUp" },
    ],
  },
];
