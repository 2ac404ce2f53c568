import { dayUs, hourUs, orderStates } from "@lineshaft/contract/api";
import { useMemo, useState } from "react";
import { Button, EmptyState, Segments, type Sorting, type TimeRange } from "../../kit/index.ts";
import { matches, useDirectory } from "../directory.ts";
import { fmt, t } from "../i18n.ts";
import { useMasterData } from "../master-data/store.ts";
import { TransferButtons } from "../master-data/transfer.tsx";
import { ProblemView } from "../problem.tsx";
import { go, usePlace } from "../router.ts";
import { allowed } from "../session.ts";
import { useMedia, useNow } from "../use.ts";
import { Board } from "./board.tsx";
import { useWorkUnits } from "./fields.tsx";
import { OrderInspector } from "./inspector.tsx";
import { OrderList, rowsOf, sortRows } from "./list.tsx";
import { machinesOf, type OrderView } from "./model.ts";
import { OrderDialog } from "./order-dialog.tsx";
import { useProgresses } from "./progress.ts";

const spans = { day: dayUs, days: 3 * dayUs, week: 7 * dayUs } as const;
type Span = keyof typeof spans;
const fileKinds = ["order", "setUp", "booking", "lateScrap"] as const;
const shows = ["current", "all", ...orderStates] as const;
type Show = (typeof shows)[number];

