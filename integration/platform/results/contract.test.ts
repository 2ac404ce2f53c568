import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MachineFacts } from "@lineshaft/contract/api";
import {
  encodeJson,
  type Facts,
  type FactsChange,
  type FactsProgress,
  type Lsn,
  type MachineAnswer,
  type Registry,
  recordType,
  type StandardBinding,
} from "@lineshaft/contract/ports";
import { type FakeClock, MemoryLog, type ResultsFixture, resultsContract } from "@lineshaft/testkit";
import { openRegistry } from "../registry/index.ts";
import { openResults, type ResultService } from "./service.ts";

const nothing = (from: number, to: number): MachineFacts => ({
  ...{ from, to, states: { count: 0, t: new Float64Array(), code: new Int32Array() } },
  increments: {
    ...{ count: 0, source: new Float64Array(), t: new Float64Array(), n: new Float64Array() },
    ...{ kind: new Uint8Array(), flags: new Uint8Array() },
  },
});

/** The service on a real registry and a log in memory; facts are what a test says of them. */
function fixture(clock: FakeClock): ResultsFixture {
  const dir = mkdtempSync(join(tmpdir(), "results-contract-"));
  const log = new MemoryLog(clock);
  const inner = openRegistry({ path: join(dir, "registry.db"), clock });
  let items: StandardBinding[] = [];
  const registry = Object.create(inner, {
    standardBindings: { value: () => ({ revision: 1, items }) },
  }) as Registry;
  const progress = new Map<number, FactsProgress>();
  const listeners = new Set<(changes: readonly FactsChange[]) => void>();
  const facts = {
    get appliedLsn() {
      return log.status.durableLsn;
    },
    machine: (_id: number, from: number, to: number): Pick<MachineAnswer, "facts"> => ({ facts: nothing(from, to) }),
    states: (_id: number, from: number, to: number) => nothing(from, to).states,
    identifiers: () => [],
    progress: (id: number) => progress.get(id) ?? null,
    onChanged: (listener: (changes: readonly FactsChange[]) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onProgress: () => () => {},
  } as unknown as Facts;
  let service: ResultService | null = null;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  /** All that is in the log is applied, and what follows from it is known. */
  const applied = async (): Promise<void> => {
    if (service === null) return;
    const from = service.nextLsn;
    const frames = log.frames.filter(({ lsn }) => lsn >= from);
    if (frames.length > 0) await service.apply(frames);
  };
  const open = (): ResultService => {
    service?.close();
    service = openResults({
      ...{ path: join(dir, "results.sqlite"), log, registry, facts, clock, factsFrom: 0 },
      recorded: { production: { ofSerial: () => null, ofLot: () => null, named: () => [] }, applied: async () => {} },
      applied: (_lsn: Lsn) => applied(),
      onError: (error) => {
        throw error;
      },
    });
    return service;
  };
  return {
    registry,
    open,
    bind: (...equipmentIds) => {
      items = equipmentIds.map((equipmentId, i) => ({
        ...{ tenant: 1, tagId: i + 1, connectionId: 1, equipmentId, property: "count", kind: "counter" as const },
        ...{ counts: "total" as const, validFromUs: 0, validToUs: null, mapping: {} },
      }));
    },
    know: (each) => {
      progress.set(each.equipmentId, each);
    },
    tell: async (change) => {
      for (const listener of listeners) listener([{ ...change, lsn: log.status.durableLsn }]);
      for (let i = 0; i < 5; i++) await turn();
    },
    settle: async () => {
      const rows = registry.outbox(1000);
      for (const { revision, record } of rows) {
        const { lsn, durable } = log.append({
          ...{ tenant: 1, partition: 0, type: recordType.registryChanged },
          payload: encodeJson(record),
        });
        registry.stampLsn([{ revision, lsn }]);
        await durable;
      }
      await applied();
      service?.tick();
      for (let i = 0; i < 5; i++) await turn();
    },
    cleanup: () => {
      service?.close();
      inner.close();
      rmSync(dir, { recursive: true });
    },
  };
}

resultsContract(fixture);
