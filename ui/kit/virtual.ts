/** Which of many equally tall rows are on screen. */
export interface Window {
  first: number;
  /** Exclusive. */
  end: number;
}

export function visibleRows(scrollTop: number, height: number, rowHeight: number, count: number, overscan = 8): Window {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - overscan);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + overscan);
  return { first: Math.min(first, Math.max(0, end)), end };
}

/** Widens to whole blocks, so that scrolling by a row does not change what is subscribed. */
export function blocksOf({ first, end }: Window, count: number, block = 64): Window {
  return { first: Math.floor(first / block) * block, end: Math.min(count, Math.ceil(end / block) * block) };
}

/** The scroll position that shows `row`, moving as little as possible. */
export function scrollToShow(row: number, scrollTop: number, height: number, rowHeight: number): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  return top + rowHeight > scrollTop + height ? top + rowHeight - height : scrollTop;
}
