import type { OrderProgress } from "@lineshaft/contract/api";
import { useEffect, useMemo, useRef, useState } from "react";
import { call } from "../platform.ts";
import { portions, type RecordedOrder } from "./model.ts";

const everyMs = 15_000;
/** What has ended is asked again, since late values and late bookings change it. */
const allEveryMs = 300_000;
const pageSize = 100;

export interface Progresses {
  of(id: string): OrderProgress | null;
  /** Nothing has been answered yet. */
  loading: boolean;
  error: unknown;
}

/**
 * How far all orders are, kept up to date while somebody looks: page by page at first, then those that run, or were changed since. A hidden page asks nobody.
 */
export function useProgresses(orders: readonly RecordedOrder[]): Progresses {
  const [known, setKnown] = useState<ReadonlyMap<string, OrderProgress>>(new Map());
  const [state, setState] = useState<{ loading: boolean; error: unknown }>({ loading: true, error: null });
  const latest = useRef({ orders, known });
  latest.current = { orders, known };

  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    let allAt = Number.NEGATIVE_INFINITY;
    const take = (items: readonly OrderProgress[]): void =>
      setKnown((old) => new Map([...old, ...items.map((item) => [item.order, item] as const)]));
    const round = async (): Promise<void> => {
      try {
        if (performance.now() - allAt > allEveryMs) {
          await readAll(take, abort.signal);
          allAt = performance.now();
        } else await readSome(due(latest.current), take, abort.signal);
        if (!abort.signal.aborted) setState({ loading: false, error: null });
      } catch (error) {
        if (!abort.signal.aborted) setState({ loading: false, error });
      }
      if (!abort.signal.aborted) timer = window.setTimeout(later, everyMs);
    };
    const later = (): void => {
      if (!document.hidden) void round();
      else document.addEventListener("visibilitychange", later, { once: true });
    };
    void round();
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", later);
    };
  }, []);

  // What somebody has just changed is asked at once; the rest may wait for its turn.
  const changed = orders.filter(({ id, revision }) => (known.get(id)?.revision ?? revision) < revision);
  const changedKey = changed.map(({ id, revision }) => `${id} ${revision}`).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says what has changed
  useEffect(() => {
    if (changedKey === "") return;
    const abort = new AbortController();
    const take = (items: readonly OrderProgress[]): void =>
      setKnown((old) => new Map([...old, ...items.map((item) => [item.order, item] as const)]));
    readSome(
      changed.map(({ id }) => id),
      take,
      abort.signal,
    ).catch(() => undefined);
    return () => abort.abort();
  }, [changedKey]);

  return useMemo(() => ({ of: (id) => known.get(id) ?? null, ...state }), [known, state]);
}

/** What may be another number by now: what runs, and what nobody has told of yet. */
function due({ orders, known }: { orders: readonly RecordedOrder[]; known: ReadonlyMap<string, OrderProgress> }) {
  return orders.flatMap(({ id }) => {
    const progress = known.get(id);
    return progress === undefined || progress.state === "running" || progress.state === "planned" ? [id] : [];
  });
}

type Take = (items: readonly OrderProgress[]) => void;

async function readAll(take: Take, signal: AbortSignal): Promise<void> {
  let cursor: string | null = null;
  do {
    const query: { limit: number; cursor?: string } = { limit: pageSize, ...(cursor === null ? {} : { cursor }) };
    const page: { items: OrderProgress[]; cursor: string | null } = await call("listOrderProgress", { query, signal });
    take(page.items);
    cursor = page.cursor;
  } while (cursor !== null);
}

async function readSome(ids: readonly string[], take: Take, signal: AbortSignal): Promise<void> {
  for (const order of portions(ids)) take((await call("listOrderProgress", { query: { order }, signal })).items);
}
