import type { Equipment, RawTag } from "@lineshaft/contract/api";
import { useMemo, useState } from "react";
import { Button, copyText, DataTable, EmptyState, type Sorting, useRowHeight } from "../../kit/index.ts";
import { changeTag, getDirectory, matches, tagPlace, useDirectory } from "../directory.ts";
import { live } from "../feed.ts";
import { FirstBatch } from "../first-batch.tsx";
import { HealthStrip } from "../health-strip.tsx";
import { t } from "../i18n.ts";
import { MappingErrorList } from "../mapping/mapping-errors.tsx";
import { go, link, usePlace } from "../router.ts";
import { allowed } from "../session.ts";
import { note } from "../toasts.tsx";
import { useMedia } from "../use.ts";
import { useVisibleTags } from "../use-visible-tags.ts";
import { AssignDialog } from "./assign-dialog.tsx";
import { EquipmentTree } from "./equipment-tree.tsx";
import { ColumnChoice, type ColumnKey, columnsOf, sortTags, tagsAsTsv, useChosenColumns } from "./tag-columns.tsx";
import { TagInspector } from "./tag-inspector.tsx";

/** Tags that a trend opened from the table shows at most. */
const openedTagsMax = 12;

/** The tags that belong to a node of the tree. */
function tagsOf(node: string, tags: readonly RawTag[]): readonly RawTag[] {
  if (node === "all") return tags;
  if (node === "u") return tags.filter((tag) => tag.equipmentId === null);
  if (node.startsWith("c:")) return tags.filter((tag) => tag.equipmentId === null && tag.connection === node.slice(2));
  const { equipment } = getDirectory();
  const within = new Set([Number(node.slice(2))]);
  // Tree order: parents come before their children.
  for (const item of equipment) if (item.parentId !== null && within.has(item.parentId)) within.add(item.id);
  return tags.filter((tag) => tag.equipmentId !== null && within.has(tag.equipmentId));
}

/** By place as the tree shows it, then as they were registered; what has no place stands last. */
function inTreeOrder(tags: readonly RawTag[]): readonly RawTag[] {
  const rank = new Map(getDirectory().equipment.map((item, i) => [item.id, i]));
  const rankOf = (tag: RawTag): number =>
    tag.equipmentId === null ? Infinity : (rank.get(tag.equipmentId) ?? Infinity);
  // Infinity − Infinity is no order, hence the comparison.
  return [...tags].sort((a, b) => (rankOf(a) === rankOf(b) ? a.id - b.id : rankOf(a) < rankOf(b) ? -1 : 1));
}

