import { t } from "../i18n.ts";
import { equipmentPath, rangeText } from "../master-data/effect-view.tsx";
import type { ItemColumn } from "../master-data/item-table.tsx";
import { ItemsView, type ViewProps } from "../master-data/items-view.tsx";
import { Findings } from "./findings.tsx";
import { LookUpForm } from "./look-up-form.tsx";
import { RuleForm } from "./rule-form.tsx";

/** Machines that tell their order, material or tool themselves: which identifier says it. */
export function IdentifierRules(props: ViewProps) {
  const columns: ItemColumn<"identifierRule">[] = [
    {
      key: "place",
      title: t("identifier.place"),
      track: "minmax(130px, 2fr)",
      value: ({ item }) => equipmentPath(item.equipmentId),
    },
    {
      key: "dimension",
      title: t("identifier.dimension"),
      track: "minmax(100px, 1fr)",
      value: ({ item }) => t(`identifier.dimension.${item.dimension}`),
    },
    {
      key: "property",
      title: t("identifier.property"),
      track: "minmax(120px, 1fr)",
      value: ({ item }) => item.property,
    },
    {
      key: "lookUp",
      title: t("identifier.lookUp"),
      track: "minmax(120px, 1fr)",
      value: ({ item }) => item.lookUp ?? t("identifier.itself"),
    },
    {
      key: "from",
      title: t("cycle.valid"),
      track: "minmax(130px, 1.4fr)",
      value: ({ item }) => item.fromUs,
      cell: ({ item }) => (
        <span className="cell-text soft">
          {item.fromUs === 0 && item.toUs === null ? t("identifier.always") : rangeText(item.fromUs, item.toUs)}
        </span>
      ),
    },
  ];
  return (
    <ItemsView
      {...props}
      head={
        <>
          {props.head}
          <Findings />
        </>
      }
      kind="identifierRule"
      kinds={["identifierRule", "lookUp"]}
      words={{
        label: t("materials.rules"),
        create: t("identifier.newRule"),
        empty: t("identifier.noRules"),
        emptyHint: t("identifier.noRulesHint"),
      }}
      columns={columns}
      textOf={({ id, item }) => [id, item.property, item.lookUp, equipmentPath(item.equipmentId)]}
      Form={RuleForm}
    />
  );
}

/** What values of identifiers stand for. */
export function LookUps(props: ViewProps) {
  const columns: ItemColumn<"lookUp">[] = [
    {
      key: "id",
      title: t("identifier.lookUp"),
      track: "minmax(120px, 1fr)",
      value: ({ id }) => id,
      cell: ({ id }) => <b>{id}</b>,
    },
    {
      key: "dimension",
      title: t("identifier.dimension"),
      track: "minmax(100px, 1fr)",
      value: ({ item }) => t(`identifier.dimension.${item.dimension}`),
    },
    {
      key: "n",
      title: t("identifier.rows"),
      track: "90px",
      align: "right",
      value: ({ item }) => item.rows.length,
    },
    {
      key: "rows",
      title: t("identifier.standFor"),
      track: "minmax(160px, 3fr)",
      value: ({ item }) =>
        item.rows
          .slice(0, 20)
          .map(({ value, id }) => `${value} → ${id}`)
          .join("; "),
    },
  ];
  return (
    <ItemsView
      {...props}
      kind="lookUp"
      kinds={["lookUp", "identifierRule"]}
      words={{
        label: t("materials.lookUps"),
        create: t("identifier.newLookUp"),
        empty: t("identifier.noLookUps"),
        emptyHint: t("identifier.noLookUpsHint"),
      }}
      columns={columns}
      textOf={({ id, item }) => [id, ...item.rows.flatMap((row) => [row.value, row.id])]}
      Form={LookUpForm}
    />
  );
}
