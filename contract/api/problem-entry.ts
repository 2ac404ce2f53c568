/** Does trying again make sense? `later`: the same request may succeed; `changed`: only a changed one; `never`. */
export type Retry = "later" | "changed" | "never";

export interface CatalogueEntry {
  status: number;
  title: string;
  /** What the caller should do next. */
  action: string;
  retry: Retry;
}

export const catalogueEntry = (status: number, retry: Retry, title: string, action: string): CatalogueEntry => ({
  status,
  title,
  action,
  retry,
});
