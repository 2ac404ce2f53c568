import {
  decodeJson,
  decodeVerdict,
  type FactsKind,
  type Frame,
  type GapRecord,
  type Lsn,
  type Registry,
  type RegistryChangedRecord,
  recordType,
  type StandardBinding,
} from "@lineshaft/contract/ports";
import { isProduction } from "./plant.ts";

/** Facts of a machine that may have changed while nobody was told. */
export interface MissedChange {
  equipmentId: number;
  /** No result rests on alarms. */
  what: Exclude<FactsKind, "alarms">;
  fromUs: number;
  toUs: number;
  text: string;
  lsn: Lsn;
}

/**
 * What records that a stopped process had not told of may have changed in the past. Facts derived from history at a start have it in them already, so nobody tells of it: the
 * records are read again, and all that they may touch is looked at. What turns out to be as it was is not published.
 */
export function* changesSince(
  frames: readonly Frame[],
  registry: Pick<Registry, "standardBindings">,
): Generator<MissedChange> {
  if (frames.length === 0) return;
  const { items } = registry.standardBindings();
  yield* changesOf("production", frames, items.filter(isProduction));
  yield* changesOf(
    "identifiers",
    frames,
    items.filter(({ kind }) => kind === "identifier"),
  );
}

function* changesOf(
  what: MissedChange["what"],
  frames: readonly Frame[],
  items: readonly StandardBinding[],
): Generator<MissedChange> {
  const byTag = Map.groupBy(items, ({ tagId }) => tagId);
  const machines = new Set(items.map(({ equipmentId }) => equipmentId));
  for (const { type, payload, lsn } of frames) {
    if (type === recordType.verdict) {
      const { columns } = decodeVerdict(payload);
      const ranges = new Map<number, { fromUs: number; toUs: number }>();
      for (let row = 0; row < columns.rows; row++)
        for (const { equipmentId } of byTag.get(columns.tag[row]) ?? []) {
          const time = columns.time[row];
          const range = ranges.get(equipmentId) ?? { fromUs: time, toUs: time };
          ranges.set(equipmentId, { fromUs: Math.min(range.fromUs, time), toUs: Math.max(range.toUs, time) });
        }
      for (const [equipmentId, range] of ranges) yield { equipmentId, what, ...range, text: "Points came late.", lsn };
    } else if (type === recordType.gap) {
      const { connectionId, fromUs, toUs } = decodeJson<GapRecord>(payload);
      const fed = new Set(items.filter((each) => each.connectionId === connectionId).map((each) => each.equipmentId));
      const text = "It became known that data are missing.";
      for (const equipmentId of fed)
        yield { equipmentId, what, fromUs, toUs: toUs ?? Number.POSITIVE_INFINITY, text, lsn };
    } else if (type === recordType.registryChanged) {
      const { entity, after } = decodeJson<RegistryChangedRecord>(payload);
      if (entity !== "binding" && entity !== "model" && entity !== "tag") continue;
      const named = after.equipmentId;
      const touched = typeof named === "number" ? [named] : entity === "model" ? machines : [];
      const everywhere = { fromUs: Number.NEGATIVE_INFINITY, toUs: Number.POSITIVE_INFINITY };
      for (const equipmentId of touched)
        yield { equipmentId, what, ...everywhere, text: "Another meaning was given to tags.", lsn };
    }
  }
}
