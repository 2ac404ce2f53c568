/**
 * The durable log in segment files: `openLog` gives the `Log` port, `nodeDisk` the machine's disk, `lockDataDir` makes this process
 * the only owner. Read `frame.ts` for the format, `log.ts` for the commit, `recovery.ts` for what happens at a start.
 */
import type { Log } from "@lineshaft/contract/ports";
import type { LogEvent } from "./events.ts";
import { SegmentLog } from "./log.ts";
import { type LogOptions, settle } from "./options.ts";
import { recover, removeClosed, writeFormat } from "./recovery.ts";

export type { LogEvent, LogEventSink } from "./events.ts";
export { lockDataDir } from "./lock.ts";
export { nodeDisk } from "./node-disk.ts";
export type { LogOptions } from "./options.ts";

/**
 * Opens or creates the log in `dir`. Damage is reported through `onEvent`, never a reason to refuse; a full disk neither. Throws
 * ProblemError `data_dir_version` when a newer version wrote it. The caller holds the lock of the data directory.
 */
export async function openLog(options: LogOptions): Promise<Log> {
  const { disk, dir } = options;
  const emit = (event: LogEvent): void => options.onEvent?.(event);
  await disk.makeDir(dir);
  // The directory's own name must be durable before anything in it is.
  await disk.syncDir(dir.slice(0, dir.lastIndexOf("/")) || "/");
  const found = await recover(disk, dir, emit);
  await removeClosed(disk, dir);
  // Without space the marker is written by a later start.
  await writeFormat(disk, dir).catch(() => {});
  const log = new SegmentLog(options, settle(options), emit, found);
  await log.start();
  return log;
}
