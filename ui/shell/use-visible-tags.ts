import type { RawTag } from "@lineshaft/contract/api";
import { useCallback, useEffect, useRef } from "react";
import { blocksOf, type Window } from "../kit/index.ts";
import { watch } from "./feed.ts";

/** Watches the tags whose rows are on screen. Returns what the table tells its window to; the page is not rendered again for it. */
export function useVisibleTags(rows: readonly RawTag[]): (window: Window) => void {
  const state = useRef({ rows, window: { first: 0, end: 0 } as Window, block: "", stop: (): void => {} });
  const follow = useCallback((): void => {
    const now = state.current;
    const { first, end } = blocksOf(now.window, now.rows.length);
    const tags = now.rows.slice(first, end).map((tag) => tag.id);
    const block = tags.join(",");
    if (block === now.block) return;
    const before = now.stop;
    now.block = block;
    now.stop = watch(tags);
    before();
  }, []);
  useEffect(() => {
    state.current.rows = rows;
    follow();
  }, [rows, follow]);
  useEffect(
    () => () => {
      state.current.stop();
      state.current.stop = () => {};
      state.current.block = "";
    },
    [],
  );
  return useCallback(
    (window) => {
      state.current.window = window;
      follow();
    },
    [follow],
  );
}
