import type { Micros } from "@lineshaft/contract/api";
import { type KeyboardEvent, useEffect, useRef } from "react";
import type { Format } from "./format.ts";
import { observePalette } from "./palette.ts";
import { pan, spanOf, type TimeRange, xToTime, zoom } from "./time-axis.ts";
import { heightNeeded, layoutOf, type Palette, paintCursor, paintTrend, type TrendScene } from "./trend-paint.ts";

export interface TrendChartProps {
  /** What to paint now; read at each repaint, outside React. */
  scene(): TrendScene;
  /** Calls back whenever the scene has changed; returns how to stop that. */
  subscribe(repaint: () => void): () => void;
  cursor(): { us: Micros; pinned: boolean } | null;
  /** Without it the chart is a picture: it takes neither pointer nor keyboard. */
  onRange?(range: TimeRange, how: "pan" | "zoom"): void;
  /** Pointer or keyboard cursor; `pinned` by a click, a tap or a key. */
  onCursor?(us: Micros | null, pinned: boolean): void;
  onWidth?(px: number): void;
  format: Format;
  /** Says what the chart shows and how the keyboard moves it. */
  label: string;
}

/** The strip chart: panes and lanes over one time axis. Wheel, drag, pinch and keys move the one range. */
export function TrendChart(props: TrendChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    return mount(element, () => latest.current);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the format is read through `latest`; a new one needs a repaint
  useEffect(() => {
    host.current?.dispatchEvent(new Event("lineshaft:repaint"));
  }, [props.format]);

  const { onRange, onCursor } = props;
  if (onRange === undefined || onCursor === undefined)
    return (
      <div ref={host} className="trend-chart trend-still" role="img" aria-label={props.label}>
        <canvas />
        <canvas className="trend-cursor" />
      </div>
    );
  const onKeyDown = (event: KeyboardEvent): void => {
    const { range } = props.scene();
    const span = spanOf(range);
    const cursor = props.cursor();
    const middle = cursor?.us ?? range.fromUs + span / 2;
    const moves: Record<string, () => void> = {
      ArrowLeft: () => (event.shiftKey ? moveCursor(-1) : onRange(pan(range, -span / 8), "pan")),
      ArrowRight: () => (event.shiftKey ? moveCursor(1) : onRange(pan(range, span / 8), "pan")),
      PageUp: () => onRange(pan(range, -span), "pan"),
      PageDown: () => onRange(pan(range, span), "pan"),
      "+": () => onRange(zoom(range, middle, 1 / 1.5), "zoom"),
      "=": () => onRange(zoom(range, middle, 1 / 1.5), "zoom"),
      "-": () => onRange(zoom(range, middle, 1.5), "zoom"),
      Escape: () => onCursor(null, false),
    };
    const moveCursor = (by: number): void => onCursor(Math.round(middle + (by * span) / 100), true);
    const move = moves[event.key];
    if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: an application of its own keys, drawn on canvas
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the chart takes the keyboard
    <div ref={host} className="trend-chart" role="group" aria-label={props.label} tabIndex={0} onKeyDown={onKeyDown}>
      <canvas />
      <canvas className="trend-cursor" />
    </div>
  );
}

