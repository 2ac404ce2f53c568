import { type JsonValue, type Micros, valueAt, valueToJson, type WireRecord } from "@lineshaft/contract/api";
import {
  type Clock,
  ConnectionError,
  type ConnectorBatch,
  type ConnectorContext,
  type ConnectorType,
} from "@lineshaft/contract/ports";
import { Value } from "typebox/value";

/** One decoded value of a capture, or a message that could not be decoded. */
export type ReplayedRow =
  | { address: string; time: Micros; value: JsonValue; status: number; unit?: string }
  | { rejected: string; detail: string };

/** Decodes a capture with a connector's own codec, without a network. Values without a time of their own stand where they were captured. */
export async function* replayCapture(
  type: ConnectorType,
  written: Record<string, unknown>,
  records: readonly WireRecord[],
): AsyncGenerator<ReplayedRow> {
  if (type.replay === undefined) {
    const hint = "Its traffic can be looked at; what it means is known only while it is connected.";
    throw new ConnectionError("misconfigured", `Captures of kind "${type.kind}" cannot be decoded afterwards.`, hint);
  }
  const config = Value.Default(type.config, structuredClone(written));
  const [error] = Value.Errors(type.config, config);
  if (error !== undefined)
    throw new ConnectionError("misconfigured", `"${error.instancePath.slice(1)}" ${error.message}.`, "Correct it.");
  let nowUs = records[0]?.t ?? 0;
  const clock: Clock = {
    nowUs: () => nowUs,
    monotonicMs: () => nowUs / 1000,
    // Nothing becomes due by itself: time is what the capture says.
    sleep: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  };
  const told = function* (): Generator<WireRecord> {
    for (const record of records) {
      nowUs = record.t;
      yield record;
    }
  };
  const rows: ReplayedRow[] = [];
  await type.replay(config, contextOf(clock), told(), {
    offer: async (batch) => {
      rows.push(...rowsOf(batch, nowUs));
      const { rows: offered } = batch.columns;
      return {
        kind: "durable",
        lsn: 0,
        offered,
        accepted: offered,
        suspect: 0,
        duplicates: 0,
        rejected: 0,
        faults: [],
      };
    },
    credit: () => ({ rows: 1_000_000, bytes: 1e9 }),
    ready: async () => undefined,
    reject: async ({ code, detail }) => void rows.push({ rejected: code, detail }),
    gap: async () => undefined,
    stale: async () => undefined,
  });
  yield* rows;
}

const contextOf = (clock: Clock): ConnectorContext => ({
  clock,
  secret: () => null,
  stateDir: "",
  share: (_, make) => make(),
  log: () => undefined,
});

function rowsOf({ names, columns, properties, faults = [] }: ConnectorBatch, nowUs: Micros): ReplayedRow[] {
  const rows: ReplayedRow[] = Array.from({ length: columns.rows }, (_, i) => {
    const address = names[columns.tag[i]];
    const unit = properties?.get(address)?.unit;
    return {
      address,
      time: Number.isNaN(columns.time[i]) ? nowUs : columns.time[i],
      value: valueToJson(valueAt(columns, i)),
      status: columns.status?.[i] ?? 0,
      ...(unit === undefined ? {} : { unit }),
    };
  });
  return [...rows, ...faults.map(({ code, detail }) => ({ rejected: code, detail }))];
}
