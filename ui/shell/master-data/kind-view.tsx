import type { MasterDataItem, Recorded } from "@lineshaft/contract/api";
import { useMemo } from "react";
import { unitText } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { equipmentPath, rangeText } from "./effect-view.tsx";
import { type FieldEntry, fieldsOfKind } from "./fields.ts";
import type { ItemColumn } from "./item-table.tsx";
import { ItemsView, type ViewProps } from "./items-view.tsx";
import { KindForm } from "./kind-form.tsx";
import { type FormKind, kindSpecs } from "./kinds.ts";
import type { Held } from "./store.ts";
import { columnLabel, labelOf, valueText } from "./words.ts";

type Values = Readonly<Record<string, unknown>>;
type Row<K extends FormKind> = Recorded<MasterDataItem<K>>;

/** Names that stand in a list at once. */
const listedMax = 20;

const nameOf = (id: unknown): string => equipmentPath(Number(id)).split("/").at(-1) ?? "";

/** Rows of a list in one line: what it is, and what that stands for. */
function listText({ name, fields }: FieldEntry, rows: readonly Values[]): string {
  const shown = rows.slice(0, listedMax);
  if (name === "conversions")
    return shown.map(({ unit, factor }) => `1 = ${fmt.number(Number(factor), 9)} ${unit}`).join("; ");
  if (name === "members") return shown.map(({ equipmentId }) => nameOf(equipmentId)).join(" → ");
  const text = (row: Values): string =>
    fields
      .filter(({ type }) => type !== "time")
      .map((field) => (field.type === "equipment" ? nameOf(row[field.name]) : valueText(field, row[field.name])))
      .join(name === "rows" ? " → " : " ");
  return shown.map(text).join("; ");
}

/** What a table has no room for. */
const inFormOnly: ReadonlySet<string> = new Set([
  ...["policy.setUpParts", "policy.setUpQuantity", "policy.outsidePlan", "policy.setUp"],
  ...["lineTopology.constraintOf", "countingAssignment.continuous"],
  ...["identifierRule.none", "identifierRule.prefix", "identifierRule.padTo"],
]);

const tracks: Readonly<Partial<Record<FieldEntry["type"], string>>> = {
  equipment: "minmax(100px, 2fr)",
  list: "minmax(110px, 3fr)",
  number: "minmax(94px, 132px)",
  integer: "minmax(70px, 90px)",
  duration: "minmax(94px, 132px)",
  choice: "minmax(118px, 1fr)",
  yesNo: "minmax(70px, 90px)",
};

function columnOf<K extends FormKind>(field: FieldEntry, within: string, of: (row: Row<K>) => Values): ItemColumn<K> {
  const { name, type } = field;
  const value = (row: Row<K>): string | number => {
    const raw = of(row)[name];
    if (type === "equipment") return equipmentPath(Number(raw));
    if (type === "list") return listText(field, (raw ?? []) as Values[]);
    if (type === "duration") return Number(raw) / 1e6;
    return typeof raw === "number" ? raw : valueText(field, raw);
  };
  const isNumber = type === "number" || type === "integer" || type === "duration";
  return {
    key: name,
    title: columnLabel(within, name),
    track: tracks[type] ?? "minmax(80px, 1fr)",
    ...(isNumber ? { align: "right" as const } : {}),
    value,
    cell: (row) => {
      if (name === "unit")
        return <span>{value(row) === "1" ? t("material.pieces") : unitText(String(value(row)))}</span>;
      return <span className="cell-text">{isNumber ? valueText(field, of(row)[name]) : value(row)}</span>;
    },
  };
}

/** The columns of a kind: what names it, its fields in their order, those of a group for themselves, and since when it holds. */
function columnsOf<K extends FormKind>(kind: K): ItemColumn<K>[] {
  const fields = fieldsOfKind(kind);
  const item = (row: Row<K>) => row.item as Values;
  const columns: ItemColumn<K>[] = [];
  const push = (field: FieldEntry, within: string, of: (row: Row<K>) => Values): void => {
    if (!inFormOnly.has(`${within}.${field.name}`)) columns.push(columnOf(field, within, of));
  };
  if (kindSpecs[kind].idOf === null)
    columns.push({
      key: "id",
      title: labelOf(kind, "id"),
      track: "minmax(120px, 1fr)",
      value: ({ id }) => id,
      cell: ({ id }) => <b>{id}</b>,
    });
  for (const field of fields) {
    if (field.type === "time") continue;
    if (field.type === "group")
      for (const inner of field.fields) push(inner, field.name, (row) => item(row)[field.name] as Values);
    else push(field, kind, item);
    if (field.type === "list" && kind === "lookUp")
      columns.splice(-1, 0, {
        key: "n",
        title: t("mapping.count"),
        track: "80px",
        align: "right",
        value: (row) => (item(row)[field.name] as unknown[]).length,
      });
  }
  if (kind === "idealCycleTime") columns.push(rateColumn as unknown as ItemColumn<K>);
  if (fields.some(({ name }) => name === "fromUs"))
    columns.push({
      key: "fromUs",
      title: t("cycle.valid"),
      track: "minmax(140px, 1.4fr)",
      value: (row) => Number(item(row).fromUs),
      cell: (row) => <span className="cell-text soft">{validText(item(row))}</span>,
    });
  return columns;
}

const rateOf = ({ unitsPerCycle, cycleUs }: MasterDataItem<"idealCycleTime">): number =>
  (unitsPerCycle * 3.6e9) / cycleUs;
const rateColumn: ItemColumn<"idealCycleTime"> = {
  key: "rate",
  get title() {
    return t("cycle.rate");
  },
  track: "minmax(94px, 132px)",
  align: "right",
  value: ({ item }) => rateOf(item),
  cell: ({ item }) => (
    <>
      {fmt.number(rateOf(item), 0)} <span className="unit">/h</span>
    </>
  ),
};

const validText = ({ fromUs, toUs }: Values): string =>
  rangeText(Number(fromUs), typeof toUs === "number" ? toUs : null);

/** All items of a kind: found, opened and changed by its schema, taken in and out as files. */
export function KindView<K extends FormKind>(props: ViewProps & { kind: K }) {
  const { kind } = props;
  const word: FormKind = kind;
  const columns = useMemo(() => columnsOf(kind), [kind]);
  return (
    <ItemsView
      {...props}
      kinds={[kind]}
      words={{
        label: t(`kind.${word}`),
        create: t(`new.${word}`),
        empty: t(`empty.${word}`),
        emptyHint: t(`teach.${word}`),
      }}
      columns={columns}
      textOf={(row) => [row.id, ...columns.map(({ value }) => String(value(row)))]}
      Form={(form: { base: Row<K> | null; held: Held<K>; onClose(id: string | null): void }) => (
        <KindForm kind={kind} {...form} />
      )}
    />
  );
}
