import type { MasterDataItem, Recorded } from "@lineshaft/contract/api";
import { type ReactNode, useMemo, useRef, useState } from "react";
import { type Column, copyText, DataTable, type Sorting, toTsv, useRowHeight } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { note } from "../toasts.tsx";
import type { Held, PlanKind } from "./store.ts";

export interface ItemColumn<K extends PlanKind> {
  key: string;
  title: string;
  track: string;
  align?: "right";
  /** What it is sorted and copied by. */
  value(row: Recorded<MasterDataItem<K>>): string | number;
  cell?(row: Recorded<MasterDataItem<K>>): ReactNode;
}

const none: ReadonlySet<number> = new Set();

/** Items of a kind as a dense table: sorted, copied, chosen by keyboard; what is on its way or was set back is marked. */
export function ItemTable<K extends PlanKind>(props: {
  label: string;
  held: Held<K>;
  rows: readonly Recorded<MasterDataItem<K>>[];
  columns: readonly ItemColumn<K>[];
  selected: string | null;
  onSelect(id: string): void;
  onOpen(id: string): void;
  empty: ReactNode;
}) {
  const rowHeight = useRowHeight();
  const [sorting, setSorting] = useState<Sorting>({ key: props.columns[0].key, down: false });
  const rows = useMemo(() => {
    const collator = new Intl.Collator(fmt.locale, { numeric: true });
    const by = props.columns.find(({ key }) => key === sorting.key) ?? props.columns[0];
    const compare = (a: string | number, b: string | number): number =>
      typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
    return [...props.rows].sort((a, b) => (sorting.down ? -1 : 1) * compare(by.value(a), by.value(b)));
  }, [props.rows, props.columns, sorting]);
  const columns = props.columns.map(
    (one): Column<Recorded<MasterDataItem<K>>> => ({
      key: one.key,
      title: one.title,
      track: one.track,
      ...(one.align === undefined ? {} : { align: one.align }),
      sortable: true,
      cell: one.cell ?? ((row) => <span className="cell-text">{one.value(row)}</span>),
    }),
  );
  // The table knows rows by number.
  const numbers = useRef(new Map<string, number>());
  const numberOf = (id: string): number => {
    const known = numbers.current.get(id) ?? numbers.current.size;
    numbers.current.set(id, known);
    return known;
  };
  const copy = (): void => {
    const lines = rows.map((row) => props.columns.map((one) => String(one.value(row))));
    void copyText(toTsv([props.columns.map(({ title }) => title), ...lines])).then((done) =>
      note(done ? t("copy.rows", { n: rows.length }) : t("copy.failed")),
    );
  };
  return (
    <DataTable
      label={props.label}
      columns={columns}
      rows={rows}
      rowId={({ id }) => numberOf(id)}
      rowHeight={rowHeight}
      rowClass={({ id }) =>
        props.held.pending.has(id) ? "pending" : props.held.rolledBack.has(id) ? "rolled-back" : ""
      }
      active={props.selected === null ? null : numberOf(props.selected)}
      onActive={(number) => {
        const row = rows.find(({ id }) => numberOf(id) === number);
        if (row !== undefined) props.onSelect(row.id);
      }}
      selected={none}
      onSelected={() => {}}
      selectLabel=""
      selectable={false}
      sorting={sorting}
      onSorting={setSorting}
      onOpen={({ id }) => props.onOpen(id)}
      onKey={(event) => {
        if (!((event.ctrlKey || event.metaKey) && event.key === "c")) return false;
        copy();
        return true;
      }}
      empty={props.empty}
    />
  );
}
