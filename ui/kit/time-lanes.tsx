import type { Micros } from "@lineshaft/contract/api";
import { type KeyboardEvent, memo, type PointerEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import type { Format } from "./format.ts";
import { itemAt, type LaneItem, laneRects } from "./lane-blocks.ts";
import { StatePatterns, stateFill } from "./state-patterns.tsx";
import { pan, spanOf, type TimeRange, timeTicks, timeToX, xToTime, zoom } from "./time-axis.ts";
import { gutter, rightEdge } from "./trend-paint.ts";

export interface LaneBar {
  fromUs: Micros;
  toUs: Micros;
  /** Height, and the part of it that is bad (drawn on top). */
  value: number;
  bad: number;
  title: string;
}

interface LaneBase {
  id: string;
  label: string;
  /** Stands behind the label: what is there at the cursor, or now. */
  note?: string;
}
export type TimeLane =
  | (LaneBase & { kind: "blocks"; items: readonly LaneItem[]; size?: "tall" | "low"; selectable?: boolean })
  | (LaneBase & { kind: "bars"; bars: readonly LaneBar[]; target: number | null });

export interface TimeLanesProps {
  /** Says what is shown and how the keyboard moves it. */
  label: string;
  lanes: readonly TimeLane[];
  range: TimeRange;
  /** Nothing is known after this instant (now). */
  untilUs: Micros;
  format: Format;
  cursorUs: Micros | null;
  /** A stretch that is chosen in a lane. */
  selection: { lane: string; range: TimeRange } | null;
  onCursor(us: Micros | null): void;
  onRange(range: TimeRange, how: "pan" | "zoom"): void;
  /** A block of a selectable lane was chosen, or (`drag`) a stretch of it. */
  onSelect?(lane: string, range: TimeRange, how: "block" | "drag"): void;
  onWidth?(px: number): void;
}

const labelHeight = 20;
/** What a letter of a block takes at most on average: a label must not stand over its neighbour. */
const letterPx = 7;
const axisHeight = 26;
const heights = { tall: 36, low: 18, plain: 24, bars: 56 };
const heightOf = (lane: TimeLane): number => (lane.kind === "bars" ? heights.bars : heights[lane.size ?? "plain"]);
/** Fewer pixels are a click with an unsteady hand. */
const dragPx = 5;

interface Drag {
  pointer: number;
  startX: number;
  lastX: number;
  moved: boolean;
  /** Selects in this lane; null: moves time. */
  lane: string | null;
}

/** Lanes of rectangles and bars over one time axis, aligned to the pixel with a trend chart of the same width. */
export function TimeLanes(props: TimeLanesProps) {
  const { lanes, range, format, selection } = props;
  const host = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | null>(null);
  const [preview, setPreview] = useState<{ lane: string; range: TimeRange } | null>(null);
  const [width, setWidth] = useState(0);
  const prefix = useId();
  const latest = useRef(props);
  latest.current = props;
  const plot = Math.max(20, width - gutter - rightEdge);
  const timeAt = (clientX: number): Micros =>
    xToTime(latest.current.range, clientX - (host.current?.getBoundingClientRect().left ?? 0), gutter, plot);

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const resized = new ResizeObserver(() => {
      setWidth(element.clientWidth);
      latest.current.onWidth?.(Math.max(20, element.clientWidth - gutter - rightEdge));
    });
    resized.observe(element);
    // React's own wheel listener is passive: the page would scroll as well.
    const onWheel = (event: WheelEvent): void => {
      const { range: now, onRange } = latest.current;
      const size = Math.max(20, element.clientWidth - gutter - rightEdge);
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      event.preventDefault();
      const by = event.shiftKey ? event.deltaY : event.deltaX;
      const at = xToTime(now, event.clientX - element.getBoundingClientRect().left, gutter, size);
      if (sideways) onRange(pan(now, (by / size) * spanOf(now)), "pan");
      else onRange(zoom(now, at, 1.0015 ** event.deltaY), "zoom");
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => {
      resized.disconnect();
      element.removeEventListener("wheel", onWheel);
    };
  }, []);

  const tops: number[] = [];
  let height = 0;
  for (const lane of lanes) {
    tops.push(height + labelHeight);
    height += labelHeight + heightOf(lane) + 4;
  }
  const laneAtY = (clientY: number): TimeLane | undefined => {
    const y = clientY - (host.current?.getBoundingClientRect().top ?? 0);
    return lanes.find((lane, i) => y >= tops[i] && y < tops[i] + heightOf(lane));
  };

  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const lane = laneAtY(event.clientY);
    const selects = lane?.kind === "blocks" && lane.selectable && props.onSelect !== undefined;
    event.currentTarget.setPointerCapture(event.pointerId);
    const { pointerId: pointer, clientX: x } = event;
    drag.current = { pointer, startX: x, lastX: x, moved: false, lane: selects ? lane.id : null };
  };
  const onPointerMove = (event: PointerEvent): void => {
    const now = drag.current;
    if (now === null || now.pointer !== event.pointerId) {
      if (event.pointerType !== "touch") props.onCursor(timeAt(event.clientX));
      return;
    }
    now.moved ||= Math.abs(event.clientX - now.startX) > dragPx;
    if (!now.moved) return;
    if (now.lane !== null) setPreview({ lane: now.lane, range: between(timeAt(now.startX), timeAt(event.clientX)) });
    else props.onRange(pan(range, (-(event.clientX - now.lastX) / plot) * spanOf(range)), "pan");
    now.lastX = event.clientX;
  };
  const onPointerUp = (event: PointerEvent): void => {
    const now = drag.current;
    drag.current = null;
    setPreview(null);
    if (now === null || event.type === "pointercancel") return;
    if (!now.moved) choose(timeAt(event.clientX), now.lane);
    else if (now.lane !== null)
      props.onSelect?.(now.lane, within(between(timeAt(now.startX), timeAt(event.clientX)), range), "drag");
  };
  const choose = (us: Micros, laneId: string | null): void => {
    props.onCursor(us);
    const lane = lanes.find(({ id }) => id === laneId);
    if (lane?.kind !== "blocks") return;
    const item = itemAt(lane.items, us);
    if (item !== undefined) props.onSelect?.(lane.id, { fromUs: item.fromUs, toUs: item.toUs }, "block");
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const span = spanOf(range);
    const middle = props.cursorUs ?? range.fromUs + span / 2;
    const moves: Record<string, () => void> = {
      ArrowLeft: () =>
        event.shiftKey ? props.onCursor(middle - span / 100) : props.onRange(pan(range, -span / 8), "pan"),
      ArrowRight: () =>
        event.shiftKey ? props.onCursor(middle + span / 100) : props.onRange(pan(range, span / 8), "pan"),
      PageUp: () => props.onRange(pan(range, -span), "pan"),
      PageDown: () => props.onRange(pan(range, span), "pan"),
      "+": () => props.onRange(zoom(range, middle, 1 / 1.5), "zoom"),
      "=": () => props.onRange(zoom(range, middle, 1 / 1.5), "zoom"),
      "-": () => props.onRange(zoom(range, middle, 1.5), "zoom"),
      Enter: () => choose(middle, lanes.find((lane) => lane.kind === "blocks" && lane.selectable)?.id ?? null),
      Escape: () => props.onCursor(null),
    };
    const move = moves[event.key];
    if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
  };

  const x = (us: Micros): number => timeToX(range, us, gutter, plot);
  const chosen = preview ?? selection;
  const now = Math.min(gutter + plot, x(props.untilUs));
  return (
    // biome-ignore lint/a11y/useSemanticElements: an application of its own keys
    <div
      ref={host}
      className="time-lanes"
      role="group"
      aria-label={props.label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the lanes take the keyboard
      tabIndex={0}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onPointerLeave={() => drag.current === null && props.onCursor(null)}
    >
      {width > 0 && (
        <svg width={width} height={height + axisHeight} aria-hidden="true">
          <StatePatterns prefix={prefix} />
          {now < gutter + plot && (
            <rect className="lanes-future" x={now} y={0} width={gutter + plot - now} height={height} />
          )}
          <Axis range={range} width={plot} top={height} format={format} />
          {lanes.map((lane, i) => (
            <g key={lane.id} transform={`translate(0 ${tops[i]})`}>
              <text className="lane-label" x={gutter} y={-6}>
                {lane.label}
                {lane.note !== undefined && <tspan className="lane-note">{`   ${lane.note}`}</tspan>}
              </text>
              {lane.kind === "blocks" ? (
                <Blocks items={lane.items} height={heightOf(lane)} range={range} width={plot} prefix={prefix} />
              ) : (
                <Bars bars={lane.bars} target={lane.target} range={range} width={plot} format={format} />
              )}
              {chosen?.lane === lane.id && (
                <rect
                  className="lane-selection"
                  x={Math.max(gutter, x(chosen.range.fromUs))}
                  y={-2}
                  width={Math.max(
                    2,
                    Math.min(gutter + plot, x(chosen.range.toUs)) - Math.max(gutter, x(chosen.range.fromUs)),
                  )}
                  height={heightOf(lane) + 4}
                />
              )}
            </g>
          ))}
          {props.cursorUs !== null && props.cursorUs >= range.fromUs && props.cursorUs <= range.toUs && (
            <g className="lanes-cursor">
              <line x1={x(props.cursorUs)} x2={x(props.cursorUs)} y1={0} y2={height + 6} />
              <CursorTime x={x(props.cursorUs)} y={height + 8} text={format.time(props.cursorUs)} most={width} />
            </g>
          )}
        </svg>
      )}
    </div>
  );
}

