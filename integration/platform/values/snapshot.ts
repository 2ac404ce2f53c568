import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import type { Disk, Lsn } from "@lineshaft/contract/ports";
import { LastValueTable } from "./last-values.ts";

/** What is saved beside the last values so that a start replays only the log's tail. */
export interface ViewSnapshot {
  appliedLsn: Lsn;
  generation: number;
  unjudged: Lsn[];
  sums: unknown;
  connections: {
    id: number;
    durable: { generation: number; sequence: number | null; sourceCursor: string | null } | null;
    lastBatchUs: number | null;
  }[];
  values: LastValueTable;
}

const formatVersion = 1;
const headerBytes = 16; // magic "LSNV", version, crc, length

/**
 * Writes the snapshot under a new name and renames it; the one before stays, so that a damaged one costs a longer replay and nothing else. The
 * log must therefore reach back to the one before.
 */
export async function saveSnapshot(disk: Disk, dir: string, snapshot: ViewSnapshot, tagBound: number): Promise<void> {
  const { values, ...rest } = snapshot;
  const body = serialize({ ...rest, table: values.snapshot(tagBound) });
  const header = Buffer.alloc(headerBytes);
  header.write("LSNV", 0, "latin1");
  header.writeUInt32LE(formatVersion, 4);
  header.writeUInt32LE(crc32(body), 8);
  header.writeUInt32LE(body.length, 12);
  await disk.makeDir(dir);
  const file = await disk.open(`${dir}/snapshot.new`, "create");
  try {
    await file.write(0, [header, body]);
    await file.truncate(headerBytes + body.length);
    await file.sync();
  } finally {
    await file.close();
  }
  if ((await disk.list(dir)).includes("snapshot")) await disk.rename(`${dir}/snapshot`, `${dir}/snapshot.previous`);
  await disk.rename(`${dir}/snapshot.new`, `${dir}/snapshot`);
  await disk.syncDir(dir);
}

/**
 * The newest whole snapshot of this generation, or null: then the views begin at the start of the log. `oldestLsn`: the log must go on reaching
 * back to here, for the day when only the older one can be read.
 */
export async function loadSnapshot(
  disk: Disk,
  dir: string,
  generation: number,
): Promise<{ newest: ViewSnapshot | null; oldestLsn: Lsn }> {
  const whole: ViewSnapshot[] = [];
  for (const name of ["snapshot", "snapshot.previous"]) {
    const bytes = await disk.readFile(`${dir}/${name}`);
    const snapshot = bytes === null ? null : parse(bytes);
    if (snapshot?.generation === generation) whole.push(snapshot);
  }
  return { newest: whole[0] ?? null, oldestLsn: whole.at(-1)?.appliedLsn ?? 0 };
}

function parse(bytes: Uint8Array): ViewSnapshot | null {
  if (bytes.length < headerBytes) return null;
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, headerBytes);
  const body = bytes.subarray(headerBytes);
  const whole =
    header.toString("latin1", 0, 4) === "LSNV" &&
    header.readUInt32LE(4) === formatVersion &&
    header.readUInt32LE(12) === body.length &&
    header.readUInt32LE(8) === crc32(body);
  if (!whole) return null;
  const { table, ...rest } = deserialize(body) as Omit<ViewSnapshot, "values"> & {
    table: { arrays: Parameters<LastValueTable["restore"]>[0]; exact: Parameters<LastValueTable["restore"]>[1] };
  };
  const values = new LastValueTable();
  values.restore(table.arrays, table.exact);
  return { ...rest, values };
}
