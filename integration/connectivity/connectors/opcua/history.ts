import type { HistoryReadResult } from "node-opcua-client";
import type { WireDataValue } from "./decode.ts";
import { chunks, type Item, type ServerLimits } from "./items.ts";
import type { Opcua } from "./library.ts";
import type { RawSession } from "./link.ts";

/** Values of one node in one answer. */
const valuesPerNode = 1_000;
/** A server that always has one more page is not followed for ever: 10 million values a node. */
const pagesMax = 10_000;

export interface HistoryPage {
  rows: { item: Item; data: WireDataValue }[];
  /** The server could not say what these were. */
  failed: Item[];
}

/**
 * Raw values since each item's `fromUs`, oldest first per item, page by page; values that were known before are left out. Continuation points that are
 * not used up are given back.
 */
export async function* readHistory(
  opcua: Opcua,
  session: RawSession,
  wanted: readonly { item: Item; fromUs: number }[],
  toUs: number,
  limits: ServerLimits,
): AsyncGenerator<HistoryPage> {
  for (const some of chunks(wanted, limits.history)) {
    // One request has one start for all its nodes.
    const fromMs = Math.floor(Math.min(...some.map((w) => w.fromUs)) / 1000);
    const historyReadDetails = new opcua.ReadRawModifiedDetails({
      isReadModified: false,
      startTime: dateOf(fromMs),
      // The end is exclusive, and µs are cut above.
      endTime: dateOf(Math.ceil(toUs / 1000) + 1),
      numValuesPerNode: valuesPerNode,
      returnBounds: false,
    });
    const ask = async (
      open: { item: Item; fromUs: number; point: Buffer | null }[],
      releaseContinuationPoints: boolean,
    ): Promise<HistoryReadResult[]> => {
      const request = new opcua.HistoryReadRequest({
        historyReadDetails,
        timestampsToReturn: opcua.TimestampsToReturn.Both,
        releaseContinuationPoints,
        nodesToRead: open.map(({ item, point }) => ({ nodeId: item.nodeId!, continuationPoint: point ?? undefined })),
      });
      return (await session.historyRead(request)).results ?? [];
    };
    let open = some.map((w) => ({ ...w, point: null as Buffer | null }));
    try {
      for (let page = 0; open.length > 0 && page < pagesMax; page++) {
        const results = await ask(open, false);
        const found: HistoryPage = { rows: [], failed: [] };
        const next: typeof open = [];
        open.forEach((w, i) => {
          const result = results[i];
          if (result === undefined || !result.statusCode.isGoodish()) {
            found.failed.push(w.item);
            return;
          }
          const values = (result.historyData as { dataValues?: WireDataValue[] | null } | null)?.dataValues ?? [];
          for (const data of values) found.rows.push({ item: w.item, data });
          const point: Buffer | null = result.continuationPoint ?? null;
          if (point !== null && point.length > 0) next.push({ ...w, point });
        });
        open = next;
        yield found;
      }
    } finally {
      const held = open.filter((w) => w.point !== null);
      if (held.length > 0) await ask(held, true).catch(() => {});
    }
  }
}

function dateOf(ms: number) {
  // biome-ignore lint/style/noRestrictedGlobals: the library takes a Date; its time comes from the data, not from a clock.
  return new Date(ms);
}
