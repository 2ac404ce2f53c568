// biome-ignore-all lint/a11y/useSemanticElements: an ARIA grid of rows that exist only while they are on screen; a <table> cannot be that
// biome-ignore-all lint/a11y/useFocusableInteractive: focus stays on the grid, which names its active descendant
// biome-ignore-all lint/a11y/useKeyWithClickEvents: keys are handled by the grid
import {
  type KeyboardEvent,
  type MouseEvent,
  memo,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { scrollToShow, visibleRows, type Window } from "./virtual.ts";

export interface Column<R> {
  key: string;
  title: ReactNode;
  /** A CSS grid track, e.g. `120px` or `minmax(160px, 2fr)`. */
  track: string;
  align?: "left" | "right";
  sortable?: boolean;
  cell(row: R): ReactNode;
}

export interface Sorting {
  key: string;
  down: boolean;
}

export interface DataTableProps<R> {
  label: string;
  columns: readonly Column<R>[];
  rows: readonly R[];
  rowId(row: R): number;
  rowHeight: number;
  /** Any mark for the row, e.g. `pending`. */
  rowClass?(row: R): string;
  active: number | null;
  onActive(id: number): void;
  selected: ReadonlySet<number>;
  onSelected(ids: ReadonlySet<number>): void;
  selectLabel: string;
  /** Without it there is nothing to tick. */
  selectable?: boolean;
  sorting?: Sorting | null;
  onSorting?(sorting: Sorting): void;
  /** Enter or double click. */
  onOpen?(row: R): void;
  /** F2, Delete and the like; true when it was used. */
  onKey?(event: KeyboardEvent, row: R | null): boolean;
  onVisible?(window: Window): void;
  empty: ReactNode;
}

/**
 * A table of any length: only the rows on screen exist. One tab stop; arrows, Page, Home and End move the active row, Space
 * selects, Ctrl+A selects all.
 */
export function DataTable<R>(props: DataTableProps<R>) {
  const { rows, rowHeight, columns } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<Window>({ first: 0, end: 40 });
  const prefix = useId();
  const anchor = useRef<number | null>(null);

  const measure = (): void => {
    const element = scroller.current;
    if (element === null) return;
    const next = visibleRows(element.scrollTop, element.clientHeight - rowHeight, rowHeight, rows.length);
    setView((old) => (old.first === next.first && old.end === next.end ? old : next));
  };
  const onVisible = useRef(props.onVisible);
  onVisible.current = props.onVisible;
  useEffect(() => onVisible.current?.({ first: view.first, end: Math.min(view.end, rows.length) }), [view, rows]);
  useLayoutEffect(measure, [rows.length, rowHeight]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => measureRef.current());
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const measureRef = useRef(measure);
  measureRef.current = measure;

  const activeIndex = props.active === null ? -1 : rows.findIndex((row) => props.rowId(row) === props.active);
  const moveTo = (index: number, extend: boolean): void => {
    const at = Math.max(0, Math.min(rows.length - 1, index));
    const row = rows[at];
    if (row === undefined) return;
    const element = scroller.current;
    if (element !== null)
      element.scrollTop = scrollToShow(at, element.scrollTop, element.clientHeight - rowHeight, rowHeight);
    if (extend) selectSpan(at);
    else anchor.current = at;
    props.onActive(props.rowId(row));
  };
  const selectSpan = (to: number): void => {
    const from = anchor.current ?? (activeIndex < 0 ? to : activeIndex);
    anchor.current = from;
    const span = rows.slice(Math.min(from, to), Math.max(from, to) + 1);
    props.onSelected(new Set([...props.selected, ...span.map(props.rowId)]));
  };
  const selectable = props.selectable ?? true;
  const toggle = (id: number): void => {
    if (!selectable) return;
    const next = new Set(props.selected);
    if (!next.delete(id)) next.add(id);
    props.onSelected(next);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return;
    const row = rows[activeIndex] ?? null;
    if (props.onKey?.(event, row)) {
      event.preventDefault();
      return;
    }
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / rowHeight) - 2);
    const steps: Record<string, number> = {
      ArrowDown: activeIndex + 1,
      ArrowUp: activeIndex - 1,
      PageDown: activeIndex + page,
      PageUp: activeIndex - page,
      Home: 0,
      End: rows.length - 1,
    };
    if (event.key in steps) moveTo(steps[event.key], event.shiftKey);
    else if (event.key === " " && row !== null) toggle(props.rowId(row));
    else if (event.key === "Enter" && row !== null) props.onOpen?.(row);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey) && selectable)
      props.onSelected(new Set(rows.map(props.rowId)));
    else if (event.key === "Escape" && props.selected.size > 0) props.onSelected(new Set());
    else return;
    event.preventDefault();
  };

  const onRowClick = useRef((_row: R, _index: number, _event: MouseEvent): void => {});
  onRowClick.current = (row, index, event) => {
    if (event.shiftKey) selectSpan(index);
    else if (event.ctrlKey || event.metaKey) toggle(props.rowId(row));
    anchor.current = index;
    props.onActive(props.rowId(row));
  };
  const onRowOpen = useRef(props.onOpen);
  onRowOpen.current = props.onOpen;
  const onToggle = useRef(toggle);
  onToggle.current = toggle;

  const allSelected = rows.length > 0 && props.selected.size >= rows.length;
  const tracks = `${selectable ? (rowHeight > 40 ? 48 : 36) : 12}px ${columns.map((c) => c.track).join(" ")}`;
  // Head and rows are grids of their own: with a common least width their tracks agree whatever the cells hold.
  const least = columns.reduce((sum, { track }) => sum + Number(/\d+/.exec(track)?.[0] ?? 0), 48);
  return (
    <div
      ref={scroller}
      className="grid-scroller"
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      aria-multiselectable={selectable}
      aria-activedescendant={
        activeIndex >= view.first && activeIndex < view.end ? `${prefix}${props.active}` : undefined
      }
      tabIndex={0}
      onScroll={measure}
      onKeyDown={onKeyDown}
      style={{ "--tracks": tracks, "--row": `${rowHeight}px`, "--least": `${least}px` } as React.CSSProperties}
    >
      <div className="grid-head" role="row" aria-rowindex={1}>
        <div role="columnheader" className="grid-check">
          {selectable && (
            <input
              type="checkbox"
              tabIndex={-1}
              aria-label={props.selectLabel}
              checked={allSelected}
              onChange={() => props.onSelected(new Set(allSelected ? [] : rows.map(props.rowId)))}
            />
          )}
        </div>
        {columns.map((column) => {
          const sorted = props.sorting?.key === column.key ? props.sorting : null;
          return (
            <div
              key={column.key}
              role="columnheader"
              className={column.align === "right" ? "right" : ""}
              aria-sort={sorted === null ? undefined : sorted.down ? "descending" : "ascending"}
            >
              {column.sortable && props.onSorting ? (
                <button
                  type="button"
                  tabIndex={-1}
                  onClick={() => props.onSorting?.({ key: column.key, down: sorted !== null && !sorted.down })}
                >
                  {column.title}
                  {sorted !== null && <span aria-hidden="true">{sorted.down ? " ↓" : " ↑"}</span>}
                </button>
              ) : (
                column.title
              )}
            </div>
          );
        })}
      </div>
      {rows.length === 0 && (
        <div className="grid-empty" role="row">
          <div role="gridcell">{props.empty}</div>
        </div>
      )}
      <div
        className="grid-rows"
        role={rows.length === 0 ? "presentation" : "rowgroup"}
        style={{ height: rows.length * rowHeight }}
      >
        {rows.slice(view.first, view.end).map((row, i) => {
          const id = props.rowId(row);
          const index = view.first + i;
          return (
            <Row
              key={id}
              domId={prefix + id}
              row={row}
              id={id}
              index={index}
              top={index * rowHeight}
              columns={columns as readonly Column<unknown>[]}
              active={id === props.active}
              selected={props.selected.has(id)}
              className={props.rowClass?.(row) ?? ""}
              selectLabel={selectable ? props.selectLabel : null}
              onClick={onRowClick as React.RefObject<(row: unknown, index: number, event: MouseEvent) => void>}
              onOpen={onRowOpen as React.RefObject<((row: unknown) => void) | undefined>}
              onToggle={onToggle}
            />
          );
        })}
      </div>
    </div>
  );
}