export function EquipmentPage() {
  const { query } = usePlace();
  const directory = useDirectory("tags", "connections");
  const node = query.get("node") ?? "all";
  const filter = query.get("q") ?? "";
  const active = query.get("tag") === null ? null : Number(query.get("tag"));
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const [renaming, setRenaming] = useState<number | null>(null);
  const [assigning, setAssigning] = useState(false);
  const [chosen, setChosen] = useChosenColumns();
  const narrow = useMedia("(max-width: 1100px)");
  const activeTag = active === null ? undefined : directory.tagById.get(active);
  // The inspector takes its room from the table.
  const tight = narrow || activeTag !== undefined;
  const rowHeight = useRowHeight();
  const place = (part: Record<string, string | number | null>): void =>
    go("equipment", { node: node === "all" ? null : node, q: filter, tag: active, ...part }, "replace");

  // biome-ignore lint/correctness/useExhaustiveDependencies: places are names of equipment
  const rows = useMemo(() => {
    const there = tagsOf(node, directory.tags);
    const fitting =
      filter === ""
        ? there
        : there.filter((tag) => matches(filter, tag.name, tag.address, tagPlace(tag), tag.connection));
    return sorting === null ? inTreeOrder(fitting) : sortTags(fitting, sorting, live);
  }, [node, filter, sorting, directory.tags, directory.equipment]);

  const onVisible = useVisibleTags(rows);

  const configure = allowed("configure");
  // biome-ignore lint/correctness/useExhaustiveDependencies: cells show names of equipment; `rename` closes over nothing that changes
  const columns = useMemo(
    () =>
      columnsOf(chosen, {
        ...{ renaming, onRename: rename, onStopRename: () => setRenaming(null) },
        ...{ narrow: tight, inspected: activeTag !== undefined },
      }),
    [chosen, renaming, tight, activeTag === undefined, directory.equipment],
  );
  function rename(tag: RawTag, name: string): void {
    setRenaming(null);
    void changeTag(tag, { name: name === "" || name === tag.address ? null : name });
  }
  const chosenTags = (): RawTag[] => {
    const ids = selected.size > 0 ? selected : new Set(active === null ? [] : [active]);
    return rows.filter((tag) => ids.has(tag.id));
  };
  const openTrend = (tags: readonly RawTag[]): void =>
    go("trends", {
      tags: tags
        .slice(0, openedTagsMax)
        .map((tag) => tag.id)
        .join(","),
    });
  const copy = (): void => {
    const tags = chosenTags();
    const some = tags.length > 0 ? tags : rows;
    void copyText(tagsAsTsv(some, chosen, live)).then((done) =>
      note(done ? t("copy.rows", { n: some.length }) : t("copy.failed")),
    );
  };

  const picked = chosenTags();
  if (directory.state === "ready" && directory.tags.length === 0)
    return (
      <div className="page-scroll">
        <FirstBatch orMachine />
      </div>
    );

  return (
    <div className={`equipment ${activeTag === undefined ? "" : "with-inspector"}`}>
      <EquipmentTree
        selected={node}
        onSelect={(id) => {
          setSelected(new Set());
          place({ node: id === "all" ? null : id, tag: null });
        }}
      />
      <section className="tags" aria-label={t("tags.title")}>
        <HealthStrip />
        <MappingErrorList />
        <Path node={node} />
        <div className="toolbar">
          <input
            className="input filter"
            type="search"
            aria-label={t("tags.filter")}
            placeholder={t("tags.filter")}
            value={filter}
            onChange={(event) => place({ q: event.target.value })}
          />
          <span className="count" role="status">
            {picked.length > 0 && selected.size > 0
              ? t("tags.selected", { n: picked.length, of: rows.length })
              : t("tags.count", { n: rows.length })}
          </span>
          <span className="spring" />
          <Button icon="trends" disabled={picked.length === 0} onClick={() => openTrend(picked)}>
            {t("tags.trend")}
          </Button>
          {configure && (
            <Button icon="equipment" disabled={picked.length === 0} onClick={() => setAssigning(true)}>
              {t("tags.assign")}
            </Button>
          )}
          <Button icon="copy" onClick={copy} title={t("copy.tsv")} aria-label={t("copy.tsv")}>
            {tight ? undefined : t("copy")}
          </Button>
          <ColumnChoice chosen={chosen} onChosen={setChosen} narrow={tight} />
        </div>
        <DataTable<RawTag>
          label={t("tags.title")}
          columns={columns}
          rows={rows}
          rowId={(tag) => tag.id}
          rowHeight={rowHeight}
          rowClass={(tag) =>
            directory.pending.has(`tag:${tag.id}`)
              ? "pending"
              : directory.rolledBack.has(`tag:${tag.id}`)
                ? "rolled-back"
                : ""
          }
          active={active}
          onActive={(id) => place({ tag: id })}
          selected={selected}
          onSelected={setSelected}
          selectLabel={t("tags.select")}
          sorting={sorting}
          onSorting={(next) => setSorting(next as Sorting & { key: ColumnKey })}
          onOpen={(tag) => openTrend(picked.some((one) => one.id === tag.id) ? picked : [tag])}
          onKey={(event, tag) => {
            if ((event.ctrlKey || event.metaKey) && event.key === "c") copy();
            else if (event.key === "F2" && tag !== null && configure) setRenaming(tag.id);
            else if (event.key === "a" && !event.ctrlKey && !event.metaKey && picked.length > 0 && configure)
              setAssigning(true);
            else return false;
            return true;
          }}
          onVisible={onVisible}
          empty={
            directory.state === "loading" ? (
              <p className="quiet-wait">{t("wait.tags")}</p>
            ) : (
              <EmptyState title={filter === "" ? t("tags.noneHere") : t("tags.noneFits")}>
                <p>{filter === "" ? t("tags.noneHereHint") : t("tags.noneFitsHint")}</p>
                {filter !== "" && <Button onClick={() => place({ q: null })}>{t("tags.clearFilter")}</Button>}
              </EmptyState>
            )
          }
        />
        {directory.moreTags && <p className="footnote">{t("tags.more", { n: directory.tags.length })}</p>}
      </section>
      {activeTag !== undefined && (
        <TagInspector
          key={activeTag.id}
          tag={activeTag}
          onClose={() => place({ tag: null })}
          onTrend={() => openTrend([activeTag])}
          onAssign={() => setAssigning(true)}
        />
      )}
      {assigning && (
        <AssignDialog
          tags={picked}
          onClose={() => setAssigning(false)}
          onDone={() => {
            setAssigning(false);
            setSelected(new Set());
          }}
        />
      )}
    </div>
  );
}

/** The ISA-95 path of what is selected, each part a link. */
function Path({ node }: { node: string }) {
  const { equipmentById } = useDirectory();
  const parts: Equipment[] = [];
  let at = node.startsWith("e:") ? equipmentById.get(Number(node.slice(2))) : undefined;
  for (; at !== undefined; at = at.parentId === null ? undefined : equipmentById.get(at.parentId)) parts.unshift(at);
  if (parts.length === 0) return null;
  return (
    <nav className="path" aria-label={t("tree.path")}>
      {parts.map((item) => (
        <a
          key={item.id}
          title={t(`level.${item.level}`)}
          aria-current={item === parts[parts.length - 1] ? "location" : undefined}
          {...link("equipment", { node: `e:${item.id}` })}
        >
          {item.name}
        </a>
      ))}
    </nav>
  );
}
