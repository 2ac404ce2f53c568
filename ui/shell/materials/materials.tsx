import { Segments, unitText } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { IdentifierRules, LookUps } from "../identifiers/identifiers.tsx";
import { equipmentPath, rangeText } from "../master-data/effect-view.tsx";
import type { ItemColumn } from "../master-data/item-table.tsx";
import { ItemsView, type ViewProps } from "../master-data/items-view.tsx";
import { go, usePlace } from "../router.ts";
import { CycleForm } from "./cycle-form.tsx";
import { MaterialForm } from "./material-form.tsx";
import { ReasonsView } from "./reasons.tsx";

const views = ["materials", "cycles", "reasons", "rules", "lookUps"] as const;
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
  if (view === "rules") return <IdentifierRules {...props} />;
  if (view === "lookUps") return <LookUps {...props} />;
  return view === "reasons" ? <ReasonsView {...props} /> : <Materials {...props} />;
}

function Materials(props: ViewProps) {
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
  return (
    <ItemsView
      {...props}
      kind="material"
      kinds={["material", "idealCycleTime", "reason"]}
      words={{
        label: t("materials.materials"),
        create: t("material.new"),
        empty: t("material.empty"),
        emptyHint: t("material.emptyHint"),
      }}
      columns={columns}
      textOf={({ id, item }) => [id, item.name]}
      Form={MaterialForm}
    />
  );
}

function Cycles(props: ViewProps) {
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
  return (
    <ItemsView
      {...props}
      kind="idealCycleTime"
      kinds={["idealCycleTime", "material", "reason"]}
      words={{
        label: t("materials.cycles"),
        create: t("cycle.new"),
        empty: t("cycle.empty"),
        emptyHint: t("cycle.emptyHint"),
      }}
      columns={columns}
      textOf={({ id, item }) => [id, item.material, equipmentPath(item.equipmentId)]}
      Form={CycleForm}
    />
  );
}