const between = (a: Micros, b: Micros): TimeRange => ({ fromUs: Math.min(a, b), toUs: Math.max(a, b) });
const within = (inner: TimeRange, outer: TimeRange): TimeRange => ({
  fromUs: Math.max(inner.fromUs, outer.fromUs),
  toUs: Math.min(inner.toUs, outer.toUs),
});

function CursorTime({ x, y, text, most }: { x: number; y: number; text: string; most: number }) {
  const width = text.length * 6.6 + 10;
  const left = Math.min(most - width, Math.max(0, x - width / 2));
  return (
    <>
      <rect x={left} y={y} width={width} height={18} rx={3} />
      <text x={left + width / 2} y={y + 13} textAnchor="middle">
        {text}
      </text>
    </>
  );
}

function Axis(props: { range: TimeRange; width: number; top: number; format: Format }) {
  const { range, width, top, format } = props;
  return (
    <g className="lanes-axis">
      {timeTicks(range, width, format).map(({ us, label, major }) => {
        const x = Math.round(timeToX(range, us, gutter, width)) + 0.5;
        const room = x > gutter + 16 && x < gutter + width - 12;
        return (
          <g key={us} className={major ? "major" : undefined}>
            <line x1={x} x2={x} y1={0} y2={top + 5} />
            {room && (
              <text x={x} y={top + 19} textAnchor="middle">
                {label}
              </text>
            )}
          </g>
        );
      })}
      <line className="base" x1={gutter} x2={gutter + width} y1={top + 0.5} y2={top + 0.5} />
      <text x={10} y={top + 19}>
        {format.zoneName(range.toUs)}
      </text>
    </g>
  );
}

