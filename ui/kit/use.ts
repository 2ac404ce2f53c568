import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";

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
let ticking = 0;

/** Renders once a second, all at the same moment: ages tick together. */
export function useSecond(): number {
  return useSyncExternalStore(
    (listener) => {
      seconds.add(listener);
      if (ticking === 0)
        ticking = window.setInterval(() => {
          second++;
          for (const each of seconds) each();
        }, 1000);
      return () => {
        seconds.delete(listener);
        if (seconds.size > 0) return;
        clearInterval(ticking);
        ticking = 0;
      };
    },
    () => second,
  );
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
