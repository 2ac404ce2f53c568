import { type CatalogueEntry, catalogueEntry as entry } from "./problem-entry.ts";

/** What can be wrong with results that applications publish; part of the catalogue. */
export const resultProblems = {
  work_not_taken: entry(
    409,
    "changed",
    "The result is not of work that was given out to you on this basis.",
    "Take work again: another taker may have it, or something it rests on has changed. Publish with the basisLsn of the work item.",
  ),
  result_too_large: entry(
    422,
    "changed",
    "The detail of a result is larger than 64 KiB.",
    "Keep in `detail` what is needed to add results up and to show them; refer to the rest by `evidence`.",
  ),
  applications_too_many: entry(
    429,
    "changed",
    "There are as many applications as a tenant may have.",
    "Use the name of an application that is not needed any more.",
  ),
} satisfies Record<string, CatalogueEntry>;
