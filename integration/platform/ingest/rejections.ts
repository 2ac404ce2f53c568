import { type JsonValue, type Micros, type RowFault, type Value, valueToJson } from "@lineshaft/contract/api";
import type { RejectedRecord } from "@lineshaft/contract/ports";
import type { LiveConnection } from "./directory.ts";

/** One rejected item for each code among the faults, with up to 20 of its rows. */
export function rejections(
  connection: LiveConnection,
  faults: RowFault[],
  samples: { tag: string | null; time: Micros | null; value: unknown }[],
): RejectedRecord[] {
  const byCode = new Map<string, RejectedRecord>();
  for (let i = 0; i < faults.length; i++) {
    const { code, detail } = faults[i];
    let item = byCode.get(code);
    if (item === undefined) {
      const who = { connectionId: connection.id, connection: connection.name };
      item = { ...who, code, detail, points: 0, sample: [], payload: null, payloadBytes: 0 };
      byCode.set(code, item);
    }
    item.points++;
    const sample = samples[i];
    if (item.sample.length < 20 && sample !== undefined) {
      item.sample.push({ tag: sample.tag, time: sample.time, value: sampleValue(sample.value), detail });
    }
  }
  return [...byCode.values()];
}

function sampleValue(value: unknown): JsonValue | null {
  if (typeof value === "string") return value.slice(0, 200);
  if (value instanceof Uint8Array) return valueToJson(value.subarray(0, 200));
  if (value === null || ["number", "bigint", "boolean"].includes(typeof value)) return valueToJson(value as Value);
  return (JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? `${v}` : v)) ?? String(value)).slice(
    0,
    200,
  );
}
