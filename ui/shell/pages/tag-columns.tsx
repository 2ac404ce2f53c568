import { qualityOf, type RawTag } from "@lineshaft/contract/api";
import { useEffect, useRef, useState } from "react";
import {
  ageText,
  Button,
  type Column,
  formatStatus,
  InlineEdit,
  QualityMark,
  type Sorting,
  toTsv,
  unitText,
  valueText,
} from "../../kit/index.ts";
import { getDirectory, shortPlace, tagName, tagPlace } from "../directory.ts";
import { nowUs } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import type { LiveValue, LiveValues } from "../live.ts";
import { useLive, useNow } from "../use.ts";

export const columnKeys = [
  "name",
  "place",
  "value",
  "unit",
  "quality",
  "age",
  "rate",
  "type",
  "address",
  "connection",
  "id",
] as const;
export type ColumnKey = (typeof columnKeys)[number];
const standard: readonly ColumnKey[] = ["name", "place", "value", "unit", "quality", "age", "rate", "type"];
const stored = "lineshaft.tagColumns";

/** Without a rate of its own a tag is stale when its whole connection is silent; with one, after ten times its usual interval, at least a minute. */
export function isStale(value: LiveValue | null, atUs: number, connection: string): boolean {
  if (value?.time == null) return false;
  if (getDirectory().connectionByName.get(connection)?.state === "silent") return true;
  if (value.rate === null || value.rate <= 0) return false;
  return atUs - value.time > Math.max(60e6, 10e6 / value.rate);
}

export function useChosenColumns(): [readonly ColumnKey[], (next: readonly ColumnKey[]) => void] {
  const [chosen, setChosen] = useState<readonly ColumnKey[]>(() => {
    try {
      const kept = (localStorage.getItem(stored) ?? "").split(",");
      const known = columnKeys.filter((key) => kept.includes(key));
      return known.length > 0 ? known : standard;
    } catch {
      return standard;
    }
  });
  return [
    chosen,
    (next) => {
      setChosen(next);
      try {
        localStorage.setItem(stored, next.join(","));
      } catch {
        // Holds for this visit only.
      }
    },
  ];
}

const title = (key: ColumnKey): string => t(`column.${key}`);

export function ColumnChoice(props: {
  chosen: readonly ColumnKey[];
  onChosen(next: readonly ColumnKey[]): void;
  narrow: boolean;
}) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const onDown = (event: PointerEvent): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", onDown);
    return () => removeEventListener("pointerdown", onDown);
  }, [open]);
  return (
    <div className="anchored" ref={box}>
      <Button
        icon="columns"
        aria-expanded={open}
        title={t("columns")}
        aria-label={t("columns")}
        onClick={() => setOpen(!open)}
      >
        {props.narrow ? undefined : t("columns")}
      </Button>
      {open && (
        <fieldset className="popover choices" onKeyDown={(event) => event.key === "Escape" && setOpen(false)}>
          <legend>{t("columns")}</legend>
          {columnKeys.map((key) => (
            <label key={key}>
              <input
                type="checkbox"
                checked={props.chosen.includes(key)}
                disabled={key === "name"}
                onChange={(event) =>
                  props.onChosen(
                    columnKeys.filter((one) => (one === key ? event.target.checked : props.chosen.includes(one))),
                  )
                }
              />
              {title(key)}
            </label>
          ))}
        </fieldset>
      )}
    </div>
  );
}

interface Editing {
  renaming: number | null;
  onRename(tag: RawTag, name: string): void;
  onStopRename(): void;
  narrow: boolean;
  /** The inspector stands beside the table and tells the rest. */
  inspected: boolean;
}

export function columnsOf(chosen: readonly ColumnKey[], editing: Editing): Column<RawTag>[] {
  const all: Record<ColumnKey, Omit<Column<RawTag>, "key" | "title">> = {
    name: {
      track: "minmax(140px, 1.8fr)",
      sortable: true,
      cell: (tag) =>
        editing.renaming === tag.id ? (
          <InlineEdit
            label={t("tags.rename", { name: tagName(tag) })}
            value={tag.name ?? ""}
            placeholder={tag.address}
            onSave={(name) => editing.onRename(tag, name)}
            onCancel={editing.onStopRename}
          />
        ) : (
          <span className={tag.name === null ? "cell-text raw-name" : "cell-text"} title={tag.address}>
            {tagName(tag)}
          </span>
        ),
    },
    place: {
      track: editing.narrow ? "minmax(140px, 1.9fr)" : "minmax(130px, 2.5fr)",
      sortable: true,
      cell: (tag) => (
        <span className={`cell-text ${tag.equipmentId === null ? "dim" : "soft"}`} title={tagPlace(tag)}>
          {tag.equipmentId === null ? t("tags.unassigned") : shortPlace(tag, editing.narrow ? 1 : 2)}
        </span>
      ),
    },
    value: { track: "minmax(124px, 1fr)", align: "right", sortable: true, cell: (tag) => <ValueCell tag={tag} /> },
    unit: {
      track: editing.narrow ? "70px" : "minmax(56px, 92px)",
      cell: (tag) => (
        <span className="unit" title={tag.unit ?? ""}>
          {unitText(tag.unit)}
        </span>
      ),
    },
    quality: { track: editing.narrow ? "84px" : "100px", cell: (tag) => <QualityCell tag={tag} /> },
    age: { track: "68px", align: "right", sortable: true, cell: (tag) => <AgeCell tag={tag} /> },
    rate: { track: "76px", align: "right", sortable: true, cell: (tag) => <RateCell tag={tag} /> },
    type: { track: "74px", cell: (tag) => <TypeCell tag={tag} /> },
    address: {
      track: "minmax(140px, 1.6fr)",
      sortable: true,
      cell: (tag) => <span className="cell-text mono soft">{tag.address}</span>,
    },
    connection: {
      track: "minmax(90px, 1fr)",
      sortable: true,
      cell: (tag) => <span className="cell-text soft">{tag.connection}</span>,
    },
    id: { track: "64px", align: "right", sortable: true, cell: (tag) => <span className="soft">{tag.id}</span> },
  };
  // What is left out for want of room stands in the inspector.
  const hidden: readonly ColumnKey[] = [
    ...(editing.narrow ? (["rate", "type"] as const) : []),
    ...(editing.inspected ? (["age"] as const) : []),
  ];
  return columnKeys
    .filter((key) => chosen.includes(key) && !hidden.includes(key))
    .map((key) => ({ key, title: title(key), ...all[key] }));
}

