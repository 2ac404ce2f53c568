import { join } from "node:path";
import type { Clock, Log } from "@lineshaft/contract/ports";
import { factsKeptUs } from "@lineshaft/platform/derivation";
import { openToldFacts, type ToldFactsService } from "@lineshaft/platform/told-facts";
import { LogConsumer } from "./consumers.ts";

export interface RunningToldFacts {
  told: ToldFactsService;
  run(onError: (error: unknown) => void): void;
  stop(): Promise<void>;
}

/** What was told of facts, beside the other views of the log. */
export function toldFactsOf(parts: {
  dataDir: string;
  log: Log;
  clock: Clock;
  flushEveryMs: number;
  onEvent(event: { code: string; text: string }): void;
}): RunningToldFacts {
  const { dataDir, log, clock } = parts;
  let failed: { error: unknown } | null = null;
  const told = openToldFacts({
    ...parts,
    path: join(dataDir, "told-facts.sqlite"),
    keptUs: factsKeptUs,
    applied: async (lsn) => {
      if (failed !== null) throw failed.error;
      await consumer.until(lsn);
    },
  });
  const from = Math.max(told.appliedLsn + 1, log.status.firstLsn);
  log.pin("toldFacts", from);
  const consumer = new LogConsumer(log, clock, from, (frames) => {
    told.apply(frames);
    log.pin("toldFacts", told.syncedLsn + 1);
    return undefined;
  });
  return {
    told,
    run: (onError) =>
      consumer.run((error) => {
        // What was published once is worth less than new points: where it cannot be kept, the log is not held for it.
        log.unpin("toldFacts");
        failed = { error };
        onError(error);
      }),
    stop: async () => {
      await consumer.stop();
      told.close();
    },
  };
}
