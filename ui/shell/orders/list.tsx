import { type ReactNode, useMemo, useRef } from "react";
import { type Column, copyText, DataTable, type Sorting, toTsv, unitText, useRowHeight } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { equipmentName } from "../master-data/effect-view.tsx";
import { note } from "../toasts.tsx";
import { machinesOf, type OrderState, orderStates, type RecordedOrder, spanOfOrder, stateOf } from "./model.ts";

export interface OrderRow {
  order: RecordedOrder;
  state: OrderState;
  fromUs: number | null;
  toUs: number | null;
  machines: string;
}

export const rowsOf = (orders: readonly RecordedOrder[], nowUs: number): OrderRow[] =>
  orders.map((order) => ({
    order,
    state: stateOf(order.item, nowUs),
    ...spanOfOrder(order.item),
    machines: machinesOf(order.item).map(equipmentName).join(", "),
  }));

const timeCell = (us: number | null): string => (us === null ? "–" : `${fmt.part(us, "day")} ${fmt.part(us, "min")}`);

function columnsOf(narrow: boolean): Column<OrderRow>[] {
  const all: (Column<OrderRow> & { wide?: true })[] = [
    {
      key: "id",
      title: t("order.id"),
      track: "minmax(96px, 1.2fr)",
      sortable: true,
      cell: ({ order }) => <b>{order.id}</b>,
    },
    {
      key: "state",
      title: t("order.stateTitle"),
      track: "124px",
      sortable: true,
      cell: ({ state }) => <span className={`order-word order-${state}`}>{t(`order.state.${state}`)}</span>,
    },
    {
      key: "material",
      title: t("order.material"),
      track: "minmax(90px, 1.2fr)",
      sortable: true,
      cell: ({ order }) => <span className="cell-text">{order.item.material ?? "–"}</span>,
    },
    {
      key: "quantity",
      title: t("order.quantity"),
      track: "90px",
      align: "right",
      sortable: true,
      cell: ({ order }) => fmt.number(order.item.quantity),
    },
    {
      key: "unit",
      title: <span className="unseen">{t("order.unit")}</span>,
      track: "44px",
      cell: ({ order }) => <span className="unit">{unitText(order.item.unit)}</span>,
    },
    {
      key: "machines",
      title: t("order.machines"),
      track: "minmax(100px, 2fr)",
      cell: ({ machines }) => (
        <span className="cell-text soft" title={machines}>
          {machines}
        </span>
      ),
    },
    { key: "from", title: t("order.from"), track: "112px", sortable: true, cell: ({ fromUs }) => timeCell(fromUs) },
    { key: "to", title: t("order.to"), track: "112px", sortable: true, wide: true, cell: ({ toUs }) => timeCell(toUs) },
  ];
  return all.filter(({ wide }) => !narrow || wide !== true);
}

function textsOf({ order, state, fromUs, toUs, machines }: OrderRow): string[] {
  const { material, quantity, unit } = order.item;
  return [
    order.id,
    t(`order.state.${state}`),
    material ?? "",
    String(quantity),
    unit,
    machines,
    timeCell(fromUs),
    timeCell(toUs),
  ];
}

const sortedBy = (row: OrderRow, key: string): string | number => {
  switch (key) {
    case "state":
      return orderStates.indexOf(row.state);
    case "material":
      return row.order.item.material ?? "";
    case "quantity":
      return row.order.item.quantity;
    case "from":
      return row.fromUs ?? Infinity;
    case "to":
      return row.toUs ?? Infinity;
    default:
      return row.order.id;
  }
};

export function sortRows(rows: readonly OrderRow[], { key, down }: Sorting): OrderRow[] {
  const collator = new Intl.Collator(fmt.locale, { numeric: true });
  const compare = (a: string | number, b: string | number): number =>
    typeof a === "number" && typeof b === "number"
      ? a === b
        ? 0
        : a < b
          ? -1
          : 1
      : collator.compare(String(a), String(b));
  return [...rows].sort(
    (a, b) => (down ? -1 : 1) * compare(sortedBy(a, key), sortedBy(b, key)) || collator.compare(a.order.id, b.order.id),
  );
}

const none: ReadonlySet<number> = new Set();

export function OrderList(props: {
  rows: readonly OrderRow[];
  selected: string | null;
  sorting: Sorting;
  narrow: boolean;
  pending: ReadonlySet<string>;
  rolledBack: ReadonlySet<string>;
  onSelect(id: string): void;
  onOpen(id: string): void;
  onSorting(sorting: Sorting): void;
  empty: ReactNode;
}) {
  const rowHeight = useRowHeight();
  const columns = useMemo(() => columnsOf(props.narrow), [props.narrow]);
  // The table knows rows by number.
  const numbers = useRef(new Map<string, number>());
  const numberOf = (id: string): number => {
    const known = numbers.current.get(id) ?? numbers.current.size;
    numbers.current.set(id, known);
    return known;
  };
  const idOf = (number: number): string | undefined =>
    props.rows.find(({ order }) => numberOf(order.id) === number)?.order.id;
  const copy = (): void => {
    const head = columnsOf(false).map(({ key }) => key);
    void copyText(toTsv([head, ...props.rows.map(textsOf)])).then((done) =>
      note(done ? t("copy.rows", { n: props.rows.length }) : t("copy.failed")),
    );
  };
  return (
    <DataTable<OrderRow>
      label={t("page.orders")}
      columns={columns}
      rows={props.rows}
      rowId={({ order }) => numberOf(order.id)}
      rowHeight={rowHeight}
      rowClass={({ order }) =>
        props.pending.has(order.id) ? "pending" : props.rolledBack.has(order.id) ? "rolled-back" : ""
      }
      active={props.selected === null ? null : numberOf(props.selected)}
      onActive={(number) => {
        const id = idOf(number);
        if (id !== undefined) props.onSelect(id);
      }}
      selected={none}
      onSelected={() => {}}
      selectLabel=""
      selectable={false}
      sorting={props.sorting}
      onSorting={props.onSorting}
      onOpen={({ order }) => props.onOpen(order.id)}
      onKey={(event) => {
        if (!((event.ctrlKey || event.metaKey) && event.key === "c")) return false;
        copy();
        return true;
      }}
      empty={props.empty}
    />
  );
}
