import { useMemo, useState } from "react";
import { Button, EmptyState, Segments, unitText } from "../../kit/index.ts";
import { matches } from "../directory.ts";
import { fmt, t } from "../i18n.ts";
import { equipmentPath, rangeText } from "../master-data/effect-view.tsx";
import { HistoryDialog } from "../master-data/history-dialog.tsx";
import { type ItemColumn, ItemTable } from "../master-data/item-table.tsx";
import { useMasterData } from "../master-data/store.ts";
import { TransferButtons } from "../master-data/transfer.tsx";
import { ProblemView } from "../problem.tsx";
import { go, usePlace } from "../router.ts";
import { allowed } from "../session.ts";
import { CycleForm } from "./cycle-form.tsx";
import { MaterialForm } from "./material-form.tsx";
import { ReasonsView } from "./reasons.tsx";

const views = ["materials", "cycles", "reasons"] as const;
type View = (typeof views)[number];

/** What is made, how fast at best, and why it stops: what every number is measured by. */
export function MaterialsPage() {
  const { query } = usePlace();
  const view = views.find((one) => one === query.get("view")) ?? "materials";
  const filter = query.get("q") ?? "";
  const place = (part: Record<string, string | null>): void =>
    go("materials", { ...Object.fromEntries(query), ...part }, "replace");
  const head = (
    <>
      <Segments<View>
        label={t("materials.view")}
        value={view}
        choices={views.map((value) => ({ value, label: t(`materials.${value}`) }))}
        onChange={(next) => place({ view: next === "materials" ? null : next, at: null, q: null })}
      />
      <input
        className="input filter"
        type="search"
        aria-label={t("materials.filter")}
        placeholder={t("materials.filter")}
        value={filter}
        onChange={(event) => place({ q: event.target.value })}
      />
    </>
  );
  const props = { head, filter, selected: query.get("at"), onSelect: (at: string | null) => place({ at }) };
  if (view === "cycles") return <Cycles {...props} />;
  return view === "reasons" ? <ReasonsView {...props} /> : <Materials {...props} />;
}

export interface ViewProps {
  head: React.ReactNode;
  filter: string;
  selected: string | null;
  onSelect(id: string | null): void;
}

function Materials({ head, filter, selected, onSelect }: ViewProps) {
  const held = useMasterData("material");
  const [editing, setEditing] = useState<string | null>(null);
  const [history, setHistory] = useState(false);
  const may = allowed("configure");
  const rows = useMemo(
    () => held.items.filter(({ id, item }) => filter === "" || matches(filter, id, item.name)),
    [held.items, filter],
  );
  const columns: ItemColumn<"material">[] = [
    {
      key: "id",
      title: t("material.id"),
      track: "minmax(120px, 1fr)",
      value: ({ id }) => id,
      cell: ({ id }) => <b>{id}</b>,
    },
    { key: "name", title: t("material.name"), track: "minmax(140px, 2fr)", value: ({ item }) => item.name ?? "" },
    {
      key: "unit",
      title: t("material.unit"),
      track: "90px",
      value: ({ item }) => item.unit,
      cell: ({ item }) => <span>{item.unit === "1" ? t("material.pieces") : unitText(item.unit)}</span>,
    },
    {
      key: "conversions",
      title: t("material.conversions"),
      track: "minmax(140px, 2fr)",
      value: ({ item }) =>
        item.conversions.map(({ unit, factor }) => `1 = ${fmt.number(factor, 9)} ${unit}`).join("; "),
    },
  ];
  const dialog = editing !== null && (
    <MaterialForm
      base={held.items.find(({ id }) => id === editing) ?? null}
      held={held}
      onClose={(id) => {
        setEditing(null);
        if (id !== null) onSelect(id);
      }}
    />
  );
  const add = may && (
    <Button kind="main" icon="plus" onClick={() => setEditing("")}>
      {t("material.new")}
    </Button>
  );
  if (held.state === "failed")
    return (
      <div className="page-scroll">
        <ProblemView error={held.error} />
      </div>
    );
  if (held.state === "loading") return <p className="quiet-wait">{t("wait.materials")}</p>;
  return (
    <div className="plan-page">
      <section className="plan-main" aria-label={t("materials.materials")}>
        <div className="toolbar">
          {head}
          <span className="count" role="status">
            {t("materials.count", { n: rows.length })}
          </span>
          <span className="spring" />
          <TransferButtons kinds={["material", "idealCycleTime", "reason"]} />
          <Button
            disabled={selected === null || !held.items.some(({ id }) => id === selected)}
            icon="restart"
            onClick={() => setHistory(true)}
          >
            {t("history.button")}
          </Button>
          {add}
        </div>
        <ItemTable
          label={t("materials.materials")}
          held={held}
          rows={rows}
          columns={columns}
          selected={selected}
          onSelect={onSelect}
          onOpen={(id) => may && setEditing(id)}
          empty={
            <EmptyState title={t(held.items.length === 0 ? "material.empty" : "materials.noneFits")}>
              {held.items.length === 0 && <p>{t("material.emptyHint")}</p>}
              {held.items.length === 0 && add}
            </EmptyState>
          }
        />
      </section>
      {dialog}
      {history && selected !== null && (
        <HistoryDialog kind="material" id={selected} onClose={() => setHistory(false)} />
      )}
    </div>
  );
}