const Blocks = memo(function Blocks(props: {
  items: readonly LaneItem[];
  height: number;
  range: TimeRange;
  width: number;
  prefix: string;
}) {
  const { items, height, range, width, prefix } = props;
  const rects = useMemo(() => laneRects(items, range, gutter, width), [items, range, width]);
  return (
    <>
      <rect className="lane-ground" x={gutter} y={0} width={width} height={height} />
      {rects.map(({ x, width: wide, item, items: many }) => {
        const { colour, pattern } = stateFill(item.state, prefix);
        const letters = Math.floor((wide - 10) / letterPx);
        return (
          <g key={`${item.key} ${many > 1 || wide <= 1 ? x : ""}`} data-state={item.state ?? ""}>
            <rect
              x={x}
              y={0}
              width={wide}
              height={height}
              fill={colour}
              className={item.state === null ? "lane-plain" : ""}
            />
            {pattern !== null && wide > 2 && <rect x={x} y={0} width={wide} height={height} fill={pattern} />}
            {letters >= 4 && item.label !== "" && (
              <text className={`lane-text on-${item.state ?? "plain"}`} x={x + 6} y={height / 2 + 4.5}>
                {item.label.length > letters ? `${item.label.slice(0, letters - 1)}…` : item.label}
              </text>
            )}
            {item.marked && wide > 6 && <path className="lane-mark" d={`M${x + wide} 0h-7l7 7z`} />}
          </g>
        );
      })}
    </>
  );
});

const Bars = memo(function Bars(props: {
  bars: readonly LaneBar[];
  target: number | null;
  range: TimeRange;
  width: number;
  format: Format;
}) {
  const { bars, target, range, width, format } = props;
  const shown = bars.filter(({ fromUs, toUs }) => toUs > range.fromUs && fromUs < range.toUs);
  const most = 1.05 * Math.max(1, target ?? 0, ...shown.map(({ value }) => value));
  const y = (value: number): number => heights.bars * (1 - Math.max(0, value) / most);
  return (
    <g className="lane-bars">
      {shown.map(({ fromUs, toUs, value, bad, title }) => {
        const left = Math.max(gutter, timeToX(range, fromUs, gutter, width));
        const right = Math.min(gutter + width, timeToX(range, toUs, gutter, width));
        const wide = Math.max(0.5, right - left - (right - left > 4 ? 1 : 0));
        return (
          <g key={fromUs}>
            <title>{title}</title>
            <rect className="lane-bar" x={left} width={wide} y={y(value)} height={heights.bars - y(value)} />
            {bad > 0 && (
              <rect
                className="lane-bar-bad"
                x={left}
                width={wide}
                y={y(value)}
                height={Math.max(1.5, y(value - bad) - y(value))}
              />
            )}
            {wide > 34 && value > 0 && (
              <text x={left + wide / 2} y={Math.min(heights.bars - 4, y(value) + 13)} textAnchor="middle">
                {format.number(value, 0)}
              </text>
            )}
          </g>
        );
      })}
      {target !== null && (
        <line className="lane-bar-target" x1={gutter} x2={gutter + width} y1={y(target)} y2={y(target)} />
      )}
      <text x={gutter - 8} y={10} textAnchor="end">
        {format.number(most / 1.05, 0)}
      </text>
      <text x={gutter - 8} y={heights.bars} textAnchor="end">
        0
      </text>
      <line className="base" x1={gutter} x2={gutter + width} y1={heights.bars + 0.5} y2={heights.bars + 0.5} />
    </g>
  );
});
