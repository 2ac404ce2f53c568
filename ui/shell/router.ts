import { type MouseEvent, useSyncExternalStore } from "react";
import { contributed, contributedPage } from "./contributions.ts";

/**
 * The console's own pages by the first part of the path; applications contribute others. The rest of a view stands in the query, so that a link shows a
 * colleague the same.
 */
export const pages = [
  "equipment",
  "trends",
  "orders",
  "calendar",
  "materials",
  "connections",
  "configuration",
  "rejected",
  "system",
] as const;
export type Page = (typeof pages)[number];

const isOwn = (path: string): path is Page => pages.some((page) => page === path);

/** Where the console begins. */
export const startPage: string = contributed.find(({ isStart }) => isStart)?.path ?? "equipment";

export interface Place {
  /** One of `pages`, or the path of a contributed page. */
  page: string;
  query: URLSearchParams;
}

const listeners = new Set<() => void>();
let place = read();

function read(): Place {
  const first = location.pathname.split("/")[1];
  const page = isOwn(first) || contributedPage(first) !== undefined ? first : startPage;
  return { page, query: new URLSearchParams(location.search) };
}

function changed(): void {
  place = read();
  for (const listener of listeners) listener();
}

export function startRouter(): void {
  addEventListener("popstate", changed);
}

export type Query = Readonly<Record<string, string | number | null | undefined>>;

export function hrefOf(page: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== null && value !== undefined && value !== "") search.set(key, String(value));
  // Commas and slashes are legal in a query and make links that people can read.
  const text = search.toString().replaceAll("%2C", ",").replaceAll("%2F", "/");
  return `/${page}${text === "" ? "" : `?${text}`}`;
}

/** `replace` for what moves with the hand (range, cursor): the back button goes to the last page, not the last pixel. */
export function go(page: string, query: Query = {}, how: "push" | "replace" = "push"): void {
  const href = hrefOf(page, query);
  if (href === location.pathname + location.search) return;
  if (how === "push") history.pushState(null, "", href);
  else history.replaceState(null, "", href);
  changed();
}

export function usePlace(): Place {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => place,
  );
}

/** Props of an `<a>` that stays within the console, yet opens in a new tab when asked to. */
export function link(page: string, query: Query = {}) {
  return {
    href: hrefOf(page, query),
    onClick(event: MouseEvent): void {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      go(page, query);
    },
  };
}
