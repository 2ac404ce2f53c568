// Writes history's files: the points, what they are about, the trailer. Nothing here decides what is written.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createPoints, type Duck, pointsBlock, pointsFeed, strideOf, vectorRows } from "./duck.ts";
import { formatName, nameOf, type StoredFile, temporarySuffix } from "./file-name.ts";
import type { Files } from "./files.ts";
import type { Head } from "./head.ts";
import type { HistoryEvent } from "./messages.ts";
import { newRows } from "./rows.ts";
import { type FileMeta, historyFormat, seal } from "./trailer.ts";

interface Target {
  duck: Duck;
  files: Files;
  hooks: { event(event: HistoryEvent): void; crashPoint(name: string): Promise<void> };
}

/**
 * Makes a run file of a head; it stands in the directory, synced, when this resolves, and `switched` ran when it became visible. `supersedes`: names of lost files
 * whose rows the head holds. Leaves nothing behind when it fails.
 */
export async function writeRun(
  target: Target,
  head: Head,
  options: { supersedes: string[]; switched: () => void },
): Promise<StoredFile> {
  const { files, hooks } = target;
  const started = performance.now();
  const serial = files.takeSerial();
  const meta = describeHead(head);
  const file: StoredFile = { ...nameOf(meta, serial), name: formatName(nameOf(meta, serial)), bytes: 0, meta };
  if (options.supersedes.length > 0) {
    meta.supersedes = options.supersedes;
    meta.outputs = [file.name];
  }
  const temporary = join(files.dir, `run-${head.lsnFrom}${temporarySuffix}`);
  try {
    await fill(target, head, temporary, meta.strideUs);
    file.bytes = await seal(temporary, meta);
  } catch (error) {
    await removeTemporary(temporary);
    throw error;
  }
  await hooks.crashPoint("K8");
  const { switched } = options;
  await files.replace([{ temporary, copy: null, file }], [], {
    switched,
    crashPoint: (name) => hooks.crashPoint(name),
  });
  const ms = performance.now() - started;
  hooks.event({ type: "runClosed", file: file.name, rows: meta.rows, bytes: file.bytes, ms });
  return file;
}

/** A half-written DuckDB file and its WAL must not hold space that others wait for. */
export async function removeTemporary(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(`${path}.wal`, { force: true });
}

function describeHead(head: Head): FileMeta {
  return {
    format: historyFormat,
    kind: "run",
    partition: null,
    covers: [[head.lsnFrom, head.lsnTo]],
    rows: head.rows,
    fromUs: head.rows === 0 ? 0 : head.fromUs,
    toUs: head.rows === 0 ? 0 : head.toUs,
    originals: head.presence.orig ? { fromUs: head.origFromUs, toUs: head.origToUs } : null,
    presence: head.presence,
    tagTo: head.tagTo,
    strideUs: head.rows === 0 ? 0 : strideOf(head.fromUs, head.toUs, head.tagTo),
    corrections: head.corrections,
    hours: [...head.countHours()].sort((a, b) => a[0] - b[0]),
    rollups: { minute: null, hour: null },
    supersedes: [],
    outputs: [],
  };
}

async function fill({ duck, hooks }: Target, head: Head, temporary: string, strideUs: number): Promise<void> {
  await removeTemporary(temporary);
  const { columns, select } = pointsFeed(head.presence, strideUs);
  const block = newRows(vectorRows, head.presence);
  const read = head.reader();
  const alias = await duck.attach(temporary, "READ_WRITE");
  try {
    await duck.with((connection) =>
      duck.withFeed(async (feed) => {
        feed.load(columns, () => (read(block, vectorRows) === 0 ? null : pointsBlock(block, 0, block.n)));
        await createPoints(connection, alias, strideUs);
        await connection.run(`INSERT INTO ${alias}.q SELECT ${select} FROM ${feed.name}()`);
        await hooks.crashPoint("K7");
        await connection.run(`CHECKPOINT ${alias}`);
      }),
    );
  } finally {
    await duck.detach(alias);
  }
}
