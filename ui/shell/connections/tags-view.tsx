import type { Connection, RawTag } from "@lineshaft/contract/api";
import { useEffect, useMemo, useState } from "react";
import { Button, DataTable, EmptyState, useRowHeight } from "../../kit/index.ts";
import { useDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { takeWorkbook } from "../machines/draft.ts";
import { AssignDialog } from "../pages/assign-dialog.tsx";
import { type ColumnKey, columnsOf } from "../pages/tag-columns.tsx";
import { go } from "../router.ts";
import { allowed } from "../session.ts";
import { useMedia } from "../use.ts";
import { useVisibleTags } from "../use-visible-tags.ts";
import { ImportTags } from "./import-tags.tsx";

const chosen: readonly ColumnKey[] = ["name", "place", "value", "unit", "quality", "age", "rate", "address"];
const trendTagsMax = 12;

/** What the connection brings, live. */
export function TagsView({ connection }: { connection: Connection }) {
  const { tags, equipment } = useDirectory("tags");
  const [filter, setFilter] = useState("");
  const [active, setActive] = useState<number | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [assigning, setAssigning] = useState(false);
  const [importing, setImporting] = useState<"no" | "asked" | File>("no");
  // A workbook that was chosen on the way here is tried now that the connection is there.
  useEffect(() => {
    const waiting = takeWorkbook();
    if (waiting !== null) setImporting(waiting);
  }, []);
  const narrow = useMedia("(max-width: 1100px)");
  const rowHeight = useRowHeight();
  const rows = useMemo(() => {
    const words = filter.toLowerCase();
    return tags.filter(
      (tag) =>
        tag.connection === connection.name &&
        (words === "" || `${tag.name ?? ""} ${tag.address}`.toLowerCase().includes(words)),
    );
  }, [tags, filter, connection.name]);
  const onVisible = useVisibleTags(rows);
  // biome-ignore lint/correctness/useExhaustiveDependencies: cells show names of equipment
  const columns = useMemo(
    () =>
      columnsOf(narrow ? chosen.filter((key) => key !== "address") : chosen, {
        renaming: null,
        onRename: () => {},
        onStopRename: () => {},
        narrow,
        inspected: false,
      }),
    [narrow, equipment],
  );
  const picked = rows.filter(({ id }) => (selected.size > 0 ? selected.has(id) : id === active));
  const trend = (some: readonly RawTag[]): void =>
    go("trends", {
      tags: some
        .slice(0, trendTagsMax)
        .map(({ id }) => id)
        .join(","),
    });
  return (
    <section className="connection-tags" aria-label={t("tags.title")}>
      <div className="toolbar">
        <input
          className="input filter"
          type="search"
          aria-label={t("list.filter")}
          placeholder={t("list.filter")}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        <span className="count" role="status">
          {t("tags.count", { n: rows.length })}
        </span>
        <span className="spring" />
        <Button icon="trends" disabled={picked.length === 0} onClick={() => trend(picked)}>
          {t("tags.trend")}
        </Button>
        {allowed("configure") && (
          <>
            <Button icon="equipment" disabled={picked.length === 0} onClick={() => setAssigning(true)}>
              {t("tags.assign")}
            </Button>
            <Button onClick={() => setImporting("asked")}>{t("importTags.button")}</Button>
          </>
        )}
      </div>
      <DataTable<RawTag>
        label={t("tags.title")}
        columns={columns}
        rows={rows}
        rowId={({ id }) => id}
        rowHeight={rowHeight}
        active={active}
        onActive={setActive}
        selected={selected}
        onSelected={setSelected}
        selectLabel={t("tags.select")}
        onOpen={(tag) => go("equipment", { node: "all", tag: tag.id })}
        onVisible={onVisible}
        empty={
          <EmptyState title={t("connection.noTags")}>
            <p>{t("connection.noTagsHint")}</p>
          </EmptyState>
        }
      />
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
      {importing !== "no" && (
        <ImportTags
          connection={connection.name}
          file={importing === "asked" ? null : importing}
          onClose={() => setImporting("no")}
        />
      )}
    </section>
  );
}
