import { join } from "node:path";
import { type Principal, ProblemError } from "@lineshaft/contract/api";
import {
  type Clock,
  type ConnectionHealth,
  encodeFacts,
  type History,
  type Ledger,
  type Log,
  type Lsn,
  type Registry,
  recordType,
  type Sink,
} from "@lineshaft/contract/ports";
import { MachineContext, type MasterDataChange, placesUpwards } from "@lineshaft/platform/context";
import {
  type FactsCheckpoint,
  FactsFollower,
  factsKeptUs,
  type KnownGap,
  type SilenceStatement,
} from "@lineshaft/platform/derivation";
import { openFactsStore } from "@lineshaft/platform/facts-store";
import type { TagDirectory } from "@lineshaft/platform/ingest";
import { LogConsumer } from "./consumers.ts";
import { periodic } from "./periodic.ts";

/** How often watermarks move. */
const tickMs = 1000;

const system: Principal = { id: "facts", kind: "system", name: "facts", tenant: 1, role: "admin", scopes: [""] };

export interface RunningFacts {
  facts: FactsFollower;
  /** What the log has up to here is derived at the start and told to nobody. */
  from: Lsn;
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
  sink: Pick<Sink, "gap">;
  dataDir: string;
  saveEveryMs: number;
  note: (event: { code: string; text: string }) => void;
  /** How a connection is that the platform runs itself; null: it does not. */
  healthOf: (tenant: number, connection: string) => ConnectionHealth["state"] | null;
}): RunningFacts {
  const {
    log,
    history,
    registry,
    ledger,
    directory,
    clock,
    registryApplied,
    sink,
    healthOf,
    dataDir,
    saveEveryMs,
    note,
  } = parts;
  const heard = [...directory.connections].flatMap(({ id, lastBatchUs }) =>
    lastBatchUs === null ? [] : [{ connectionId: id, lastUs: lastBatchUs }],
  );
  const store = openFactsStore({
    path: join(dataDir, "facts.sqlite"),
    generation: log.status.generation,
    onEvent: note,
  });
  const checkpoint = usable(store.load(), log, note);
  const after = checkpoint?.lsn ?? Math.max(history.status.appliedLsn, log.status.firstLsn - 1);
  log.pin("facts", after + 1);
  /** False: the file can be written no more, and the log is not held for it. */
  let saving = true;
  const data = registry.masterData;
  const machines: MachineContext = new MachineContext({
    ...{ data, principal: system, sinceUs: clock.nowUs() - factsKeptUs },
    machines: {
      identifiers: (equipmentId) => facts.identifiers(equipmentId, 0, clock.nowUs()),
      upwards: (equipmentId) => placesUpwards(registry, system, equipmentId),
    },
  });
  const facts: FactsFollower = new FactsFollower({
    history,
    registry,
    clock,
    registryApplied,
    gaps: gapsOf(ledger, directory),
    heard,
    machines: {
      idealCycles: (equipmentId) => machines.idealCycles(equipmentId),
      changed: (after) => machines.changed(after as unknown as MasterDataChange),
      get microStopUs() {
        return machines.microStopUs;
      },
    },
    aliveUs: (connectionId) => {
      const connection = directory.connectionById(connectionId);
      // What is in the log and not taken yet may be older than now.
      if (connection === undefined || consumer.applied < log.status.durableLsn) return null;
      // Open, whether it has something to say or not.
      const state = healthOf(connection.tenant, connection.name);
      return state === "flowing" || state === "silent" ? clock.nowUs() : null;
    },
    silence: (statement) => void state(statement),
    tell: async (rows, tenant) => {
      const record = { tenant, partition: 0, type: recordType.factsChanged, payload: encodeFacts(rows) };
      return await log.append(record).durable.then(
        () => true,
        () => false,
      );
    },
    ...{ store, checkpoint, saveEveryMs },
    saved: async (save) => {
      if (!saving) return;
      try {
        log.pin("facts", (await save()) + 1);
      } catch (error) {
        // On a full disk it is tried again; after a failed sync nothing is written to the file any more.
        if (error instanceof ProblemError && error.code === "disk_full") return;
        saving = false;
        note({ code: "facts_not_saved", text: `Facts are no longer saved: ${(error as Error).message}` });
      }
    },
  });
  /** Also on a disk that is full just now: what is not stated would hold the watermark for ever. */
  const state = async ({ connectionId, ...gap }: SilenceStatement): Promise<void> => {
    const connection = directory.connectionById(connectionId);
    while (connection !== undefined && !stopping) {
      try {
        await sink.gap(connection.tenant, { ...gap, connection: connection.name, points: null });
        return;
      } catch {
        await clock.sleep(tickMs);
      }
    }
  };
  const consumer = new LogConsumer(log, clock, after + 1, async (frames) => {
    await facts.apply(frames);
    if (!saving) log.pin("facts", frames[frames.length - 1].lsn + 1);
  });
  let begun: Promise<void> = Promise.resolve();
  let ticks: ReturnType<typeof periodic> | null = null;
  let stopping = false;
  /** Facts are worth less than new points: where they fail, the log is not held for them. */
  const failed = (onError: (error: unknown) => void) => (error: unknown) => {
    log.unpin("facts");
    onError(error);
  };
  return {
    facts,
    from: after,
    run: (onError) => {
      ticks = periodic(tickMs, async () => facts.tick(), onError);
      begun = facts.begin(after).then(
        () => (stopping ? undefined : consumer.run(failed(onError))),
        (error: unknown) => (stopping ? undefined : failed(onError)(error)),
      );
    },
    stop: async () => {
      stopping = true;
      await ticks?.stop();
      const ended = consumer.stop();
      facts.stop();
      await Promise.all([begun, ended]);
      await facts.saveNow();
      store.close();
    },
  };
}

/** What was saved, where the log still goes on from there. */
function usable(
  checkpoint: FactsCheckpoint | null,
  log: Log,
  note: (event: { code: string; text: string }) => void,
): FactsCheckpoint | null {
  if (checkpoint === null) return null;
  const { firstLsn, durableLsn } = log.status;
  if (checkpoint.lsn + 1 >= firstLsn && checkpoint.lsn <= durableLsn) return checkpoint;
  const text = `Facts were saved at record ${checkpoint.lsn}, but the log has ${firstLsn} to ${durableLsn}: they are derived again from history.`;
  note({ code: "facts_rebuilt", text });
  return null;
}

/** All gaps that the ledger keeps, with the connection's number. */
function gapsOf(ledger: Ledger, directory: TagDirectory): KnownGap[] {
  const gaps: KnownGap[] = [];
  let cursor: string | undefined;
  do {
    const page = ledger.listGaps(system, { limit: 1000, cursor });
    for (const { connection, fromUs, toUs, reason } of page.items) {
      const known = connection === null ? undefined : directory.connection(system.tenant, connection);
      if (known !== undefined) gaps.push({ connectionId: known.id, fromUs, toUs, reason });
    }
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  // The ledger lists the newest first; what a record says of an open gap follows from those before it.
  return gaps.reverse();
}
