import type { WireDataValue } from "./decode.ts";
import { chunks, type Item, type ServerLimits } from "./items.ts";
import type { Opcua } from "./library.ts";
import type { RawSession } from "./link.ts";

/**
 * After a loss each tag stands as "no communication", and a value that has not changed since would never be sent again. So the present values are read
 * once, and stand at the server's time of reading: that they were still so then is what the server says.
 */
export async function* readPresent(
  opcua: Opcua,
  session: RawSession,
  items: readonly Item[],
  limits: ServerLimits,
): AsyncGenerator<{ rows: { item: Item; data: WireDataValue }[]; serverUs: number }> {
  for (const some of chunks(items, limits.read)) {
    const values = await session.read(
      some.map((item) => ({
        nodeId: item.nodeId!,
        attributeId: opcua.AttributeIds.Value,
        // As in items.ts: the library makes its own class of the text.
        indexRange: item.options.indexRange as unknown as undefined,
      })),
    );
    const rows = values.map((value, i) => ({ item: some[i], data: value as unknown as WireDataValue }));
    // The earliest: a change that comes while we read is then never older than what was read.
    const times = rows.map(({ data }) => data.serverTimestamp?.getTime() ?? 0).filter((ms) => ms > 0);
    yield { rows, serverUs: times.length === 0 ? NaN : Math.min(...times) * 1000 };
  }
}
