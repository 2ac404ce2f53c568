import type { ConnectorBatch } from "@lineshaft/contract/ports";

/** What is wrong with the shape of a batch, or null. Connectors are trusted with their protocol, not with our memory. */
export function flawOf({ names, columns, faults, faultSamples }: ConnectorBatch): string | null {
  const { rows, exact, ...each } = columns;
  for (const [name, column] of Object.entries(each)) {
    if (column !== null && column?.length !== rows)
      return `The column "${name}" does not have the batch's ${rows} rows.`;
  }
  for (let i = 0; i < rows; i++) {
    if (!(columns.tag[i] >= 0 && columns.tag[i] < names.length))
      return `Row ${i} refers to name ${columns.tag[i]} of ${names.length}.`;
  }
  if (exact !== null && (exact.row.length !== exact.value.length || exact.row.some((row) => row >= rows)))
    return "The exact values do not belong to the rows.";
  if ((faults?.length ?? 0) !== (faultSamples?.length ?? 0)) return "Faults and their samples differ in number.";
  return null;
}
