import type { ResultPublishedRecord } from "@lineshaft/contract/ports";
import type { Verdict } from "./book.ts";
import type { ResultTexts, StoredApplication } from "./store.ts";

/** A record of a publication, and the texts of its items as they will be kept. */
export interface Written {
  record: ResultPublishedRecord;
  texts: readonly ResultTexts[];
}

const recordBytes = 512 * 1024;
/** Numbers and evidence of a result, about. */
const itemBytes = 1000;

/** One publication as records of about half a MiB. */
export function recordsOf(
  { name, ruleVersion }: StoredApplication,
  accepted: readonly Extract<Verdict, { what: "publish" }>[],
): Written[] {
  const records: Written[] = [];
  let from = 0;
  let bytes = 0;
  for (const [i, { texts }] of accepted.entries()) {
    bytes += itemBytes + texts.detail.length;
    if (bytes < recordBytes && i + 1 < accepted.length) continue;
    const portion = accepted.slice(from, i + 1);
    const items = portion.map(({ item }) => item);
    records.push({
      record: { application: name, ruleVersion, items },
      texts: portion.map((each) => each.texts),
    });
    from = i + 1;
    bytes = 0;
  }
  return records;
}
