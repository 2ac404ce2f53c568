import { type CatalogueEntry, catalogueEntry as entry } from "./problem-entry.ts";

/** What can be wrong with equipment, tags and connections, one by one or as a whole configuration; part of the catalogue. */
export const configurationProblems = {
  equipment_level_invalid: entry(
    422,
    "changed",
    "The level does not fit below the parent.",
    "The order is enterprise, site, area, workCenter, workUnit.",
  ),
  path_taken: entry(409, "changed", "Another item has this name here.", "Choose another name."),
  connection_kind_invalid: entry(
    409,
    "changed",
    "The connection exists with another kind.",
    "Choose another name for the connection.",
  ),
  configuration_invalid: entry(
    422,
    "changed",
    "The configuration cannot be applied as it stands.",
    "Correct the places named in `errors`; nothing was changed.",
  ),
  yaml_invalid: entry(
    400,
    "changed",
    "The text is not YAML that can be read here.",
    "Correct the place named; plain YAML 1.2 without tags of its own is read.",
  ),
  key_unknown: entry(422, "changed", "There is no such key here.", "Correct its spelling, or take it out."),
  key_duplicate: entry(422, "changed", "Something is named twice.", "Keep one of the two."),
  reference_unknown: entry(
    422,
    "changed",
    "It refers to something that is not there.",
    "Correct the name, or add what it refers to.",
  ),
  condition_invalid: entry(
    422,
    "changed",
    "The condition is not one that can be asked of a value.",
    "Compare `value`, a number written like 5.0; texts, macros and functions other than int() and double() are not possible.",
  ),
  environment_missing: entry(
    422,
    "changed",
    "An environment variable that the file refers to cannot be read.",
    "Set it where `lineshaft` runs; a server never reads its own environment for a configuration that it is sent.",
  ),
  connection_kind_unknown: entry(
    422,
    "changed",
    "There is no connector of this kind.",
    "Use one of the kinds named; see the connectors' pages.",
  ),
  model_published: entry(
    409,
    "changed",
    "A published version of a model never changes.",
    "Give the changed model a new version and let the equipment use that.",
  ),
  still_in_use: entry(409, "changed", "Something still refers to this.", "Move or remove first what is named."),
  csv_invalid: entry(
    422,
    "changed",
    "The table cannot be read.",
    "Correct the rows named; the first row holds the names of the columns.",
  ),
  cell_damaged: entry(
    422,
    "changed",
    "A spreadsheet program has changed this cell.",
    "Format the column as text in the spreadsheet, enter the value again, and export once more.",
  ),
  valid_from_future: entry(
    422,
    "changed",
    "A change cannot hold from a time that has not come.",
    "Give a time until now, or leave it out.",
  ),
  archive_invalid: entry(
    422,
    "changed",
    "The archive or workbook cannot be read.",
    "Save it again without a password, as XLSX; or as CSV.",
  ),
  archive_limits: entry(
    422,
    "changed",
    "The archive holds more than is unpacked here.",
    "Take out what is not needed, or send it in parts.",
  ),
  xml_invalid: entry(
    400,
    "changed",
    "The document is no well-formed XML.",
    "Save it again with the program that made it.",
  ),
  xml_doctype: entry(400, "changed", "XML with a DOCTYPE is not read.", "Take the DOCTYPE out."),
  xml_limits: entry(
    413,
    "changed",
    "The XML is larger or deeper than is read here.",
    "Send it in parts; documents that programs write are far below the limits.",
  ),
} as const satisfies Record<string, CatalogueEntry>;
