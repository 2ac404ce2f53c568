import { rowsPerBatch } from "../factory-mix.ts";
import { round, Samples } from "./stats.ts";

/** What another product did with the same rows. */
export interface PeerResult {
  pointsPerSecond: number;
  points: number;
  batchRows: number;
  ackMs: { count: number; p50: number; p99: number; max: number };
  cpuSeconds: number;
  bytesPerPoint: number;
  /** What its acknowledgement promises. */
  acknowledged: string;
}

/** Sends with `senders` in parallel for `seconds`, each its next batch when the last one is acknowledged. */
export async function drive(
  senders: ((round: number) => Promise<number>)[],
  seconds: number,
): Promise<{ points: number; seconds: number; ackMs: PeerResult["ackMs"] }> {
  const ackMs = new Samples();
  const start = performance.now();
  let points = 0;
  await Promise.all(
    senders.map(async (send) => {
      for (let n = 0; performance.now() - start < seconds * 1000; n++) {
        const before = performance.now();
        const rows = await send(n);
        points += rows;
        ackMs.add(performance.now() - before);
      }
    }),
  );
  return { points, seconds: round((performance.now() - start) / 1000, 3), ackMs: ackMs.summary() };
}

/** Peers get the factory of the ingest benches: 20,000 tags, 10 sources with 2 batches each. */
export const peerTags = 20 * rowsPerBatch;
export const peerSources = 10;