function ValueCell({ tag }: { tag: RawTag }) {
  const value = useLive(tag.id);
  if (value === null) return <span className="dim">…</span>;
  if (value.time === null) return <span className="dim">–</span>;
  // A machine that says "" says something: that there is no reason, no order.
  if (value.value === "") return <span className="dim">{t("tags.empty")}</span>;
  const bad = qualityOf(value.status) === "bad";
  const text = valueText(value.value, fmt, value.type === "double" ? value.digits : undefined);
  const small = typeof value.value === "string" || text.length > 14;
  return (
    <span className={`cell-value ${bad ? "bad" : ""} ${small ? "as-text" : ""}`} title={text}>
      {text}
    </span>
  );
}

function QualityCell({ tag }: { tag: RawTag }) {
  const value = useLive(tag.id);
  if (value === null || value.time === null) return null;
  const quality = qualityOf(value.status);
  return (
    <span title={formatStatus(value.status)}>
      <QualityMark quality={quality} label={t(`quality.${quality}`)} />
    </span>
  );
}

function AgeCell({ tag }: { tag: RawTag }) {
  const value = useLive(tag.id);
  const now = useNow();
  if (value?.time == null) return null;
  const stale = isStale(value, now, tag.connection);
  return (
    <span
      className={stale ? "age stale" : "age"}
      title={stale ? t("tags.stale", { time: fmt.exact(value.time) }) : fmt.exact(value.time)}
    >
      {ageText(now - value.time, fmt)}
    </span>
  );
}

function RateCell({ tag }: { tag: RawTag }) {
  const value = useLive(tag.id);
  if (value?.rate == null) return null;
  return <span className="soft">{value.rate === 0 ? "–" : fmt.rate(value.rate)}</span>;
}

function TypeCell({ tag }: { tag: RawTag }) {
  const value = useLive(tag.id);
  if (value === null || value.time === null) return null;
  return <span className="soft">{value.type}</span>;
}

function textOf(tag: RawTag, key: ColumnKey, live: LiveValues): string {
  const value = live.get(tag.id);
  switch (key) {
    case "name":
      return tagName(tag);
    case "place":
      return tag.equipmentId === null ? "" : tagPlace(tag);
    case "value":
      return value?.time == null
        ? ""
        : typeof value.value === "bigint"
          ? value.value.toString()
          : valueText(value.value, fmt);
    case "unit":
      return tag.unit ?? "";
    case "quality":
      return value?.time == null ? "" : formatStatus(value.status);
    case "age":
      return value?.time == null ? "" : ageText(nowUs() - value.time, fmt);
    case "rate":
      return value?.rate == null ? "" : fmt.rate(value.rate);
    case "type":
      return value?.time == null ? "" : value.type;
    case "address":
      return tag.address;
    case "connection":
      return tag.connection;
    case "id":
      return String(tag.id);
  }
}

/** With a head line, as it stands on screen; values that were never on screen are empty. */
export function tagsAsTsv(tags: readonly RawTag[], chosen: readonly ColumnKey[], live: LiveValues): string {
  return toTsv([chosen.map(title), ...tags.map((tag) => chosen.map((key) => textOf(tag, key, live)))]);
}

/** Sorted once, when asked for: a table that re-sorts itself under the hand is of no use. */
export function sortTags(tags: readonly RawTag[], { key, down }: Sorting, live: LiveValues): RawTag[] {
  const collator = new Intl.Collator(fmt.locale, { numeric: true, sensitivity: "base" });
  const number = (tag: RawTag): number | null => {
    const value = live.get(tag.id);
    if (key === "id") return tag.id;
    if (key === "age") return value?.time == null ? null : -value.time;
    if (key === "rate") return value?.rate ?? null;
    const known = value?.value;
    if (typeof known === "number") return known;
    return typeof known === "bigint" || typeof known === "boolean" ? Number(known) : null;
  };
  const numeric = key === "id" || key === "age" || key === "rate" || key === "value";
  const way = down ? -1 : 1;
  return [...tags].sort((a, b) => {
    if (!numeric) return way * collator.compare(textOf(a, key as ColumnKey, live), textOf(b, key as ColumnKey, live));
    const x = number(a);
    const y = number(b);
    // Unknown stands last, whichever way round.
    if (x === null || y === null)
      return (x === null ? 1 : 0) - (y === null ? 1 : 0) || collator.compare(tagName(a), tagName(b));
    return way * (x - y);
  });
}
