import type { Cause, Result } from "@lineshaft/contract/api";

export type Published = Omit<Result, "stale">;

export type Brief = Pick<
  Published,
  "fromUs" | "toUs" | "state" | "revision" | "cause" | "values" | "coverage" | "publishedUs"
>;

/** What is selected of a result; `briefColumns`: without what it was made of. */
export const columns = `(SELECT name FROM application WHERE application.id = result.application) AS application, equipment AS equipmentId, period, key, revision,
  from_us AS fromUs, to_us AS toUs, state, rule_version AS ruleVersion, cause, vals, coverage, detail, basis_lsn AS basisLsn, lsn, published_us AS publishedUs`;

export const briefColumns = columns.replace(" detail,", " 'null' AS detail,");
export type Texts = { cause: string; vals: string };
export type ResultRow = Omit<Published, "cause" | "values" | "detail"> & Texts & { detail: string };

export const published = ({ detail, ...row }: ResultRow): Published => ({
  ...read(row),
  detail: JSON.parse(detail) as unknown,
});

export function read<R extends Texts>({ vals, cause, ...row }: R) {
  return { ...row, cause: JSON.parse(cause) as Cause, values: JSON.parse(vals) as Published["values"] };
}
