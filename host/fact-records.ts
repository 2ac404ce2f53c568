import { join } from "node:path";
import { type Clock, type Log, type Lsn, type Registry, recordType } from "@lineshaft/contract/ports";
import { type FactRecordService, openFactRecords } from "@lineshaft/platform/fact-records";
import { LogConsumer } from "./consumers.ts";

export interface RunningFactRecords {
  records: FactRecordService;
  /** Resolves when the log up to here can be read; rejects where records are followed no more. */
  applied(lsn: Lsn): Promise<void>;
  run(onError: (error: unknown) => void): void;
  stop(): Promise<void>;
}

/** Facts that systems have recorded, beside the other views of the log; it is held until they are synced, since they outlive it. */
export async function factRecordsOf(parts: {
  dataDir: string;
  log: Log;
  registry: Registry;
  clock: Clock;
  syncEveryMs: number;
  onEvent(event: { code: string; text: string }): void;
  crashPoint: ((name: string) => void) | undefined;
}): Promise<RunningFactRecords> {
  const { dataDir, log, clock, crashPoint } = parts;
  const records = openFactRecords({
    ...parts,
    path: join(dataDir, "fact-records.sqlite"),
    applied: (lsn) => applied(lsn),
  });
  let failed: { error: unknown } | null = null;
  const from = Math.max(records.appliedLsn + 1, log.status.firstLsn);
  log.pin("factRecords", from);
  const consumer = new LogConsumer(log, clock, from, (frames) => {
    if (frames.some(({ type }) => type === recordType.factRecorded)) crashPoint?.("K7");
    records.apply(frames);
    log.pin("factRecords", records.syncedLsn + 1);
    return undefined;
  });
  await consumer.catchUp(log);
  const applied = async (lsn: Lsn): Promise<void> => {
    if (failed !== null) throw failed.error;
    await consumer.until(lsn);
  };
  return {
    records,
    applied,
    run: (onError) =>
      consumer.run((error) => {
        // The log is held for them all the same: what it has and they have not is nowhere else.
        failed = { error };
        onError(error);
      }),
    stop: async () => {
      await consumer.stop();
      records.close();
    },
  };
}
