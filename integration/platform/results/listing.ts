import type { BriefResult, Result, ResultKey } from "@lineshaft/contract/api";
import type { Page, ResultQuery } from "@lineshaft/contract/ports";
import type { Book } from "./book.ts";
import type { Position, ResultStore } from "./store.ts";

const defaultPage = 1000;
/** A page of results holds about so many characters of detail. */
const pageBytes = 4 * 1024 * 1024;

/** A page of the results of an application, equipment by equipment. */
export function listResults(
  store: ResultStore,
  book: Book | undefined,
  sees: (equipmentId: number) => boolean,
  q: ResultQuery,
): Page<Result> {
  // An application that has not come yet has no results; whoever shows them need not know better.
  if (book === undefined) return { items: [], cursor: null };
  const { id } = book.application;
  const after = q.cursor === undefined ? null : (JSON.parse(q.cursor) as Position);
  const limit = q.limit ?? defaultPage;
  const wanted = q.equipmentIds ?? store.equipment(id);
  const visible = [...new Set(wanted)].filter(sees).sort((a, b) => a - b);
  const items: Result[] = [];
  let bytes = 0;
  for (const equipmentId of visible) {
    if (after !== null && equipmentId < after.equipmentId) continue;
    if (items.length >= limit || bytes >= pageBytes) return { items, cursor: positionOf(items) };
    const page = store.list({
      ...{
        application: id,
        equipmentId,
        period: q.period ?? null,
        key: q.key ?? null,
        asOf: q.asOf ?? null,
        detail: q.detail !== "none",
      },
      ...{ fromUs: q.fromUs ?? null, toUs: q.toUs ?? null, limit: limit - items.length, bytes: pageBytes - bytes },
      after: after?.equipmentId === equipmentId ? after : null,
    });
    bytes += page.bytes;
    for (const result of page.items) items.push({ ...result, stale: book.agenda.isStale(result) });
    if (page.more) return { items, cursor: positionOf(items) };
  }
  return { items, cursor: null };
}

/** What stands of each key, without what it was made of. */
export function findResults(
  store: ResultStore,
  book: Book | undefined,
  sees: (equipmentId: number) => boolean,
  keys: readonly ResultKey[],
): (BriefResult | null)[] {
  return keys.map((key) => {
    const found = book === undefined ? null : store.brief(book.application.id, key);
    if (book === undefined || found === null || !sees(key.equipmentId)) return null;
    const { fromUs: _from, toUs: _to, cause, ...brief } = found;
    return { ...brief, cause: cause.text, stale: book.agenda.isStale({ ...key, ...found }) };
  });
}

function positionOf(items: readonly { equipmentId: number; fromUs: number; period: string; key: string }[]): string {
  const { equipmentId, fromUs, period, key } = items[items.length - 1];
  return JSON.stringify({ equipmentId, fromUs, period, key } satisfies Position);
}