/** What should run when, on which machine, and how far it is. */
export function OrdersPage() {
  const { query } = usePlace();
  const { state: directoryState } = useDirectory();
  const orders = useMasterData("order");
  const workUnits = useWorkUnits();
  const now = useNow();
  const narrow = useMedia("(max-width: 1100px)");
  const [editing, setEditing] = useState<string | null>(null);
  const view = query.get("view") === "list" ? "list" : "board";
  const filter = query.get("q") ?? "";
  const show = shows.find((one) => one === query.get("show")) ?? "current";
  const span = (query.get("span") ?? "day") as Span;
  const selected = query.get("order");
  const sort = query.get("sort") ?? "from";
  const sorting = useMemo((): Sorting => ({ key: sort.replace("-", ""), down: sort.startsWith("-") }), [sort]);
  const length = spans[span] ?? spans.day;
  // Without a place of its own the board follows now, a third of it past.
  const minute = now - (now % 60_000_000);
  // What was ended a moment ago is no longer running.
  const second = now - (now % 1_000_000);
  const follows = query.get("from") === null;
  const fromUs = follows ? Math.floor((minute - length / 3) / hourUs) * hourUs : Number(query.get("from"));
  const range = useMemo((): TimeRange => ({ fromUs, toUs: fromUs + length }), [fromUs, length]);
  const place = (part: Record<string, string | number | null>): void =>
    go("orders", { ...Object.fromEntries(query), ...part }, "replace");

  const progresses = useProgresses(orders.items);
  const views = useMemo(
    () => orders.items.map((order): OrderView => ({ order, progress: progresses.of(order.id) })),
    [orders.items, progresses],
  );
  const found = useMemo(
    () =>
      rowsOf(views, second).filter(
        ({ order, machines }) => filter === "" || matches(filter, order.id, order.item.material, machines),
      ),
    [views, second, filter],
  );
  const counts = useMemo(() => Map.groupBy(found, ({ state }) => state), [found]);
  const rows = useMemo(() => {
    const shown = found.filter(
      ({ state }) => show === "all" || (show === "current" ? state !== "finished" : state === show),
    );
    return sortRows(shown, sorting);
  }, [found, show, sorting]);
  // The board is of a stretch of time: what ended in it belongs to it.
  const placed = useMemo(
    () => (show === "current" ? found : rows).map(({ order, progress }): OrderView => ({ order, progress })),
    [show, found, rows],
  );
  const machines = useMemo(() => {
    const used = new Set(views.flatMap(({ order, progress }) => machinesOf(order.item, progress)));
    const units = workUnits.map(({ id }) => id);
    return [...units, ...[...used].filter((id) => !units.includes(id))];
  }, [views, workUnits]);
  const chosen = selected === null ? undefined : views.find(({ order }) => order.id === selected);
  const may = allowed("book");
  const edited = editing === null || editing === "" ? null : (orders.items.find(({ id }) => id === editing) ?? null);

  if (orders.state === "failed")
    return (
      <div className="page-scroll">
        <ProblemView error={orders.error} />
      </div>
    );
  if (orders.state === "loading" || directoryState === "loading")
    return <p className="quiet-wait">{t("wait.orders")}</p>;
  const dialog = editing !== null && (
    <OrderDialog
      order={edited}
      onClose={(id) => {
        setEditing(null);
        if (id !== null) place({ order: id });
      }}
    />
  );
  if (orders.items.length === 0)
    return (
      <div className="page-scroll">
        <EmptyState title={t("orders.empty")}>
          <p>{t("orders.emptyHint")}</p>
          <div className="form-buttons">
            {may && workUnits.length > 0 && (
              <Button kind="main" icon="plus" onClick={() => setEditing("")}>
                {t("order.new")}
              </Button>
            )}
            <TransferButtons kinds={fileKinds} />
          </div>
          {workUnits.length === 0 && <p>{t("orders.noMachines")}</p>}
        </EmptyState>
        {dialog}
      </div>
    );
  return (
    <div className={`plan-page ${chosen === undefined ? "" : "with-inspector"}`}>
      <section className="plan-main" aria-label={t("page.orders")}>
        <div className="toolbar">
          <Segments
            label={t("orders.view")}
            value={view}
            choices={[
              { value: "board", label: t("orders.board") },
              { value: "list", label: t("orders.list") },
            ]}
            onChange={(next) => place({ view: next === "board" ? null : next })}
          />
          <input
            className="input filter"
            type="search"
            aria-label={t("orders.filter")}
            placeholder={t("orders.filter")}
            value={filter}
            onChange={(event) => place({ q: event.target.value })}
          />
          <select
            className="input auto"
            aria-label={t("orders.show")}
            value={show}
            onChange={(event) =>
              place({ show: event.target.value === "current" ? null : (event.target.value as Show) })
            }
          >
            {shows.map((one) => (
              <option key={one} value={one}>
                {one === "all" || one === "current"
                  ? t(`orders.show.${one}`)
                  : `${t(`order.state.${one}`)} (${fmt.integer(counts.get(one)?.length ?? 0)})`}
              </option>
            ))}
          </select>
          <span className="count" role="status">
            {t("orders.count", { n: rows.length })}
          </span>
          <span className="spring" />
          <TransferButtons kinds={fileKinds} />
          {may && (
            <Button kind="main" icon="plus" onClick={() => setEditing("")}>
              {t("order.new")}
            </Button>
          )}
        </div>
        {view === "board" ? (
          <>
            <div className="toolbar">
              <Segments<Span>
                label={t("orders.span")}
                value={span}
                choices={(Object.keys(spans) as Span[]).map((value) => ({ value, label: t(`orders.span.${value}`) }))}
                onChange={(next) => place({ span: next === "day" ? null : next })}
              />
              <Button
                kind="quiet"
                icon="left"
                aria-label={t("orders.earlier")}
                title={t("orders.earlier")}
                onClick={() => place({ from: fromUs - length / 2 })}
              />
              <span className="nowrap">
                {fmt.date(range.fromUs)} – {fmt.date(range.toUs)}
              </span>
              <Button
                kind="quiet"
                icon="right"
                aria-label={t("orders.later")}
                title={t("orders.later")}
                onClick={() => place({ from: fromUs + length / 2 })}
              />
              <Button disabled={follows} onClick={() => place({ from: null })}>
                {t("orders.now")}
              </Button>
              <Legend />
            </div>
            <Board
              views={placed}
              machines={machines}
              range={range}
              nowUs={second}
              busyOnly={filter !== "" || (show !== "current" && show !== "all")}
              selected={selected}
              pending={orders.pending}
              rolledBack={orders.rolledBack}
              onSelect={(id) => place({ order: id })}
              onOpen={(id) => may && setEditing(id)}
              onPan={(share) => place({ from: Math.round(fromUs + share * length) })}
            />
          </>
        ) : (
          <OrderList
            rows={rows}
            selected={selected}
            sorting={sorting}
            narrow={narrow || chosen !== undefined}
            pending={orders.pending}
            rolledBack={orders.rolledBack}
            onSelect={(id) => place({ order: id })}
            onOpen={(id) => may && setEditing(id)}
            onSorting={({ key, down }) => place({ sort: `${down ? "-" : ""}${key}` })}
            empty={
              <EmptyState title={t("orders.noneFits")}>
                <Button onClick={() => place({ q: null, show: "all" })}>{t("orders.showAll")}</Button>
              </EmptyState>
            }
          />
        )}
      </section>
      {chosen !== undefined && (
        <OrderInspector
          key={chosen.order.id}
          view={chosen}
          waiting={progresses.loading}
          onClose={() => place({ order: null })}
          onEdit={() => setEditing(chosen.order.id)}
        />
      )}
      {dialog}
    </div>
  );
}

function Legend() {
  return (
    <ul className="board-legend" aria-hidden="true">
      {(["running", "interrupted", "planned", "finished"] as const).map((state) => (
        <li key={state}>
          <i className={`board-swatch order-${state}`} />
          {t(`order.state.${state}`)}
        </li>
      ))}
    </ul>
  );
}