interface RowProps {
  domId: string;
  row: unknown;
  id: number;
  index: number;
  top: number;
  columns: readonly Column<unknown>[];
  active: boolean;
  selected: boolean;
  className: string;
  /** null: it cannot be selected. */
  selectLabel: string | null;
  onClick: React.RefObject<(row: unknown, index: number, event: MouseEvent) => void>;
  onOpen: React.RefObject<((row: unknown) => void) | undefined>;
  onToggle: React.RefObject<(id: number) => void>;
}

const Row = memo(function Row(props: RowProps) {
  return (
    <div
      id={props.domId}
      role="row"
      aria-rowindex={props.index + 2}
      aria-selected={props.selected}
      className={`grid-row ${props.active ? "active" : ""} ${props.className}`}
      style={{ transform: `translateY(${props.top}px)` }}
      onClick={(event) => props.onClick.current(props.row, props.index, event)}
      onDoubleClick={() => props.onOpen.current?.(props.row)}
    >
      <div role="gridcell" className="grid-check">
        {props.selectLabel !== null && (
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={props.selectLabel}
            checked={props.selected}
            onClick={(event) => event.stopPropagation()}
            onChange={() => props.onToggle.current(props.id)}
          />
        )}
      </div>
      {props.columns.map((column) => (
        <div key={column.key} role="gridcell" className={column.align === "right" ? "right" : ""}>
          {column.cell(props.row)}
        </div>
      ))}
    </div>
  );
});

const coarse = typeof matchMedia === "function" ? matchMedia("(pointer: coarse)") : null;

/** Rows are 30 px tall for a mouse and 44 px for a finger. */
export function useRowHeight(): number {
  const [height, setHeight] = useState(coarse?.matches ? 44 : 30);
  useEffect(() => {
    const follow = (): void => setHeight(coarse?.matches ? 44 : 30);
    coarse?.addEventListener("change", follow);
    return () => coarse?.removeEventListener("change", follow);
  }, []);
  return height;
}
