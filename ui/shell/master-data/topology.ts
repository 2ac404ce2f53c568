import { type FieldEntry, newRow, type RowDraft } from "./fields.ts";

/** The machines of a line in the flow of material, as rows of the form: their order, and which stand in parallel. Pure. */

const stageOf = ({ fields }: RowDraft): number => Number(fields.stage) || 0;

/** By stage; machines of one stage in the order in which they are listed. */
export const inFlow = (rows: readonly RowDraft[]): RowDraft[] => [...rows].sort((a, b) => stageOf(a) - stageOf(b));

/** Does the row stand in parallel to the one before it? */
export const isBeside = (rows: readonly RowDraft[], at: number): boolean =>
  at > 0 && stageOf(rows[at]) === stageOf(rows[at - 1]);

const staged = (rows: readonly RowDraft[], beside: readonly boolean[]): RowDraft[] => {
  let stage = 0;
  return rows.map((row, i) => {
    if (i === 0 || !beside[i]) stage++;
    return { ...row, fields: { ...row.fields, stage: String(stage) } };
  });
};

const besides = (rows: readonly RowDraft[]): boolean[] => rows.map((_, i) => isBeside(rows, i));

/** A row at another place; it takes a stage of its own there unless it stays where it was. */
export function moved(rows: readonly RowDraft[], from: number, to: number): RowDraft[] {
  if (from === to || to < 0 || to >= rows.length) return [...rows];
  const pairs = rows.map((row, i) => ({ row, beside: isBeside(rows, i) }));
  // What stood beside the row that goes begins the stage now.
  const next = pairs[from + 1];
  if (next !== undefined && !pairs[from].beside) next.beside = false;
  const [pair] = pairs.splice(from, 1);
  pair.beside = false;
  // A row that is put between two parallel ones joins them.
  if (pairs[to]?.beside === true) pair.beside = true;
  pairs.splice(to, 0, pair);
  return staged(
    pairs.map(({ row }) => row),
    pairs.map(({ beside }) => beside),
  );
}

/** Parallel to the row before it, or a stage of its own. */
export function joined(rows: readonly RowDraft[], at: number, beside: boolean): RowDraft[] {
  const all = besides(rows);
  all[at] = beside;
  return staged(rows, all);
}

export function without(rows: readonly RowDraft[], at: number): RowDraft[] {
  const all = besides(rows);
  if (all[at + 1] === true && !all[at]) all[at + 1] = false;
  all.splice(at, 1);
  return staged(
    rows.filter((_, i) => i !== at),
    all,
  );
}

/** Machines at the end of the flow, each a stage of its own, one unit a count. */
export function added(
  rows: readonly RowDraft[],
  fields: readonly FieldEntry[],
  machines: readonly number[],
): RowDraft[] {
  const fresh = machines.map((equipmentId) => {
    const row = newRow(fields);
    return { ...row, fields: { ...row.fields, equipmentId: String(equipmentId), unitsPerCount: "1" } };
  });
  return staged([...rows, ...fresh], [...besides(rows), ...fresh.map(() => false)]);
}
