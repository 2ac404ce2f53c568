import { type RefObject, useEffect, useRef } from "react";

/** Arrows move among the tiles in the element that gets the answer. */
export function useArrows(): RefObject<HTMLDivElement | null> {
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = body.current;
    element?.addEventListener("keydown", moveByArrow);
    return () => element?.removeEventListener("keydown", moveByArrow);
  }, []);
  return body;
}

/** Arrows go from tile to tile as the eye would: to the neighbours in reading order, and to the nearest one above and below. */
function moveByArrow(event: KeyboardEvent): void {
  const from = (event.target as HTMLElement).closest<HTMLElement>(".tile");
  if (from === null || event.altKey || event.ctrlKey || event.metaKey) return;
  const tiles = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".tile")];
  const at = tiles.indexOf(from);
  const to =
    event.key === "ArrowRight"
      ? tiles[at + 1]
      : event.key === "ArrowLeft"
        ? tiles[at - 1]
        : event.key === "ArrowDown"
          ? nearest(tiles.slice(at + 1), from, 1)
          : event.key === "ArrowUp"
            ? nearest(tiles.slice(0, Math.max(0, at)).reverse(), from, -1)
            : undefined;
  if (to === undefined) return;
  event.preventDefault();
  to.focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest" });
}

/** The one in the next row whose middle is nearest; `tiles` in the order in which they are met. */
function nearest(tiles: readonly HTMLElement[], from: HTMLElement, sign: 1 | -1): HTMLElement | undefined {
  const { top, left } = from.getBoundingClientRect();
  const boxes = tiles.map((tile) => ({ tile, box: tile.getBoundingClientRect() }));
  const row = boxes.find(({ box }) => (box.top - top) * sign > 4)?.box.top;
  if (row === undefined) return undefined;
  return boxes
    .filter(({ box }) => Math.abs(box.top - row) <= 4)
    .reduce((best, each) => (Math.abs(each.box.left - left) < Math.abs(best.box.left - left) ? each : best)).tile;
}
