import type { BrowseItem } from "@lineshaft/contract/api";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { Button, Icon, scrollToShow, useRowHeight, visibleRows } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { type BrowseRow, nothingSeen, rowsOf, type Seen, type Walk, walk, withLevel } from "./browsing.ts";
import { browseLevel } from "./connectivity.ts";
import { changeDraft, type DraftTag, getDraft, withTags } from "./draft.ts";
import { FailureView } from "./failure-view.tsx";
import type { StepProps } from "./wizard.tsx";

/** Items that one click ticks at most. */
const walkMost = 10_000;

const tagOf = ({ address, name, unit, dataType }: BrowseItem): DraftTag => ({
  address,
  ...(name === address ? {} : { name }),
  ...(unit === undefined ? {} : { unit }),
  ...(dataType === undefined ? {} : { dataType }),
});

/** The machine's own tree: opened level by level, ticked one by one or with all below. */
export function BrowseStep({ draft, kind }: StepProps) {
  const [seen, setSeen] = useState<Seen>(nothingSeen);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [loading, setLoading] = useState<ReadonlySet<string>>(new Set([""]));
  const [error, setError] = useState<unknown>(null);
  const [search, setSearch] = useState("");
  const [walking, setWalking] = useState<(Walk & { stop(): void }) | null>(null);
  const [cutAt, setCutAt] = useState(false);
  const abort = useRef(new AbortController());
  const latest = useRef(seen);
  latest.current = seen;

  const load = async (from: string, signal = abort.current.signal): Promise<readonly BrowseItem[]> => {
    const known = latest.current.levels.get(from);
    if (known !== undefined) return known;
    setLoading((old) => new Set(old).add(from));
    try {
      const { kind: name, config } = { kind: kind.kind, config: getDraft().config };
      const { items, more } = await browseLevel({ kind: name, config }, from, signal);
      latest.current = withLevel(latest.current, from, items, more);
      setSeen(latest.current);
      return items;
    } finally {
      setLoading((old) => new Set([...old].filter((one) => one !== from)));
    }
  };
  const attempt = (from: string): void => {
    setError(null);
    load(from).catch((problem: unknown) => {
      if (!abort.current.signal.aborted) setError(problem);
    });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the step is entered
  useEffect(() => {
    abort.current = new AbortController();
    attempt("");
    return () => abort.current.abort();
  }, []);

  const ticked = useMemo(() => new Set(draft.tags.map(({ address }) => address)), [draft.tags]);
  const tick = (items: readonly BrowseItem[], on: boolean): void => {
    const addresses = new Set(items.map(({ address }) => address));
    const { tags } = getDraft();
    const others = tags.filter(({ address }) => !addresses.has(address));
    changeDraft({
      tags: on ? withTags(tags, [...tags, ...items.filter((i) => !ticked.has(i.address)).map(tagOf)]) : others,
    });
  };
  const tickBelow = async (from: string): Promise<void> => {
    const stop = new AbortController();
    abort.current.signal.addEventListener("abort", () => stop.abort());
    setCutAt(false);
    setWalking({ levels: 0, readable: 0, stop: () => stop.abort() });
    try {
      const found = await walk(
        from,
        walkMost,
        (address) => {
          stop.signal.throwIfAborted();
          return load(address, stop.signal);
        },
        (progress) => setWalking({ ...progress, stop: () => stop.abort() }),
      );
      tick(found.items, true);
      setCutAt(found.more);
    } catch (problem) {
      if (!stop.signal.aborted) setError(problem);
    }
    setWalking(null);
  };

  const barren = useMemo(
    () => new Set([...seen.levels].flatMap(([from, items]) => (items.length === 0 ? [from] : []))),
    [seen],
  );
  const rows = useMemo(() => rowsOf(seen, open, search), [seen, open, search]);
  const toggle = (row: BrowseRow, wanted: boolean): void => {
    const next = new Set(open);
    if (wanted) next.add(row.key);
    else next.delete(row.key);
    setOpen(next);
    if (wanted && !seen.levels.has(row.item.address)) attempt(row.item.address);
  };
  if (error !== null && seen.levels.size === 0)
    return (
      <FailureView error={error}>
        <Button onClick={() => attempt("")}>{t("tryAgain")}</Button>
      </FailureView>
    );
  return (
    <div className="browse">
      <div className="toolbar">
        <input
          className="input filter"
          type="search"
          aria-label={t("browse.search")}
          placeholder={t("browse.search")}
          title={t("browse.searchHint")}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <span className="count" role="status">
          {t("browse.ticked", { n: draft.tags.length })}
        </span>
        {walking !== null && (
          <>
            <span className="soft" role="status">
              {t("browse.walking", { levels: walking.levels, n: walking.readable })}
            </span>
            <Button onClick={walking.stop}>{t("browse.stop")}</Button>
          </>
        )}
        <span className="spring" />
        <Button kind="quiet" disabled={draft.tags.length === 0} onClick={() => changeDraft({ tags: [] })}>
          {t("browse.none")}
        </Button>
      </div>
      {cutAt && <p className="attention">{t("browse.cut", { n: walkMost })}</p>}
      {error !== null && <FailureView error={error} />}
      <BrowseTree
        rows={rows}
        open={open}
        loading={loading}
        barren={barren}
        ticked={ticked}
        onToggle={toggle}
        onTick={(row, on) => tick([row.item], on)}
        onTickBelow={(row) => void tickBelow(row.item.address)}
      />
      <p className="footnote">{t("browse.keys")}</p>
    </div>
  );
}

interface TreeProps {
  rows: readonly BrowseRow[];
  open: ReadonlySet<string>;
  loading: ReadonlySet<string>;
  /** Levels that were opened and hold nothing. */
  barren: ReadonlySet<string>;
  ticked: ReadonlySet<string>;
  onToggle(row: BrowseRow, open: boolean): void;
  onTick(row: BrowseRow, on: boolean): void;
  onTickBelow(row: BrowseRow): void;
}

/** One tab stop: arrows move, open and close, Space ticks, Shift+Space ticks all below. Only rows on screen exist. */
function BrowseTree(props: TreeProps) {
  const { rows, open, ticked } = props;
  const rowHeight = useRowHeight();
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ first: 0, end: 40 });
  const [active, setActive] = useState<string | null>(null);
  const prefix = useId();
  const at = Math.max(
    0,
    rows.findIndex(({ key }) => key === active),
  );
  const measure = (): void => {
    const element = scroller.current;
    if (element !== null) setView(visibleRows(element.scrollTop, element.clientHeight, rowHeight, rows.length));
  };
  useEffect(measure, [rows.length, rowHeight]);
  const moveTo = (index: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    setActive(row.key);
    const element = scroller.current;
    if (element !== null)
      element.scrollTop = scrollToShow(rows.indexOf(row), element.scrollTop, element.clientHeight, rowHeight);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[at];
    if (row === undefined) return;
    const isOpen = open.has(row.key);
    if (event.key === "ArrowDown") moveTo(active === null ? 0 : at + 1);
    else if (event.key === "ArrowUp") moveTo(at - 1);
    else if (event.key === "Home") moveTo(0);
    else if (event.key === "End") moveTo(rows.length - 1);
    else if (event.key === "ArrowRight" && row.item.expandable && !isOpen) props.onToggle(row, true);
    else if (event.key === "ArrowLeft" && isOpen) props.onToggle(row, false);
    else if (event.key === "ArrowLeft") moveTo(rows.findLastIndex(({ depth }, i) => i < at && depth < row.depth));
    else if (event.key === " " && event.shiftKey && row.item.expandable) props.onTickBelow(row);
    else if ((event.key === " " || event.key === "Enter") && row.item.readable)
      props.onTick(row, !ticked.has(row.item.address));
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={scroller}
      className="browse-tree"
      role="tree"
      aria-label={t("browse.tree")}
      aria-multiselectable="true"
      aria-activedescendant={active === null ? undefined : `${prefix}${at}`}
      tabIndex={0}
      onScroll={measure}
      onKeyDown={onKeyDown}
      style={{ "--row": `${rowHeight}px` } as React.CSSProperties}
    >
      {props.loading.has("") && <p className="quiet-wait">{t("wait.browse")}</p>}
      <div className="browse-rows" role="presentation" style={{ height: rows.length * rowHeight }}>
        {rows.slice(view.first, view.end).map((row, i) => {
          const { item, depth, key } = row;
          const index = view.first + i;
          const isTicked = ticked.has(item.address);
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the tree
            // biome-ignore lint/a11y/useFocusableInteractive: focus stays on the tree, which names its active descendant
            <div
              key={key}
              id={`${prefix}${index}`}
              role="treeitem"
              aria-level={depth + 1}
              aria-expanded={item.expandable ? open.has(key) : undefined}
              aria-selected={item.readable ? isTicked : undefined}
              className={`browse-row ${key === active ? "active" : ""}`}
              style={{ transform: `translateY(${index * rowHeight}px)`, paddingLeft: 8 + depth * 18 }}
              onClick={() => {
                setActive(key);
                if (item.readable) props.onTick(row, !isTicked);
                else if (item.expandable) props.onToggle(row, !open.has(key));
              }}
            >
              {/* biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys do the same */}
              {/* biome-ignore lint/a11y/useKeyWithClickEvents: the arrow keys do the same */}
              <span
                className={`tree-arrow ${open.has(key) ? "open" : ""}`}
                onClick={(event) => {
                  event.stopPropagation();
                  if (item.expandable) props.onToggle(row, !open.has(key));
                }}
              >
                {item.expandable && <Icon name="right" size={14} />}
              </span>
              {item.readable && <span className={`tick ${isTicked ? "tick-on" : ""}`} aria-hidden="true" />}
              <span className="browse-name">{item.name}</span>
              {props.barren.has(item.address) && <span className="dim">{t("browse.nothing")}</span>}
              {props.loading.has(item.address) && <span className="soft">{t("wait.browse")}</span>}
              <span className="browse-note soft">{[item.dataType, item.unit].filter(Boolean).join(" · ")}</span>
              <span className="browse-address soft mono" title={item.description}>
                {item.address}
              </span>
              {item.expandable && (
                <button
                  type="button"
                  tabIndex={-1}
                  className="link browse-below"
                  onClick={(event) => {
                    event.stopPropagation();
                    props.onTickBelow(row);
                  }}
                >
                  {t("browse.below")}
                </button>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
