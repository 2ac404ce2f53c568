// Writes history's files: the points, what they are about, the trailer. Nothing here decides what is written.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Duck, pointsBlock, pointsFeed, pointsTable, vectorRows } from "./duck.ts";
import { type Files, formatName, type StoredFile, temporarySuffix } from "./files.ts";
import type { Head } from "./head.ts";
import type { HistoryEvent } from "./messages.ts";
import { newRows } from "./rows.ts";
import { type FileMeta, historyFormat, seal } from "./trailer.ts";

interface Target {
  duck: Duck;
  files: Files;
  hooks: { event(event: HistoryEvent): void; crashPoint(name: string): Promise<void> };
}

/** Closes a head into a run file that stands in the directory, synced, when this resolves. */
export async function writeRun(target: Target, head: Head): Promise<void> {
  const { duck, files, hooks } = target;
  const started = performance.now();
  const meta: FileMeta = {
    format: historyFormat,
    kind: "run",
    partition: null,
    covers: [[head.lsnFrom, head.lsnTo]],
    rows: head.rows,
    fromUs: head.rows === 0 ? 0 : head.fromUs,
    toUs: head.rows === 0 ? 0 : head.toUs,
    originals: head.presence.orig ? { fromUs: head.origFromUs, toUs: head.origToUs } : null,
    presence: head.presence,
    corrections: head.corrections,
    hours: [...head.countHours()].sort((a, b) => a[0] - b[0]),
    rollups: { minute: null, hour: null },
    supersedes: [],
    outputs: [],
  };
  const temporary = join(files.dir, `run-${head.lsnFrom}${temporarySuffix}`);
  await rm(temporary, { force: true });
  const { columns, select } = pointsFeed(head.presence);
  const block = newRows(vectorRows, head.presence);
  const read = head.reader();
  const alias = await duck.attach(temporary, "READ_WRITE");
  try {
    await duck.with((connection) =>
      duck.withFeed(async (feed) => {
        feed.load(columns, () => (read(block, vectorRows) === 0 ? null : pointsBlock(block, 0, block.n)));
        await connection.run(`CREATE TABLE ${alias}.${pointsTable}`);
        await connection.run(`INSERT INTO ${alias}.p SELECT ${select} FROM ${feed.name}()`);
        await hooks.crashPoint("K7");
        await connection.run(`CHECKPOINT ${alias}`);
      }),
    );
  } finally {
    await duck.detach(alias);
  }
  const file = await finish(files, temporary, meta);
  await hooks.crashPoint("K8");
  await files.replace([{ temporary, file }], []);
  hooks.event({
    type: "runClosed",
    file: file.name,
    rows: file.meta.rows,
    bytes: file.bytes,
    ms: performance.now() - started,
  });
}

/** Seals a finished DuckDB file and gives it its name; it still stands under the temporary one. */
export async function finish(files: Files, temporary: string, meta: FileMeta): Promise<StoredFile> {
  const name = {
    kind: meta.kind,
    lsnFrom: meta.covers[0][0],
    lsnTo: meta.covers[meta.covers.length - 1][1],
    fromUs: meta.fromUs,
    toUs: meta.toUs,
    serial: files.takeSerial(),
  };
  const bytes = await seal(temporary, meta);
  return { ...name, name: formatName(name), bytes, meta };
}