function Cycles({ head, filter, selected, onSelect }: ViewProps) {
  const held = useMasterData("idealCycleTime");
  const [editing, setEditing] = useState<string | null>(null);
  const [history, setHistory] = useState(false);
  const may = allowed("configure");
  const rows = useMemo(
    () =>
      held.items.filter(
        ({ id, item }) => filter === "" || matches(filter, id, item.material, equipmentPath(item.equipmentId)),
      ),
    [held.items, filter],
  );
  const columns: ItemColumn<"idealCycleTime">[] = [
    {
      key: "equipment",
      title: t("cycle.equipment"),
      track: "minmax(160px, 2fr)",
      value: ({ item }) => equipmentPath(item.equipmentId),
    },
    {
      key: "material",
      title: t("cycle.material"),
      track: "minmax(110px, 1fr)",
      value: ({ item }) => item.material ?? t("cycle.any"),
    },
    {
      key: "cycle",
      title: t("cycle.seconds"),
      track: "110px",
      align: "right",
      value: ({ item }) => item.cycleUs / 1e6,
      cell: ({ item }) => (
        <>
          {fmt.number(item.cycleUs / 1e6, 6)} <span className="unit">s</span>
        </>
      ),
    },
    {
      key: "units",
      title: t("cycle.units"),
      track: "110px",
      align: "right",
      value: ({ item }) => item.unitsPerCycle,
      cell: ({ item }) => fmt.number(item.unitsPerCycle, 6),
    },
    {
      key: "rate",
      title: t("cycle.rate"),
      track: "110px",
      align: "right",
      value: ({ item }) => (item.unitsPerCycle * 3.6e9) / item.cycleUs,
      cell: ({ item }) => (
        <>
          {fmt.number((item.unitsPerCycle * 3.6e9) / item.cycleUs, 0)} <span className="unit">/h</span>
        </>
      ),
    },
    {
      key: "from",
      title: t("cycle.valid"),
      track: "minmax(190px, 1.4fr)",
      value: ({ item }) => item.fromUs,
      cell: ({ item }) => <span className="cell-text soft">{rangeText(item.fromUs, item.toUs)}</span>,
    },
  ];
  const add = may && (
    <Button kind="main" icon="plus" onClick={() => setEditing("")}>
      {t("cycle.new")}
    </Button>
  );
  if (held.state === "failed")
    return (
      <div className="page-scroll">
        <ProblemView error={held.error} />
      </div>
    );
  if (held.state === "loading") return <p className="quiet-wait">{t("wait.materials")}</p>;
  return (
    <div className="plan-page">
      <section className="plan-main" aria-label={t("materials.cycles")}>
        <div className="toolbar">
          {head}
          <span className="count" role="status">
            {t("materials.count", { n: rows.length })}
          </span>
          <span className="spring" />
          <TransferButtons kinds={["idealCycleTime", "material", "reason"]} />
          <Button
            disabled={selected === null || !held.items.some(({ id }) => id === selected)}
            icon="restart"
            onClick={() => setHistory(true)}
          >
            {t("history.button")}
          </Button>
          {add}
        </div>
        <ItemTable
          label={t("materials.cycles")}
          held={held}
          rows={rows}
          columns={columns}
          selected={selected}
          onSelect={onSelect}
          onOpen={(id) => may && setEditing(id)}
          empty={
            <EmptyState title={t(held.items.length === 0 ? "cycle.empty" : "materials.noneFits")}>
              {held.items.length === 0 && <p>{t("cycle.emptyHint")}</p>}
              {held.items.length === 0 && add}
            </EmptyState>
          }
        />
      </section>
      {editing !== null && (
        <CycleForm
          base={held.items.find(({ id }) => id === editing) ?? null}
          held={held}
          onClose={(id) => {
            setEditing(null);
            if (id !== null) onSelect(id);
          }}
        />
      )}
      {history && selected !== null && (
        <HistoryDialog kind="idealCycleTime" id={selected} onClose={() => setHistory(false)} />
      )}
    </div>
  );
}
