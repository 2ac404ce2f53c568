import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { live, nowUs } from "./feed.ts";
import type { LiveValue } from "./live.ts";

export interface Loaded<T> {
  data: T | null;
  error: unknown;
  /** True until the first answer or error. */
  loading: boolean;
  reload(): void;
}

/** Reads something, again every `everyMs` while the page is visible. What was read stays while a later attempt fails. */
export function useLoaded<T>(key: string, read: (signal: AbortSignal) => Promise<T>, everyMs?: number): Loaded<T> {
  const [state, setState] = useState<{ key: string; data: T | null; error: unknown; loading: boolean }>({
    key,
    data: null,
    error: null,
    loading: true,
  });
  const reader = useRef(read);
  reader.current = read;
  const [round, setRound] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` is the wish to read again
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    const once = async (): Promise<void> => {
      try {
        const data = await reader.current(abort.signal);
        if (!abort.signal.aborted) setState({ key, data, error: null, loading: false });
      } catch (error) {
        if (!abort.signal.aborted)
          setState((old) => ({ key, data: old.key === key ? old.data : null, error, loading: false }));
      }
      if (everyMs !== undefined && !abort.signal.aborted) timer = window.setTimeout(later, everyMs);
    };
    // A hidden page asks nobody; it asks at once when it is seen again.
    const later = (): void => {
      if (!document.hidden) void once();
      else document.addEventListener("visibilitychange", later, { once: true });
    };
    void once();
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", later);
    };
  }, [key, everyMs, round]);

  const reload = useCallback(() => setRound((n) => n + 1), []);
  if (state.key !== key) return { data: null, error: null, loading: true, reload };
  return { data: state.data, error: state.error, loading: state.loading, reload };
}

const seconds = new Set<() => void>();
let second = 0;
setInterval(() => {
  second++;
  for (const listener of seconds) listener();
}, 1000);

/** Renders once a second, all at the same moment: ages tick together. Returns the server's time. */
export function useNow(): number {
  useSyncExternalStore(
    (listener) => {
      seconds.add(listener);
      return () => seconds.delete(listener);
    },
    () => second,
  );
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

/** Does the screen match? Follows changes such as turning the tablet. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    useCallback(
      (listener) => {
        const media = matchMedia(query);
        media.addEventListener("change", listener);
        return () => media.removeEventListener("change", listener);
      },
      [query],
    ),
    () => matchMedia(query).matches,
  );
}
