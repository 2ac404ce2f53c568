import { useCallback, useSyncExternalStore } from "react";
import { useSecond } from "../kit/index.ts";
import { live, nowUs } from "./feed.ts";
import type { LiveValue } from "./live.ts";

export { useLoaded, useMedia } from "../kit/index.ts";

/** Renders once a second, all at the same moment. Returns the server's time. */
export function useNow(): number {
  useSecond();
  return nowUs();
}

/** The newest value of one tag; renders at most five times a second. */
export function useLive(tag: number): LiveValue | null {
  useSyncExternalStore(
    useCallback((listener) => live.subscribe(tag, listener), [tag]),
    () => live.version(tag),
  );
  return live.get(tag);
}
