import { join } from "node:path";
import type { Clock, Log, Registry } from "@lineshaft/contract/ports";
import { openResults, type ResultService } from "@lineshaft/platform/results";
import { LogConsumer } from "./consumers.ts";
import type { RunningFactRecords } from "./fact-records.ts";
import type { RunningFacts } from "./facts.ts";
import { periodic } from "./periodic.ts";

/** Of publications a few milliseconds of writing. */
const portionBytes = 128 * 1024;

export interface RunningResults {
  results: ResultService;
  run(onError: (error: unknown) => void): void;
  stop(): Promise<void>;
}

/** The results of applications beside the other views of the log, which is held until they are synced. */
export function resultsOf(parts: {
  dataDir: string;
  log: Log;
  registry: Registry;
  derived: Pick<RunningFacts, "facts" | "from">;
  recorded: RunningFactRecords;
  clock: Clock;
  syncEveryMs: number;
  onEvent(event: { code: string; text: string }): void;
}): RunningResults {
  const { dataDir, log, clock, derived, recorded, ...rest } = parts;
  const results = openResults({
    ...rest,
    path: join(dataDir, "results.sqlite"),
    log,
    clock,
    facts: derived.facts,
    factsFrom: derived.from,
    applied: (lsn) => consumer.until(lsn),
    recorded: { production: recorded.records.production, applied: (lsn) => recorded.applied(lsn) },
    onError: (error) => failed(error),
  });
  const pin = (): void => log.pin("results", results.syncedLsn + 1);
  const from = Math.max(results.nextLsn, log.status.firstLsn);
  log.pin("results", from);
  // What was published is kept portion by portion, and whoever waits for something else is served in between.
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const consumer = new LogConsumer(log, clock, from, (frames) => results.apply(frames), turn, portionBytes);
  let ticks: ReturnType<typeof periodic> | null = null;
  let tell: (error: unknown) => void = () => {};
  // Numbers are worth less than new points: where they fail, the log is not held for them.
  const failed = (error: unknown): void => {
    log.unpin("results");
    tell(error);
  };
  return {
    results,
    run: (onError) => {
      tell = onError;
      consumer.run(failed);
      ticks = periodic(
        1000,
        async () => {
          results.tick();
          pin();
        },
        failed,
      );
    },
    stop: async () => {
      await ticks?.stop();
      await consumer.stop();
      results.close();
    },
  };
}
