import type { Principal } from "@lineshaft/contract/api";
import type { Clock, GapRecord, History, Ledger, Log, Lsn, Registry } from "@lineshaft/contract/ports";
import { FactsFollower } from "@lineshaft/platform/derivation";
import type { TagDirectory } from "@lineshaft/platform/ingest";
import { LogConsumer } from "./consumers.ts";

const system: Principal = { id: "facts", kind: "system", name: "facts", tenant: 1, role: "admin", scopes: [""] };

export interface RunningFacts {
  facts: FactsFollower;
  /** Derives what history has, then follows the log. Doors open meanwhile; what is not derived yet is told as under repair. */
  run(onError: (error: unknown) => void): void;
  stop(): Promise<void>;
}

/** The facts beside the other views of the log. */
export function factsOf(parts: {
  log: Log;
  history: History;
  registry: Registry;
  ledger: Ledger;
  directory: TagDirectory;
  clock: Clock;
  registryApplied: (lsn: Lsn) => Promise<void>;
}): RunningFacts {
  const { log, history, registry, ledger, directory, clock, registryApplied } = parts;
  const heard = [...directory.connections].flatMap(({ id, lastBatchUs }) =>
    lastBatchUs === null ? [] : [{ connectionId: id, lastUs: lastBatchUs }],
  );
  const facts = new FactsFollower({
    history,
    registry,
    clock,
    registryApplied,
    gaps: gapsOf(ledger, directory),
    heard,
  });
  const after = Math.max(history.status.appliedLsn, log.status.firstLsn - 1);
  log.pin("facts", after + 1);
  const consumer = new LogConsumer(log, clock, after + 1, async (frames) => {
    await facts.apply(frames);
    log.pin("facts", frames[frames.length - 1].lsn + 1);
  });
  let begun: Promise<void> = Promise.resolve();
  let stopping = false;
  /** Facts are worth less than new points: where they fail, the log is not held for them. */
  const failed = (onError: (error: unknown) => void) => (error: unknown) => {
    log.unpin("facts");
    onError(error);
  };
  return {
    facts,
    run: (onError) => {
      begun = facts.begin(after).then(
        () => (stopping ? undefined : consumer.run(failed(onError))),
        (error: unknown) => (stopping ? undefined : failed(onError)(error)),
      );
    },
    stop: async () => {
      stopping = true;
      const ended = consumer.stop();
      facts.stop();
      await Promise.all([begun, ended]);
    },
  };
}

/** All gaps that the ledger keeps, with the connection's number. */
function gapsOf(ledger: Ledger, directory: TagDirectory): Pick<GapRecord, "connectionId" | "fromUs" | "toUs">[] {
  const gaps: Pick<GapRecord, "connectionId" | "fromUs" | "toUs">[] = [];
  let cursor: string | undefined;
  do {
    const page = ledger.listGaps(system, { limit: 1000, cursor });
    for (const { connection, fromUs, toUs } of page.items) {
      const known = connection === null ? undefined : directory.connection(system.tenant, connection);
      if (known !== undefined) gaps.push({ connectionId: known.id, fromUs, toUs });
    }
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  // The ledger lists the newest first; what a record says of an open gap follows from those before it.
  return gaps.reverse();
}
