import { encodeColumns, encodePointsFrame } from "@lineshaft/contract/api";
import type { EventItem } from "@lineshaft/contract/ports";
import { pointsJson } from "../rest/series.ts";

/** An item as JSON text, the same for WebSocket and SSE. */
function itemJson(item: EventItem): string {
  const { type, lsn, cursor, recordedTime, columns } = item;
  const head = `{"type":"${type}","lsn":${lsn},"cursor":${JSON.stringify(cursor)},"recordedTime":${recordedTime}`;
  if (columns === null) return `${head},"data":${JSON.stringify(item.data ?? {})}}`;
  const { connectionId, late, corrected } = item;
  return `${head},"connectionId":${connectionId},"late":${late},"corrected":[${corrected}],${pointsJson(columns)}}`;
}

/** Points as the binary frame of the contract. */
function itemFrame({
  lsn,
  cursor,
  recordedTime,
  connectionId,
  late,
  corrected,
  columns,
  block,
}: EventItem): Uint8Array {
  const header = { type: "points.recorded", lsn, cursor, recordedTime, connectionId, late, corrected } as const;
  if (columns === null) throw new TypeError("Only points have a binary form.");
  return encodePointsFrame(header, block ?? encodeColumns(columns));
}

interface Encoded {
  json: string | null;
  frame: Uint8Array | null;
}

const cachedItems = 32;
const cachedBytesMax = 4 * 1024 * 1024;

/**
 * Encodes items, once where several live readers get the same one. An item that was passed on whole (it still has its block)
 * is known by its cursor; filtered ones differ from reader to reader and are encoded for each.
 */
export class ItemEncoder {
  readonly #cache = new Map<string, Encoded>();
  #bytes = 0;

  json(item: EventItem): string {
    const entry = this.#entry(item);
    if (entry?.json != null) return entry.json;
    const json = itemJson(item);
    if (entry !== null) {
      entry.json = json;
      this.#keep(json.length);
    }
    return json;
  }

  frame(item: EventItem): Uint8Array {
    const entry = this.#entry(item);
    if (entry?.frame != null) return entry.frame;
    const frame = itemFrame(item);
    if (entry !== null) {
      entry.frame = frame;
      this.#keep(frame.length);
    }
    return frame;
  }

  #entry(item: EventItem): Encoded | null {
    if (item.block === null || item.lsn === null) return null;
    const key = `${item.lsn}:${item.cursor}`;
    let entry = this.#cache.get(key);
    if (entry === undefined) {
      entry = { json: null, frame: null };
      this.#cache.set(key, entry);
    }
    return entry;
  }

  #keep(bytes: number): void {
    this.#bytes += bytes;
    for (const [key, { json, frame }] of this.#cache) {
      if (this.#cache.size <= cachedItems && this.#bytes <= cachedBytesMax) break;
      this.#cache.delete(key);
      this.#bytes -= (json?.length ?? 0) + (frame?.length ?? 0);
    }
  }
}
