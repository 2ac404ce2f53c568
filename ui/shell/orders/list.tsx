import { type OrderProgress, type OrderState, orderStates } from "@lineshaft/contract/api";
import { type ReactNode, useMemo, useRef } from "react";
import { type Column, copyText, DataTable, type Sorting, toTsv, unitText, useRowHeight } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { equipmentName } from "../master-data/effect-view.tsx";
import { note } from "../toasts.tsx";
import { machinesOf, type OrderView, type RecordedOrder, spanOfOrder, stateOf, toldOf } from "./model.ts";

export interface OrderRow {
  order: RecordedOrder;
  progress: OrderProgress | null;
  state: OrderState;
  fromUs: number | null;
  toUs: number | null;
  machines: string;
  /** Of what was ordered; null: nothing was counted. */
  share: number | null;
}

export const rowsOf = (views: readonly OrderView[], nowUs: number): OrderRow[] =>
  views.map(({ order, progress }) => ({
    order,
    progress,
    state: stateOf(order.item, nowUs, progress),
    ...spanOfOrder(order.item, progress),
    machines: machinesOf(order.item, progress).map(equipmentName).join(", "),
    share: shareOf(order, progress),
  }));

function shareOf({ item }: RecordedOrder, progress: OrderProgress | null): number | null {
  const made = progress?.made ?? null;
  return made === null || item.quantity <= 0 ? null : (made.good + made.rework) / item.quantity;
}

/** Until when, or when it will be done as it goes. */
const endOf = ({ toUs, state, progress }: OrderRow): { us: number | null; expected: boolean } =>
  toUs === null && state === "running"
    ? { us: progress?.expectedEndUs ?? null, expected: true }
    : { us: toUs, expected: false };

const timeCell = (us: number | null): string => (us === null ? "–" : `${fmt.part(us, "day")} ${fmt.part(us, "min")}`);

function columnsOf(narrow: boolean): Column<OrderRow>[] {
  const all: (Column<OrderRow> & { wide?: true })[] = [
    {
      key: "id",
      title: t("order.id"),
      track: "minmax(124px, 1.2fr)",
      sortable: true,
      cell: ({ order }) => <b>{order.id}</b>,
    },
    {
      key: "state",
      title: t("order.stateTitle"),
      track: "124px",
      sortable: true,
      cell: ({ state, progress }) => (
        <>
          <span className={`order-word order-${state}`}>{t(`order.state.${state}`)}</span>
          {toldOf(progress).length > 0 && (
            <span className="told-mark" role="img" aria-label={t("order.told")} title={t("order.told")} />
          )}
        </>
      ),
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
      track: "104px",
      align: "right",
      sortable: true,
      cell: ({ order }) => (
        <>
          {fmt.number(order.item.quantity)} <span className="unit">{unitText(order.item.unit)}</span>
        </>
      ),
    },
    {
      key: "made",
      title: t("order.made"),
      track: "116px",
      align: "right",
      sortable: true,
      cell: ({ share, progress }) =>
        share === null ? (
          <span className="soft">–</span>
        ) : (
          <span className="made-cell">
            <i className="meter" aria-hidden="true">
              <i style={{ width: `${Math.max(0, Math.min(1, share)) * 100}%` }} />
            </i>
            <span>
              {progress?.partly === true ? "≥ " : ""}
              {fmt.percent(share)}
            </span>
          </span>
        ),
    },
    {
      key: "remaining",
      title: t("order.remaining"),
      track: "90px",
      align: "right",
      sortable: true,
      wide: true,
      cell: ({ progress, state }) =>
        progress === null || progress.remaining === null || state === "open" || state === "planned" ? (
          <span className="soft">–</span>
        ) : (
          fmt.number(progress.remaining)
        ),
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
    {
      key: "from",
      title: t("order.from"),
      track: "112px",
      sortable: true,
      wide: true,
      cell: ({ fromUs }) => timeCell(fromUs),
    },
    {
      key: "to",
      title: t("order.to"),
      track: "128px",
      sortable: true,
      wide: true,
      cell: (row) => <EndCell row={row} />,
    },
  ];
  return all.filter(({ wide }) => !narrow || wide !== true);
}

/** A guess is marked as one. */
function EndCell({ row }: { row: OrderRow }) {
  const { us, expected } = endOf(row);
  if (us === null || !expected) return timeCell(us);
  return (
    <span className="soft" title={t("order.expectedAt", { time: fmt.dateTime(us) })}>
      ≈ {timeCell(us)}
    </span>
  );
}

function textsOf(row: OrderRow): string[] {
  const { order, state, fromUs, machines, progress } = row;
  const { material, quantity, unit } = order.item;
  const { made = null, remaining = null } = progress ?? {};
  return [
    order.id,
    t(`order.state.${state}`),
    material ?? "",
    String(quantity),
    unit,
    ...(made === null ? ["", "", ""] : [made.good, made.scrap, made.rework].map(String)),
    remaining === null ? "" : String(remaining),
    machines,
    timeCell(fromUs),
    timeCell(endOf(row).us),
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
      return endOf(row).us ?? Infinity;
    case "made":
      return row.share ?? -1;
    case "remaining":
      return row.progress?.remaining ?? -1;
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
    const head = [
      "id",
      "state",
      "material",
      "quantity",
      "unit",
      "good",
      "scrap",
      "rework",
      "remaining",
      "machines",
      "from",
      "to",
    ];
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
