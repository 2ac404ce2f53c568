import { type CatalogueEntry, catalogueEntry as entry } from "./problem-entry.ts";

/** What can be wrong with facts that systems record, and with asking what was known when; part of the catalogue. */
export const recordProblems = {
  record_conflict: entry(
    409,
    "changed",
    "The id is known with other content.",
    "Give each fact an id of its own; to correct one, send it with a greater revision.",
  ),
  record_unknown: entry(
    422,
    "changed",
    "There is nothing recorded under this id that you could retract.",
    "Check the id; what was retracted before needs no second retraction.",
  ),
  record_subject_missing: entry(
    422,
    "changed",
    "It names neither a serial number nor a lot.",
    "Say of which unit or lot it is.",
  ),
  record_time_ahead: entry(
    422,
    "changed",
    "It lies in the future.",
    "Set the source's clock; plans are no facts and are kept as orders.",
  ),
  as_of_invalid: entry(
    422,
    "changed",
    "asOf is neither a position in the log nor a time, or it lies ahead.",
    "Send the LSN of a record, or RFC 3339 text with a zone that is not in the future.",
  ),
  as_of_expired: entry(
    410,
    "never",
    "What had been published then is kept no more.",
    "Ask for a later place in the log, or for a period within the retention of facts.",
  ),
} satisfies Record<string, CatalogueEntry>;