function mount(host: HTMLDivElement, props: () => TrendChartProps): () => void {
  const [chart, overlay] = Array.from(host.querySelectorAll("canvas"));
  const chartContext = chart.getContext("2d") as CanvasRenderingContext2D;
  const overlayContext = overlay.getContext("2d") as CanvasRenderingContext2D;
  let width = 0;
  let height = 0;
  let frame = 0;
  let wholeChart = true;
  let palette: Palette | null = null;

  const paint = (): void => {
    frame = 0;
    if (palette === null || width === 0) return;
    const { scene, cursor, format } = props();
    const now = scene();
    const needed = heightNeeded(now.panes.length, now.lanes.length);
    host.style.setProperty("--trend-least", `${needed}px`);
    const layout = layoutOf(width, height, now.panes.length, now.lanes.length);
    if (wholeChart) paintTrend(chartContext, now, layout, palette, format);
    wholeChart = false;
    const at = cursor();
    paintCursor(overlayContext, now, layout, at?.us ?? null, at?.pinned ?? false, palette, format);
  };
  const repaint = (all = true): void => {
    wholeChart ||= all;
    if (frame === 0) frame = requestAnimationFrame(paint);
  };
  const resized = new ResizeObserver(() => {
    const ratio = window.devicePixelRatio || 1;
    width = host.clientWidth;
    height = host.clientHeight;
    for (const [canvas, context] of [
      [chart, chartContext],
      [overlay, overlayContext],
    ] as const) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    props().onWidth?.(Math.max(100, width - 82));
    wholeChart = true;
    paint();
  });
  resized.observe(host);
  const stopPalette = observePalette((next) => {
    palette = next;
    repaint();
  });
  const stopScene = props().subscribe(() => repaint());
  const onRepaint = (): void => repaint();
  host.addEventListener("lineshaft:repaint", onRepaint);
  const still = props().onRange === undefined;
  const stopGestures = still
    ? () => {}
    : gestures(
        host,
        props,
        () => layoutOf(width, height, 1, 0).plot,
        () => repaint(false),
      );
  return () => {
    cancelAnimationFrame(frame);
    resized.disconnect();
    stopPalette();
    stopScene();
    stopGestures();
    host.removeEventListener("lineshaft:repaint", onRepaint);
  };
}

function gestures(
  host: HTMLDivElement,
  props: () => TrendChartProps,
  plot: () => { left: number; width: number },
  repaintCursor: () => void,
): () => void {
  const pointers = new Map<number, { x: number; y: number }>();
  let dragged = 0;
  const timeAt = (clientX: number): Micros => {
    const { left, width } = plot();
    return xToTime(props().scene().range, clientX - host.getBoundingClientRect().left, left, width);
  };
  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    const { range } = props().scene();
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
      props().onRange?.(pan(range, (sideways / plot().width) * spanOf(range)), "pan");
    else props().onRange?.(zoom(range, timeAt(event.clientX), 1.0015 ** event.deltaY), "zoom");
  };
  const onDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    host.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pointers.size === 1) dragged = 0;
  };
  const onMove = (event: PointerEvent): void => {
    const last = pointers.get(event.pointerId);
    if (last === undefined) {
      if (event.pointerType !== "touch" && !(props().cursor()?.pinned ?? false)) {
        props().onCursor?.(timeAt(event.clientX), false);
        repaintCursor();
      }
      return;
    }
    const { range } = props().scene();
    const perPixel = spanOf(range) / plot().width;
    const by = event.clientX - last.x;
    dragged += Math.abs(by) + Math.abs(event.clientY - last.y);
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      if (other !== undefined) {
        const before = Math.max(20, Math.abs(last.x - other.x));
        const after = Math.max(20, Math.abs(event.clientX - other.x));
        props().onRange?.(
          pan(zoom(range, timeAt((event.clientX + other.x) / 2), before / after), (-by / 2) * perPixel),
          "zoom",
        );
      }
    } else if (dragged > 4 && by !== 0) {
      props().onRange?.(pan(range, -by * perPixel), "pan");
      host.classList.add("dragging");
    }
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  };
  const onUp = (event: PointerEvent): void => {
    if (!pointers.delete(event.pointerId)) return;
    host.classList.remove("dragging");
    if (pointers.size > 0 || dragged > 4) return;
    const pinned = props().cursor();
    props().onCursor?.(pinned?.pinned ? null : timeAt(event.clientX), !pinned?.pinned);
    repaintCursor();
  };
  const onLeave = (): void => {
    if (!(props().cursor()?.pinned ?? false)) props().onCursor?.(null, false);
    repaintCursor();
  };
  host.addEventListener("wheel", onWheel, { passive: false });
  host.addEventListener("pointerdown", onDown);
  host.addEventListener("pointermove", onMove);
  host.addEventListener("pointerup", onUp);
  host.addEventListener("pointercancel", onUp);
  host.addEventListener("pointerleave", onLeave);
  return () => {
    host.removeEventListener("wheel", onWheel);
    host.removeEventListener("pointerdown", onDown);
    host.removeEventListener("pointermove", onMove);
    host.removeEventListener("pointerup", onUp);
    host.removeEventListener("pointercancel", onUp);
    host.removeEventListener("pointerleave", onLeave);
  };
}
